"""Orders that were tampered with: every edit behind the functions is found, and named so."""

import pytest

from app.kernel.db import Database
from app.kernel.secrets import Keys
from tests.support.anchoring import ORIGIN
from tests.support.auditing import audited, tampered
from tests.support.orders import Street, go_offline


@pytest.fixture
def street(db: Database, keys: Keys) -> Street:
    """One order of each state, and two that others are asked to reverse: by one, by two people."""
    made = Street(db, keys)
    (ann,) = made.people(1, y2099=1_000)
    offer = made.offer(price_fen=5)
    orders = [made.order(ann, offer) for _ in range(7)]
    go_offline(made, ann, orders[0])
    made.cancel(ann, orders[1])
    for order in orders[2:6]:
        made.redeem(order)
    made.reverse(orders[3])
    other, third = made.open_till(made.shop), made.open_till(made.shop)
    for order, tills in ((orders[4], [other]), (orders[5], [other, third])):
        for till in tills:
            made.reverse(order, till=till)
    return made


def test_untouched_nothing_is_found(street: Street) -> None:
    report = audited(street.db.url, street.keys, ORIGIN)
    assert "order" not in {found.kind for found in report.findings}, report.findings


@pytest.mark.parametrize(
    "statement",
    [
        "update mall_order set state = 'redeemed', ended_at = now() where state = 'reserved'",
        "update mall_order set state = 'expired' where state = 'redeemed'",
        "update mall_order set state = 'redeemed' where state = 'reversed'",
        "update mall_order set state = 'reserved', ended_at = null where state = 'cancelled'",
        "update mall_order set points = points + 1 where state = 'reserved'",
        "update mall_order set quantity = 2 where state = 'reserved'",
        "delete from mall_order where state = 'redeemed'",
        "delete from mall_order",
        "update order_part set points = points - 1",
        "delete from order_part",
        "update redemption set claim_fen = claim_fen + 1",
        "update redemption set merchant = gen_random_uuid()",
        "delete from redemption",
        """insert into redemption select bucket, account, gen_random_uuid(), gen_random_uuid(),
           merchant, till, keeper, points, claim_fen, recorded_on, redeemed_at from redemption""",
        "delete from reversal",
        "update mall_order set fen = fen + 1",
        "update mall_order set title_zh = '茶'",
        "update mall_order set kind = 'ticket' where state = 'reserved'",
        "update mall_order set points = 31, offer_version = 2 where state = 'reserved'",
        "update offer_published set price_fen = 6",
        "delete from offer_published",
        "update redemption set till = gen_random_uuid()",
        "update redemption set keeper = gen_random_uuid()",
        "update redemption set till = (select id from till order by id desc limit 1)",
        "update redemption set keeper = (select id from merchant_user order by id desc limit 1)",
        "update voucher_place set code = sha256(code)",
        "update reversal_request set asked_by = gen_random_uuid()",
        "update reversal_request set asked_at = asked_at + interval '16 minutes'",
        """update reversal_request
           set asked_by = (select id from merchant_user order by id desc limit 1)""",
        "delete from reversal_request",
        "update offer_stock set taken = taken - 1",
        "update offer_day set taken = taken + 1",
        "update offer_person set taken = taken + 1",
        "update offline_outstanding set points = 0",
        "update transfer set cause = gen_random_uuid() where code = 9",
        "delete from transfer where code = 8",
    ],
)
def test_it_is_found(street: Street, statement: str) -> None:
    with tampered(street.db.url, statement):
        report = audited(street.db.url, street.keys, ORIGIN)
    assert "order" in {found.kind for found in report.findings}, report.findings
