"""Orders and vouchers over their whole life: every state by every command, and what comes back."""

from collections.abc import Callable, Mapping
from datetime import date

import pytest
from sqlmodel import Session

from app.books import post
from app.kernel.clock import day_of
from app.kernel.db import Database, driver
from app.kernel.ids import new_id
from app.kernel.secrets import Keys
from app.mall.expiring import expire_orders
from app.mall.offline import Taken, tell, write_token
from app.mall.orders import Order, order_of, order_quote, orders_of
from app.points.debts import Owed, take_points
from app.points.expiring import expire
from ledger.accounts import bucket_of
from tests.support.acts import one, rows
from tests.support.orders import DAY, HOUR, SECOND, Street, go_offline, said
from tests.support.points import owed


@pytest.fixture
def street(db: Database, keys: Keys) -> Street:
    return Street(db, keys)


# every state by every command -------------------------------------------------------------------
def reserved(_street: Street, _owner: int, _order: Order) -> None:
    return


def offline(street: Street, owner: int, order: Order) -> None:
    go_offline(street, owner, order)


def past(street: Street, _owner: int, order: Order) -> None:
    street.at = order.row.ends_at


def telling(street: Street, owner: int, order: Order) -> None:
    """Its token is over, and its own time too; a till may still tell that it took it."""
    street.at = order.row.ends_at - HOUR
    go_offline(street, owner, order)
    street.at = order.row.ends_at


def redeemed(street: Street, _owner: int, order: Order) -> None:
    street.redeem(order)


def cancelled(street: Street, owner: int, order: Order) -> None:
    street.cancel(owner, order)


def expired(street: Street, _owner: int, order: Order) -> None:
    street.at = order.row.ends_at
    assert expire_orders(street.db, at=street.at) == 1


def reversed_(street: Street, _owner: int, order: Order) -> None:
    street.redeem(order)
    street.reverse(order)


def cancel(street: Street, owner: int, order: Order) -> object:
    street.cancel(owner, order)
    return street.state(order)


def redeem(street: Street, _owner: int, order: Order) -> object:
    return street.redeem(order).outcome


def redeem_elsewhere(street: Street, _owner: int, order: Order) -> object:
    return street.redeem(order, till=street.open_till(street.merchant())).outcome


def redeem_closed(street: Street, _owner: int, order: Order) -> object:
    street.run("update merchant set suspended_at = now() where id = %s", street.shop)
    return street.redeem(order).outcome


def expire_(street: Street, _owner: int, order: Order) -> object:
    expire_orders(street.db, at=street.at)
    return street.state(order)


def reverse(street: Street, _owner: int, order: Order) -> object:
    return street.reverse(order).outcome


def open_(street: Street, owner: int, order: Order) -> object:
    return "token" if go_offline(street, owner, order).startswith("o1.") else "no token"


def tell_(street: Street, _owner: int, order: Order) -> object:
    token = write_token(street.keys.receipt, order.row, street.at)
    public, taken = street.keys.receipt.public_key(), Taken(token, order.row.placed_at + HOUR)
    facts = (street.db, public, street.asked(), taken)
    found = tell(*facts, moved=new_id(), at=street.at + 2 * HOUR)
    return found.redemption.outcome if found.redemption else found.refusal and found.refusal.code


STATES = (reserved, offline, past, telling, redeemed, cancelled, expired, reversed_)
TABLE: Mapping[Callable[[Street, int, Order], object], str] = {
    # command           reserved  offline  past  telling  redeemed  cancelled  expired  reversed
    cancel: "cancelled order.offline_open order.ended order.offline_open order.ended order.ended"
    " order.ended order.ended",
    redeem: "redeemed redeemed voucher.expired voucher.expired before voucher.cancelled"
    " voucher.expired voucher.reversed",
    redeem_elsewhere: " ".join(["voucher.unknown"] * 8),
    redeem_closed: " ".join(["till.closed"] * 8),
    expire_: "reserved reserved expired reserved redeemed cancelled expired reversed",
    reverse: "redemption.unknown redemption.unknown redemption.unknown redemption.unknown reversed"
    " redemption.unknown redemption.unknown before",
    open_: "token token order.ended order.offline_open order.ended order.ended order.ended"
    " order.ended",
    tell_: "voucher.not_offline redeemed voucher.not_offline redeemed before voucher.cancelled"
    " voucher.expired voucher.reversed",
}  # fmt: skip


