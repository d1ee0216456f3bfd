// The page of a ticket: its words are behind the # of the link, and are sent only when claimed.
const [, gathering] = location.pathname.match(/gatherings\/([^/]+)\/share$/);
const at = `/v1/public/gatherings/${gathering}`;
const form = document.querySelector("#claim");
const output = document.querySelector("output");
document.querySelector("#statement").href = at;

// What was lost of a share is read first.
function words({ state, remaining, share, claimed_at }) {
  const lost =
    state === "valid" ? "" : `已核减 ${state.toUpperCase()} · 余 ${remaining.co2e} left of `;
  return `${lost}${share.co2e} CO2e · ${claimed_at}`;
}

form.addEventListener("submit", async (submitted) => {
  submitted.preventDefault();
  const answer = await fetch(`${at}/shares`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ ticket: location.hash.slice(1) }),
  });
  const told = await answer.json();
  output.textContent = answer.ok ? words(told) : told.title;
  form.hidden = answer.ok;
});
