"""Vouchers at the till: codes, closed tills, reversals, and what is taken without a network."""

from datetime import datetime

import pytest

from app.citizens import Citizen
from app.kernel.db import Database
from app.kernel.ids import new_id, public_id
from app.kernel.secrets import Keys
from app.mall.expiring import end_offline, expire_orders, is_quiet
from app.mall.offline import Taken, tell
from app.mall.ordering import OFFLINE_FOR
from app.mall.orders import Order, order_of
from app.mall.redeeming import Asked
from app.mall.vouchers import key_of, mac_of, printed_code, step_at
from ledger.accounts import bucket_of
from tests.support.acts import one
from tests.support.orders import DAY, HOUR, MINUTE, SECOND, Street, go_offline, said

SLOW = 5 * MINUTE
"""As old as a till's signature may be."""


@pytest.fixture
def street(db: Database, keys: Keys) -> Street:
    return Street(db, keys)


# codes ------------------------------------------------------------------------------------------
def test_a_code_lives_for_its_step_and_one_beside_it(street: Street) -> None:
    (ann,) = street.people(1, y2027=500)
    offer = street.offer()
    start = street.at.replace(second=0, microsecond=0)
    for seconds, expected in ((59, "redeemed"), (60, "voucher.code_stale"), (-30, "redeemed")):
        order = street.order(ann, offer)
        text = street.qr(order, at=start)
        when = start + seconds * SECOND
        assert said(lambda: street.redeem(order, at=when, text=text).outcome) == expected  # noqa: B023 -- asked at once


def test_a_stale_code_does_not_hide_what_was_done(street: Street) -> None:
    """A till that never got its answer asks again, ten minutes later, with what it had read."""
    (ann,) = street.people(1, y2027=500)
    order = street.order(ann, street.offer())
    text = street.qr(order)
    first = street.redeem(order, text=text)
    late = street.redeem(order, text=text, at=street.at + 10 * MINUTE)
    assert late == first._replace(outcome="before")


def test_whoever_does_not_know_the_key_makes_no_code(street: Street, keys: Keys) -> None:
    (ann,) = street.people(1, y2027=500)
    order = street.order(ann, street.offer())
    version, voucher, step, mac = street.qr(order).split(".")
    other = mac_of(key_of(keys, new_id()), step_at(street.at))
    for text, code in (
        (f"{version}.{voucher}.{step}.{other}", "voucher.unknown"),
        (f"{version}.{voucher}.{int(step) + 1}.{mac}", "voucher.unknown"),
        (f"{version}.{public_id('vch', new_id())}.{step}.{mac}", "voucher.unknown"),
        (f"v2.{voucher}.{step}.{mac}", "voucher.code_mistyped"),
        (f"{version}.{voucher}.{step}.{mac}\n", "voucher.code_mistyped"),
        (voucher, "voucher.code_mistyped"),
        ("", "voucher.code_mistyped"),
    ):
        assert said(lambda: street.redeem(order, text=text)) == code, text  # noqa: B023 -- asked at once
    assert street.state(order) == "reserved"


def test_a_printed_code_works_as_people_type_it(street: Street, keys: Keys) -> None:
    (ann,) = street.people(1, y2027=500)
    order = street.order(ann, street.offer())
    code = printed_code(key_of(keys, order.row.voucher)).upper()
    typed = f" {code[:4]}-{code[4:8]} {code[8:]} ".replace("0", "O").replace("1", "l")
    swapped = code[:-1] + ("0" if code[-1] != "0" else "1")
    assert said(lambda: street.redeem(order, text=swapped)) == "voucher.code_mistyped"
    assert street.redeem(order, text=typed).outcome == "redeemed"
    assert street.redeem(order, text=typed).outcome == "before"


def test_a_till_that_guesses_is_stopped_and_no_other(street: Street, keys: Keys) -> None:
    """Codes that exist do not count; once ten did not, the right one is refused like the rest."""
    (ann,) = street.people(1, y2027=500)
    offer = street.offer()
    order = street.order(ann, offer)
    for _ in range(10):
        done = street.order(ann, offer)
        code = printed_code(key_of(keys, done.row.voucher))
        assert street.redeem(done, text=code).outcome == "redeemed"
    guesses = [printed_code(key_of(keys, new_id())) for _ in range(10)]
    for guess in guesses:
        assert said(lambda: street.redeem(order, text=guess)) == "voucher.unknown"  # noqa: B023 -- asked at once
    right = printed_code(key_of(keys, order.row.voucher))
    assert said(lambda: street.redeem(order, text=right)) == "till.tries_spent"
    street.at += 62 * MINUTE
    other = street.open_till(street.shop)
    assert said(lambda: street.redeem(order, text=guesses[0], till=other)) == "voucher.unknown"
    assert street.redeem(order, text=right).outcome == "redeemed"


