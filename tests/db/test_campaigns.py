"""Simulations over real rows: the present terms reproduce what was promised, to the point."""

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from sqlmodel import Session

from app.activities.choice import chosen
from app.campaigns import ask_simulation, find_simulation, run_simulations
from app.campaigns.errors import DaysUnfit, SimulationsWaiting
from app.campaigns.replaying import Outcome, replay
from app.campaigns.schemas import CandidateIn, OutcomeOut, SimulationIn
from app.campaigns.simulating import WAITING_MAX, digest_of
from app.kernel.clock import SHANGHAI, day_of, now
from app.kernel.db import Database
from app.kernel.ids import new_id, parse_public_id
from app.kernel.scopes import Role
from app.kernel.secrets import Keys
from app.points import Rate, find_programme
from app.points.errors import TermsOverlap
from app.points.programmes import Reward, set_reward
from methodologies import Evidence
from tests.support.acts import TODAY as ACTS_TODAY
from tests.support.acts import document, item, one, people, provider, rows, same_person, send
from tests.support.clerks import known
from tests.support.owners import BUS, BUS_B, asset_number
from tests.support.points import GREEN, accrue, choose_rate, citizens, programme, swap

NOW = now()
TODAY = day_of(NOW)
LATER = NOW + timedelta(days=6)
SINCE = TODAY - timedelta(days=80)
HOURS = [ACTS_TODAY - timedelta(hours=n) for n in (16, 15, 14)]
BAG = chosen(document("TEST-BAG", mode="bag", cap=None, status="secondary"))


def simulate(
    db: Database, candidate: dict[str, Any] | None = None, *, crowd_min: int = 1
) -> OutcomeOut:
    wanted = SimulationIn(
        candidate=CandidateIn.model_validate(candidate or {}), since=SINCE, until=day_of(LATER)
    )
    who, id_ = known(db, Role.OPERATOR), new_id()
    asked = db.transact(ask_simulation, who, "green", wanted, simulation=id_, at=LATER)
    assert (asked.outcome, asked.digest) == (None, None)
    assert run_simulations(db, crowd_min=crowd_min, at=LATER) == 1
    assert run_simulations(db, crowd_min=crowd_min, at=LATER) == 0
    found = db.read(find_simulation, "green", parse_public_id("sim", asked.id))
    assert found.outcome is not None
    kept = one(db, "select candidate, outcome from campaign_simulation s join campaign_outcome o"
                   " on o.simulation = s.id where s.id = %s", id_)  # fmt: skip
    assert found.digest == digest_of(*kept).hex()
    return found.outcome