@pytest.mark.parametrize(
    ("state", "command", "expected"),
    [
        pytest.param(state, command, outcome, id=f"{state.__name__}-{command.__name__}")
        for command, outcomes in TABLE.items()
        for state, outcome in zip(STATES, outcomes.split(), strict=True)
    ],
)
def test_every_command_in_every_state(
    street: Street,
    state: Callable[[Street, int, Order], None],
    command: Callable[[Street, int, Order], object],
    expected: str,
) -> None:
    """The books, the equation of points and the audit of orders hold after each (conftest)."""
    offer = street.offer(price_points=70)
    (ann,) = street.people(1, y2028=50, y2027=60)
    order = street.order(ann, offer)
    state(street, ann, order)
    before = street.state(order)
    assert said(lambda: command(street, ann, order)) == expected
    if expected not in {"cancelled", "redeemed", "expired", "reversed"}:
        assert street.state(order) == before
    holds = street.state(order) in {"reserved", "redeemed"}
    assert street.taken(offer, ann) == ((1, 1, 1) if holds else (0, 0, 0))
    assert street.own(ann) == ({2028: 40} if holds else {2027: 60, 2028: 50})
    assert street.held(ann) == ({2027: 60, 2028: 10} if street.state(order) == "reserved" else {})


# ordering ---------------------------------------------------------------------------------------
def test_the_earliest_to_expire_pays_first_and_of_two_the_older(
    street: Street, db: Database
) -> None:
    offer = street.offer(price_points=100)
    (ann,) = street.people(1)
    last = date(2028, 12, 31)
    asset = street.give(ann, 30, last)
    street.give(ann, 40, date(2027, 12, 31))
    quote = db.read(order_quote, bucket_of(ann), ann, offer, 1, at=street.at)
    assert (quote.missing, quote.available) == (30, 70)
    assert said(lambda: street.order(ann, offer)) == "order.points_short"
    assert street.held(ann) == {}
    street.give(ann, 500, last)
    order = street.order(ann, offer)
    assert [(each.expires.year, each.points) for each in order.parts] == [(2027, 40), (2028, 60)]
    assert one(db, "select points from order_part where asset = %s", asset) == (60,)


@pytest.mark.parametrize(
    ("terms", "change", "code"),
    [
        ({}, "update offer set state = 'withdrawn'", "order.offer_closed"),
        ({}, "update offer set state = 'draft'", "order.offer_unknown"),
        ({}, "update offer set sale_to = now() - interval '1 second'", "order.offer_closed"),
        ({}, "update offer set sale_from = now() + interval '1 day'", "order.offer_closed"),
        ({}, "update merchant set suspended_at = now()", "order.offer_closed"),
        ({"stock": 0}, "", "order.sold_out"),
        ({"per_person": 1}, "", "order.person_limit"),
        ({"per_day": 1}, "", "order.day_limit"),
        ({"price_points": 51}, "", "order.points_short"),
    ],
    ids=[
        *("withdrawn", "draft", "over", "not-yet", "suspended", "sold-out", "person", "day"),
        "short",
    ],
)
def test_what_cannot_be_ordered_leaves_nothing(
    street: Street, terms: dict[str, int], change: str, code: str
) -> None:
    offer = street.offer(**terms)
    (ann,) = street.people(1, y2027=100)
    street.run(change or "select")
    before = {name: one(street.db, f"select count(*) from {name}") for name in COUNTED}
    assert said(lambda: street.order(ann, offer, quantity=2)) == code
    if code.startswith("order.offer"):
        asked = (bucket_of(ann), ann, offer, 2)
        assert said(lambda: street.db.read(order_quote, *asked, at=street.at)) == code
    assert {name: one(street.db, f"select count(*) from {name}") for name in COUNTED} == before
    assert street.own(ann) == {2027: 100}


COUNTED = ("mall_order", "order_part", "voucher_place", "transfer", "offer_person", "offer_day")


