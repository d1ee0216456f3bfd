"""The inbox (收件箱): told once, in words made as it is read, to its owner alone."""

import json
from datetime import timedelta

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.citizens import Citizen
from app.city import City
from app.kernel.clock import day_of, now
from app.kernel.db import driver
from app.kernel.ids import new_id, public_id
from app.mall.expiring import expire_orders
from app.mall.telling import tell_of_tills, warn_of_ends
from app.notices import Notice, NoticeKind, notify, sweep_notices
from app.points import warning
from app.points.queries import count_outstanding
from app.points.warning import warn_of_budgets, warn_of_points
from app.webhooks import OPERATOR, NewsKind
from app.webhooks.endpoints import Endpoint, add_endpoint
from app.webhooks.signing import Scheme
from ledger.accounts import bucket_of
from tests.support.acts import rows
from tests.support.orders import DAY, Street
from tests.web.neighbours import Neighbour, neighbour

NOTICES = "/v1/me/notices"


@pytest.fixture
def street(city: City) -> Street:
    return Street(city.db, city.keys)


@pytest.fixture
def people(app: FastAPI, client: TestClient, street: Street) -> list[Neighbour]:
    return [neighbour(app, client, Citizen(bucket_of(owner), owner)) for owner in street.people(2)]


def put(street: Street, who: Neighbour, subject: str) -> Notice:
    facts = {"points": 5, "order": "ord_1"}
    place = (who.citizen.bucket, who.citizen.number, new_id())
    made = Notice(*place, NoticeKind.ORDER_EXPIRED, subject, facts, now())
    street.db.transact(lambda session: notify(driver(session), [made]))
    return made


def test_ones_own_inbox_page_by_page(street: Street, people: list[Neighbour]) -> None:
    ann, bob = people
    made = [put(street, ann, str(n)) for n in range(3)]
    put(street, ann, "2")
    foreign = put(street, bob, "0")
    first = ann.get(NOTICES, limit=2)
    second = ann.get(NOTICES, limit=2, cursor=first["next_cursor"])
    shown = [each["id"] for each in (*first["data"], *second["data"])]
    assert shown == [public_id("ntc", each.id) for each in reversed(made)]
    assert (first["unread"], second["unread"], second["next_cursor"]) == (3, 3, None)
    words = first["data"][0]
    assert words["text_zh"] == "券到期未核销，5 积分已退回原有效期。"
    assert words["text_en"].startswith("The voucher was not used in its time; 5 points")

    read = ann.ask("POST", f"{NOTICES}/{shown[0]}/read").json()
    again = ann.ask("POST", f"{NOTICES}/{shown[0]}/read").json()
    assert again["read_at"] == read["read_at"] is not None
    assert ann.get(NOTICES)["unread"] == 2
    for unknown in (public_id("ntc", foreign.id), public_id("ntc", new_id()), "ntc_1"):
        answer = ann.ask("POST", f"{NOTICES}/{unknown}/read")
        assert (answer.status_code, answer.json()["code"]) == (404, "notices.unknown")
    assert bob.get(NOTICES)["unread"] == 1


def test_points_that_end_are_told_of_at_thirty_days_and_at_seven(
    street: Street, people: list[Neighbour], city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warning, "AT_ONCE", 1)
    ann, bob = people
    today = day_of(street.at)
    street.give(ann.citizen.number, 50, today + 60 * DAY)
    street.give(ann.citizen.number, 30, today + 90 * DAY)
    assert warn_of_points(city.worker_db, at=street.at) == 0
    for days, told in ((30, 1), (31, 0), (52, 0), (53, 1), (60, 1), (61, 0), (84, 1)):
        at = street.at + days * DAY
        assert (days, warn_of_points(city.worker_db, at=at)) == (days, told)
        assert warn_of_points(city.worker_db, at=at) == 0
    found = ann.get(NOTICES)["data"]
    last = (today + 60 * DAY).isoformat()
    facts = [each["facts"] for each in found if each["facts"]["expires"] == last]
    assert facts == [{"programme": street.green.code, "points": 50, "expires": last}] * 2
    assert bob.get(NOTICES)["data"] == []


def test_what_becomes_of_orders_is_told_once(
    street: Street, people: list[Neighbour], city: City
) -> None:
    ann, bob = people
    street.give(ann.citizen.number, 500, day_of(street.at) + 300 * DAY)
    offer = street.offer()
    late, used = (street.order(ann.citizen.number, offer) for _ in range(2))
    short = street.order(ann.citizen.number, street.offer(voucher_days=1))
    tell_of_tills(city.worker_db, at=street.at)
    street.redeem(used)
    street.reverse(used)
    for _ in range(2):
        tell_of_tills(city.worker_db, at=street.at + timedelta(minutes=1))
        warn_of_ends(city.worker_db, at=late.row.ends_at - timedelta(hours=20))
        expire_orders(city.worker_db, at=late.row.ends_at)
    told = [(each["kind"], each["facts"]["order"]) for each in ann.get(NOTICES)["data"]]
    assert sorted(told) == sorted(
        [
            ("order.reversed", public_id("ord", used.row.id)),
            ("order.expiring", public_id("ord", late.row.id)),
            ("order.expired", public_id("ord", late.row.id)),
            ("order.expired", public_id("ord", short.row.id)),
        ]
    )
    assert bob.get(NOTICES)["data"] == []


def test_whoever_left_is_told_nothing_and_old_notices_go(
    street: Street, people: list[Neighbour], city: City
) -> None:
    ann, bob = people
    put(street, ann, "1")
    gone = (bob.citizen.bucket, bob.citizen.number)
    query = "delete from subject where bucket = %s and account = %s"
    city.worker_db.transact(lambda session: driver(session).execute(query, gone))
    put(street, bob, "1")
    assert rows(city.db, "select account from notice") == [(ann.citizen.number,)]
    assert city.worker_db.transact(sweep_notices, at=now() + 399 * DAY) == 0
    assert city.worker_db.transact(sweep_notices, at=now() + 401 * DAY) == 1


def test_the_operator_is_told_of_totals_and_of_low_budgets(street: Street, city: City) -> None:
    kinds = (NewsKind.POINTS_EXPIRING, NewsKind.BUDGET_LOW)
    listener = (new_id(), OPERATOR, "https://city.example/", kinds, Scheme.HMAC, b"", None, None)
    city.db.transact(add_endpoint, Endpoint(*listener, now()))
    warn_of_budgets(city.worker_db, at=street.at)
    assert rows(city.db, "select type from webhook_message") == []
    (owner,) = street.people(1)
    everything = 10_000_000 // street.green.fen_per_point
    street.give(owner, everything, day_of(street.at) + 10 * DAY)
    count_outstanding(city.worker_db, at=street.at)
    for _ in range(2):
        warn_of_points(city.worker_db, at=street.at)
        warn_of_budgets(city.worker_db, at=street.at)
    warn_of_budgets(city.worker_db, at=street.at + DAY)
    told = rows(city.db, "select body from webhook_message order by type, told_at")
    data = [json.loads(body)["data"] for (body,) in told]
    assert [each.get("solvency_permille") for each in data] == [1000, 1000, None]
    assert data[-1] == {
        "programme": street.green.code,
        "expires": (day_of(street.at) + 10 * DAY).isoformat(),
        "points": everything,
    }
