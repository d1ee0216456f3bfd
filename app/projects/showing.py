"""Projects and reports as the wire shows them (减排项目展示)."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlmodel import Session

from app.kernel.clock import day_of
from app.kernel.db import driver
from app.kernel.ids import public_id
from app.kernel.quantities import mass, whole_kg
from app.kernel.secrets import Keys
from app.organisations import Organisation, organisations_of
from app.projects.design import Words
from app.projects.errors import ReportEmptied
from app.projects.monitoring import (
    Report,
    exclusions_of,
    find_report,
    kept_readings,
    project_of,
)
from app.projects.public_schemas import PublicProjectOut
from app.projects.registry import (
    PREFIX,
    Project,
    ProjectState,
    Revision,
    projects,
    reviews_of,
    revision_of,
    words_of,
)
from app.projects.schemas import (
    DayOut,
    DesignOut,
    ExclusionOut,
    MeterOut,
    PaperOut,
    ProjectOut,
    ProjectReviewOut,
    ProjectRow,
    ReadingOut,
    ReportOut,
    ReportRow,
)
from app.staff.voting import lacks_votes, votes_on

_WORKING: Final = """
select d.day, d.inputs, x.grade, d.mg, d.reason
  from project_day d left join asset x on x.id = d.asset
 where d.bucket = %s and d.account = %s and d.report = %s order by d.day"""
_ACCRUED: Final = """
select r.project, sum(c.mg)::int8
  from project_accrual c join monitoring_report r
    on (r.bucket, r.account, r.id) = (c.bucket, c.account, c.report)
 where c.bucket = any(%s) and c.account = any(%s) and r.project = any(%s) group by 1"""
_WORDS: Final = """
select p.id, p.account, r.words
  from project p join project_revision r
    on (r.bucket, r.account, r.project, r.number) = (p.bucket, p.account, p.id, p.revision)
 where p.bucket = any(%s) and p.account = any(%s) and p.id = any(%s)
   and p.owner_kind = 'organisation'"""


def project_row(found: Project) -> ProjectRow:
    """Show a project in a list."""
    return ProjectRow(**_facts(found))


def project_out(session: Session, keys: Keys, found: Project) -> ProjectOut:
    """Show a project whole: to its owner, and to the desk."""
    reviews = reviews_of(session, found)
    design = _newest(session, found)
    lacking: list[str] = []
    if found.state is ProjectState.IN_REVIEW and design is not None:
        lacking = lacks_votes(votes_on(reviews, design.number))
    return ProjectOut(
        **_facts(found),
        design=None if design is None else _design_out(design, keys, found.owner),
        reviews=[ProjectReviewOut(**each._asdict()) for each in reviews],
        lacking=lacking,
        exclusions=[ExclusionOut(**each._asdict()) for each in exclusions_of(session, found)],
        ended_for=found.ended_for,
    )


def report_row(found: Report) -> ReportRow:
    """Show a report in a list."""
    return ReportRow(**_report_facts(found))


def report_out(session: Session, project: Project, report: UUID | None) -> ReportOut:
    """Show a report whole, with its working; without its readings once they are forgotten.

    Raises:
        ReportUnknown: See its own words.
    """
    found = find_report(session, project, report)
    told, salt = kept_readings(session, found)
    place = (found.bucket, found.owner, found.id)
    worked = driver(session).execute(_WORKING, place).fetchall()
    return ReportOut(
        **_report_facts(found),
        readings=[ReadingOut(**each._asdict()) for each in told],
        papers=[PaperOut(name=each.name, sha256=each.sha256) for each in found.papers],
        commitment=found.commitment.hex(),
        salt=None if salt is None else salt.hex(),
        days=[_day(*row) for row in worked],
        reduction=mass(sum(row[3] for row in worked)),
    )


def any_report_out(session: Session, report: UUID | None) -> ReportOut:
    """Show a report to a verifier, whosever it is.

    Raises:
        ReportUnknown: See its own words.
    """
    return report_out(session, project_of(session, report), report)


def public_projects(
    session: Session, keys: Keys, *, before: UUID | None, limit: int
) -> Sequence[tuple[Project, PublicProjectOut]]:
    """Give registered projects as anybody sees them."""
    connection = driver(session)
    found = projects(session, is_public=True, before=before, limit=limit)
    places = tuple(map(list, zip(*(each.place for each in found), strict=True))) or ([], [], [])
    accrued: dict[UUID, int] = dict(connection.execute(_ACCRUED, places).fetchall())
    words = {
        id_: words_of(keys, owner, bytes(sealed))
        for id_, owner, sealed in connection.execute(_WORDS, places)
    }
    named = organisations_of(session, [each.owner for each in found])
    return [
        (each, _public(each, named.get(each.owner), words.get(each.id), accrued.get(each.id, 0)))
        for each in found
    ]


def _public(
    found: Project, organisation: Organisation | None, words: Words | None, mg: int
) -> PublicProjectOut:
    assert found.registered_at is not None, found
    facts = _facts(found)
    for instant in ("applied_at", "registered_at", "ended_at"):
        del facts[instant]
    return PublicProjectOut(
        **facts,
        registered_on=day_of(found.registered_at),
        ended_on=found.ended_at and day_of(found.ended_at),
        organisation_zh=organisation and organisation.name_zh,
        organisation_en=organisation and organisation.name_en,
        title_zh=words and words.title_zh,
        title_en=words and words.title_en,
        site=words and words.site,
        reduction=whole_kg(mg),
    )


def _facts(found: Project) -> dict[str, Any]:
    return {
        "id": public_id(PREFIX, found.id),
        "owner_kind": found.owner_kind,
        "methodology": found.code,
        "version": found.version,
        "state": found.state,
        "applied_at": found.applied_at,
        "registered_at": found.registered_at,
        "crediting_since": found.since,
        "crediting_until": found.until,
        "ended_at": found.ended_at,
    }


def _report_facts(found: Report) -> dict[str, Any]:
    return {
        "id": found.public,
        "project": public_id(PREFIX, found.project),
        "first": found.first,
        "last": found.last,
        "sent_at": found.sent_at,
        "is_accepted": found.is_accepted,
        "decided_at": found.decided_at,
        "finding": found.finding,
    }


def _newest(session: Session, found: Project) -> Revision | None:
    """Give the design that holds: the registered one, or else the newest; none once forgotten."""
    try:
        return revision_of(session, found, found.revision)
    except ReportEmptied:
        return None


def _design_out(found: Revision, keys: Keys, owner: int) -> DesignOut:
    design, words = found.design, words_of(keys, owner, found.sealed)
    meters = [MeterOut(kind=e.kind, label=e.label, provider=e.provider) for e in design.meters]
    return DesignOut(
        revision=found.number,
        digest=found.digest.hex(),
        revised_at=found.revised_at,
        note=found.note,
        title_zh=words.title_zh,
        title_en=words.title_en,
        text=words.text,
        site=words.site,
        started_on=design.started_on,
        crediting_since=design.since,
        crediting_until=design.until,
        quantities=dict(design.quantities),
        declarations=dict(design.declarations),
        meters=meters,
    )


def _day(
    day: date, inputs: dict[str, str] | None, grade: str | None, mg: int, reason: str
) -> DayOut:
    return DayOut(day=day, inputs=inputs, grade=grade, reduction=mass(mg), reason=reason)