# tills ------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "change",
    [
        "update till set revoked_at = now(), shift = null, keeper = null, shift_ends_at = null",
        "update till set shift = null, keeper = null, shift_ends_at = null",
        "update till set shift_ends_at = now() - interval '1 second'",
        "update merchant set suspended_at = now()",
    ],
    ids=["revoked", "closed", "over", "suspended"],
)
def test_a_till_that_is_not_open_does_nothing_and_the_citizen_can_cancel(
    street: Street, change: str
) -> None:
    (ann,) = street.people(1, y2027=500)
    order, done = street.order(ann, street.offer()), street.order(ann, street.offer())
    street.redeem(done)
    street.run(change)
    assert said(lambda: street.redeem(order)) == "till.closed"
    assert said(lambda: street.redeem(done)) == "till.closed"
    assert said(lambda: street.reverse(done)) == "till.closed"
    street.cancel(ann, order)
    assert street.state(order) == "cancelled"


def test_a_key_is_for_one_request(street: Street) -> None:
    (ann,) = street.people(1, y2027=500)
    first, second = street.order(ann, street.offer()), street.order(ann, street.offer())
    asked = street.asked(key="till-key-1")

    def show(order: Order, as_asked: Asked) -> str:
        return said(lambda: street.tell(as_asked, street.qr(order), at=street.at).outcome)

    assert [show(first, asked), show(first, asked)] == ["redeemed", "before"]
    other = asked._replace(request=bytes(31) + b"1")
    assert show(second, other) == "idempotency.key_reused"
    assert street.state(second) == "reserved"


# reversing --------------------------------------------------------------------------------------
def test_it_is_reversed_within_fifteen_minutes(street: Street) -> None:
    (ann,) = street.people(1, y2027=500)
    order = street.order(ann, street.offer())
    street.redeem(order)
    late = street.at + 15 * MINUTE + SECOND
    assert said(lambda: street.reverse(order, at=late)) == "reversal.too_late"
    assert street.reverse(order, at=street.at + 15 * MINUTE).outcome == "reversed"
    assert street.reverse(order, at=late).outcome == "before"


def test_elsewhere_it_takes_two_people(street: Street, db: Database) -> None:
    (ann,) = street.people(1, y2027=500)
    order = street.order(ann, street.offer())
    street.redeem(order)
    keeper, owner = new_id(), new_id()
    for place, who in enumerate((keeper, owner)):
        street.run(
            """insert into merchant_user (id, merchant, login, name, role, opened_at)
               values (%s, %s, %s, '安', 'keeper', now())""",
            *(who, street.shop, f"who-{place}"),
        )
    other = street.open_till(street.shop, keeper)
    assert street.reverse(order, till=other).outcome == "asked"
    assert street.reverse(order, till=other).outcome == "asked"
    assert street.reverse(order, person=keeper).outcome == "asked", "the same person"
    strange = street.open_till(street.merchant())
    assert said(lambda: street.reverse(order, till=strange)) == "redemption.unknown"
    assert said(lambda: street.reverse(order, person=new_id())) == "till.closed"
    assert street.state(order) == "redeemed"
    made = street.reverse(order, person=owner)
    assert made.outcome == "reversed"
    found = one(db, "select id, till, asked_by, confirmed_by from reversal")
    assert found == (made.id, None, keeper, owner)
    assert street.reverse(order, till=other) == made._replace(outcome="before")


# without a network ------------------------------------------------------------------------------
def test_what_tills_take_unseen_is_bounded(street: Street) -> None:
    offer = street.offer(price_points=400)
    (ann,) = street.people(1, y2027=2_000)
    first, second, third = (street.order(ann, offer) for _ in range(3))
    go_offline(street, ann, first)
    assert go_offline(street, ann, first) == go_offline(street, ann, first)
    go_offline(street, ann, second)
    assert said(lambda: go_offline(street, ann, third)) == "order.offline_cap"
    street.redeem(first)
    assert said(lambda: go_offline(street, ann, third)) == "order.offline_cap"
    street.at += OFFLINE_FOR
    assert end_offline(street.db, at=street.at) == 1
    go_offline(street, ann, third)


