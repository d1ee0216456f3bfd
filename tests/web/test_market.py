"""The market over HTTP (市场接口): offered, bought, paid for; by whom, what others see of it."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.city import City
from app.kernel.clock import day_of, now
from app.kernel.ids import new_id
from app.market import expire_purchases
from app.market.deeds import DEEDS
from tests.support.acts import one, rows
from tests.support.desk import Person
from tests.support.market import TONNE, Market
from tests.support.organisations import Office, organisation
from tests.support.registry import Registry

LISTINGS, QUOTES, PURCHASES = "/v1/listings", "/v1/quotes", "/v1/purchases"
DESK = "/v1/admin/market"


@dataclass
class Floor:
    """The market, two of the desk, two organisations and an agent of each."""

    market: Market
    first: Person
    second: Person
    offices: tuple[Office, Office]
    agents: tuple[Person, Person]

    @property
    def terms(self) -> dict[str, Any]:
        closes = (now() + timedelta(days=30)).isoformat()
        return {
            "batch": self.market.batch.public,
            "quantity_kg": 2 * TONNE,
            "minimum_kg": 10,
            "price_fen": 6_500,
            "closes_at": closes,
        }

    def agreed(self, path: str, body: Mapping[str, object]) -> str:
        """Ask for something at the desk, and have it signed by the other; gives the request."""
        asked = self.first.post(path, body)
        assert asked.status_code == 201, asked.text
        signed = self.second.sign(asked.json()["id"])
        assert signed.status_code == 200, signed.text
        return asked.json()["id"]

    def listed(self, **more: Any) -> str:  # noqa: ANN401 -- any term
        """The operator's listing."""
        self.agreed(f"{DESK}/listings", {**self.terms, "reason": "上市", **more})
        return self.agents[0].get(LISTINGS).json()["data"][0]["id"]

    def bought(self, listing: str, kg: int = TONNE, who: int = 0, **more: Any) -> dict[str, Any]:  # noqa: ANN401
        """Ask the price, and buy."""
        quoted = self.agents[who].post(QUOTES, {"listing": listing, "quantity_kg": kg})
        assert quoted.status_code == 201, quoted.text
        made = self.agents[who].post(PURCHASES, {"quote": quoted.json()["id"], **more})
        assert made.status_code == 201, made.text
        return made.json()

    def payment(self, purchase: Mapping[str, Any], reference: str = "20261122-1") -> dict[str, Any]:
        day = str(day_of(now()))
        told = {"reference": reference, "fen": purchase["due_fen"], "received_on": day}
        return {**told, "reason": "网银回单已核"}

    def shown(self, purchase: Mapping[str, Any], who: int = 0) -> dict[str, Any]:
        return self.agents[who].get(f"{PURCHASES}/{purchase['id']}").json()


@pytest.fixture
def floor(
    app: FastAPI, client: TestClient, city: City, tmp_path: Path, operators: tuple[Person, Person]
) -> Floor:
    market = Market(Registry(city.db, city.worker_db, city.keys, tmp_path / "registry"))
    offices = (organisation(city.db, city.keys, 11), organisation(city.db, city.keys, 12))
    agents = (offices[0].person(app, client), offices[1].person(app, client))
    return Floor(market, *operators, offices, agents)


def test_from_the_desks_listing_to_the_buyers_units(floor: Floor) -> None:
    listing = floor.listed()
    bought = floor.bought(listing)
    assert (bought["state"], bought["due_fen"]) == ("reserved", 6_500)
    assert bought["pay"]["reference"] == bought["id"]
    paid = floor.first.post(f"{DESK}/purchases/{bought['id']}/payment", floor.payment(bought))
    assert paid.status_code == 200, paid.text
    assert (paid.json()["purchase"]["state"], paid.json()["approval"]) == ("paid", None)
    assert floor.shown(bought)["pay"] is None
    assert floor.market.units(floor.offices[0].organisation) == (TONNE, 0)
    loop = floor.first.client.get("/v1/public/closed-loop").json()
    assert (loop["purchases"], loop["sale_fen"], loop["to_programmes_fen"]) == (1, 6_500, 6_500)
    assert [each["sale_fen"] for each in loop["programmes"] if each["code"] == "green"] == [6_500]
    acts = rows(floor.market.db, "select act from audit_entry order by number")
    assert [act for (act,) in acts if act.startswith("market.")] == [
        "market.list",
        "market.buy",
        "market.confirm",
    ]


