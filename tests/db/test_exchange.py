"""Exchange by hand: whole points' worth a class, out of a promised budget, debts first."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest

from app.kernel.clock import day_of, now
from app.kernel.db import Database
from app.kernel.problems import Refusal
from app.kernel.secrets import Keys
from app.points import Rate
from app.points.errors import (
    BudgetExhausted,
    ClassNotHeld,
    ExchangeEmpty,
    ExchangeThrottled,
    ProgrammeUnknown,
)
from ledger.assets import asset_key
from tests.support.acts import one, rows
from tests.support.auditing import assert_books_hold, tampered
from tests.support.owners import BUS, BUS_B, asset_number
from tests.support.points import (
    FREE,
    GREEN,
    accrue,
    choose_rate,
    citizens,
    points,
    programme,
    slices,
    swap,
)

TODAY = day_of(now())


def test_it_takes_whole_points_a_class_and_leaves_the_rest(db: Database, keys: Keys) -> None:
    programme(db, keys, 1_000)
    (ann,) = citizens(db, keys, 1)
    bus, bus_b = asset_number(db, BUS), asset_number(db, BUS_B)
    accrue(db, ann, bus, 29_999)
    accrue(db, ann, bus_b, 45_000)
    made = swap(db, ann)
    assert (made.exchange.points, made.exchange.mg, made.paid_points) == (6, 60_000, 0)
    left = rows(db, "select asset, credits - debits from balance where account = %s", ann)
    assert {asset: mg for asset, mg in left if asset in {bus, bus_b}} == {bus: 9_999, bus_b: 5_000}
    moved = rows(
        db,
        """select s.name, sum(t.amount)::int8 from transfer t
             join system_account s on s.id = t.target group by 1 order by 1""",
    )
    assert moved == [("absorbed", 40_000), ("pool", 20_000)]
    assert slices(db) == (994, 6)
    expires = one(db, "select expires from asset where id & 7 = 3")[0]
    assert (expires.year, expires.month, expires.day) == (TODAY.year + 1, 12, 31)


def test_it_takes_the_classes_and_amounts_that_were_named(db: Database, keys: Keys) -> None:
    programme(db, keys, 1_000)
    (ann,) = citizens(db, keys, 1)
    bus, bus_b = asset_number(db, BUS), asset_number(db, BUS_B)
    accrue(db, ann, bus, 50_000)
    accrue(db, ann, bus_b, 50_000)
    assert swap(db, ann, {asset_key(BUS): 25_000}).exchange.mg == 20_000
    assert swap(db, ann, {asset_key(BUS_B): None}).exchange.mg == 50_000
    with pytest.raises(ClassNotHeld):
        swap(db, ann, {asset_key(BUS): 30_001})
    with pytest.raises(ClassNotHeld):
        swap(db, ann, {asset_key(BUS_B): None})
    with pytest.raises(ExchangeEmpty):
        swap(db, ann, {asset_key(BUS): 9_999})
    assert sum(points(db, ann).values()) == 7


def test_a_fields_own_rate_goes_before_the_common_one(db: Database, keys: Keys) -> None:
    found = programme(db, keys, 1_000)
    (ann,) = citizens(db, keys, 1)
    choose_rate(db, found, Rate("A", None, 3_000, TODAY))
    accrue(db, ann, asset_number(db, BUS), 9_000)
    assert swap(db, ann).exchange.points == 3
    assert one(db, "select mg_per_point, points from exchange_class") == (3_000, 3)


def test_a_tier_is_for_whoever_exchanged_so_much_in_the_month_before(
    db: Database, keys: Keys
) -> None:
    """However it is split in a month, and for the month after it alone; the audit works it out."""
    found = programme(db, keys, 1_000)
    ann, bo = citizens(db, keys, 2)
    bus = asset_number(db, BUS)
    choose_rate(db, found, Rate("A", None, 8_000, TODAY, from_mg=50_000))
    for owner, mg in ((ann, 30_000), (ann, 20_000), (bo, 49_999)):
        accrue(db, owner, bus, mg)
        swap(db, owner)
    assert [sum(points(db, owner).values()) for owner in (ann, bo)] == [5, 4]
    following = (TODAY.replace(day=1) + timedelta(days=32)).replace(day=2)
    at = datetime.combine(following, time(4), UTC)
    for owner in (ann, ann, bo):
        accrue(db, owner, bus, 16_000)
        swap(db, owner, at=at)
    assert [sum(points(db, owner).values()) for owner in (ann, bo)] == [5 + 2 + 2, 4 + 2]
    accrue(db, ann, bus, 20_000)
    assert swap(db, ann, at=at + timedelta(days=31)).exchange.points == 2, "16 + 16 g are no 50"
    assert_books_hold(db.url)
    for other in (50_001, 40_000):
        with (
            tampered(db.url, f"update exchange_rate set from_mg = {other} where from_mg > 0"),
            pytest.raises(AssertionError, match="in the month before"),
        ):
            assert_books_hold(db.url)


def test_points_that_claim_no_money_need_none(db: Database, keys: Keys) -> None:
    programme(db, keys, new=FREE)
    (ann,) = citizens(db, keys, 1)
    accrue(db, ann, asset_number(db, BUS), 50_000)
    assert swap(db, ann).exchange.points == 5
    assert slices(db, "free") == (0, 0)


def test_what_the_budget_lacks_is_refused_whole(db: Database, keys: Keys) -> None:
    programme(db, keys, 4)
    (ann,) = citizens(db, keys, 1)
    accrue(db, ann, asset_number(db, BUS), 50_000)
    with pytest.raises(BudgetExhausted):
        swap(db, ann)
    assert points(db, ann) == {}
    assert swap(db, ann, {asset_key(BUS): 40_000}).exchange.points == 4
    assert slices(db) == (0, 4)
    with pytest.raises(BudgetExhausted):
        swap(db, ann)


def test_low_funds_refuse_by_hand_below_their_mark(db: Database, keys: Keys) -> None:
    programme(
        db, keys, 100, replace(GREEN, pause_below_permille=3_000, refuse_below_permille=2_000)
    )
    (ann,) = citizens(db, keys, 1)
    bus = asset_number(db, BUS)
    accrue(db, ann, bus, 900_000)
    swap(db, ann, {asset_key(BUS): 500_000})
    swap(db, ann, {asset_key(BUS): 10_000})
    with pytest.raises(ExchangeThrottled):
        swap(db, ann, {asset_key(BUS): 10_000})


def test_nothing_is_exchanged_without_a_programme(db: Database, keys: Keys) -> None:
    (ann,) = citizens(db, keys, 1)
    with pytest.raises(ProgrammeUnknown):
        swap(db, ann)


def test_two_exchanges_at_once_take_each_gram_once(
    database_url: str, db: Database, keys: Keys
) -> None:
    programme(db, keys, 1_000)
    (ann,) = citizens(db, keys, 1)
    accrue(db, ann, asset_number(db, BUS), 100_000)
    databases = [Database(database_url, pool_size=1) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(_tried, databases, [ann] * len(databases)))
    for each in databases:
        each.dispose()
    assert sorted(told) == ["exchange.empty"] * 7 + ["ok"]
    assert sum(points(db, ann).values()) == 10
    assert slices(db) == (990, 10)


def test_the_last_fen_go_to_exactly_as_many_as_they_pay_for(
    database_url: str, db: Database, keys: Keys
) -> None:
    programme(db, keys, 19)
    people = citizens(db, keys, 32)
    bus = asset_number(db, BUS)
    for owner in people:
        accrue(db, owner, bus, 10_000)
    databases = [Database(database_url, pool_size=1) for _ in people]
    with ThreadPoolExecutor(32) as pool:
        told = list(pool.map(_tried, databases, people))
    for each in databases:
        each.dispose()
    assert told.count("ok") == 19
    assert told.count("budget.exhausted") == 13
    assert slices(db) == (0, 19)


def _tried(db: Database, owner: int) -> str:
    try:
        swap(db, owner)
    except Refusal as refused:
        return refused.code
    return "ok"
