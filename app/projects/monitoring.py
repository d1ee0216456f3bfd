"""Monitoring reports (监测报告): a period's daily readings, sent by the owner, told once.

What proves them are papers that the owner keeps: of each its digest. The readings are committed
to under a salt, so that what they accrue can be held to them, and nobody guesses them from it.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

from psycopg import errors as db_errors
from sqlmodel import Session

from app.catalogue import document_of
from app.kernel.clock import day_of
from app.kernel.db import driver
from app.kernel.ids import public_id
from app.kernel.tokens import Principal
from app.projects.applying import terms_of
from app.projects.errors import (
    PeriodOutside,
    PeriodTold,
    ReadingsInvalid,
    ReportEmptied,
    ReportUnknown,
)
from app.projects.registry import Project, any_project, own_project, registered_design
from app.projects.rules import (
    PERIOD_MAX,
    Exclusion,
    Reading,
    reading_faults,
)
from app.staff import note_act
from ledger.accounts import SYSTEM_ACCOUNTS
from ledger.encoding import evidence_commit

PREFIX: Final = "mrp"
FAULTS_SHOWN: Final = 5
ISSUANCE: Final = SYSTEM_ACCOUNTS["issuance/reduction"]


class Paper(NamedTuple):
    """What proves readings (证明材料): a file that its owner keeps."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class NewReport:
    """A report as its owner sends it."""

    id: UUID
    first: date
    last: date
    readings: Sequence[Reading]
    papers: Sequence[Paper]
    salt: bytes


@dataclass(frozen=True, slots=True)
class Report:
    """A monitoring report (监测报告), and what a verifier found of it."""

    bucket: int
    owner: int
    id: UUID
    project: UUID
    first: date
    last: date
    papers: Sequence[Paper]
    commitment: bytes
    sent_by: str
    sent_at: datetime
    is_accepted: bool | None
    decided_by: str | None
    finding: str | None
    decided_at: datetime | None

    @property
    def public(self) -> str:
        """The public id."""
        return public_id(PREFIX, self.id)


_COLUMNS: Final = """
bucket, account, id, project, lower(days), upper(days), papers, commitment, sent_by, sent_at,
is_accepted, decided_by, finding, decided_at"""
_SEND: Final = """
insert into monitoring_report (bucket, account, id, project, days, readings, papers, salt,
                               commitment, sent_by, sent_at)
values (%s, %s, %s, %s, daterange(%s, %s, '[]'), %s, %s, %s, %s, %s, %s)"""
_TELL: Final = """
insert into monitored_period (project, report, days) values (%s, %s, daterange(%s, %s, '[]'))"""
_WHOSE: Final = "select project from monitoring_report where id = %s"
_OF_PROJECT: Final = f"""
select {_COLUMNS} from monitoring_report
 where bucket = %s and account = %s and project = %s and (%s::uuid is null or id = %s)
   and (%s::uuid is null or id < %s) order by id desc limit %s"""  # noqa: S608 -- columns of our own
_READINGS: Final = """
select readings, salt from monitoring_report where bucket = %s and account = %s and id = %s"""
_WAITING: Final = f"""
select {_COLUMNS} from monitoring_report
 where is_accepted is null and (%s::uuid is null or id > %s) order by id limit %s"""  # noqa: S608 -- likewise
_EXCLUSIONS: Final = """
select lower(days), upper(days), meter from project_exclusion
 where bucket = %s and account = %s and project = %s order by id"""


def send_report(
    session: Session, me: Principal, project: UUID | None, new: NewReport, *, at: datetime
) -> Report:
    """Lay a period's readings before the verifier.

    Raises:
        ProjectUnknown, ProjectNotRegistered, PeriodOutside, ReadingsInvalid, PeriodTold: See
            their own words.
    """
    found = own_project(session, me, project, is_locked=True)
    since, until = found.counts()
    is_over = new.last < day_of(at) and new.last - new.first < PERIOD_MAX
    if not (is_over and since <= new.first <= new.last <= until):
        raise PeriodOutside(since=since.isoformat(), until=until.isoformat())
    design = registered_design(session, found)
    document = document_of(session, found.code, found.version)
    facts = (terms_of(document, design), new.readings, new.first, new.last, len(design.meters))
    faults = reading_faults(document, *facts)
    if faults:
        raise ReadingsInvalid(faults="; ".join(faults[:FAULTS_SHOWN]))
    _store(session, me, found, new, at)
    if me.kind != "citizen":
        note_act(session, me.name, "projects.report", public_id(PREFIX, new.id), at=at)
    return find_report(session, found, new.id)


