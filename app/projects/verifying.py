"""Verifying reports (监测报告核查): a verifier's word, and what an accepted report accrues.

What it is worth is computed by the methodology itself, a day at a time; every day's working is
kept, with its inputs and its reason where nothing counts. Days of one month, version and grade are
one transfer to the owner, whose evidence commits to the readings as they were sent.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from sqlmodel import Session

from app.activities.choice import Choice, decided
from app.books import Row, asset_ids, post
from app.catalogue import document_of
from app.kernel.clock import day_of
from app.kernel.db import driver
from app.kernel.tokens import Principal
from app.projects.applying import terms_of
from app.projects.boundary import listed_days
from app.projects.errors import ReportDecided
from app.projects.monitoring import Report, exclusions_of, find_report, project_of, readings_of
from app.projects.registry import Project, registered_design
from app.projects.rules import EVIDENCE, GRADE_C, Worth, worth_of_days
from app.staff import note_act
from ledger.accounts import SYSTEM_ACCOUNTS
from ledger.assets import Asset, Reduction
from ledger.chart import Code
from methodologies import Document

ISSUANCE: Final = SYSTEM_ACCOUNTS["issuance/reduction"]
_UNTELL: Final = "delete from monitored_period where report = %s"
_DECIDE: Final = """
update monitoring_report set is_accepted = %s, decided_by = %s, finding = %s, decided_at = %s
 where bucket = %s and account = %s and id = %s and decided_at is null"""
_DAYS: Final = """
insert into project_day (bucket, account, report, day, inputs, asset, mg, reason)
select %s, %s, %s, t.*
  from unnest(%s::date[], %s::jsonb[], %s::int4[], %s::int8[], %s::text[]) as t"""
_ACCRUE: Final = """
insert into project_accrual (bucket, account, recorded_on, id, report, month, asset, mg)
values (%s, %s, %s, %s, %s, %s, %s, %s)"""


class Decision(NamedTuple):
    """What a verifier found of a report, and when (核查结论)."""

    is_accepted: bool
    finding: str
    at: datetime


def decide(
    session: Session,
    who: Principal,
    report: UUID | None,
    decision: Decision,
    *,
    ids: Callable[[], UUID],
) -> Report:
    """Accept a report, which accrues it to the project's owner, or reject it.

    Raises:
        ReportUnknown, ReportDecided, ReportEmptied: See their own words.
    """
    project = project_of(session, report, is_locked=True)
    found = find_report(session, project, report)
    row = (decision.is_accepted, who.name, decision.finding, decision.at)
    place = (found.bucket, found.owner, found.id)
    if driver(session).execute(_DECIDE, (*row, *place)).rowcount == 0:
        raise ReportDecided
    if decision.is_accepted:
        _accrue(session, project, found, day_of(decision.at), ids)
    else:
        driver(session).execute(_UNTELL, (found.id,))
    act = "projects.accept_report" if decision.is_accepted else "projects.reject_report"
    note_act(session, who.name, act, found.public, at=decision.at, project=project.public)
    return find_report(session, project, found.id)


def _accrue(
    session: Session,
    project: Project,
    report: Report,
    today: date,
    ids: Callable[[], UUID],
) -> None:
    design = registered_design(session, project)
    choice = decided(session, project.code, project.version)
    exclusions = exclusions_of(session, project) + listed_days(session, project.id, design)
    terms = terms_of(document_of(session, project.code, project.version), design)
    length = (report.last - report.first).days + 1
    days = [report.first + timedelta(days=each) for each in range(length)]

    def choose(day: date) -> tuple[Document | None, str]:
        document = choice.on(day)
        return document, choice.refusal_on(document, day)

    readings = readings_of(session, report)
    worth = worth_of_days(choose, terms, readings, exclusions, days)
    classed = [_classed(choice, each) for each in worth]
    numbers = asset_ids(driver(session), {reduction for _, reduction in classed if reduction})
    _keep_days(session, report, classed, numbers)
    _post(session, report, classed, numbers, today, ids)


Classed = tuple[Worth, Reduction | None]
"""A day, and the class of what it came to."""


def _classed(choice: Choice, worth: Worth) -> Classed:
    document = choice.on(worth.day) if worth.mg else None
    if document is None:
        return worth, None
    reduction = choice.class_of(document, EVIDENCE, worth.day)
    return (worth, reduction) if reduction else (worth._replace(mg=0, reason=GRADE_C), None)


def _keep_days(
    session: Session, report: Report, classed: Sequence[Classed], numbers: Mapping[Asset, int]
) -> None:
    columns = zip(
        *(
            (
                each.day,
                None if each.inputs is None else json.dumps(each.inputs),
                None if reduction is None else numbers[reduction],
                each.mg,
                each.reason,
            )
            for each, reduction in classed
        ),
        strict=True,
    )
    place = (report.bucket, report.owner, report.id)
    driver(session).execute(_DAYS, (*place, *map(list, columns)))


def _post(
    session: Session,
    report: Report,
    classed: Sequence[Classed],
    numbers: Mapping[Asset, int],
    today: date,
    ids: Callable[[], UUID],
) -> None:
    connection = driver(session)
    sums: dict[Reduction, tuple[int, date]] = {}
    for each, reduction in classed:
        if reduction is not None:
            mg, _ = sums.get(reduction, (0, each.day))
            sums[reduction] = (mg + each.mg, each.day)
    rows: list[Row] = []
    for reduction, (mg, day) in sums.items():
        id_, asset = ids(), numbers[reduction]
        place = (report.bucket, report.owner, today, id_)
        connection.execute(_ACCRUE, (*place, report.id, reduction.vintage, asset, mg))
        rows.append(
            Row(
                report.bucket, today, id_, ISSUANCE, report.owner, asset, mg, Code.ACCRUE,
                report.id, day, None, None, report.commitment,
            )
        )  # fmt: skip
    post(connection, rows)