def test_above_the_limit_a_payment_takes_two_and_holds_the_purchase(floor: Floor) -> None:
    bought = floor.bought(floor.listed(price_fen=1_000_001))
    path = f"{DESK}/purchases/{bought['id']}/payment"
    asked = floor.first.post(path, floor.payment(bought))
    assert asked.status_code == 200, asked.text
    approval = asked.json()["approval"]
    assert approval["act"] == "market.confirm"
    assert asked.json()["purchase"]["state"] == "reserved"
    assert asked.json()["purchase"]["expires_at"] > bought["expires_at"]
    assert floor.first.post(path, floor.payment(bought)).json()["code"] == "approvals.open"
    assert floor.first.sign(approval["id"]).json()["code"] == "approvals.own"
    assert floor.second.sign(approval["id"]).status_code == 200
    assert floor.shown(bought)["state"] == "paid"
    again = floor.first.post(path, floor.payment(bought))
    assert (again.status_code, again.json()["approval"]) == (200, None)
    assert one(floor.market.db, "select count(*) from payment") == (1,)


def test_at_the_limit_one_is_enough(floor: Floor) -> None:
    bought = floor.bought(floor.listed(price_fen=1_000_000))
    paid = floor.first.post(f"{DESK}/purchases/{bought['id']}/payment", floor.payment(bought))
    assert paid.json()["approval"] is None


def test_the_limit_is_of_what_one_confirmed_alone_or_of_one_buyer_within_a_day(
    floor: Floor,
) -> None:
    listing = floor.listed(price_fen=600_000)
    first, second, third = (floor.bought(listing, 500, who) for who in (0, 0, 1))
    fourth = floor.bought(listing, 400, 1)

    def confirm(who: Person, purchase: Mapping[str, Any], reference: str) -> Any:  # noqa: ANN401
        path = f"{DESK}/purchases/{purchase['id']}/payment"
        said = who.post(path, floor.payment(purchase, reference))
        assert said.status_code == 200, said.text
        return said.json()["approval"]

    # 3,000, 3,000 and 3,000 yuan of a limit of 10,000; the fourth would be the clerk's 11,400.
    assert [confirm(floor.first, each, f"A-{each['id']}") for each in (first, second, third)] == [
        None, None, None,
    ]  # fmt: skip
    asked = confirm(floor.first, fourth, "A-4")
    assert asked["act"] == "market.confirm"
    # Another clerk has confirmed nothing, and the buyer's sum is theirs: 3,000 and 2,400.
    assert floor.second.sign(asked["id"]).status_code == 200
    signed = one(floor.market.db, "select count(*) from payment where asked_by is not null")
    assert signed == (1,)
    fifth = floor.bought(floor.listed(price_fen=900_000), 500, 0)
    assert confirm(floor.second, fifth, "A-5")["act"] == "market.confirm"


def test_what_is_bought_can_be_retired_at_once(floor: Floor) -> None:
    words = {"beneficiary": "受益方", "message": "谢谢", "shows": ["message"]}
    retire = {"purpose": 3, "period": "2026", **words}
    bought = floor.bought(floor.listed(), 100, retire=retire)
    floor.first.post(f"{DESK}/purchases/{bought['id']}/payment", floor.payment(bought))
    shown = floor.shown(bought)
    assert (shown["purpose"], shown["not_retired"]) == (3, None)
    assert shown["retirement"].startswith("ret_")
    assert "受益方" not in str(floor.first.get(f"{DESK}/purchases").json())
    own = floor.agents[0].get(f"/v1/retirements/{shown['retirement']}").json()
    told = {name: own[name]["is_public"] for name in ("holder", "beneficiary", "message")}
    assert told == {"holder": False, "beneficiary": False, "message": True}


