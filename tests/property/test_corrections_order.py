"""Corrections in any order (更正次序): a day comes to what a naive reading of R9 and R16 says.

Two oracles that know nothing of windows, weights or transfers. The first takes one provider's
acts under a cap, unit by unit. The second takes two providers' records without a cap, looks at
the end of the story only, and so cannot depend on the order.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlmodel import Session

from app.activities import Correction, correct
from app.activities.choice import chosen
from app.kernel.clock import now
from app.kernel.db import Database, driver
from app.kernel.ids import new_id
from app.kernel.secrets import Keys
from methodologies import Evidence
from tests.support.acts import (
    TODAY,
    balances,
    document,
    item,
    one,
    people,
    provider,
    same_person,
    send,
)
from tests.support.auditing import assert_acts_hold
from tests.support.postgres import empty

UNIT_MG = 100_000
CAP = 30
"""Units of 100 g, of which a kilometre saves one."""
CAPPED = chosen(document("TEST-CAPPED", saving="100", cap="3 kg"))
FREE = chosen(document("TEST-FREE", saving="100", cap=None))
ACT = "select bucket, account, recorded_on, id from activity where external_hash = %s"
TRIES = settings(
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def corrected(db: Database, external_id: str, units: int | None) -> None:
    """Let an act be worth so many units; None withdraws it."""
    bucket, owner, on, act = one(db, ACT, sha256(external_id.encode()).digest()[:16])
    said = Correction(
        bucket, owner, on, act, (units or 0) * UNIT_MG, "provider.said", units is None
    )

    def command(session: Session) -> None:
        correct(driver(session), [said], cause=new_id(), at=now(), window_days=400, new_id=new_id)

    db.transact(command)


@dataclass
class Act:
    """An act in the first oracle, in units."""

    worth: int
    granted: int = 0
    kept: int = 0
    """What corrections took of it, and what so keeps its place under the cap."""
    is_withdrawn: bool = False


@dataclass
class Day:
    """A person's day in the first oracle."""

    acts: list[Act] = field(default_factory=list[Act])

    def grow(self, act: Act, units: int) -> None:
        """Add units one by one: its own lost ones first, then what the cap still has."""
        for _ in range(units):
            act.worth += 1
            if act.kept:
                act.kept, act.granted = act.kept - 1, act.granted + 1
            elif sum(each.granted + each.kept for each in self.acts) < CAP:
                act.granted += 1

    def correct(self, act: Act, units: int | None) -> None:
        """Let an act be worth so many units; a withdrawal is final."""
        if act.is_withdrawn:
            return
        act.is_withdrawn = units is None
        to = units or 0
        if to > act.worth:
            self.grow(act, to - act.worth)
            return
        lost = max(0, act.granted - to)
        act.worth, act.granted, act.kept = to, act.granted - lost, act.kept + lost

    @property
    def total(self) -> int:
        return sum(each.granted for each in self.acts)


@given(
    rides=st.lists(st.integers(1, 25), min_size=1, max_size=4),
    corrections=st.lists(
        st.tuples(st.integers(0, 3), st.one_of(st.none(), st.integers(0, 40))), max_size=6
    ),
)
@TRIES
def test_under_a_cap_it_is_what_unit_by_unit_comes_to(
    database_url: str,
    db: Database,
    keys: Keys,
    rides: list[int],
    corrections: list[tuple[int, int | None]],
) -> None:
    empty(database_url)
    metro = provider(db)
    people(db, keys, metro, ["card-1"], choice=CAPPED)
    send(db, keys, metro, [item(n, distance=km) for n, km in enumerate(rides)], CAPPED)
    day = Day()
    for km in rides:
        day.acts.append(Act(0))
        day.grow(day.acts[-1], km)
    assert sum(balances(db).values()) == day.total * UNIT_MG
    for place, units in corrections:
        number = place % len(rides)
        corrected(db, f"r{number}", units)
        day.correct(day.acts[number], units)
        assert sum(balances(db).values()) == day.total * UNIT_MG
    assert_acts_hold(database_url)


