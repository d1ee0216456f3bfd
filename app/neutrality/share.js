// The page of a ticket: its words are behind the # of the link, and are sent only when claimed.
const [, gathering] = location.pathname.match(/gatherings\/([^/]+)\/share$/);
const at = `/v1/public/gatherings/${gathering}`;
const form = document.querySelector("#claim");
const output = document.querySelector("output");
document.querySelector("#statement").href = at;

form.addEventListener("submit", async (submitted) => {
  submitted.preventDefault();
  const answer = await fetch(`${at}/shares`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ ticket: location.hash.slice(1) }),
  });
  const told = await answer.json();
  output.textContent = answer.ok ? `${told.share.co2e} CO2e · ${told.claimed_at}` : told.title;
  form.hidden = answer.ok;
});