def test_a_reseller_lists_withdraws_and_is_paid_out_by_two(floor: Floor) -> None:
    seller, buyer = floor.agents
    floor.market.hand(floor.offices[0].organisation, TONNE)
    listed = seller.post(LISTINGS, {**floor.terms, "quantity_kg": TONNE})
    assert listed.status_code == 201, listed.text
    own = buyer.post(f"{LISTINGS}/{listed.json()['id']}/withdraw")
    assert own.json()["code"] == "market.listing_unknown"
    bought = floor.bought(listed.json()["id"], 600, who=1)
    floor.first.post(f"{DESK}/purchases/{bought['id']}/payment", floor.payment(bought))
    assert seller.get("/v1/proceeds").json()["payable_fen"] == 3_900
    path = f"{DESK}/organisations/{floor.offices[0].organisation.public}/payout"
    floor.agreed(path, {"fen": 3_900, "reference": "OUT-1", "reason": "已付"})
    assert seller.get("/v1/proceeds").json() == {
        "earned_fen": 3_900,
        "paid_out_fen": 3_900,
        "payable_fen": 0,
        "currency": "CNY",
    }
    refused = floor.first.post(path, {"fen": 1, "reference": "OUT-2", "reason": "已付"})
    assert refused.json()["code"] == "market.proceeds_short"
    assert seller.post(f"{LISTINGS}/{listed.json()['id']}/withdraw").json()["withdrawn_at"]
    assert buyer.get(LISTINGS).json()["data"] == []
    assert len(seller.get(f"{LISTINGS}?own=true").json()["data"]) == 1


def test_one_organisation_neither_sees_nor_changes_anothers(floor: Floor) -> None:
    mine, other = floor.agents
    listing = floor.listed()
    quoted = mine.post(QUOTES, {"listing": listing, "quantity_kg": TONNE}).json()
    stolen = other.post(PURCHASES, {"quote": quoted["id"]})
    unknown = other.post(PURCHASES, {"quote": "quo_" + "0" * 26})
    assert stolen.json()["code"] == unknown.json()["code"] == "market.quote_unknown"
    bought = mine.post(PURCHASES, {"quote": quoted["id"]}).json()
    for path in (bought["id"], "pur_" + "0" * 26, "nonsense"):
        assert other.get(f"{PURCHASES}/{path}").json()["code"] == "market.purchase_unknown"
        said = other.post(f"{PURCHASES}/{path}/cancel").json()
        assert said["code"] == "market.purchase_unknown"
    assert other.get(PURCHASES).json()["data"] == []
    table = other.client.get(statement(), headers=dict(other.headers)).text
    assert bought["id"] not in table
    assert mine.post(f"{PURCHASES}/{bought['id']}/cancel").json()["state"] == "cancelled"


def test_the_same_key_buys_once(floor: Floor) -> None:
    mine, listing = floor.agents[0], floor.listed()
    quoted = mine.post(QUOTES, {"listing": listing, "quantity_kg": TONNE}).json()
    body, key = {"quote": quoted["id"]}, new_id().hex
    first, again = (mine.post(PURCHASES, body, key) for _ in range(2))
    assert first.json() == again.json()
    assert again.headers["idempotent-replayed"] == "true"
    assert mine.post(PURCHASES, body).json()["code"] == "market.quote_used"


def test_an_expired_purchase_is_told_alike_before_and_after_the_job(floor: Floor) -> None:
    bought = floor.bought(floor.listed())
    late = now() + timedelta(hours=80)
    assert expire_purchases(floor.market.db, at=late) == 1
    assert floor.shown(bought)["state"] == "expired"
    path = f"{DESK}/purchases/{bought['id']}/payment"
    said = floor.first.post(path, floor.payment(bought)).json()
    assert (said["code"], said["detail"]) == ("market.purchase_ended", "state: expired")


def test_the_trade_statement_has_a_row_for_each(floor: Floor) -> None:
    seller, buyer = floor.agents
    floor.market.hand(floor.offices[0].organisation, TONNE)
    listed = seller.post(LISTINGS, {**floor.terms, "quantity_kg": TONNE}).json()
    bought = floor.bought(listed["id"], 600, who=1)
    floor.first.post(f"{DESK}/purchases/{bought['id']}/payment", floor.payment(bought))
    told = [table_of(who.client.get(statement(), headers=dict(who.headers)).content)
            for who in (seller, buyer)]  # fmt: skip
    ((sold,), (got,)) = told
    assert (sold["side"], sold["earned_fen"]) == ("sold", "3900")
    assert (got["side"], got["earned_fen"], got["due_fen"]) == ("bought", "", "3900")
    assert sold["purchase"] == got["purchase"] == bought["id"]
    long = buyer.get("/v1/trades.csv?since=2020-01-01&until=2026-01-01")
    assert long.json()["code"] == "market.statement_long"


