"""Many at once: the last unit, one voucher at every till, a reservation that ends as it is used.

Goal: one outcome, told to everybody alike (rows R10, R11 of the reliability page; saleor#544,
saleor#15855, vendure#4660). Method: threads over the functions of the schema, let go by a barrier;
who won is read from what each was told, and the audit after the test holds every row to it.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from functools import partial
from threading import Barrier
from typing import TypeVar

import psycopg
import pytest

from app.kernel.clock import day_of
from app.kernel.db import Database
from app.kernel.ids import new_id
from app.kernel.problems import Refusal
from app.kernel.secrets import Keys
from app.mall.order_errors import refused_by
from app.mall.ordering import RELEASE
from app.mall.orders import Order
from ledger.accounts import bucket_of
from tests.support.acts import one, rows
from tests.support.orders import Street

CLIENTS = 64
ROUNDS = 100
WAIT_S = 60
R = TypeVar("R")
PLACE = """
select place_order(%s::int2, %s::int8, %s, %s, %s, %s, 1, 30, 0, 1::int2, %s, %s, %s, %s)"""


@pytest.fixture
def street(database_url: str, keys: Keys) -> Iterator[Street]:
    """With a connection for every second client."""
    db = Database(database_url, pool_size=CLIENTS // 4)
    yield Street(db, keys)
    db.dispose()


def at_once(threads: ThreadPoolExecutor, deeds: Sequence[Callable[[], R]]) -> list[R]:
    """Let all of them go at the same moment."""
    barrier = Barrier(len(deeds))

    def run(deed: Callable[[], R]) -> R:
        barrier.wait(WAIT_S)
        return deed()

    return [each.result(WAIT_S) for each in [threads.submit(run, deed) for deed in deeds]]


def ordering(street: Street, owner: int, offer: object) -> Callable[[], str]:
    ids = street.ids()
    facts = (bucket_of(owner), owner, ids.order, ids.voucher, ids.code, offer)

    def deed() -> str:
        try:
            street.db.call(PLACE, (*facts, ids.held, ids.redeemed, street.at, day_of(street.at)))
        except psycopg.Error as error:
            refusal = refused_by(error)
            if refusal is None:
                raise
            return refusal.code
        return "ordered"

    return deed


def test_the_last_unit_goes_to_one_of_64_a_hundred_times(street: Street) -> None:
    people = street.people(CLIENTS)
    street.give_all(people, 30 * ROUNDS, date(2027, 12, 31))
    with ThreadPoolExecutor(CLIENTS) as threads:
        for _ in range(ROUNDS):
            offer = street.offer(stock=1)
            told = at_once(threads, [ordering(street, owner, offer) for owner in people])
            assert Counter(told) == {"ordered": 1, "order.sold_out": CLIENTS - 1}
    sold = rows(street.db, "select distinct taken, stocked from offer_stock")
    assert (sold, one(street.db, "select count(*) from mall_order")) == ([(1, 1)], (ROUNDS,))


def test_one_person_at_64_phones_spends_what_they_have_once(street: Street) -> None:
    (ann,) = street.people(1, y2027=100)
    offer = street.offer()
    with ThreadPoolExecutor(CLIENTS) as threads:
        told = at_once(threads, [ordering(street, ann, offer) for _ in range(CLIENTS)])
    assert Counter(told) == {"ordered": 3, "order.points_short": CLIENTS - 3}
    assert (street.own(ann), street.held(ann)) == ({2027: 10}, {2027: 90})


def test_64_tills_redeem_one_voucher_once_and_are_told_the_same(street: Street) -> None:
    (ann,) = street.people(1, y2027=1_000)
    offer = street.offer()
    tills = [street.open_till(street.shop) for _ in range(CLIENTS)]
    with ThreadPoolExecutor(CLIENTS) as threads:
        for _ in range(5):
            order = street.order(ann, offer)
            found = at_once(threads, [partial(street.redeem, order, till=till) for till in tills])
            assert Counter(each.outcome for each in found) == {"redeemed": 1, "before": 63}
            assert len({each._replace(outcome="") for each in found}) == 1
    assert one(street.db, "select count(*), count(distinct mall_order) from redemption") == (5, 5)


def test_the_end_of_a_reservation_and_its_redemption_have_one_outcome(street: Street) -> None:
    """The till's clock is a second behind the worker's, so both believe that they are right."""
    (ann,) = street.people(1, y2027=10_000)
    offer = street.offer()
    with ThreadPoolExecutor(2) as threads:
        for turn in range(ROUNDS):
            order = street.order(ann, offer)
            end = order.row.ends_at
            released = (bucket_of(ann), ann, order.row.id, new_id(), end, day_of(end))

            def expire(facts: Sequence[object] = released) -> str:
                return street.db.call(RELEASE, facts)[1]

            def redeem(found: Order = order) -> str:
                try:
                    return street.redeem(found).outcome
                except Refusal as refusal:
                    return refusal.code

            deeds = [expire, redeem] if turn % 2 else [redeem, expire]
            told = at_once(threads, deeds)
            ended, taken = told if turn % 2 else told[::-1]
            assert (ended, taken) in {("expired", "voucher.expired"), ("redeemed", "redeemed")}
            assert street.state(order) == ended
            assert (expire(), redeem()) == (
                (ended, "voucher.expired") if ended == "expired" else (ended, "before")
            )


def test_sixteen_reversals_are_one(street: Street) -> None:
    (ann,) = street.people(1, y2027=1_000)
    order = street.order(ann, street.offer())
    street.redeem(order)
    with ThreadPoolExecutor(16) as threads:
        found = at_once(threads, [lambda: street.reverse(order).outcome] * 16)
    assert Counter(found) == {"reversed": 1, "before": 15}
    assert street.own(ann) == {2027: 1_000}
