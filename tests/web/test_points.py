"""Points over HTTP (积分): quote, exchange once a key, list; programmes, their terms and funds."""

from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from httpx2 import Response
from starlette.testclient import TestClient

from app.city import City
from app.kernel.clock import day_of, now
from app.kernel.ids import new_id
from app.kernel.scopes import SCOPES, Role
from app.kernel.tokens import Principal
from ledger.accounts import bucket_of
from ledger.assets import asset_key
from tests.support.acts import one, rows
from tests.support.clerks import known
from tests.support.owners import BUS, asset_number
from tests.support.points import accrue, citizens, owed, points, programme, slices

TODAY = day_of(now())
FUNDING = "/v1/admin/programmes/green/funding"
OPEN = {"code": "green", "name_zh": "绿色积分", "name_en": "Green points", "fen_per_point": 2}


class Desk:
    """A client with tokens of whoever is asked for."""

    def __init__(self, client: TestClient, app: FastAPI, city: City) -> None:
        self.client, self.app, self.city = client, app, city
        self._keys = 0

    def headers(self, who: Principal) -> dict[str, str]:
        self._keys += 1
        token = self.app.state.tokens.issue(who, at=now())
        return {"authorization": f"Bearer {token}", "idempotency-key": f"key-{self._keys}"}

    def post(self, who: Principal, path: str, body: Any, **more: str) -> Response:  # noqa: ANN401 -- JSON
        return self.client.post(path, json=body, headers={**self.headers(who), **more})

    def agree(self, asker: Principal, signer: Principal, path: str, body: Any) -> None:  # noqa: ANN401 -- JSON
        asked = self.post(asker, path, body)
        assert asked.status_code == 201, asked.text
        signed = self.post(signer, f"/v1/admin/approvals/{asked.json()['id']}/signature", None)
        assert signed.status_code == 200, signed.text

    def clerk(self) -> Principal:
        return known(self.city.db, Role.OPERATOR)

    def get(self, who: Principal, path: str) -> Response:
        return self.client.get(path, headers=self.headers(who))


def citizen(owner: int) -> Principal:
    return Principal("citizen", new_id(), SCOPES[Role.CITIZEN], owner)


@pytest.fixture
def desk(client: TestClient, app: FastAPI, city: City) -> Desk:
    return Desk(client, app, city)


def test_a_citizen_sees_a_quote_exchanges_once_and_reads_it_again(desk: Desk) -> None:
    db, keys = desk.city.db, desk.city.keys
    programme(db, keys, 1_000)
    ann, bo = citizens(db, keys, 2)
    accrue(db, ann, asset_number(db, BUS), 482_040)
    me, other = citizen(ann), citizen(bo)
    quoted = desk.get(me, "/v1/me/exchange-quote")
    assert quoted.headers["cache-control"] == "no-store"
    told = quoted.json()
    assert (told["points"], told["state"], told["owed_points"]) == (48, "open", 0)
    assert told["classes"][0]["remaining"]["co2e_mg"] == 2_040
    assert told["classes"][0]["of"]["class_id"] == asset_key(BUS).hex()
    first = desk.post(me, "/v1/me/exchanges", {}, **{"idempotency-key": "once"})
    assert first.status_code == 201
    again = desk.post(me, "/v1/me/exchanges", {}, **{"idempotency-key": "once"})
    assert (again.status_code, again.headers["idempotent-replayed"]) == (201, "true")
    assert again.content == first.content
    body = first.json()
    assert (body["points"], body["reduction"]["co2e"]) == (48, "0.480000 kg")
    assert body["expires"] == f"{TODAY.year + 1}-12-31"
    listed = desk.get(me, "/v1/me/exchanges").json()
    assert [each["id"] for each in listed["data"]] == [body["id"]]
    assert listed["data"][0]["classes"] == body["classes"]
    assert desk.get(other, "/v1/me/exchanges").json()["data"] == []
    assert desk.get(other, "/v1/me/exchange-quote").json()["classes"] == []
    wanted = {"classes": [{"class_id": asset_key(BUS).hex()}]}
    assert desk.post(other, "/v1/me/exchanges", wanted).json()["code"] == "exchange.class_not_held"
    assert sum(points(db, ann).values()) == 48
    assert points(db, bo) == {}


