"""Simulations (活动推演): asked for at the desk, run by the worker, kept with their digest."""

from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Final, NamedTuple
from uuid import UUID

from sqlmodel import Session

from app.campaigns.errors import DaysUnfit, SimulationsWaiting, SimulationUnknown
from app.campaigns.replaying import Candidate, Outcome, replay
from app.campaigns.rules import first_below
from app.campaigns.schemas import (
    CandidateIn,
    CellOut,
    MarkOut,
    OutcomeOut,
    PeopleOut,
    RestOut,
    SimulationIn,
    SimulationOut,
    SolvencyOut,
)
from app.kernel.clock import day_of
from app.kernel.db import Database, driver
from app.kernel.ids import public_id
from app.kernel.tokens import Principal
from app.points.errors import TermsOverlap
from app.points.programmes import Programme, Rate, Reward, find_programme
from app.staff import note_act

PREFIX: Final = "sim"
DAYS_MAX: Final = 92
WAITING_MAX: Final = 8
PER_MILLE: Final = 1000
_TURN: Final = "select pg_advisory_xact_lock(hashtext('campaign_simulation'))"
_WAITING: Final = """
select s.id, p.code, s.since, s.until, s.candidate
  from campaign_simulation s join programme p on p.id = s.programme
 where not exists (select from campaign_outcome o where o.simulation = s.id)
 order by s.id limit %s"""
_ELSEWHERE: Final = """
select 1 from behaviour_reward
 where methodology = any(%s) and programme <> %s and (valid_to is null or valid_to > %s) limit 1"""
_ASK: Final = """
insert into campaign_simulation (id, programme, since, until, candidate, asked_by, asked_at)
values (%s, %s, %s, %s, %s, %s, %s)"""
_KEEP: Final = """
insert into campaign_outcome (simulation, outcome, digest, ran_at) values (%s, %s, %s, %s)
on conflict do nothing"""
_COLUMNS: Final = """
select s.id, p.code, s.since, s.until, s.candidate, s.asked_by, s.asked_at, o.ran_at, o.digest,
       o.outcome
  from campaign_simulation s
  join programme p on p.id = s.programme
  left join campaign_outcome o on o.simulation = s.id"""
_ONE: Final = f"{_COLUMNS} where p.code = %s and s.id = %s"
_PAGE: Final = f"""{_COLUMNS}
 where p.code = %s and s.id < %s order by s.id desc limit %s"""


class Waiting(NamedTuple):
    """A simulation that was not run yet."""

    id: UUID
    programme: str
    since: date
    until: date
    candidate: str


def ask_simulation(
    session: Session,
    who: Principal,
    code: str,
    wanted: SimulationIn,
    *,
    simulation: UUID,
    at: datetime,
) -> SimulationOut:
    """Ask for a simulation; the worker runs it.

    Raises:
        ProgrammeUnknown, TermsOverlap, DaysUnfit, SimulationsWaiting: See their own words.
    """
    connection, programme = driver(session), find_programme(session, code)
    if not wanted.since < wanted.until <= min(wanted.since + timedelta(days=DAYS_MAX), day_of(at)):
        raise DaysUnfit
    connection.execute(_TURN)
    if len(connection.execute(_WAITING, (WAITING_MAX,)).fetchall()) == WAITING_MAX:
        raise SimulationsWaiting(waiting=WAITING_MAX)
    behaviours = [each.methodology for each in wanted.candidate.rewards]
    if connection.execute(_ELSEWHERE, (behaviours, programme.id, day_of(at))).fetchone():
        raise TermsOverlap
    candidate = wanted.candidate.model_dump_json()
    facts = (simulation, programme.id, wanted.since, wanted.until, candidate, who.name, at)
    connection.execute(_ASK, facts)
    note_act(
        session, who.name, "programmes.simulate", code, at=at, id=public_id(PREFIX, simulation)
    )
    return find_simulation(session, code, simulation)


def find_simulation(session: Session, code: str, simulation: UUID | None) -> SimulationOut:
    """Find a simulation of a programme.

    Raises:
        SimulationUnknown: It has none of this id.
    """
    row = driver(session).execute(_ONE, (code, simulation)).fetchone()
    if row is None:
        raise SimulationUnknown
    return _shown(*row)