def test_a_token_binds_the_cap_while_another_till_may_take_it(street: Street, db: Database) -> None:
    """Its voucher was redeemed, reversed even: a till without a network has not heard."""
    (ann,) = street.people(1, y2027=500)
    orders = [street.order(ann, street.offer()) for _ in range(2)]
    for order in orders:
        go_offline(street, ann, order)
        street.redeem(order)
    street.reverse(orders[1])
    person, later = Citizen(bucket_of(ann), ann), street.at + OFFLINE_FOR
    assert end_offline(db, at=later - SECOND) == 0
    assert one(db, "select points from offline_outstanding") == (60,)
    assert not db.read(is_quiet, person, later - SECOND)
    assert end_offline(db, at=later) == 2
    assert one(db, "select points from offline_outstanding") == (0,)
    assert db.read(is_quiet, person, later)


def test_the_cap_is_given_back_once_nothing_can_be_told(street: Street, db: Database) -> None:
    """A till has a day: after it the voucher goes on without the token, and may get another."""
    (ann,) = street.people(1, y2027=500)
    order, placed_at = street.order(ann, street.offer()), street.at
    token = go_offline(street, ann, order)
    street.at += OFFLINE_FOR + DAY - SECOND
    assert end_offline(street.db, at=street.at) == 0
    street.at += SECOND
    facts = (street.db, street.keys.receipt.public_key(), street.asked(), Taken(token, placed_at))
    late = tell(*facts, moved=new_id(), at=street.at).refusal
    assert late is not None
    assert late.code == "voucher.not_offline"
    assert one(db, "select points from offline_outstanding") == (30,)
    assert end_offline(street.db, at=street.at) == 1
    assert end_offline(street.db, at=street.at) == 0
    assert one(db, "select points from offline_outstanding") == (0,)
    assert street.state(order) == "reserved"
    assert go_offline(street, ann, order) != token
    assert one(db, "select points from offline_outstanding") == (30,)
    street.redeem(order)
    assert end_offline(street.db, at=street.at + OFFLINE_FOR) == 1
    assert one(db, "select points from offline_outstanding") == (0,)


def test_an_offline_voucher_is_held_until_it_can_be_told(street: Street) -> None:
    (ann,) = street.people(1, y2027=500)
    order = street.order(ann, street.offer(voucher_days=1))
    street.at = order.row.ends_at - HOUR
    token = go_offline(street, ann, order)
    taken_at = order.row.ends_at - MINUTE
    street.at = order.row.ends_at + DAY - SECOND
    assert said(lambda: street.cancel(ann, order)) == "order.offline_open"
    assert said(lambda: go_offline(street, ann, order)) == "order.offline_open"
    assert expire_orders(street.db, at=street.at) == 0
    shown = street.db.read(order_of, bucket_of(ann), ann, order.row.id).row
    assert shown.state_at(street.at) == "reserved", "a till may yet tell of it"
    assert shown.state_at(street.at + SECOND) == "expired"
    public = street.keys.receipt.public_key()

    def told(text: str, at: datetime = taken_at) -> str | None:
        facts = (street.db, public, street.asked(), Taken(text, at))
        found = tell(*facts, moved=new_id(), at=street.at)
        if found.redemption:
            return found.redemption.outcome
        return found.refusal and found.refusal.code

    forged = token[:-4] + ("AAAA" if token[-4:] != "AAAA" else "BBBB")
    assert told(forged) == "voucher.unknown"
    assert told("o1..") == told("x") == "voucher.unknown"
    assert told(token, order.row.ends_at + SECOND) == "voucher.not_offline"
    assert told(token, street.at + MINUTE) == "voucher.not_offline"
    assert told(token, order.row.placed_at - SLOW - SECOND) == "voucher.not_offline"
    assert told(token, order.row.placed_at - SLOW) == "redeemed", "by its own clock, which is slow"
    assert told(token) == "before"


def test_an_offline_voucher_that_nobody_told_of_expires(street: Street, db: Database) -> None:
    (ann,) = street.people(1, y2027=500)
    order = street.order(ann, street.offer())
    go_offline(street, ann, order)
    assert one(db, "select points from offline_outstanding") == (30,)
    street.at += OFFLINE_FOR
    assert said(lambda: go_offline(street, ann, order)) == "order.offline_open"
    street.at = order.row.ends_at + DAY
    assert said(lambda: go_offline(street, ann, order)) == "order.ended"
    assert expire_orders(street.db, at=street.at) == 1
    assert one(db, "select points from offline_outstanding") == (0,)