def project_of(session: Session, report: UUID | None, *, is_locked: bool = False) -> Project:
    """Give the project of a report, whosever it is.

    Raises:
        ReportUnknown: There is none.
    """
    row = None if report is None else driver(session).execute(_WHOSE, (report,)).fetchone()
    if row is None:
        raise ReportUnknown
    return any_project(session, row[0], is_locked=is_locked)


def find_report(session: Session, project: Project, report: UUID | None) -> Report:
    """Give a report of one project.

    Raises:
        ReportUnknown: It has none with this id.
    """
    if report is None:
        raise ReportUnknown
    facts = (*project.place, report, report, None, None, 1)
    row = driver(session).execute(_OF_PROJECT, facts).fetchone()
    if row is None:
        raise ReportUnknown
    return _report(row)


def reports_of(
    session: Session, project: Project, *, before: UUID | None, limit: int
) -> Sequence[Report]:
    """List a project's reports, the newest first."""
    facts = (*project.place, None, None, before, before, limit)
    return [_report(row) for row in driver(session).execute(_OF_PROJECT, facts).fetchall()]


def waiting_reports(session: Session, *, after: UUID | None, limit: int) -> Sequence[Report]:
    """List the reports that await a verifier, the oldest first."""
    return [_report(row) for row in driver(session).execute(_WAITING, (after, after, limit))]


def kept_readings(session: Session, report: Report) -> tuple[list[Reading], bytes | None]:
    """Give a report's readings and the salt that they are committed to under; neither once gone."""
    row = driver(session).execute(_READINGS, (report.bucket, report.owner, report.id)).fetchone()
    assert row is not None, report
    readings, salt = row
    told = [reading_of(each) for each in readings or ()]
    return told, None if salt is None else bytes(salt)


def readings_of(session: Session, report: Report) -> list[Reading]:
    """Give a report's readings as they were sent.

    Raises:
        ReportEmptied: See its own words.
    """
    told, _ = kept_readings(session, report)
    if not told:
        raise ReportEmptied
    return told


def reading_of(stored: Sequence[Any]) -> Reading:
    """Read a reading as it is stored."""
    day, meter, inputs = stored
    return Reading(date.fromisoformat(day), meter, inputs)


def exclusions_of(session: Session, project: Project) -> list[Exclusion]:
    """Give the days that do not count, as the desk signed them."""
    rows = driver(session).execute(_EXCLUSIONS, project.place).fetchall()
    return [Exclusion(first, upper - timedelta(days=1), meter) for first, upper, meter in rows]


def _store(session: Session, me: Principal, project: Project, new: NewReport, at: datetime) -> None:
    connection, written = driver(session), written_readings(new.readings)
    papers = json.dumps([each._asdict() for each in new.papers])
    commitment = evidence_commit(new.salt, written.encode())
    days = (new.first, new.last)
    owner = (project.bucket, project.owner, new.id, project.id)
    connection.execute(_SEND, (*owner, *days, written, papers, new.salt, commitment, me.name, at))
    try:
        connection.execute(_TELL, (project.id, new.id, *days))
    except db_errors.ExclusionViolation as error:
        raise PeriodTold from error


def written_readings(readings: Sequence[Reading]) -> str:
    """Write readings as they are committed to: compact JSON, by day and meter.

    >>> written_readings([Reading(date(2026, 1, 1), 0, {"generation": "28.5"})])
    '[["2026-01-01",0,{"generation":"28.5"}]]'
    """
    rows = [
        (each.day.isoformat(), each.meter, dict(each.inputs))
        for each in sorted(readings, key=_place)
    ]
    return json.dumps(rows, sort_keys=True, separators=(",", ":"))


def _place(reading: Reading) -> tuple[date, int]:
    return reading.day, reading.meter


def _report(row: tuple[Any, ...]) -> Report:
    bucket, owner, id_, project, first, upper, papers, commitment, *rest = row
    named = [Paper(**each) for each in papers]
    sent_by, sent_at, is_accepted, decided_by, finding, decided_at = rest
    return Report(
        bucket,
        owner,
        id_,
        project,
        first,
        upper - timedelta(days=1),
        named,
        bytes(commitment),
        sent_by,
        sent_at,
        is_accepted,
        decided_by,
        finding,
        decided_at,
    )
