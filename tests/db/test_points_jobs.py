"""The night's exchange, expiry, and the return of earmarks: once each, through any crash."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import Session

from app.kernel.clock import day_of, now
from app.kernel.db import Database, driver
from app.kernel.ids import new_id
from app.kernel.secrets import Keys
from app.points import Rate, exchange_automatically, expire, expire_all, return_earmarks
from app.points.queries import count_outstanding, figures_of
from ledger.accounts import SYSTEM_ACCOUNTS
from ledger.chart import Code
from tests.support.acts import one, rows
from tests.support.owners import BUS, BUS_B, asset_number, post_all, row
from tests.support.points import (
    GREEN,
    accrue,
    automatic,
    choose_rate,
    citizens,
    points,
    programme,
    slices,
    swap,
    take_back,
)
from tests.support.tripwire import Crash, Tripwire

NOW = now()
TODAY = day_of(NOW)
RIPE = NOW + timedelta(days=8)
NEW_YEAR = datetime(TODAY.year + 1, 1, 10, 3, tzinfo=UTC)


def night(db: Database, at: datetime) -> tuple[int, int, int]:
    return exchange_automatically(db, deadline_days=7, at=at)


def test_the_night_waits_for_the_deadline_and_asks_who_chose_it(db: Database, keys: Keys) -> None:
    programme(db, keys, 10_000)
    ann, bo, cy = citizens(db, keys, 3)
    bus, bus_b = asset_number(db, BUS), asset_number(db, BUS_B)
    automatic(db, ann, bo)
    for owner in (ann, bo, cy):
        accrue(db, owner, bus, 25_000, on=TODAY - timedelta(days=8))
        accrue(db, owner, bus, 100_000, on=TODAY - timedelta(days=7))
    accrue(db, bo, bus_b, 10_000, on=TODAY - timedelta(days=8))
    assert night(db, NOW) == (2, 5, 0)
    assert [sum(points(db, owner).values()) for owner in (ann, bo, cy)] == [2, 3, 0]
    assert night(db, NOW) == (0, 0, 0)
    assert night(db, NOW + timedelta(days=1)) == (2, 20, 0)
    assert rows(db, "select distinct night from exchange order by 1") == [
        (TODAY,),
        (TODAY + timedelta(days=1),),
    ]


def test_the_night_knows_the_tiers(db: Database, keys: Keys) -> None:
    """8 g a point for who exchanged 50 g last month: also who has no whole point of 10 g."""
    found = programme(db, keys, 10_000)
    ann, bo = citizens(db, keys, 2)
    bus = asset_number(db, BUS)
    automatic(db, ann, bo)
    choose_rate(db, found, Rate("A", None, 8_000, TODAY, from_mg=50_000))
    for owner, mg in ((ann, 50_000), (bo, 40_000)):
        accrue(db, owner, bus, mg)
        swap(db, owner)
        accrue(db, owner, bus, 9_000)
    later = (TODAY.replace(day=1) + timedelta(days=32)).replace(day=15)
    assert night(db, datetime(later.year, later.month, later.day, 3, tzinfo=UTC)) == (1, 1, 0)
    assert [sum(points(db, owner).values()) for owner in (ann, bo)] == [6, 4]


def test_what_was_taken_out_meanwhile_is_not_exchanged(db: Database, keys: Keys) -> None:
    """min(balance, Σ ripe − Σ exits and corrections), by hand: 50 − 20 − 5 = 25 of 80 − 25."""
    programme(db, keys, 10_000)
    (ann,) = citizens(db, keys, 1)
    bus = asset_number(db, BUS)
    automatic(db, ann)
    accrue(db, ann, bus, 50_000, on=TODAY - timedelta(days=9))
    accrue(db, ann, bus, 30_000)
    post_all(db, [row(Code.CANCEL, ann, SYSTEM_ACCOUNTS["cancelled"], bus, 20_000)])
    take_back(db, ann, bus, 5_000, at=NOW)
    assert night(db, NOW) == (1, 2, 0)
    assert one(db, "select reduction_mg from exchange")[0] == 20_000


def test_low_funds_pause_the_night_and_reductions_stay(db: Database, keys: Keys) -> None:
    marks = replace(GREEN, pause_below_permille=2_000, refuse_below_permille=0)
    programme(db, keys, 10, marks)
    ann, bo = citizens(db, keys, 2)
    bus = asset_number(db, BUS)
    automatic(db, ann)
    for owner in (ann, bo):
        accrue(db, owner, bus, 60_000)
    swap(db, bo)
    assert night(db, RIPE) == (0, 0, 1)
    held = "select credits - debits from balance where account = %s and asset = %s"
    assert one(db, held, ann, bus)[0] == 60_000


def test_an_empty_programme_serves_whom_it_can(db: Database, keys: Keys) -> None:
    programme(db, keys, 7, replace(GREEN, pause_below_permille=0, refuse_below_permille=0))
    people = citizens(db, keys, 4)
    automatic(db, *people)
    for owner in people:
        accrue(db, owner, asset_number(db, BUS), 30_000)
    assert night(db, RIPE) == (2, 6, 2)
    assert slices(db) == (1, 6)


def expiring(db: Database, keys: Keys) -> list[int]:
    """Four people, each with ten points that end this year, two of them held."""
    programme(db, keys, 1_000, replace(GREEN, expiry_years=0))
    people = citizens(db, keys, 4)
    for owner in people:
        accrue(db, owner, asset_number(db, BUS), 100_000)
        swap(db, owner)
        (asset,) = points(db, owner)
        post_all(db, [row(Code.HOLD, owner, owner + 1, asset, 2)])
    return people


def test_points_expire_by_their_date_and_held_ones_when_released(
    db: Database, worker_db: Database, keys: Keys
) -> None:
    people = expiring(db, keys)
    last_day = datetime(TODAY.year, 12, 31, 12, tzinfo=UTC)
    assert expire(db, at=last_day) == 0
    assert expire(db, at=NEW_YEAR) == 32
    assert expire(db, at=NEW_YEAR) == 0
    assert return_earmarks(worker_db) == 32
    asset = one(db, "select id from asset where id & 7 = 3")[0]
    post_all(db, [row(Code.RELEASE, people[0] + 1, people[0], asset, 2)])
    assert expire(db, at=NEW_YEAR) == 2


def test_who_leaves_leaves_their_points(db: Database, worker_db: Database, keys: Keys) -> None:
    people = expiring(db, keys)

    def command(session: Session) -> int:
        return expire_all(driver(session), people[0], cause=new_id(), today=TODAY, new_id=new_id)

    assert db.transact(command) == 8
    assert points(db, people[0]) == {}
    assert return_earmarks(worker_db) == 8


def test_what_is_out_there_is_counted(db: Database, worker_db: Database, keys: Keys) -> None:
    expiring(db, keys)
    count_outstanding(worker_db, at=NOW)
    count_outstanding(worker_db, at=NOW)
    found = db.read(figures_of, "green")
    assert [(each.expires.year, each.points) for each in found.outstanding] == [(TODAY.year, 40)]
    assert (found.funds.total_fen, found.funds.solvency) == (1_000, 25_000)


def crash(database: Database, work: Callable[[Database], object], at: int, *, landed: bool) -> int:
    """Run with a wire across the commits; returns how many passed."""
    wire = Tripwire(at, landed=landed)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(database, "transact", wire.wrap(database.transact))
        try:
            work(database)
        except Crash:
            assert at
        else:
            assert not at
    return wire.passed


CRASHES = pytest.mark.parametrize(
    ("crash_at", "landed"), [(at, landed) for at in (1, 2, 3, 4) for landed in (False, True)]
)


@CRASHES
def test_the_night_goes_on_after_a_crash(
    db: Database, keys: Keys, crash_at: int, *, landed: bool
) -> None:
    programme(db, keys, 1_000)
    people = citizens(db, keys, 4)
    automatic(db, *people)
    for owner in people:
        accrue(db, owner, asset_number(db, BUS), 30_000)
    buckets = one(db, "select count(distinct bucket) from citizen_setting")[0]
    if crash_at <= buckets:
        crash(db, lambda each: night(each, RIPE), crash_at, landed=landed)
    assert crash(db, lambda each: night(each, RIPE), 0, landed=False) == buckets
    assert [sum(points(db, owner).values()) for owner in people] == [3, 3, 3, 3]
    assert slices(db) == (988, 12)


@CRASHES
def test_expiry_and_returns_go_on_after_a_crash(
    db: Database, worker_db: Database, keys: Keys, crash_at: int, *, landed: bool
) -> None:
    expiring(db, keys)
    buckets = one(db, "select count(distinct bucket) from exchange")[0]
    if crash_at <= buckets:
        crash(db, lambda each: expire(each, at=NEW_YEAR), crash_at, landed=landed)
    expire(db, at=NEW_YEAR)
    crash(worker_db, return_earmarks, crash_at, landed=landed)
    return_earmarks(worker_db)
    assert slices(db) == (992, 8)
    assert rows(db, "select 1 from earmark_due") == []
