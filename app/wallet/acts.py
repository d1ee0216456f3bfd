"""A citizen's acts as rows (行为查询): a page of them, one of them, and what surrounds it.

The newest *recorded* come first: nothing is ever inserted behind a cursor, and the order is that
of the primary key. Every statement names bucket and owner.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, NamedTuple
from uuid import UUID

from sqlmodel import Session

from app.citizens import Basis
from app.kernel.db import Connection, driver
from app.wallet.rules import DayPart, GradeWord, OutcomeWord

_PAGE: Final = """
select f.id, f.recorded_on, f.occurred_on, p.code, p.name_zh, p.name_en, v.code, v.version,
       f.evidence, f.mode, o.outcome, coalesce(f.reason, f.merge_reason), x.grade, x.scenario,
       f.asset, f.raw_mg, f.granted_mg, f.counted, f.decided_on
  from act_fate f
  cross join lateral (
    select case when f.outcome = 'accepted' and exists (
      select from act_correction c where c.bucket = f.bucket and c.account = f.account
         and c.activity = f.id and c.is_withdrawn) then 'withdrawn' else f.outcome end as outcome) o
  join provider p on p.id = f.provider
  left join methodology_version v on v.id = f.methodology
  left join asset x on x.id = f.asset
 where f.bucket = %(bucket)s and f.account = %(owner)s
   and f.recorded_on <= %(before_day)s and (f.recorded_on, f.id) < (%(before_day)s, %(before)s)
   and f.recorded_on >= %(since)s - 1 and f.occurred_on between %(since)s and %(until)s
   and (%(provider)s::text is null or p.code = %(provider)s)
   and (%(methodology)s::text is null or v.code = %(methodology)s)
   and (%(outcome)s::text is null or o.outcome = %(outcome)s)
 order by f.recorded_on desc, f.id desc limit %(limit)s"""
_ONE: Final = """
select f.id, f.recorded_on, f.occurred_on, p.code, p.name_zh, p.name_en, v.code, v.version,
       f.evidence, f.mode, o.outcome, coalesce(f.reason, f.merge_reason), x.grade, x.scenario,
       f.asset, f.raw_mg, f.granted_mg, f.counted, f.decided_on,
       f.inputs, f.source_occurred_at, f.place, s.basis, d.raw_mg, d.cap_mg,
       m.month, m.days,
       (m.reduction_mg + coalesce((select sum(c.amount_mg) from act_change c
         where c.bucket = m.bucket and c.account = m.account and c.activity = m.id), 0))::bigint
  from act_fate f
  cross join lateral (
    select case when f.outcome = 'accepted' and exists (
      select from act_correction c where c.bucket = f.bucket and c.account = f.account
         and c.activity = f.id and c.is_withdrawn) then 'withdrawn' else f.outcome end as outcome) o
  join provider p on p.id = f.provider
  join subject s on s.bucket = f.bucket and s.account = f.account
  left join methodology_version v on v.id = f.methodology
  left join asset x on x.id = f.asset
  left join accrual_day d on d.bucket = f.bucket and d.account = f.account
   and d.day = f.occurred_on and d.asset = f.asset
  left join (month_settlement m join methodology_version w on w.id = m.methodology)
    on m.bucket = f.bucket and m.account = f.account and w.code = v.code
   and m.month = date_trunc('month', f.occurred_on)::date
 where f.bucket = %s and f.account = %s and f.id = %s"""
_CHANGES: Final = """
select id, recorded_on, amount_mg, corrects from act_change
 where bucket = %s and account = %s and activity = %s order by id"""
_MERGES: Final = """
select m.activity, m.counted, m.reason, m.recorded_on, p.code
  from act_merge m
  join activity a on a.bucket = m.bucket and a.account = m.account
   and a.id = case when m.activity = %s then coalesce(m.counted, m.activity) else m.activity end
  join provider p on p.id = a.provider
 where m.bucket = %s and m.account = %s and (m.activity = %s or m.counted = %s) order by m.id"""
_CORRECTIONS: Final = """
select c.recorded_on, c.cause, c.reason, c.is_withdrawn, c.raw_mg, c.change_mg, i.inputs
  from act_correction c
  left join corrected_input i on i.bucket = c.bucket and i.account = c.account
   and i.correction = c.id
 where c.bucket = %s and c.account = %s and c.activity = %s order by c.id"""
_PLACES: Final = """
select l.id, l.epoch, l.log_index, a.epoch is not null, a.final_at is not null
  from log_entry l left join anchored a on a.epoch = l.epoch
 where l.id = any(%s)"""
_PARTS: Final = """
select f.occurred_on, v.code, count(*) filter (where o.outcome = 'accepted'),
       sum(f.granted_mg)::bigint
  from act_fate f
  cross join lateral (
    select case when f.outcome = 'accepted' and exists (
      select from act_correction c where c.bucket = f.bucket and c.account = f.account
         and c.activity = f.id and c.is_withdrawn) then 'withdrawn' else f.outcome end as outcome) o
  left join methodology_version v on v.id = f.methodology
 where f.bucket = %(bucket)s and f.account = %(owner)s and f.recorded_on >= %(since)s - 1
   and f.occurred_on between %(since)s and %(until)s
 group by f.occurred_on, v.code
having count(*) filter (where o.outcome = 'accepted') > 0 or sum(f.granted_mg) <> 0
 union all