def test_the_list_goes_on_behind_its_cursor(desk: Desk) -> None:
    db, keys = desk.city.db, desk.city.keys
    programme(db, keys, 1_000)
    (ann,) = citizens(db, keys, 1)
    me = citizen(ann)
    for _ in range(3):
        accrue(db, ann, asset_number(db, BUS), 10_000)
        assert desk.post(me, "/v1/me/exchanges", {}).status_code == 201
    seen: list[str] = []
    path = "/v1/me/exchanges?limit=2"
    while path:
        page = desk.get(me, path).json()
        seen += [each["id"] for each in page["data"]]
        cursor = page["next_cursor"]
        path = f"/v1/me/exchanges?limit=2&cursor={cursor}" if cursor else ""
    assert len(seen) == 3
    assert seen == sorted(seen, reverse=True)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"classes": []}, 422, "request.malformed"),
        ({"classes": [{"class_id": "zz"}]}, 422, "request.malformed"),
        ({"classes": [{"class_id": "00" * 32, "co2e_mg": 0}]}, 422, "request.malformed"),
        ({"classes": [{"class_id": "00" * 32}] * 2}, 422, "exchange.class_twice"),
        ({"classes": [{"class_id": "00" * 32}]}, 409, "exchange.class_not_held"),
        ({"programme": "nobody"}, 404, "points.programme_unknown"),
        ({}, 409, "exchange.empty"),
        ({"points": 5}, 422, "request.malformed"),
    ],
)
def test_what_cannot_be_exchanged_is_refused(
    desk: Desk, body: dict[str, Any], status: int, code: str
) -> None:
    programme(desk.city.db, desk.city.keys, 1_000)
    (ann,) = citizens(desk.city.db, desk.city.keys, 1)
    answer = desk.post(citizen(ann), "/v1/me/exchanges", body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_programme_is_opened_given_terms_and_funded_by_two(desk: Desk) -> None:
    db, an, bo = desk.city.db, desk.clerk(), desk.clerk()
    made = desk.post(an, "/v1/admin/programmes", OPEN)
    assert made.status_code == 201, made.text
    assert made.json()["funds_fen"] == 0
    assert desk.post(an, "/v1/admin/programmes", OPEN).json()["code"] == "points.programme_taken"
    rate = {"grade": "A", "field": "green_travel", "mg_per_point": 5_000, "valid_from": str(TODAY)}
    rate["reason"] = "June"
    desk.agree(an, bo, "/v1/admin/programmes/green/rates", rate)
    tier = {**rate, "from_mg": 50_000_000, "mg_per_point": 4_000}
    desk.agree(an, bo, "/v1/admin/programmes/green/rates", tier)
    past = {**rate, "valid_from": str(TODAY - timedelta(days=1))}
    refused = desk.post(an, "/v1/admin/programmes/green/rates", past)
    assert (refused.status_code, refused.json()["code"]) == (422, "points.terms_in_past")
    reward = {
        "methodology": "BJ-TABLEWARE",
        "points": 5,
        "person_day_points": 10,
        "valid_from": str(TODAY),
        "reason": "June",
    }
    desk.agree(an, bo, "/v1/admin/programmes/green/rewards", reward)
    money = {"fen": 1_234_567, "reason": "June"}
    asked = desk.post(an, "/v1/admin/programmes/green/funding", money)
    assert asked.status_code == 201, asked.text
    sign = f"/v1/admin/approvals/{asked.json()['id']}/signature"
    assert desk.post(an, sign, None).json()["code"] == "approvals.own"
    assert slices(db) == (0, 0)
    assert desk.post(bo, sign, None).status_code in {200, 201}
    assert slices(db) == (1_234_567, 0)
    assert one(db, "select source, amount, code from transfer") == (20, 1_234_567, 21)
    shown = desk.client.get("/v1/public/programmes").json()["data"]
    assert [each["funds_fen"] for each in shown] == [1_234_567]
    assert shown[0]["rewards"][0]["methodology"] == "BJ-TABLEWARE"
    told = {(each["from_mg"], each["mg_per_point"]) for each in shown[0]["rates"]}
    assert told == {(0, 5_000), (0, 10_000), (50_000_000, 4_000)}
    assert all(each["valid_to"] is None for each in shown[0]["rates"])
    acts = [act for (act,) in rows(db, "select act from audit_entry order by number")]
    assert acts[:10] == [
        "programmes.open",
        *("approvals.ask", "programmes.set_rate", "approvals.sign"),
        *("approvals.ask", "programmes.set_rate", "approvals.sign"),
        *("approvals.ask", "programmes.set_reward", "approvals.sign"),
    ]
    assert "programmes.fund" in acts


def test_sponsors_are_told_with_what_became_of_their_money(desk: Desk) -> None:
    """300 fen paid in four times, 160 of it promised: the oldest 50, 100, and ten of the next."""
    db, an, bo = desk.city.db, desk.clerk(), desk.clerk()
    programme(db, desk.city.keys, 50)
    for fen, name in ((100, "City Bank"), (100, None), (50, "City Bank")):
        told = {"fen": fen, "reason": "June"} | ({"sponsor": name} if name else {})
        desk.agree(an, bo, FUNDING, told)
    (ann,) = citizens(db, desk.city.keys, 1)
    accrue(db, ann, asset_number(db, BUS), 1_600_000)
    desk.post(citizen(ann), "/v1/me/exchanges", {})
    shown = desk.client.get("/v1/public/programmes/green").json()["sponsors"]
    assert shown == [
        {"name": None, "funded_fen": 150, "settled_fen": 0, "promised_fen": 60},
        {"name": "City Bank", "funded_fen": 150, "settled_fen": 0, "promised_fen": 100},
    ]
    kept = "select sum(fen)::int8 from programme_sponsor"
    assert one(db, kept)[0] == sum(slices(db)) == 300
    noted = rows(db, "select detail ->> 'sponsor' from audit_entry where act = 'programmes.fund'")
    assert {name for (name,) in noted} == {"City Bank", None}


def test_points_that_claim_no_money_take_none(desk: Desk) -> None:
    desk.post(desk.clerk(), "/v1/admin/programmes", {**OPEN, "fen_per_point": 0})
    answer = desk.post(
        desk.clerk(), "/v1/admin/programmes/green/funding", {"fen": 1, "reason": "x"}
    )
    assert answer.json()["code"] == "points.programme_unfunded"
    assert desk.client.get("/v1/public/programmes/green").json()["solvency_permille"] is None
    assert desk.client.get("/v1/public/programmes/none").status_code == 404


def test_a_throttled_programme_says_so_everywhere(desk: Desk) -> None:
    db, keys = desk.city.db, desk.city.keys
    programme(db, keys, 10)
    (ann,) = citizens(db, keys, 1)
    accrue(db, ann, asset_number(db, BUS), 200_000)
    me = citizen(ann)
    assert desk.get(me, "/v1/me/exchange-quote").json()["state"] == "exhausted"
    answer = desk.post(me, "/v1/me/exchanges", {})
    assert (answer.status_code, answer.json()["code"]) == (409, "budget.exhausted")
    wanted = {"classes": [{"class_id": asset_key(BUS).hex(), "co2e_mg": 100_000}]}
    assert desk.post(me, "/v1/me/exchanges", wanted).status_code == 201
    shown = desk.client.get("/v1/public/programmes/green").json()
    assert (shown["solvency_permille"], shown["exchange"]) == (1_000, "automatic_paused")
    assert owed(db, ann) == 0
    assert bucket_of(ann) == one(db, "select bucket from exchange")[0]