def test_passports_are_set_by_two_and_read_by_anybody(floor: Floor) -> None:
    body = {"purpose": 2, "year": 2026, "units": [{"kind": "project"}], "reason": "年度规则"}
    floor.agreed("/v1/admin/purpose-passports", body)
    ratio = {"year": 2026, "ratio_permille": 50, "reason": "年度方案"}
    floor.agreed("/v1/admin/surrender-ratios", ratio)
    told = floor.first.client.get("/v1/public/purpose-passports?year=2026").json()
    by_purpose = {each["purpose"]: each for each in told["data"]}
    assert told["surrender_ratio_permille"] == 50
    assert [each["kind"] for each in by_purpose[2]["units"]] == ["project"]
    assert (by_purpose[3]["set_for"], len(by_purpose[3]["units"])) == (None, 1)
    assert by_purpose[6]["units"] == []
    later = floor.first.client.get("/v1/public/purpose-passports?year=2027").json()
    assert later["surrender_ratio_permille"] is None
    quoted = floor.agents[0].post(QUOTES, {"listing": floor.listed(), "quantity_kg": TONNE})
    wish = {"quote": quoted.json()["id"], "retire": {"purpose": 2}}
    said = floor.agents[0].post(PURCHASES, wish).json()
    assert said["code"] == "passport.purpose_refused"
    owed = {
        "year": 2026,
        "organisation": floor.offices[0].organisation.public,
        "obligation_kg": 10_000,
        "reason": "核查报告",
    }
    floor.agreed("/v1/admin/surrender-obligations", owed)
    assert one(floor.market.db, "select obligation_kg from surrender_obligation") == (10_000,)


def test_a_purpose_that_nobody_may_ask_for_is_malformed(floor: Floor) -> None:
    for purpose in (0, 4, 5, 8, 9, "3", 3.0, True):
        body = {"quote": "quo_" + "0" * 26, "retire": {"purpose": purpose}}
        assert floor.agents[0].post(PURCHASES, body).json()["code"] == "request.malformed", purpose


def test_parties_are_told_where_they_listen(floor: Floor, app: FastAPI) -> None:
    owner = floor.offices[0].person(app, floor.first.client, floor.offices[0].owner)
    kinds = ["purchase.paid", "purchase.expired"]
    hook = {"url": "https://hooks.example.com/t", "types": kinds}
    assert owner.post("/v1/webhook-endpoints", hook).status_code == 201
    listing = floor.listed()
    bought, other = floor.bought(listing), floor.bought(listing, 10)
    floor.first.post(f"{DESK}/purchases/{bought['id']}/payment", floor.payment(bought))
    expire_purchases(floor.market.db, at=now() + timedelta(hours=80))
    told = rows(floor.market.db, "select type, cause from webhook_message order by id")
    assert told == [("purchase.paid", bought["id"]), ("purchase.expired", other["id"])]
    assert DEEDS.keys() == {"market.list", "market.confirm", "market.pay_out"}


def test_a_suspended_organisation_neither_buys_nor_listens(floor: Floor, app: FastAPI) -> None:
    office = floor.offices[0]
    owner = office.person(app, floor.first.client, office.owner)
    assert owner.get("/v1/webhook-endpoints").status_code == 200
    path = f"/v1/admin/organisations/{office.organisation.public}/suspension"
    assert floor.first.post(path, {"reason": "核查"}).is_success
    for path in ("/v1/webhook-endpoints", LISTINGS, PURCHASES, "/v1/proceeds"):
        assert owner.get(path).json()["code"] == "organisations.suspended", path
    agent = floor.agents[0].get("/v1/webhook-endpoints")
    assert agent.json()["code"] == "auth.scope_missing"


def statement() -> str:
    today = day_of(now())
    return f"/v1/trades.csv?since={today - timedelta(days=1)}&until={today + timedelta(days=1)}"


def table_of(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))