select (m.month + interval '1 month - 1 day')::date, v.code, 0,
       m.reduction_mg + coalesce((select sum(c.amount_mg) from act_change c
         where c.bucket = m.bucket and c.account = m.account and c.activity = m.id), 0)::bigint
  from month_settlement m join methodology_version v on v.id = m.methodology
 where m.bucket = %(bucket)s and m.account = %(owner)s and m.reduction_mg > 0
   and m.month + interval '1 month - 1 day' between %(since)s and %(until)s"""

LAST: Final = UUID(int=2**128 - 1)
FIRST_DAY: Final = date(2000, 1, 1)
LAST_DAY: Final = date(2999, 12, 31)


class ActRow(NamedTuple):
    """An act and what became of it."""

    id: UUID
    recorded_on: date
    occurred_on: date
    provider: str
    provider_zh: str
    provider_en: str
    methodology: str | None
    version: int | None
    evidence: int
    mode: str
    outcome: OutcomeWord
    reason: str | None
    grade: GradeWord | None
    scenario: str | None
    asset: int | None
    raw_mg: int | None
    granted_mg: int
    counted: UUID | None
    decided_on: date
    """When its outcome last changed."""


class ChangeRow(NamedTuple):
    """A transfer after the first: what was added, or taken back below zero."""

    transfer: UUID
    recorded_on: date
    mg: int
    corrects: UUID | None


class CorrectionRow(NamedTuple):
    """What somebody said that an act is worth from then on."""

    recorded_on: date
    cause: UUID
    """A provider's corrections, a corrected factor, or an upheld appeal."""
    reason: str
    is_withdrawn: bool
    raw_mg: int | None
    change_mg: int
    inputs: dict[str, str] | None


class MergeRow(NamedTuple):
    """One decision about which record of an act counts."""

    activity: UUID
    counted: UUID | None
    reason: str
    recorded_on: date
    provider: str
    """Of the other record."""


class LogPlace(NamedTuple):
    """Where a transfer stands in the log."""

    transfer: UUID
    epoch: int
    log_index: int
    is_anchored: bool
    is_final: bool


@dataclass(frozen=True, slots=True)
class ActDetail:
    """An act with all that the books know of it."""

    act: ActRow
    inputs: dict[str, str] | None
    source_occurred_at: datetime | None
    place: str | None
    basis: Basis
    """How its person came to be enrolled: ``self``, ``operator-import`` or ``simulated``."""
    day_raw_mg: int | None
    day_cap_mg: int | None
    month: date | None
    month_days: int | None
    month_mg: int | None
    changes: tuple[ChangeRow, ...]
    corrections: tuple[CorrectionRow, ...]
    merges: tuple[MergeRow, ...]
    places: tuple[LogPlace, ...]

    @property
    def latest_inputs(self) -> dict[str, str] | None:
        """The quantities as the last correction that told any has them."""
        told = [each.inputs for each in self.corrections if each.inputs is not None]
        return told[-1] if told else self.inputs


@dataclass(frozen=True, slots=True, kw_only=True)
class ActFilter:
    """Which acts a reader wants."""

    since: date = FIRST_DAY
    until: date = LAST_DAY
    provider: str | None = None
    methodology: str | None = None
    outcome: OutcomeWord | None = None


def acts_before(
    session: Session,
    bucket: int,
    owner: int,
    which: ActFilter,
    *,
    before: tuple[date, UUID] | None,
    limit: int,
) -> list[ActRow]:
    """Give the newest recorded acts before a place, newest first."""
    day, last = before or (LAST_DAY, LAST)
    facts = {
        "bucket": bucket,
        "owner": owner,
        "before_day": day,
        "before": last,
        "since": which.since,
        "until": which.until,
        "provider": which.provider,
        "methodology": which.methodology,
        "outcome": which.outcome,
        "limit": limit,
    }
    return [ActRow(*row) for row in driver(session).execute(_PAGE, facts)]


def act_of(session: Session, bucket: int, owner: int, activity: UUID) -> ActDetail | None:
    """Give one act of an owner; None where they have no such act. Five statements."""
    connection = driver(session)
    row = connection.execute(_ONE, (bucket, owner, activity)).fetchone()
    if row is None:
        return None
    width = len(ActRow._fields)
    changes = connection.execute(_CHANGES, (bucket, owner, activity)).fetchall()
    corrections = connection.execute(_CORRECTIONS, (bucket, owner, activity)).fetchall()
    merges = connection.execute(_MERGES, (activity, bucket, owner, activity, activity)).fetchall()
    return ActDetail(
        ActRow(*row[:width]),
        *row[width:],
        changes=tuple(ChangeRow(*each) for each in changes),
        corrections=tuple(CorrectionRow(*each) for each in corrections),
        merges=tuple(MergeRow(*each) for each in merges),
        places=_places(connection, [activity, *(each[0] for each in changes)]),
    )


def parts_of(
    session: Session, bucket: int, owner: int, *, since: date, until: date
) -> list[DayPart]:
    """Give what each methodology came to on each day; months that settle at once on their last."""
    facts = {"bucket": bucket, "owner": owner, "since": since, "until": until}
    return [DayPart(*row) for row in driver(session).execute(_PARTS, facts)]


def _places(connection: Connection, transfers: list[UUID]) -> tuple[LogPlace, ...]:
    return tuple(LogPlace(*row) for row in connection.execute(_PLACES, (transfers,)))
