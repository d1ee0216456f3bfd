"""What becomes a message (消息来源): tills' deeds once each, and statements as they are closed."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from app.kernel.ids import public_id
from app.mall import telling
from app.mall.telling import tell_of_tills
from app.settlements import SettlementSeal, settle_days
from app.webhooks import NewsKind, merchant_owner
from tests.support.acts import one
from tests.support.orders import Street
from tests.support.receivers import Receiver
from tests.support.webhooks import HOUR, REDEEMED, Post


def test_tills_deeds_become_messages_once_however_often_the_job_runs(
    post: Post, shop: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling, "AT_ONCE", 2)
    street = Street(post.db, post.keys)
    owner, year = merchant_owner(street.shop), street.at.year + 1
    post.endpoint(owner, shop.url, REDEEMED, NewsKind.VOUCHER_REVERSED)
    other = street.merchant()
    (person,) = street.people(1, **{f"y{year}": 1000})
    tell_of_tills(post.worker_db, at=street.at)
    offer = street.offer()
    orders = [street.order(person, offer) for _ in range(6)]
    foreign = street.order(person, street.offer(merchant=other))
    for each in orders[:5]:
        street.redeem(each)
    street.redeem(foreign, till=street.open_till(other))
    redeemed = [each.row.voucher for each in orders[:5]]
    for _ in range(2):
        tell_of_tills(post.worker_db, at=street.at + timedelta(minutes=1))
    post.send()
    told = [json.loads(got.body) for got in shop.received]
    assert {each["data"]["redemption"] for each in told} == {
        public_id("rdm", each) for each in redeemed
    }
    assert len(told) == 5
    street.reverse(orders[0])
    for _ in range(2):
        tell_of_tills(post.worker_db, at=street.at + timedelta(minutes=1))
    post.send()
    (last,) = [json.loads(got.body) for got in shop.received[5:]]
    assert (last["type"], last["data"]["redemption"]) == (
        "voucher.reversed",
        public_id("rdm", redeemed[0]),
    )
    assert _names_nobody([*told, last], person)


def test_a_closed_statement_is_told_with_it(post: Post, shop: Receiver) -> None:
    street = Street(post.db, post.keys)
    post.endpoint(merchant_owner(street.shop), shop.url, NewsKind.SETTLEMENT_CLOSED)
    (person,) = street.people(1, **{f"y{street.at.year + 1}": 1000})
    street.redeem(street.order(person, street.offer()))
    seal, later = SettlementSeal(post.keys.receipt, "origin"), street.at + 26 * HOUR
    for _ in range(2):
        settle_days(post.db, seal, at=later)
    post.send()
    (got,) = shop.received
    made, day, net_fen = one(post.db, "select id, day, net_fen from settlement")
    assert json.loads(got.body)["data"] == {
        "settlement": public_id("set", made),
        "day": day.isoformat(),
        "net_fen": net_fen,
    }


def _names_nobody(told: list[Mapping[str, Any]], person: int) -> bool:
    return not any(str(person) in json.dumps(each) for each in told)
