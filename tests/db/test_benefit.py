"""Giving to the public benefit: by choice alone, once a night, to the milligram and the fen."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, time, timedelta
from threading import Event
from uuid import UUID

import psycopg
import pytest
from sqlmodel import Session

from app.activities.corrections import Correction, correct
from app.benefit import (
    NewCancellation,
    choice_of,
    choose,
    count_totals,
    give_by_night,
    give_dust,
    give_points,
    open_cancellation,
    withdraw,
)
from app.benefit.cancellations import Total, shown_of
from app.benefit.errors import CancellationMalformed, CancellationOver, DonationUnknown
from app.benefit.giving import dust_terms, give_dust_of
from app.growth.reading import year_of
from app.kernel.clock import SHANGHAI, day_of, now
from app.kernel.db import Database, driver
from app.kernel.ids import new_id
from app.kernel.scopes import Role
from app.kernel.secrets import Keys
from app.mall.redeeming import find_redemption
from app.points import Rate, expire, find_programme
from ledger.accounts import SYSTEM_ACCOUNTS, bucket_of
from tests.support.acts import item, one, people, provider, rows, send
from tests.support.auditing import assert_acts_hold
from tests.support.clerks import known
from tests.support.orders import Street
from tests.support.owners import BUS, BUS_B, asset_number
from tests.support.points import accrue, choose_rate, citizens, points, programme, swap
from tests.support.tripwire import Crash, Tripwire

NOW = now()
TODAY = day_of(NOW)
LONG_AGO = TODAY - timedelta(days=31)
DAYS = 30
EVENING = datetime.combine(TODAY, time(20, 30), SHANGHAI)
WETLAND = NewCancellation(
    "湿地", "Wetland", "归公", "For everybody.", "Bureau", TODAY, TODAY + timedelta(days=300)
)


def wetland(db: Database, new: NewCancellation = WETLAND) -> UUID:
    made, who = new_id(), known(db, Role.OPERATOR)
    db.transact(open_cancellation, who, new, cancellation=made, at=NOW)
    return made


def opt_in(
    db: Database, *people: int, cause: UUID | None = None, offer: UUID | None = None
) -> None:
    for owner in people:
        db.transact(choose, owner, cause, offer, at=NOW)


def dust(db: Database, at: datetime = NOW) -> tuple[int, int]:
    return give_dust(db, untouched_days=DAYS, at=at)


def held(db: Database, owner: int, asset: int) -> int:
    query = "select credits - debits from balance where account = %s and asset = %s"
    return one(db, query, owner, asset)[0]


def totals(db: Database, cause: UUID) -> list[Total]:
    return db.read(shown_of, cause).totals


def test_dust_is_given_by_those_who_chose_it_and_once_a_night(db: Database, keys: Keys) -> None:
    programme(db, keys, 1_000)
    ann, bo = citizens(db, keys, 2)
    bus, bus_b = asset_number(db, BUS), asset_number(db, BUS_B)
    for owner in (ann, bo):
        accrue(db, owner, bus, 9_999, on=LONG_AGO)
        accrue(db, owner, bus_b, 1, on=LONG_AGO)
    cause = wetland(db)
    assert db.read(choice_of, ann) == (None, None, None)
    assert dust(db) == (0, 0)
    opt_in(db, ann, cause=cause)
    assert dust(db) == (2, 10_000)
    assert (held(db, ann, bus), held(db, ann, bus_b)) == (0, 0)
    assert (held(db, bo, bus), held(db, bo, bus_b)) == (9_999, 1)
    moved = rows(db, "select source, target, amount, code, cause from transfer where code = 12")
    gone = SYSTEM_ACCOUNTS["cancelled"]
    assert sorted(moved) == [(ann, gone, 1, 12, cause), (ann, gone, 9_999, 12, cause)]
    accrue(db, ann, bus, 5, on=LONG_AGO)
    assert dust(db) == (0, 0), "a second gift that night"
    assert dust(db, NOW + timedelta(days=DAYS)) == (1, 5)


@pytest.mark.parametrize(
    ("mg", "recorded", "why"),
    [
        (10_000, LONG_AGO, "a point's worth is not dust"),
        (9_999, TODAY - timedelta(days=29), "the class was touched"),
    ],
)
def test_what_is_not_dust_stays(
    db: Database, keys: Keys, mg: int, recorded: date, why: str
) -> None:
    programme(db, keys, 1_000)
    (ann,) = citizens(db, keys, 1)
    accrue(db, ann, asset_number(db, BUS), mg, on=recorded)
    opt_in(db, ann, cause=wetland(db))
    assert dust(db) == (0, 0), why


def test_withdrawn_or_over_or_leaving_gives_nothing_the_next_night(
    db: Database, keys: Keys
) -> None:
    programme(db, keys, 1_000)
    people = citizens(db, keys, 3)
    ann, bo, cy = people
    ended = wetland(db, WETLAND._replace(ends_on=TODAY))
    cause = wetland(db)
    for owner in people:
        accrue(db, owner, asset_number(db, BUS), 7, on=LONG_AGO)
    opt_in(db, ann, cy, cause=cause)
    opt_in(db, bo, cause=ended)
    db.transact(withdraw, ann)
    leaving = """insert into erasure (bucket, account, id, token, asked_at, stage)
                 values (%s, %s, uuidv7(), sha256('a'), now(), 'stopped')"""

    def leave(session: Session) -> None:
        driver(session).execute(leaving.encode(), (bucket_of(cy), cy))

    db.transact(leave)
    assert dust(db, NOW + timedelta(days=1)) == (0, 0)


def test_a_withdrawal_waits_for_the_night_that_has_begun(db: Database, keys: Keys) -> None:
    """Its answer comes after the gift, so nobody is told that it ended and then gives."""
    programme(db, keys, 1_000)
    (ann,) = citizens(db, keys, 1)
    accrue(db, ann, asset_number(db, BUS), 7, on=LONG_AGO)
    opt_in(db, ann, cause=wetland(db))
    terms = db.read(dust_terms, TODAY, DAYS)
    given, go_on = Event(), Event()

    def night(session: Session) -> None:
        assert give_dust_of(session, terms, bucket_of(ann), TODAY) == (1, 7)
        given.set()
        assert go_on.wait(10)

    with ThreadPoolExecutor(2) as pool:
        running = pool.submit(db.transact, night)
        assert given.wait(10)
        withdrawing = pool.submit(db.transact, withdraw, ann)
        with pytest.raises(TimeoutError):
            withdrawing.result(0.5)
        go_on.set()
        running.result(10)
        withdrawing.result(10)
    assert db.read(choice_of, ann) == (None, None, None)


def test_what_cannot_be_chosen_is_refused(db: Database, keys: Keys) -> None:
    street = Street(db, keys)
    (ann,) = street.people(1)
    latte, gift = street.offer(), street.offer(kind="donation")
    yesterday = TODAY - timedelta(days=1)
    over = wetland(db, WETLAND._replace(starts_on=yesterday, ends_on=yesterday))
    with pytest.raises(CancellationOver):
        opt_in(db, ann, cause=over)
    for offer in (latte, gift, new_id()):  # the second is of a business
        with pytest.raises(DonationUnknown):
            opt_in(db, ann, offer=offer)
    for last in (TODAY - timedelta(days=1), TODAY + timedelta(days=367)):
        with pytest.raises(CancellationMalformed):
            wetland(db, WETLAND._replace(ends_on=last))


class Charity:
    """A street with a public-benefit merchant, its donation, and people whose points end."""

    def __init__(self, db: Database, keys: Keys, people: int = 4, **terms: int) -> None:
        self.street = Street(db, keys, at=EVENING)
        with psycopg.connect(db.url) as owner:  # the application never changes a kind
            owner.execute("update merchant set kind = 'public_benefit'")
        self.offer = self.street.offer(kind="donation", price_points=10, **terms)
        self.people = self.street.people(people)
        for last, ending in ((TODAY, 487), (TODAY + timedelta(days=1), 5)):
            self.street.give_all(self.people, ending, last)
        opt_in(db, *self.people, offer=self.offer)


@pytest.fixture
def charity(db: Database, keys: Keys) -> Charity:
    return Charity(db, keys)


def test_points_go_in_the_evening_of_their_last_day(db: Database, charity: Charity) -> None:
    at = EVENING
    assert give_points(db, at=at - timedelta(days=1)) == (0, 0)
    assert give_points(db, at=at) == (4, 4 * 487)
    assert give_points(db, at=at) == (0, 0)
    for owner in charity.people:
        assert list(points(db, owner).values()) == [5]
        assert charity.street.taken(charity.offer, owner) == (4, 4, 1)
    found = "select count(*), sum(points)::int, sum(claim_fen)::int, count(till) from redemption"
    assert one(db, found) == (4, 4 * 487, 4 * 487, 0)
    assert expire(db, at=at + timedelta(days=1)) == 0


def test_its_merchant_finds_what_it_was_given(db: Database, charity: Charity) -> None:
    give_points(db, at=EVENING)
    for (given,) in rows(db, "select id from redemption"):
        found = db.read(find_redemption, charity.street.till, given, at=EVENING)
        assert (found.outcome, found.points, found.till) == ("redeemed", 487, None)


def test_in_the_afternoon_they_are_their_owners(
    db: Database, worker_db: Database, charity: Charity
) -> None:
    terms = {"untouched_days": DAYS, "crowd_min": 1}
    give_by_night(db, worker_db, at=EVENING - timedelta(hours=1), **terms)
    assert rows(db, "select 1 from benefit_order") == []
    give_by_night(db, worker_db, at=EVENING, **terms)
    assert len(rows(db, "select 1 from benefit_order")) == len(charity.people)


@pytest.mark.parametrize("terms", [{"stock": 3}, {"per_day": 3}])
def test_an_offer_takes_no_more_than_it_says(
    db: Database, keys: Keys, terms: dict[str, int]
) -> None:
    Charity(db, keys, **terms)
    assert give_points(db, at=EVENING) == (3, 3 * 487)


def test_a_suspended_merchant_is_given_nothing(db: Database, charity: Charity) -> None:
    charity.street.run("update merchant set suspended_at = %s", EVENING)
    assert give_points(db, at=EVENING) == (0, 0)
    assert expire(db, at=EVENING + timedelta(days=1)) == 4 * 487


def through_crashes(
    db: Database, work: Callable[[], object], commits: int, *, landed: bool
) -> None:
    """Run with a crash at every commit in turn, and then to the end."""
    for at in range(1, commits + 1):
        wire = Tripwire(at, landed=landed)
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(db, "transact", wire.wrap(db.transact))
            with pytest.raises(Crash):
                work()
    work()


@pytest.mark.parametrize("landed", [False, True], ids=["lost", "landed"])
def test_a_night_goes_on_after_crashes(db: Database, charity: Charity, *, landed: bool) -> None:
    cause, bus = wetland(db, WETLAND._replace(ends_on=TODAY)), asset_number(db, BUS)
    for owner in charity.people:
        accrue(db, owner, bus, 9_000, on=LONG_AGO)
    opt_in(db, *charity.people, cause=cause, offer=charity.offer)
    buckets = one(db, "select count(distinct bucket)::int from benefit_choice")[0]
    through_crashes(db, lambda: dust(db), buckets, landed=landed)
    through_crashes(db, lambda: give_points(db, at=EVENING), buckets, landed=landed)
    assert one(db, "select count(*), sum(mg)::int from benefit_gift") == (4, 36_000)
    assert one(db, "select count(*), sum(points)::int from redemption") == (4, 4 * 487)


def test_totals_are_told_of_crowds_alone(db: Database, worker_db: Database, keys: Keys) -> None:
    programme(db, keys, 1_000)
    people = citizens(db, keys, 5)
    bus, bus_b, cause = asset_number(db, BUS), asset_number(db, BUS_B), wetland(db)
    for owner in people[:3]:
        accrue(db, owner, bus, 1_000, on=LONG_AGO)
    accrue(db, people[0], bus_b, 500, on=LONG_AGO)
    opt_in(db, *people, cause=cause)
    dust(db)
    assert count_totals(worker_db, crowd_min=4, at=NOW) == 0
    assert totals(db, cause) == []
    assert count_totals(worker_db, crowd_min=3, at=NOW) == 1
    assert totals(db, cause) == [("A", 3, 3_000, TODAY)]
    for owner in people[3:]:
        accrue(db, owner, bus, 1_000, on=LONG_AGO)
    tomorrow = NOW + timedelta(days=1)
    dust(db, tomorrow)
    assert count_totals(worker_db, crowd_min=3, at=tomorrow) == 0, "two more are no crowd"
    assert count_totals(worker_db, crowd_min=2, at=tomorrow) == 1
    assert totals(db, cause) == [("A", 5, 5_000, day_of(tomorrow))]


def test_a_correction_reaches_a_gift_and_the_total_says_so(
    db: Database, worker_db: Database, keys: Keys
) -> None:
    """Two rides of 2.4 g; one is worth 1 g less, which its owner gave away weeks ago."""
    metro = provider(db)
    people(db, keys, metro, ["card-1"])
    programme(db, keys, 1_000, at=NOW)
    send(db, keys, metro, [item(1), item(2)])
    owner, asset = one(db, "select account, asset from balance where asset & 7 in (1, 2)")
    grade = one(db, "select grade from asset where id = %s", asset)[0]
    choose_rate(db, db.read(find_programme, "green"), Rate(grade, None, 10**9, TODAY))
    cause, later = wetland(db), NOW + timedelta(days=DAYS)
    opt_in(db, owner, cause=cause)
    gifts, given = dust(db, later)
    assert (gifts, held(db, owner, asset)) == (1, 0)
    count_totals(worker_db, crowd_min=1, at=later)
    assert totals(db, cause) == [(grade, 1, given, day_of(later))]
    query = "select bucket, recorded_on, id, raw_mg from activity order by id"
    bucket, recorded_on, act, raw_mg = one(db, query)
    less = Correction(bucket, owner, recorded_on, act, raw_mg - 1_000, "provider.corrected")

    def command(session: Session) -> None:
        connection = driver(session)
        correct(connection, [less], cause=new_id(), at=later, window_days=400, new_id=new_id)

    db.transact(command)
    taken = one(db, "select source, amount from transfer where code = 2")
    assert taken == (SYSTEM_ACCOUNTS["cancelled"], 1_000)
    assert count_totals(worker_db, crowd_min=1_000, at=later) == 1, "at once, and of no crowd"
    assert totals(db, cause) == [(grade, 1, given - 1_000, day_of(later))]
    assert_acts_hold(db.url)


def test_what_is_given_is_contributed(db: Database, keys: Keys) -> None:
    programme(db, keys, 1_000)
    (ann,) = citizens(db, keys, 1)
    accrue(db, ann, asset_number(db, BUS), 9_000, on=LONG_AGO)
    opt_in(db, ann, cause=wetland(db))
    dust(db)
    assert db.read(year_of, bucket_of(ann), ann, TODAY).contributed_mg == 9_000


def test_an_exchange_leaves_dust_that_can_be_given(db: Database, keys: Keys) -> None:
    programme(db, keys, 1_000)
    (ann,) = citizens(db, keys, 1)
    accrue(db, ann, asset_number(db, BUS), 482_040, on=LONG_AGO)
    swap(db, ann)
    opt_in(db, ann, cause=wetland(db))
    assert dust(db) == (0, 0), "the exchange touched it today"
    assert dust(db, NOW + timedelta(days=DAYS)) == (1, 2_040)