def simulations(
    session: Session, code: str, *, before: UUID | None, limit: int
) -> list[SimulationOut]:
    """List a programme's simulations, the newest first."""
    find_programme(session, code)
    found = driver(session).execute(_PAGE, (code, before, limit)).fetchall()
    return [_shown(*row) for row in found]


def run_simulations(db: Database, *, crowd_min: int, at: datetime) -> int:
    """Run what waits; gives how many. Resumable: an outcome is kept once.

    Raises:
        ExceptionGroup: Some could not be run, and wait on; those behind them were.
    """
    waiting, failed = db.read(_waiting), list[Exception]()
    for each in waiting:
        try:
            outcome = db.read(_outcome, each, crowd_min).model_dump_json()
            db.transact(_keep, each, outcome, at)
        except Exception as error:  # noqa: BLE001 -- whatever it was, the next one is run, and it is raised
            failed.append(error)
    if failed:
        raise ExceptionGroup("simulations could not be run", failed)
    return len(waiting)


def digest_of(candidate: str, outcome: str) -> bytes:
    """Hash what was tried and what it came to, as they are kept."""
    return sha256(f"{candidate}\n{outcome}\n".encode()).digest()


def _waiting(session: Session) -> list[Waiting]:
    found = driver(session).execute(_WAITING, (WAITING_MAX,)).fetchall()
    return [Waiting(*row) for row in found]


def _keep(session: Session, of: Waiting, outcome: str, at: datetime) -> None:
    facts = (of.id, outcome, digest_of(of.candidate, outcome), at)
    driver(session).execute(_KEEP, facts)


def _outcome(session: Session, of: Waiting, crowd_min: int) -> OutcomeOut:
    programme = find_programme(session, of.programme)
    tried = candidate_of(CandidateIn.model_validate_json(of.candidate))
    found = replay(session, programme, tried, of.since, of.until, crowd_min=crowd_min)
    return _told(programme, found, crowd_min)


def candidate_of(given: CandidateIn) -> Candidate:
    """Read what is tried as terms that hold on any day."""
    return Candidate(
        [Rate(**each.model_dump(mode="json"), valid_from=date.min) for each in given.rates],
        [Reward(**each.model_dump(), valid_from=date.min) for each in given.rewards],
    )


def _told(programme: Programme, found: Outcome, crowd_min: int) -> OutcomeOut:
    """Write an outcome, with counts of few people left out."""
    fen, marks = programme.fen_per_point, found.path
    more, less, same = (None if 0 < count < crowd_min else count for count in found.people)
    return OutcomeOut(
        simulated_points=found.simulated_points,
        simulated_fen=found.simulated_points * fen,
        actual_points=found.granted_points,
        actual_fen=found.granted_points * fen,
        replayed_points=found.replayed_points,
        cells=[
            CellOut.model_validate(
                {
                    **dict(zip(("month", "field", "grade"), cell, strict=True)),
                    "persons": each.persons,
                    "simulated_points": each.simulated,
                    "actual_points": each.actual,
                }
            )
            for cell, each in sorted(found.cells.items())
        ],
        rest=RestOut(simulated_points=found.rest.simulated, actual_points=found.rest.actual),
        people=PeopleOut(more=more, less=less, same=same),
        solvency=SolvencyOut(
            funds_fen=found.funds.total_fen,
            promised_fen=found.funds.promised_fen,
            path=[MarkOut.model_validate(each._asdict()) for each in marks],
            pauses_on=first_below(marks, programme.pause_below_permille),
            refuses_on=first_below(marks, programme.refuse_below_permille),
            exhausted_on=first_below(marks, PER_MILLE),
        ),
    )


def _shown(  # noqa: PLR0913, PLR0917 -- the columns
    id_: UUID,
    code: str,
    since: date,
    until: date,
    candidate: str,
    asked_by: str,
    asked_at: datetime,
    ran_at: datetime | None,
    digest: bytes | None,
    outcome: str | None,
) -> SimulationOut:
    return SimulationOut(
        id=public_id(PREFIX, id_),
        programme=code,
        since=since,
        until=until,
        candidate=CandidateIn.model_validate_json(candidate),
        asked_by=asked_by,
        asked_at=asked_at,
        ran_at=ran_at,
        digest=None if digest is None else digest.hex(),
        outcome=None if outcome is None else OutcomeOut.model_validate_json(outcome),
    )
