"""Settling a month (月结): a household against its own past, as one posting per month (R10).

Days told under such a methodology are stored and post nothing. Once the month is over its days
are added up as max(0, Σ(MA7 − a)); a document of grade C records that nothing was posted, any
other posts once. A day that arrives after its month was settled is too late for it.
"""

from calendar import monthrange
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final, NamedTuple
from uuid import UUID

from sqlmodel import Session

from app.activities.choice import Choice
from app.activities.merging import ISSUANCE
from app.activities.preparing import DAILY_INPUT, EVIDENCE_RANK
from app.books import Row, asset_ids, post
from app.kernel.clock import day_of
from app.kernel.db import Connection, Database, driver
from app.kernel.ids import new_id
from ledger.assets import Reduction
from ledger.chart import Code
from methodologies import (
    Document,
    Evidence,
    Grade,
    Ineligible,
    Settlement,
    grade,
    quantify,
    settle_month,
)

BUCKETS_AT_ONCE: Final = 64
BUCKETS: Final = 1024
WEEK: Final = timedelta(days=7)
_EVIDENCE: Final = {rank: evidence for evidence, rank in EVIDENCE_RANK.items()}
_DAYS: Final = """
select a.bucket, a.account, a.occurred_on, coalesce(c.inputs, a.inputs) ->> %(input)s, a.evidence
  from activity a
  left join lateral (
    select h.is_withdrawn, i.inputs
      from act_correction h
      left join corrected_input i on i.bucket = h.bucket and i.account = h.account
       and i.correction = h.id
     where h.bucket = a.bucket and h.account = a.account and h.activity = a.id
     order by h.id desc limit 1) c on true
 where a.bucket between %(first)s and %(last)s
   and a.methodology in (select id from methodology_version where code = %(code)s)
   and a.occurred_on between %(since)s and %(until)s and a.recorded_on >= %(since)s
   and a.reason is null and a.inputs is not null and c.is_withdrawn is not true
   and not exists (select from month_settlement m where m.bucket = a.bucket
                    and m.account = a.account and m.methodology = %(methodology)s
                    and m.month = %(month)s)
   and (select m.counted from act_merge m where m.bucket = a.bucket and m.account = a.account
                    and m.activity = a.id order by m.id desc limit 1) is null"""
_VERSION: Final = "select id from methodology_version where code = %s and version = %s"
_SETTLE: Final = """
insert into month_settlement (bucket, account, methodology, month, id, days, reduction_mg,
                              recorded_on)
select * from unnest(%s::int2[], %s::int8[], %s::int2[], %s::date[], %s::uuid[], %s::int4[],
                     %s::int8[], %s::date[])"""
Owner = tuple[int, int]
"""(bucket, account)."""


class Settled(NamedTuple):
    """What settling a month came to."""

    people: int
    reduction_mg: int


class _Reading(NamedTuple):
    day: date
    kwh: Decimal
    evidence: int


def settle(db: Database, choice: Choice, month: date, *, at: datetime) -> Settled:
    """Settle ``month`` (its first day) for everybody; resumable, and each person once.

    A month is settled after its last day, and after the time that providers have to tell it.
    """
    until = month.replace(day=monthrange(month.year, month.month)[1])
    assert until < day_of(at), month
    document = choice.on(until)
    if document is None or document.settlement is not Settlement.BILLING_MONTH:
        return Settled(0, 0)
    people = reduction_mg = 0
    for first in range(0, BUCKETS, BUCKETS_AT_ONCE):
        done = db.transact(_settle_buckets, choice, document, until, first, at=at, ids=new_id)
        people, reduction_mg = people + done.people, reduction_mg + done.reduction_mg
    return Settled(people, reduction_mg)


def _settle_buckets(
    session: Session,
    choice: Choice,
    document: Document,
    until: date,
    first: int,
    *,
    at: datetime,
    ids: Callable[[], UUID],
) -> Settled:
    connection, month = driver(session), until.replace(day=1)
    version = connection.execute(_VERSION, (document.code, document.version)).fetchone()
    if version is None:
        return Settled(0, 0)
    told = _told(connection, document, version[0], until, first)
    asset = _asset(choice, document, until)
    number = None if asset is None else asset_ids(connection, [asset])[asset]
    today = day_of(at)
    notes: list[tuple[object, ...]] = []
    rows: list[Row] = []
    for (bucket, owner), readings in told.items():
        days, mg = _worth(document, readings, until)
        if days == 0:
            continue
        act = ids()
        if number is None or mg == 0:
            mg = 0
        else:
            rows.append(
                Row(bucket, today, act, ISSUANCE, owner, number, mg, Code.ACCRUE, act, until)
            )
        notes.append((bucket, owner, version[0], month, act, days, mg, today))
    if notes:
        connection.execute(_SETTLE, [list(column) for column in zip(*notes, strict=True)])
    post(connection, rows)
    return Settled(len(notes), sum(row.amount for row in rows))


def _told(
    connection: Connection, document: Document, version: int, until: date, first: int
) -> Mapping[Owner, Sequence[_Reading]]:
    facts = {
        "input": DAILY_INPUT,
        "first": first,
        "last": first + BUCKETS_AT_ONCE - 1,
        "code": document.code,
        "methodology": version,
        "month": until.replace(day=1),
        "since": until.replace(day=1) - WEEK,
        "until": until,
    }
    told: dict[Owner, list[_Reading]] = defaultdict(list)
    for bucket, owner, day, kwh, evidence in connection.execute(_DAYS, facts):
        told[bucket, owner].append(_Reading(day, Decimal(kwh), evidence))
    return told


def _worth(document: Document, readings: Sequence[_Reading], until: date) -> tuple[int, int]:
    """Give the days that count and what the month is worth [mg]."""
    assert document.history is not None
    month = settle_month(daily(readings), year=until.year, month=until.month)
    inputs = {each.name: Decimal(month.days) for each in document.inputs if each.unit == "day"}
    inputs[document.history.expected] = month.expected_kwh
    inputs[document.history.used] = month.used_kwh
    evidence = _EVIDENCE[min(reading.evidence for reading in readings)]
    worth = quantify(document, inputs, evidence=evidence, occurred_on=until)
    return month.days, 0 if isinstance(worth, Ineligible) else worth.mg


def daily(readings: Iterable[_Reading]) -> dict[date, Decimal]:
    """Add up the meters of one person by day; a day that lacks one of them is left out.

    >>> monday, tuesday = date(2026, 1, 5), date(2026, 1, 6)
    >>> daily([_Reading(monday, Decimal(1), 3), _Reading(monday, Decimal(2), 3),
    ...        _Reading(tuesday, Decimal(1), 3)])
    {datetime.date(2026, 1, 5): Decimal('3')}
    """
    by_day: dict[date, list[Decimal]] = defaultdict(list)
    for reading in readings:
        by_day[reading.day].append(reading.kwh)
    meters = max(map(len, by_day.values()), default=0)
    return {day: sum(kwh, Decimal(0)) for day, kwh in by_day.items() if len(kwh) == meters}


def _asset(choice: Choice, document: Document, until: date) -> Reduction | None:
    standing = choice.standing_of(document)
    given = grade(
        document,
        sign_offs=standing.sign_offs,
        approval=standing.approval_on(until),
        evidence=Evidence.PROVIDER_MEASURED,
        on=until,
    )
    if given is Grade.C:
        return None
    letter = "A" if given is Grade.A else "B"
    vintage = until.replace(day=1)
    return Reduction(document.code, document.version, document.scenario, letter, vintage)
