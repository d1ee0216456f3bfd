"""A thief among providers and clerks (攻击者): what each tried on the books, and is refused."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

from app.activities.choice import decided
from app.books import Overdrawn
from app.kernel.clock import day_of, now
from app.kernel.db import Database, driver
from app.kernel.secrets import Keys
from app.points import exchange_automatically
from app.points.errors import ExchangeEmpty
from tests.support.desk import order, put_in_library, text
from tests.support.owners import BUS, asset_number
from tests.support.points import accrue, automatic, citizens, points, programme, slices, swap

TODAY = day_of(now())
DAY = timedelta(days=1)


def test_by_hand_and_by_night_at_once_a_gram_is_exchanged_once(db: Database, keys: Keys) -> None:
    programme(db, keys, 1_000_000)
    people = citizens(db, keys, 8)
    asset = asset_number(db, BUS)
    for owner in people:
        accrue(db, owner, asset, 105_000, on=TODAY - 30 * DAY)
    automatic(db, *people)

    def hand(owner: int) -> int:
        try:
            return swap(db, owner).exchange.points
        except (ExchangeEmpty, Overdrawn):
            return 0

    def night(_: int) -> int:
        return exchange_automatically(db, deadline_days=7, at=now()).points

    with ThreadPoolExecutor(10) as threads:
        nights = threads.map(night, range(2))
        made = [*threads.map(hand, people * 2), *nights]
    assert sum(made) == 80
    assert [sum(points(db, owner).values()) for owner in people] == [10] * 8
    assert slices(db) == (1_000_000 - 80, 80)


def versions_on(db: Database, day: date, *pins: int | None) -> list[int | None]:
    """Which version an act of a day is computed with, for uploads that pin one or none."""
    choices = [db.read(decided, "TEST-RIDE", pin) for pin in pins]
    found = [each.on(day) for each in choices]
    return [None if each is None else each.version for each in found]


def test_a_superseded_version_is_not_brought_back_by_pinning_it(db: Database) -> None:
    put_in_library(db, text())
    put_in_library(db, text(version=2, saving="50", effective=str(TODAY - 5 * DAY)))
    assert versions_on(db, TODAY - 6 * DAY, None, 1, 2) == [1, 1, None]
    assert versions_on(db, TODAY, None, 1, 2) == [2, None, 2]


def test_pinning_a_version_does_not_bring_its_wrong_factor_back(db: Database) -> None:
    put_in_library(db, text())
    put_in_library(db, text(version=2, saving="50", effective=str(TODAY + 5 * DAY)))
    order(db, TODAY - 9 * DAY, TODAY - DAY)
    assert versions_on(db, TODAY - 10 * DAY, None, 1) == [1, 1]
    assert versions_on(db, TODAY - DAY, None, 1, 2) == [2, 2, None]
    assert versions_on(db, TODAY, None, 1, 2) == [1, 1, None]


def test_a_correction_from_before_the_version_holds_for_acts_told_after_it(db: Database) -> None:
    put_in_library(db, text())
    put_in_library(db, text(version=2, saving="50", effective=str(TODAY + 5 * DAY)))
    order(db, date(2019, 1, 1), TODAY)
    assert versions_on(db, TODAY, None, 1) == [2, 2]
    assert versions_on(db, date(2019, 12, 31), None, 1) == [None, None]


def test_a_correction_does_not_outlive_the_version_that_was_withdrawn(db: Database) -> None:
    put_in_library(db, text())
    put_in_library(db, text(version=2, saving="50", effective=str(TODAY + 50 * DAY)))
    statement = """insert into methodology_withdrawal
                   (code, version, last_day, reason, asked_by, signed_by, withdrawn_at)
                   values ('TEST-RIDE', 1, %s, 'wrong', 'r1', 'r2', %s)"""
    facts = (TODAY - DAY, now())
    db.transact(lambda session: driver(session).execute(statement, facts).rowcount)
    order(db, TODAY - 9 * DAY, TODAY + 9 * DAY)
    assert versions_on(db, TODAY - DAY, None, 1) == [2, 2]
    assert versions_on(db, TODAY, None, 1) == [None, None]


def test_a_correction_of_a_replacement_holds_where_that_stands_in(db: Database) -> None:
    put_in_library(db, text())
    for version, saving in ((2, "50"), (3, "60")):
        effective = str(TODAY + version * 20 * DAY)
        put_in_library(db, text(version=version, saving=saving, effective=effective))
    order(db, TODAY - 9 * DAY, TODAY)
    db.transact(
        lambda session: (
            driver(session)
            .execute(
                "insert into factor_correction_report (correction, statement, signature)"
                " select id, 'done', decode(repeat('00', 64), 'hex') from factor_correction"
            )
            .rowcount
        )
    )
    order(db, TODAY - 5 * DAY, TODAY, version=2, replacement=3)
    assert versions_on(db, TODAY - 6 * DAY, None) == [2]
    assert versions_on(db, TODAY, None) == [3]
    assert versions_on(db, TODAY + DAY, None) == [1]