@pytest.mark.parametrize("shown", [{"version": 2}, {"price_points": 29}, {"price_fen": 1}])
def test_only_what_was_shown_is_ordered(street: Street, shown: dict[str, int]) -> None:
    offer = street.offer()
    (ann,) = street.people(1, y2027=100)
    assert said(lambda: street.order(ann, offer, shown=shown)) == "order.price_changed"


def test_a_limit_comes_back_with_what_took_it(street: Street) -> None:
    """vendure#1466: a limit that a cancelled order keeps is one that nobody can use."""
    offer = street.offer(stock=1, per_person=1, per_day=1)
    ann, bo = street.people(2, y2027=500)
    endings: tuple[Callable[[Street, int, Order], None], ...] = (cancelled, reversed_, expired)
    for end in endings:
        order = street.order(ann, offer)
        assert said(lambda: street.order(ann, offer)) == "order.person_limit"
        assert said(lambda: street.order(bo, offer)) == "order.day_limit"
        end(street, ann, order)
        assert street.own(ann) == {2027: 500}
    assert street.order(bo, offer).row.points == 30


def test_points_past_their_day_pay_nothing_and_held_ones_still_do(street: Street) -> None:
    offer = street.offer(price_points=60, voucher_days=30)
    (ann,) = street.people(1)
    street.give(ann, 100, day_of(street.at))
    order = street.order(ann, offer)
    street.at += DAY
    assert said(lambda: street.order(ann, offer)) == "order.points_short"
    assert expire(street.db, at=street.at) == 40
    assert street.redeem(order).outcome == "redeemed"


def test_a_refund_past_the_day_goes_at_the_next_run(street: Street) -> None:
    offer = street.offer(price_points=60, voucher_days=30)
    (ann,) = street.people(1)
    street.give(ann, 60, day_of(street.at))
    order = street.order(ann, offer)
    street.at += DAY
    street.cancel(ann, order)
    assert sum(street.own(ann).values()) == 60
    assert expire(street.db, at=street.at) == 60


def test_a_donation_is_redeemed_as_it_is_ordered(street: Street, db: Database) -> None:
    offer = street.offer(kind="donation", price_points=40)
    (ann,) = street.people(1, y2027=100)
    order = street.order(ann, offer)
    assert (order.row.state, street.own(ann), street.held(ann)) == ("redeemed", {2027: 60}, {})
    assert one(db, "select till, keeper, claim_fen, merchant from redemption") == (
        None,
        None,
        40,
        street.shop,
    )
    assert said(lambda: street.cancel(ann, order)) == "order.ended"


def test_nobody_reads_or_ends_what_is_anothers(street: Street, db: Database) -> None:
    offer = street.offer()
    ann, bo = street.people(2, y2027=100)
    order = street.order(ann, offer)
    assert said(lambda: street.cancel(bo, order)) == "order.unknown"
    assert said(lambda: go_offline(street, bo, order)) == "order.unknown"
    assert said(lambda: db.read(order_of, bucket_of(bo), bo, order.row.id)) == "order.unknown"
    last = new_id()
    assert db.read(orders_of, bucket_of(bo), bo, before=last, limit=9) == []
    assert db.read(orders_of, bucket_of(ann), ann, before=last, limit=9) == [order]


# beside the rest of the books -------------------------------------------------------------------
def test_a_correction_takes_what_is_available_and_never_what_is_held(
    street: Street, db: Database
) -> None:
    (ann,) = street.people(1, y2027=100)
    order = street.order(ann, street.offer(price_points=80))
    owed_points = Owed(ann, street.green.id, None, 50, new_id(), None, None)

    def take(session: Session) -> None:
        connection, today = driver(session), day_of(street.at)
        post(connection, take_points(connection, [owed_points], today=today, new_id=new_id))

    db.transact(take)
    assert (street.own(ann), street.held(ann), owed(db, ann)) == ({}, {2027: 80}, 30)
    assert street.redeem(order).outcome == "redeemed"


def test_the_job_takes_up_where_it_was_left(street: Street, db: Database) -> None:
    people = street.people(3, y2027=100)
    orders = [street.order(owner, street.offer()) for owner in people]
    street.at = orders[-1].row.ends_at
    assert expire_orders(db, at=street.at - SECOND) == 0
    assert expire_orders(db, at=street.at) == 3
    assert expire_orders(db, at=street.at) == 0
    assert rows(db, "select distinct state from mall_order") == [("expired",)]
