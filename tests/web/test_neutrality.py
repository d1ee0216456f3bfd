"""From a plan to a statement over HTTP (中和接口): reserved, retired, stated, shared, given."""

from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from httpx2 import Response
from starlette.testclient import TestClient

from app.city import City
from app.kernel.clock import day_of, now
from app.kernel.ids import public_id
from app.kernel.scopes import SCOPES, Role
from app.kernel.tokens import Principal
from app.neutrality.statement_pdf import rows_of
from app.neutrality.statement_telling import told
from app.neutrality.statements import find_statement
from app.settlements.statement import is_signed
from ledger.certificate import canonical
from tests.support.acts import one
from tests.support.desk import Person
from tests.support.gatherings import Marathon
from tests.support.market import KG, Market
from tests.support.organisations import organisation
from tests.support.owners import BUS, BUS_B, asset_number
from tests.support.points import accrue, citizens
from tests.support.registry import Registry

RETIRED_KG = 574
ZEROES = "0" * 26
UNKNOWN = f"gth_{ZEROES}"


@pytest.fixture
def race(city: City, tmp_path: Path) -> Marathon:
    return Marathon(Market(Registry(city.db, city.worker_db, city.keys, tmp_path)))


@pytest.fixture
def organiser(race: Marathon, app: FastAPI, client: TestClient) -> Person:
    return race.office.person(app, client)


@pytest.fixture
def ann(city: City, app: FastAPI, client: TestClient) -> Person:
    """A citizen with 10 kg of grade A and 5 of B."""
    (owner,) = citizens(city.db, city.keys, 1)
    for of, kg in ((BUS, 10), (BUS_B, 5)):
        accrue(city.db, owner, asset_number(city.db, of), kg * KG)
    (id_,) = one(city.db, "select public_id from subject where account = %s", owner)
    who = Principal("citizen", id_, SCOPES[Role.CITIZEN], owner)
    token = app.state.tokens.issue(who, at=now())
    return Person(client, who, {"Authorization": f"Bearer {token}"})


def at(race: Marathon, rest: str = "") -> str:
    return f"/v1/gatherings/{race.gathering.public}{rest}"


def public(race: Marathon, rest: str = "") -> str:
    return f"/v1/public/gatherings/{race.gathering.public}{rest}"


def done(answer: Response, status: int = 201) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    return answer.json()