@pytest.fixture
def quarter(db: Database, keys: Keys) -> None:
    """Exchanges at a rate that changed midway, and capped behaviours of which one was displaced."""
    green = programme(db, keys, 10_000)
    ann, bo, _ = citizens(db, keys, 3)
    bus, bus_b = asset_number(db, BUS), asset_number(db, BUS_B)
    for night in range(3):
        for owner, mg in ((ann, 34_567), (bo, 91_000)):
            accrue(db, owner, bus, mg)
            accrue(db, owner, bus_b, mg // 2)
            swap(db, owner, at=NOW + timedelta(days=night))
    choose_rate(db, green, Rate("A", None, 7_000, TODAY + timedelta(days=3)))
    for night in (3, 4):
        accrue(db, ann, bus, 50_000)
        swap(db, ann, at=NOW + timedelta(days=night))

    sponsor(db, 12, None)
    metro, app = provider(db, "metro"), provider(db, "app")
    people(db, keys, metro, ["card-1", "card-2"], choice=BAG)
    same_person(db, keys, metro, app, {"card-1": "card-1"}, choice=BAG)
    send(db, keys, app, [item(1, evidence=Evidence.SELF_DECLARED, occurred_at=HOURS[0])], BAG)
    send(db, keys, metro, [item(2, occurred_at=HOURS[0]), item(3, occurred_at=HOURS[1])], BAG)
    told = [item(n, subject="card-2", occurred_at=at) for n, at in enumerate(HOURS, 4)]
    send(db, keys, metro, told, BAG)
    assert one(db, "select count(*)::int from act_merge")[0] == 1


def sponsor(db: Database, person: int | None, budget: int | None) -> None:
    """Let a bag earn five points, also on the days before."""

    def command(session: Session) -> None:
        reward = Reward("TEST-BAG", 5, person, budget, SINCE)
        set_reward(session, find_programme(session, "green"), reward, today=SINCE)

    db.transact(command)


def promised(db: Database) -> int:
    """What the books granted, less what they took back."""
    query = """select coalesce(sum(case when code in (5, 6) then amount else -amount end), 0)::int
                 from transfer where asset & 7 = 3 and code in (2, 5, 6)"""
    return one(db, query)[0]


@pytest.mark.usefixtures("quarter")
def test_the_present_terms_reproduce_what_was_promised(db: Database) -> None:
    found = simulate(db)
    assert promised(db) > 50
    assert found.simulated_points == found.replayed_points == found.actual_points == promised(db)
    assert found.simulated_fen == found.actual_fen == promised(db)
    assert {each.grade for each in found.cells} == {"A", "B", "C"}
    assert all(each.simulated_points == each.actual_points for each in found.cells)
    assert (found.people.more, found.people.less) == (0, 0)
    assert found.solvency.path[-1].promised_fen == 2 * promised(db)


@pytest.mark.usefixtures("quarter")
def test_the_present_terms_named_as_a_candidate_change_nothing(db: Database) -> None:
    reward = {"methodology": "TEST-BAG", "points": 5, "person_day_points": 12}
    rate = {"grade": "B", "mg_per_point": 10_000}
    found = simulate(db, {"rates": [rate], "rewards": [reward]})
    assert found.simulated_points == found.actual_points


@pytest.mark.usefixtures("quarter")
def test_other_terms_come_to_what_the_grams_and_acts_are_worth(db: Database) -> None:
    """By hand: per person and class the grams that were taken, in whole points of the new rate."""
    taken = rows(db, "select account, x.grade, sum(c.mg)::int8 from exchange_class c"
                     " join asset x on x.id = c.asset group by 1, 2")  # fmt: skip
    rate, reward = {"grade": "A", "mg_per_point": 3_000}, {"methodology": "TEST-BAG", "points": 2}
    found = simulate(db, {"rates": [rate], "rewards": [reward]})
    by_grade = dict.fromkeys("ABC", 0)
    for each in found.cells:
        by_grade[each.grade] += each.simulated_points
    mg_per_point = {"A": 3_000, "B": 10_000}
    for grade in "AB":
        worth = sum(mg // mg_per_point[grade] for _, its, mg in taken if its == grade)
        assert by_grade[grade] == worth
    assert by_grade["C"] == (2 + 3) * 2
    assert (found.people.more, found.people.less) == (2, 2)


def test_a_tier_is_tried_on_what_people_exchanged_month_by_month(db: Database, keys: Keys) -> None:
    before = datetime.combine(TODAY.replace(day=1), time(4), SHANGHAI) - timedelta(days=1)
    programme(db, keys, 1_000, at=before)
    ann, bo = citizens(db, keys, 2)
    bus = asset_number(db, BUS)
    for owner, mg, at in ((ann, 60_000, before), (ann, 40_000, NOW), (bo, 40_000, NOW)):
        accrue(db, owner, bus, mg, on=day_of(at))
        swap(db, owner, at=at)
    tier = {"grade": "A", "mg_per_point": 8_000, "from_mg": 50_000}
    found = simulate(db, {"rates": [tier]})
    assert (found.actual_points, found.replayed_points, found.simulated_points) == (14, 14, 15)
    assert (found.people.more, found.people.less, found.people.same) == (1, 0, 1)
    assert simulate(db, {"rates": [tier | {"from_mg": 60_001}]}).simulated_points == 14
    both = {"rates": [tier, {"grade": "A", "mg_per_point": 20_000}]}
    assert simulate(db, both).simulated_points == 3 + 5 + 2


@pytest.mark.parametrize("cap", [0, 7, 10, 15, 20])
def test_a_budgets_day_is_reproduced(db: Database, keys: Keys, cap: int) -> None:
    programme(db, keys, 1_000)
    sponsor(db, None, cap)
    people(db, keys, provider(db), ["card-1"], choice=BAG)
    send(db, keys, "metro", [item(n, occurred_at=at) for n, at in enumerate(HOURS, 1)], BAG)
    found = simulate(db)
    assert promised(db) == min(15, cap - cap % 5)
    assert found.simulated_points == found.actual_points == promised(db)
    reward = {"methodology": "TEST-BAG", "points": 5, "budget_day_points": 10}
    assert simulate(db, {"rewards": [reward]}).simulated_points == 10


def test_an_act_told_minutes_before_its_day_is_reproduced(db: Database, keys: Keys) -> None:
    """A provider's clock runs ahead by what ingest allows, over midnight."""
    programme(db, keys, 1_000)
    sponsor(db, None, 7)
    people(db, keys, provider(db), ["card-1"], choice=BAG)
    rides = [item(n, occurred_at=ACTS_TODAY + timedelta(minutes=n)) for n in (1, 2)]
    send(db, keys, "metro", rides, BAG, at=ACTS_TODAY - timedelta(minutes=2))
    assert one(db, "select bool_and(occurred_on > recorded_on) from activity") == (True,)
    found = simulate(db)
    assert found.replayed_points == found.simulated_points == found.actual_points == 5


def test_what_cannot_be_run_holds_up_nothing_behind_it(
    db: Database, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    programme(db, keys)
    who, ids = known(db, Role.OPERATOR), [new_id() for _ in range(3)]
    for days, id_ in enumerate(ids):
        wanted = SimulationIn(
            candidate=CandidateIn(), since=SINCE + timedelta(days=days), until=TODAY
        )
        db.transact(ask_simulation, who, "green", wanted, simulation=id_, at=NOW)

    def replayed(*told: Any, **more: Any) -> Outcome:  # noqa: ANN401 -- as it was called
        if SINCE + timedelta(days=1) in told:
            raise ArithmeticError
        return replay(*told, **more)

    with monkeypatch.context() as patch, pytest.RaisesGroup(ArithmeticError):
        patch.setattr("app.campaigns.simulating.replay", replayed)
        run_simulations(db, crowd_min=1, at=LATER)
    ran = {each: db.read(find_simulation, "green", each).ran_at for each in ids}
    assert [at is None for at in ran.values()] == [False, True, False]
    assert run_simulations(db, crowd_min=1, at=LATER) == 1, "it waits on, and runs when it can"


@pytest.mark.usefixtures("quarter")
def test_the_throttle_has_its_day(db: Database) -> None:
    found = simulate(db, {"rates": [{"grade": "A", "mg_per_point": 10}]}).solvency
    first = next(mark.day for mark in found.path if found.funds_fen < mark.promised_fen)
    assert found.refuses_on == found.exhausted_on == first
    assert found.pauses_on is not None
    assert found.pauses_on <= first
    assert simulate(db).solvency.pauses_on is None


@pytest.mark.usefixtures("quarter")
def test_few_people_are_not_told_apart(db: Database) -> None:
    found = simulate(db, {"rates": [{"grade": "A", "mg_per_point": 3_000}]}, crowd_min=4)
    assert found.cells == []
    assert found.rest.simulated_points == found.simulated_points
    assert found.people.more is None


def test_what_cannot_be_launched_or_replayed_is_refused(db: Database, keys: Keys) -> None:
    programme(db, keys)
    other = programme(db, keys, new=GREEN.__class__("blue", "蓝", "Blue"))
    reward = Reward("TEST-BAG", 5, None, None, TODAY)
    db.transact(set_reward, other, reward, today=TODAY)
    who = known(db, Role.OPERATOR)

    def ask(since: date, until: date, *, at: datetime = NOW, **candidate: Any) -> None:  # noqa: ANN401 -- JSON
        tried = CandidateIn.model_validate(candidate)
        wanted = SimulationIn(candidate=tried, since=since, until=until)
        db.transact(ask_simulation, who, "green", wanted, simulation=new_id(), at=at)

    for since, until in (
        (TODAY, TODAY),
        (TODAY, TODAY + timedelta(days=1)),
        (TODAY - timedelta(days=93), TODAY),
    ):
        with pytest.raises(DaysUnfit):
            ask(since, until)
    with pytest.raises(TermsOverlap):
        ask(SINCE, TODAY, rewards=[{"methodology": "TEST-BAG", "points": 1}])
    for _ in range(WAITING_MAX):
        ask(SINCE, TODAY)
    with pytest.raises(SimulationsWaiting):
        ask(SINCE, TODAY)