@given(
    rides=st.lists(st.integers(1, 25), min_size=2, max_size=4),
    worth=st.lists(st.one_of(st.none(), st.integers(0, 40)), min_size=4, max_size=4),
    order=st.permutations(range(4)),
)
@TRIES
def test_one_correction_an_act_gives_one_total_in_any_order(
    database_url: str,
    db: Database,
    keys: Keys,
    rides: list[int],
    worth: list[int | None],
    order: list[int],
) -> None:
    totals: set[int] = set()
    for places in (sorted(order), order):
        empty(database_url)
        metro = provider(db)
        people(db, keys, metro, ["card-1"], choice=CAPPED)
        send(db, keys, metro, [item(n, distance=km) for n, km in enumerate(rides)], CAPPED)
        for number in places:
            if number < len(rides):
                corrected(db, f"r{number}", worth[number])
        totals.add(sum(balances(db).values()))
    assert len(totals) == 1


@dataclass(frozen=True)
class Told:
    """A record in the second oracle."""

    number: int
    provider: str
    minute: int
    km: int
    evidence: Evidence
    worth: int | None
    """What it is corrected to in the end; None withdraws it."""
    is_corrected: bool


RANK = {Evidence.PROVIDER_MEASURED: 0, Evidence.DOCUMENT_PROVED: 1}


def oracle(told: list[Told]) -> int:
    """Sort what is left at the end, and let the first of each act count [units]."""
    kept: list[Told] = []
    left = [each for each in told if not (each.is_corrected and each.worth is None)]
    for each in sorted(
        left,
        key=lambda t: (
            RANK[t.evidence], t.minute, t.provider, sha256(f"r{t.number}".encode()).digest()[:16],
        ),
    ):  # fmt: skip
        if not any(
            other.provider != each.provider and abs(other.minute - each.minute) <= 10
            for other in kept
        ):
            kept.append(each)
    return sum((each.worth or 0) if each.is_corrected else each.km for each in kept)


@st.composite
def stories(draw: st.DrawFn) -> tuple[list[Told], list[tuple[str, Told]]]:
    """Records and what happens to them: each is told, and later perhaps corrected."""
    record = st.builds(
        Told,
        number=st.just(0),
        provider=st.sampled_from(["alpha", "beta"]),
        minute=st.sampled_from([0, 6, 12, 18, 40]),
        km=st.integers(1, 25),
        evidence=st.sampled_from(list(RANK)),
        worth=st.one_of(st.none(), st.integers(1, 40)),
        is_corrected=st.booleans(),
    )
    drawn = draw(st.lists(record, min_size=1, max_size=6))
    told = [
        Told(n, t.provider, t.minute, t.km, t.evidence, t.worth, t.is_corrected)
        for n, t in enumerate(drawn)
    ]
    waiting = [("told", each) for each in draw(st.permutations(told))]
    story: list[tuple[str, Told]] = []
    while waiting:
        what, each = waiting.pop(draw(st.integers(0, len(waiting) - 1)))
        story.append((what, each))
        if what == "told" and each.is_corrected:
            waiting.append(("corrected", each))
    return told, story


def one_of_two_with_a_follower(withdrawn: int) -> tuple[list[Told], list[tuple[str, Told]]]:
    """Two rides of one provider at once, a third told by another: one of the two is withdrawn."""
    told = [
        Told(
            number,
            provider,
            0,
            1,
            Evidence.PROVIDER_MEASURED,
            None,
            is_corrected=number == withdrawn,
        )
        for number, provider in enumerate(("alpha", "alpha", "beta"))
    ]
    return told, [*(("told", each) for each in told), ("corrected", told[withdrawn])]


@given(made=stories())
@example(made=one_of_two_with_a_follower(0))
@example(made=one_of_two_with_a_follower(1))
@TRIES
def test_without_a_cap_only_the_end_of_the_story_counts(
    database_url: str,
    db: Database,
    keys: Keys,
    made: tuple[list[Told], list[tuple[str, Told]]],
) -> None:
    empty(database_url)
    told, story = made
    alpha, beta = provider(db, "alpha"), provider(db, "beta")
    people(db, keys, alpha, ["card-1"], choice=FREE)
    same_person(db, keys, alpha, beta, {"card-1": "user-1"}, choice=FREE)
    subjects = {"alpha": "card-1", "beta": "user-1"}
    for what, each in story:
        if what == "corrected":
            corrected(db, f"r{each.number}", each.worth)
            continue
        ride = item(
            each.number,
            subject=subjects[each.provider],
            occurred_at=TODAY - timedelta(hours=16) + timedelta(minutes=each.minute),
            distance=each.km,
            evidence=each.evidence,
        )
        send(db, keys, each.provider, [ride], FREE)
    assert sum(balances(db).values()) == oracle(told) * UNIT_MG
    assert_acts_hold(database_url)