def code(answer: Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def reservation(race: Marathon, quantity_kg: int, **changes: object) -> dict[str, object]:
    batch, until = race.market.batch.public, day_of(now()).isoformat()
    return {"batch": batch, "quantity_kg": quantity_kg, "until": until, **changes}


def stated(race: Marathon, organiser: Person) -> dict[str, Any]:
    """Count, true up, retire and state."""
    race.counted()
    done(organiser.post(at(race, "/true-up"), None))
    done(organiser.post(at(race, "/retirement"), None))
    race.taken()
    return done(organiser.post(at(race, "/statement"), None))


def test_from_a_plan_to_a_statement(race: Marathon, organiser: Person, client: TestClient) -> None:
    made = done(organiser.post(at(race, "/reservations"), reservation(race, 1_000)))
    assert done(organiser.get(at(race, "/reservations")), 200)["data"] == [made]
    race.counted()
    trued = done(organiser.post(at(race, "/true-up"), None))
    assert (trued["needed_kg"], trued["released_kg"]) == (RETIRED_KG, 1_000 - RETIRED_KG)
    assert code(organiser.post(at(race, "/statement"), None)) == (
        409,
        "neutrality_statements.not_neutral",
    )
    assert code(client.get(public(race))) == (404, "neutrality_statements.unknown")
    (asked,) = done(organiser.post(at(race, "/retirement"), None))["data"]
    assert (asked["quantity_kg"], asked["state"]) == (RETIRED_KG, "requested")
    race.taken()
    standing = done(organiser.get(at(race, "/standing")), 200)
    assert (standing["retired_kg"], standing["lacking"]["co2e_mg"]) == (RETIRED_KG, 0)
    issued = done(organiser.post(at(race, "/statement"), None))
    shown = done(client.get(public(race)), 200)
    assert shown["status"]["state"] == "neutral"
    assert sha256(canonical(shown["statement"])).hexdigest() == issued["digest"]
    (retired,) = shown["statement"]["retirements"]
    assert retired["serials"].startswith("TP1-")
    assert retired["certificate"] == "cert_" + asked["id"].removeprefix("ret_")
    assert code(organiser.post(at(race, "/statement"), None)) == (
        409,
        "neutrality_statements.unchanged",
    )


def test_a_statement_in_each_of_its_forms(
    race: Marathon, organiser: Person, client: TestClient, city: City
) -> None:
    """JSON names every row, under a signed status; page and print say the same; so does a proof."""
    issued = stated(race, organiser)
    shown = done(client.get(public(race)), 200)
    said, status = shown["statement"], shown["status"]
    signature = bytes.fromhex(status.pop("signature"))
    check = partial(is_signed, city.keys.receipt.public_key())
    assert check(signature, canonical(status))
    assert not check(signature, canonical(status | {"covered_mg": "1"}))
    assert said["shape"].startswith("ISO 14068-1:2023")
    (line,) = said["inventory"]["lines"]
    assert (line["factor"]["table"], line["factor"]["row"]) == ("cn-grid", "上海/2023")
    assert said["tiers"] == {"measured": line["co2e_mg"], "estimated": 0, "default": 0}
    page = client.get(public(race), headers={"Accept": "text/html"})
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    text = page.text
    for word in (
        "cn-grid 上海/2023",
        "Nobody came by air",
        "none at this gathering",
        "<svg",
        "CO2 alone",
    ):
        assert word in text
    assert "PAS 2060" not in text, "the standard that it replaced"
    printed = client.get(public(race, "/statement.pdf"))
    assert printed.headers["content-type"] == "application/pdf"
    assert printed.content.startswith(b"%PDF-")
    rows = rows_of(told(race.db.read(find_statement, race.gathering.id), "now"), "link")
    words = "\n".join(cell for row in rows for cell in row.cells)
    balance = ("573.700000 kg", f"{RETIRED_KG} kg", "0 kg", f"{RETIRED_KG}.000000 kg")
    for word in ("城市马拉松", "碳中和声明", "TP1-", issued["digest"], "0.5737 kg", *balance):
        assert word in words, word
    proof = done(client.get(public(race, "/proof")), 200)
    (retired,) = proof["statement"]["retirements"]
    assert [*proof][1] == "status"
    assert (proof["certificates"], proof["pending"]) == ([], [retired["certificate"]])


def test_what_is_lacking_comes_first_everywhere(
    race: Marathon, organiser: Person, client: TestClient
) -> None:
    stated(race, organiser)
    race.counted()  # the same line again
    shown = done(client.get(public(race)), 200)
    assert next(iter(shown)) == "status"
    assert shown["status"]["state"] == "reduced"
    assert shown["status"]["covered_mg"] == str(RETIRED_KG * KG)
    page = client.get(public(race), headers={"Accept": "text/html"}).text
    assert page.index("NOT NEUTRAL") < page.index("<h1>")
    said = told(race.db.read(find_statement, race.gathering.id), "now")
    first = next(rows_of(said, "link"))
    assert first.is_warning
    assert "573.400000 kg lacking" in first.cells[0]
    assert code(organiser.post(at(race, "/statement"), None)) == (
        409,
        "neutrality_statements.not_neutral",
    )
    done(organiser.post(at(race, "/true-up"), None))
    done(organiser.post(at(race, "/retirement"), None))
    race.taken()
    assert done(organiser.post(at(race, "/statement"), None))["version"] == 2
    assert done(client.get(public(race) + "?version=1"), 200)["status"]["state"] == "neutral"


def test_what_is_given_back_or_taken_back(race: Marathon, organiser: Person) -> None:
    made = done(organiser.post(at(race, "/reservations"), reservation(race, 10)))
    path = at(race, f"/reservations/{made['id']}/release")
    assert done(organiser.post(path, None), 200)["left_kg"] == 0
    assert code(organiser.post(path, None)) == (404, "reservations.unknown")
    race.counted()
    done(organiser.post(at(race, "/true-up"), None))
    (asked,) = done(organiser.post(at(race, "/retirement"), None))["data"]
    back = organiser.post(at(race, f"/retirement/{asked['id']}/reversal"), None)
    assert done(back, 200)["state"] == "reverted"
    assert done(organiser.get(at(race, "/retirement")), 200)["data"] == []


def test_a_key_reserves_once(race: Marathon, organiser: Person) -> None:
    path, body = at(race, "/reservations"), reservation(race, 10)
    first = organiser.post(path, body, key="one")
    again = organiser.post(path, body, key="one")
    assert (first.json(), again.headers["idempotent-replayed"]) == (again.json(), "true")
    assert race.has() == (1_990, 0, 10)


def test_another_organiser_sees_and_does_nothing(
    race: Marathon, app: FastAPI, client: TestClient, city: City
) -> None:
    rival = organisation(city.db, city.keys, 49).person(app, client)
    for path, body in (
        ("/reservations", reservation(race, 1)),
        ("/true-up", None),
        ("/retirement", None),
        ("/statement", None),
        ("/shares", {"tickets": 1, "share_mg": 1}),
    ):
        foreign = code(rival.post(at(race, path), body))
        assert foreign == code(rival.post(f"/v1/gatherings/{UNKNOWN}{path}", body))
        assert foreign == (404, "gatherings.unknown"), path
    for path in (
        "/reservations",
        "/standing",
        "/retirement",
        "/shares",
        f"/shares/shi_{ZEROES}/tickets",
    ):
        assert code(rival.get(at(race, path))) == (404, "gatherings.unknown"), path


def test_a_ticket_claims_without_an_account(
    race: Marathon, organiser: Person, client: TestClient
) -> None:
    stated(race, organiser)
    body = {"tickets": 3, "share_mg": 30 * KG}
    issue = done(organiser.post(at(race, "/shares"), body))
    printed = done(organiser.get(at(race, f"/shares/{issue['id']}/tickets")), 200)["links"]
    assert len(set(printed)) == 3
    page, _, words = printed[0].partition("#")
    assert len(words) == 32
    assert client.get(page).headers["content-type"].startswith("text/html")
    assert "location.hash" in client.get("/v1/public/share.js").text
    claimed = done(client.post(public(race, "/shares"), json={"ticket": words}), 200)
    assert next(iter(claimed)) == "state", "what was lost is said first"
    assert (claimed["state"], claimed["share"]["co2e_mg"]) == ("valid", 30 * KG)
    assert claimed["remaining"] == claimed["share"]
    assert done(client.post(public(race, "/shares"), json={"ticket": words}), 200) == claimed
    guess = client.post(public(race, "/shares"), json={"ticket": "a" * 32})
    assert code(guess) == (404, "shares.unknown")
    (listed,) = done(organiser.get(at(race, "/shares")), 200)["data"]
    assert (listed["tickets"], listed["claimed"]) == (3, 1)
    too_many = organiser.post(at(race, "/shares"), {"tickets": 10_000, "share_mg": KG})
    assert code(too_many) == (409, "shares.exceed")


def test_a_citizen_gives(race: Marathon, ann: Person) -> None:
    race.counted()
    made = done(ann.post(at(race, "/gifts"), {"co2e_mg": 3 * KG}))
    assert (made["counts"], made["gathering"]) == (True, race.gathering.public)
    other = done(ann.post(at(race, "/gifts"), {"co2e_mg": KG, "grade": "B"}))
    assert other["counts"] is False
    assert done(ann.get("/v1/me/gifts"), 200)["data"] == [other, made]
    assert race.standing().given_kg == 3
    lacking = ann.post(at(race, "/gifts"), {"co2e_mg": 7 * KG + 1})
    assert code(lacking) == (409, "gathering_gifts.lacking")
    unknown = ann.post(f"/v1/gatherings/{UNKNOWN}/gifts", {"co2e_mg": 1})
    assert code(unknown) == (404, "gatherings.unknown")


def test_a_citizen_says_whose_a_trip_is(race: Marathon, ann: Person) -> None:
    body = {"activity": public_id("act", race.gathering.id), "side": "attendee"}
    assert ann.post(at(race, "/sides"), body).status_code == 422, "nobody without a ticket"
    no_ticket = ann.post(at(race, "/sides"), body | {"ticket": "aaaa"})
    assert code(no_ticket) == (422, "travel_surveys.ticket_unknown")
    body |= {"ticket": race.ticket(1)}
    assert code(ann.post(at(race, "/sides"), body)) == (404, "trip_sides.trip_unknown")
    assert ann.post(at(race, "/sides"), body | {"side": "both"}).status_code == 422
