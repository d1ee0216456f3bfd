"""Points against a naive model: earn, exchange, spend, correct, behave, lose, expire, return.

The model keeps plain numbers and knows nothing of slices, queues, statements or locks.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from sqlmodel import Session

from app.books import post
from app.kernel.clock import SHANGHAI, day_of, now
from app.kernel.db import Database, driver
from app.kernel.ids import new_id
from app.kernel.problems import Refusal
from app.kernel.secrets import Keys
from app.points import (
    Behaviour,
    Rate,
    Reserved,
    Shift,
    exchange_automatically,
    expire,
    reserve,
    return_earmarks,
    settle,
)
from app.points.programmes import Reward, set_reward
from ledger.accounts import bucket_of
from tests.support.acts import one, rows
from tests.support.auditing import assert_books_hold
from tests.support.owners import BUS, BUS_B, asset_number
from tests.support.points import (
    ABSORBED,
    GREEN,
    POOL,
    accrue,
    automatic,
    choose_rate,
    citizens,
    owed,
    programme,
    slices,
    spend,
    swap,
    take_back,
)
from tests.support.postgres import empty

PEOPLE = 3
TODAY = day_of(now())
OLD = TODAY - timedelta(days=8)
NOW = datetime.combine(TODAY, datetime.min.time(), SHANGHAI).astimezone(UTC) + timedelta(hours=3)
LATER = datetime(TODAY.year + 1, 1, 10, 3, tzinfo=UTC)
RATE = {"A": 10_000, "B": 7_000}
EXIT = {"A": POOL, "B": ABSORBED}
FEN = 2
POINTS, PERSON_CAP = 5, 8


@dataclass
class Line:
    """What one exchange took of a class."""

    grade: str
    expires: date
    left_mg: int
    seq: int


@dataclass
class Person:
    """Somebody, in plain numbers."""

    mg: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    fresh_mg: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    lines: list[Line] = field(default_factory=list[Line])
    points: dict[date, int] = field(default_factory=lambda: defaultdict(int))
    owed: int = 0
    acts: dict[UUID, tuple[date, int]] = field(default_factory=dict[UUID, tuple[date, int]])
    granted: dict[date, int] = field(default_factory=lambda: defaultdict(int))
    first_grant: dict[UUID, date] = field(default_factory=dict[UUID, date])


@dataclass
class Model:
    """A programme and its people, in plain numbers."""

    free: int
    people: list[Person]
    years: int
    at: datetime = NOW
    promised: int = 0
    due: int = 0
    seq: int = 0
    nights: set[tuple[int, date]] = field(default_factory=set[tuple[int, date]])

    @property
    def expires(self) -> date:
        return date(day_of(self.at).year + self.years, 12, 31)

    def grant(self, person: Person, count: int) -> None:
        self.free -= count * FEN
        self.promised += count * FEN
        paid = min(person.owed, count)
        person.owed -= paid
        self.due += paid * FEN
        person.points[self.expires] += count - paid

    def swap(self, person: Person, takes: dict[str, int]) -> None:
        self.seq += 1
        for grade, count in takes.items():
            mg = count * RATE[grade]
            person.mg[grade] -= mg
            person.lines.append(Line(grade, self.expires, mg, self.seq))
        self.grant(person, sum(takes.values()))

    def take_points(self, person: Person, count: int, granted: date | None) -> None:
        today = day_of(self.at)
        lots = sorted(person.points, key=lambda expires: (expires != granted, expires))
        for expires in lots:
            if expires >= today:
                part = min(count, person.points[expires])
                person.points[expires] -= part
                count -= part
                self.due += part * FEN
        person.owed += count

    def correct(self, person: Person, grade: str, mg: int) -> None:
        lost: list[tuple[int, date]] = []
        own = [line for line in person.lines if line.grade == grade]
        for line in sorted(own, key=lambda each: -each.seq):
            part = min(mg, line.left_mg)
            count = line.left_mg // RATE[grade] - (line.left_mg - part) // RATE[grade]
            line.left_mg -= part
            mg -= part
            lost.append((count, line.expires))
        for count, expires in lost:
            self.take_points(person, count, expires)


class Turn(NamedTuple):
    """Whose turn it is, and a number to do something with."""

    person: Person
    owner: int
    grade: str
    number: int


Op = tuple[str, int, str, int]
RARER = ("expire", "give_back", "new_year")
ops = st.lists(
    st.tuples(
        st.sampled_from(
            ["earn", "earn_old", "swap", "night", "correct", "spend", "behave", "lose", *RARER]
        ),
        st.integers(0, PEOPLE - 1),
        st.sampled_from(["A", "B"]),
        st.integers(1, 60_000),
    ),
    min_size=3,
    max_size=25,
)


_MERGED = """
insert into act_merge (bucket, account, id, activity, counted, reason, recorded_on)
values (%s, %s, %s, %s, %s, 'merge.same_act', %s)"""


class World:
    """The database beside the model."""

    def __init__(self, db: Database, worker: Database, keys: Keys, fen: int, years: int) -> None:
        new = replace(GREEN, fen_per_point=FEN, expiry_years=years, pause_below_permille=0)
        self.db, self.worker = db, worker
        found = programme(db, keys, fen, replace(new, refuse_below_permille=0))
        choose_rate(db, found, Rate("B", None, RATE["B"], TODAY))
        self.owners = citizens(db, keys, PEOPLE)
        self.asset = {"A": asset_number(db, BUS), "B": asset_number(db, BUS_B)}
        automatic(db, *self.owners[:2])
        reward = Reward("M", POINTS, PERSON_CAP, None, TODAY)
        db.transact(set_reward, found, reward, today=TODAY)
        self.model = Model(fen, [Person() for _ in self.owners], years)

    def run(self, op: Op) -> None:
        name, who, grade, number = op
        deed: Callable[[Turn], None] = getattr(self, name)
        deed(Turn(self.model.people[who], self.owners[who], grade, number))

    @property
    def today(self) -> date:
        return day_of(self.model.at)

    def earn(self, turn: Turn) -> None:
        accrue(self.db, turn.owner, self.asset[turn.grade], turn.number)
        turn.person.mg[turn.grade] += turn.number
        turn.person.fresh_mg[turn.grade] += turn.number

    def earn_old(self, turn: Turn) -> None:
        accrue(self.db, turn.owner, self.asset[turn.grade], turn.number, on=OLD)
        turn.person.mg[turn.grade] += turn.number

    def correct(self, turn: Turn) -> None:
        grade, person = turn.grade, turn.person
        gone = sum(line.left_mg for line in person.lines if line.grade == grade)
        if gone:
            mg = 1 + turn.number % gone
            asset, at = self.asset[grade], self.model.at
            take_back(self.db, turn.owner, asset, mg, EXIT[grade], at=at)
            self.model.correct(person, grade, mg)

    def spend(self, turn: Turn) -> None:
        own = turn.person.points
        can = sum(count for expires, count in own.items() if expires >= self.today)
        if can:
            left = 1 + turn.number % can
            spend(self.db, turn.owner, left, today=self.today)
            for expires in sorted(each for each in own if each >= self.today):
                part = min(left, own[expires])
                own[expires] -= part
                left -= part

    def expire(self, _: Turn) -> None:
        expire(self.db, at=self.model.at)
        for each in self.model.people:
            for expires in each.points:
                if expires < self.today:
                    self.model.due += each.points[expires] * FEN
                    each.points[expires] = 0

    def give_back(self, _: Turn) -> None:
        model = self.model
        assert return_earmarks(self.worker) == model.due
        model.free, model.promised = model.free + model.due, model.promised - model.due
        model.due = 0

    def new_year(self, _: Turn) -> None:
        self.model.at = LATER

    def swap(self, turn: Turn) -> None:
        person, owner = turn.person, turn.owner
        takes = {g: mg // RATE[g] for g, mg in person.mg.items() if mg >= RATE[g]}
        count = sum(takes.values())
        expected = "" if count else "exchange.empty"
        if count * FEN > self.model.free:
            expected = "budget.exhausted"
        said = ""
        try:
            swap(self.db, owner, at=self.model.at)
        except Refusal as refused:
            said = refused.code
        assert said == expected
        event(f"swap {said or 'ok'}")
        if not said:
            self.model.swap(person, takes)

    def night(self, _: Turn) -> None:
        model, today = self.model, self.today
        exchange_automatically(self.db, deadline_days=7, at=model.at)
        asked: dict[int, dict[int, dict[str, int]]] = defaultdict(dict)
        for who in (0, 1):
            person = model.people[who]
            fresh = person.fresh_mg if model.at is NOW else {}
            ripe = {g: max(0, mg - fresh.get(g, 0)) // RATE[g] for g, mg in person.mg.items()}
            takes = {g: count for g, count in ripe.items() if count}
            if takes and (who, today) not in model.nights:
                asked[bucket_of(self.owners[who])][who] = takes
        for bucket in sorted(asked):
            free = model.free
            for who in sorted(asked[bucket], key=lambda each: self.owners[each]):
                fen = sum(asked[bucket][who].values()) * FEN
                if fen <= free:
                    free -= fen
                    model.swap(model.people[who], asked[bucket][who])
                    model.nights.add((who, today))

    def behave(self, turn: Turn) -> None:
        person, owner, number = turn.person, turn.owner, turn.number
        model, act = self.model, new_id()
        day = TODAY + timedelta(days=number % 2)
        told = [Behaviour(act, owner, day)]

        def command(session: Session) -> Reserved:
            connection, today = driver(session), day_of(model.at)
            made = reserve(connection, "M", told, today=today, home=number)
            post(connection, settle(connection, made, today=today, new_id=new_id))
            return made

        made = self.db.transact(command)
        worth = sum(points for on, points in person.acts.values() if on == day)
        share = min(PERSON_CAP, worth + POINTS) - min(PERSON_CAP, worth)
        assert made.exhausted == ({act} if share * FEN > model.free else set())
        if not made.exhausted:
            person.acts[act] = (day, POINTS)
            if share:
                person.granted[day] += share
                person.first_grant[act] = model.expires
                model.grant(person, share)

    def lose(self, turn: Turn) -> None:
        person, owner, number = turn.person, turn.owner, turn.number
        if not person.acts:
            return
        model, act = self.model, sorted(person.acts)[number % len(person.acts)]
        day, _ = person.acts.pop(act)
        counted = new_id()
        shift = Shift(lost={(owner, act): counted})

        def command(session: Session) -> None:
            connection, today = driver(session), day_of(model.at)
            rows = settle(connection, Reserved(), shift, today=today, new_id=new_id)
            post(connection, rows)
            fate = (bucket_of(owner), owner, new_id(), act, counted, today)
            connection.execute(_MERGED, fate)

        self.db.transact(command)
        worth = sum(points for on, points in person.acts.values() if on == day)
        too_much = person.granted[day] - min(PERSON_CAP, worth)
        person.granted[day] -= too_much
        if too_much:
            model.take_points(person, too_much, person.first_grant.get(act))

    def agrees(self) -> None:
        model = self.model
        for person, owner in zip(model.people, self.owners, strict=True):
            held = rows(
                self.db,
                """select x.id & 7, x.grade, x.expires, b.credits - b.debits
                     from balance b join asset x on x.id = b.asset
                    where b.account = %s and b.credits > b.debits""",
                owner,
            )
            mg = {grade: n for kind, grade, _, n in held if kind != 3}
            points = {expires: n for kind, _, expires, n in held if kind == 3}
            assert mg == {grade: n for grade, n in person.mg.items() if n}
            assert points == {expires: n for expires, n in person.points.items() if n}
            assert owed(self.db, owner) == person.owed
        assert slices(self.db) == (model.free, model.promised)
        due = one(self.db, "select coalesce(sum(points), 0)::int8 from earmark_due")[0]
        assert due * FEN == model.due


@given(ops=ops, fen=st.sampled_from([0, 30, 200]), years=st.integers(0, 1))
@settings(
    max_examples=200,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_points_are_what_plain_numbers_say(
    database_url: str,
    db: Database,
    worker_db: Database,
    keys: Keys,
    *,
    ops: list[Op],
    fen: int,
    years: int,
) -> None:
    empty(database_url)
    world = World(db, worker_db, keys, fen, years)
    for op in ops:
        world.run(op)
        world.agrees()
    assert_books_hold(database_url)
