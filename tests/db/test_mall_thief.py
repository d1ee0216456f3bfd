"""A thief in the mall (攻击者): what each tried on orders, tills and their rows, and is refused."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from app.kernel.db import Database
from app.kernel.ids import new_id
from app.kernel.secrets import Keys
from app.mall.reversing import Reverser, reverse
from ledger.accounts import bucket_of
from tests.support.anchoring import ORIGIN
from tests.support.auditing import audited, tampered
from tests.support.orders import Street, go_offline


@pytest.fixture
def street(db: Database, keys: Keys) -> Street:
    return Street(db, keys)


def test_a_request_sent_again_is_not_the_second_person(street: Street, db: Database) -> None:
    """A till asks till it is answered; whoever took the shift meanwhile has said nothing."""
    (ann,) = street.people(1, y2027=500)
    order = street.order(ann, street.offer())
    street.redeem(order)
    other = street.open_till(street.shop, new_id())
    asked = Reverser(other, None, "other", "sent-again", bytes(32))

    def say(by: Reverser) -> str:
        facts = (order.row.voucher,)
        return reverse(db, by, *facts, reversal=new_id(), moved=new_id(), at=street.at).outcome

    assert [say(asked), say(asked)] == ["asked", "asked"]
    street.run("update till set keeper = %s where id = %s", new_id(), other)
    assert say(asked) == "asked"
    assert street.state(order) == "redeemed"
    assert say(asked._replace(key="their-own")) == "reversed"
    assert say(asked) == "before"


# locks ------------------------------------------------------------------------------------------
def test_an_order_and_a_cancellation_of_one_person_wait_in_one_order(street: Street) -> None:
    """Whoever gives back waits for the person first: else each held what the other one wanted."""
    (ann,) = street.people(1, y2027=500)
    order = street.order(ann, street.offer())
    with psycopg.connect(street.db.url) as ordering, ThreadPoolExecutor(1) as threads:
        for lock in (
            "select from subject where bucket = %s and account = %s for no key update",
            "select from balance where bucket = %s and account = %s for update",
        ):
            ordering.execute(lock, (bucket_of(ann), ann))
        cancelled = threads.submit(street.cancel, ann, order)
        try:
            wait_for_a_lock(street.db.url)
            ordering.execute("select from balance where account = %s for update nowait", (ann + 1,))
        finally:
            ordering.rollback()
        cancelled.result(timeout=30)
    assert street.state(order) == "cancelled"


def wait_for_a_lock(url: str) -> None:
    query = """select exists (select from pg_stat_activity
                               where datname = current_database() and wait_event_type = 'Lock')"""
    with psycopg.connect(url, autocommit=True) as watching:
        for _ in range(600):
            if watching.execute(query).fetchone() == (True,):
                return
            watching.execute("select pg_sleep(0.05)")
    raise AssertionError("nobody waits")


# behind the functions -----------------------------------------------------------------------------
EDITS: dict[str, Sequence[str]] = {
    "another merchant is paid": (
        "update mall_order set merchant = offer",
        "update redemption r set merchant = o.offer from mall_order o where o.voucher = r.id",
        "update reversal v set merchant = o.offer from mall_order o where o.voucher = v.redemption",
    ),
    "a claim falls out of its day": ("update redemption set recorded_on = recorded_on + 40",),
    "a claim moves to another day": (
        """update redemption set recorded_on = recorded_on - 40,
                                 redeemed_at = redeemed_at - interval '40 days'""",
        "update mall_order set ended_at = ended_at - interval '40 days' where state = 'redeemed'",
    ),
    "a reversal long after": (
        "update reversal set reversed_at = reversed_at + interval '16 minutes'",
        """update mall_order set ended_at = ended_at + interval '16 minutes'
            where state = 'reversed'""",
    ),
    "a voucher past its end": (
        """update mall_order set placed_at = placed_at - interval '1 day', ends_at = ended_at
            where state = 'redeemed'""",
    ),
    "taken without a network, after all": (
        "update redemption set offline_at = redeemed_at - interval '1 second'",
    ),
    "a voucher that leads elsewhere": (
        """update voucher_place p set mall_order = o.id
             from mall_order o where o.state = 'cancelled'""",
    ),
    "vouchers that are gone": ("delete from voucher_place",),
    "a day's limit that was not reached": (
        "update mall_order set placed_on = placed_on - 1",
        "update offer_day set day = day - 1",
    ),
}


def test_the_auditor_sees_what_pays_somebody_else_or_breaks_a_rule(street: Street) -> None:
    (ann,) = street.people(1, y2099=1_000)
    offer = street.offer()
    orders = [street.order(ann, offer) for _ in range(5)]
    go_offline(street, ann, orders[0])
    street.cancel(ann, orders[1])
    for order in orders[2:4]:
        street.redeem(order)
    street.reverse(orders[3])
    assert not orders_found(street)
    for name, statements in EDITS.items():
        with tampered(street.db.url, *statements):
            assert orders_found(street), name
    assert not orders_found(street)


def orders_found(street: Street) -> list[str]:
    report = audited(street.db.url, street.keys, ORIGIN)
    return [str(each) for each in report.findings if each.kind == "order"]
