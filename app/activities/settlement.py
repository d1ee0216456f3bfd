"""Settling a month (月结): a household against its own past, as one posting per month (R10).

Days told under such a methodology are stored and post nothing. Once the month is over its days
are added up as max(0, Σ(MA7 − a)); a document of grade C records that nothing was posted, any
other posts once. A day that arrives after its month was settled is too late for it.
"""

from calendar import monthrange
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Final, NamedTuple
from uuid import UUID

from sqlmodel import Session

from app.activities.choice import Choice
from app.activities.merging import ISSUANCE
from app.activities.months import WEEK, Reading, worth_of
from app.activities.preparing import DAILY_INPUT
from app.books import Row, asset_ids, post
from app.kernel.clock import day_of
from app.kernel.db import Connection, Database, driver
from app.kernel.ids import new_id
from ledger.chart import Code
from methodologies import (
    Document,
    Evidence,
    Settlement,
)

BUCKETS_AT_ONCE: Final = 64
BUCKETS: Final = 1024
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
   and a.inputs is not null
   and not exists (select from month_settlement m
                     join methodology_version v on v.id = m.methodology and v.code = %(code)s
                    where m.bucket = a.bucket and m.account = a.account
                      and m.month = %(month)s)
   and a.reason is null and c.is_withdrawn is not true
   and (select m.counted from act_merge m where m.bucket = a.bucket and m.account = a.account
                    and m.activity = a.id order by m.id desc limit 1) is null"""
_VERSION: Final = "select id from methodology_version where code = %s and version = %s"
_ENTER: Final = """
insert into methodology_version (code, version, sha256) values (%s, %s, %s)
on conflict (code, version) do nothing"""
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
    told = _told(connection, document, until, first)
    if not told:
        return Settled(0, 0)
    version = _version(connection, document)
    asset = choice.class_of(document, Evidence.PROVIDER_MEASURED, until)
    number = None if asset is None else asset_ids(connection, [asset])[asset]
    today = day_of(at)
    notes: list[tuple[object, ...]] = []
    rows: list[Row] = []
    for (bucket, owner), readings in told.items():
        days, mg = worth_of(document, readings, until)
        if days == 0:
            continue
        act = ids()
        if number is None or mg == 0:
            mg = 0
        else:
            rows.append(
                Row(bucket, today, act, ISSUANCE, owner, number, mg, Code.ACCRUE, act, until)
            )
        notes.append((bucket, owner, version, month, act, days, mg, today))
    if notes:
        connection.execute(_SETTLE, [list(column) for column in zip(*notes, strict=True)])
    post(connection, rows)
    return Settled(len(notes), sum(row.amount for row in rows))


def _told(
    connection: Connection, document: Document, until: date, first: int
) -> Mapping[Owner, Sequence[Reading]]:
    facts = {
        "input": DAILY_INPUT,
        "first": first,
        "last": first + BUCKETS_AT_ONCE - 1,
        "code": document.code,
        "month": until.replace(day=1),
        "since": until.replace(day=1) - WEEK,
        "until": until,
    }
    told: dict[Owner, list[Reading]] = defaultdict(list)
    for bucket, owner, day, kwh, evidence in connection.execute(_DAYS, facts):
        told[bucket, owner].append(Reading(day, Decimal(kwh), evidence))
    return told


def _version(connection: Connection, document: Document) -> int:
    """Give the number of a version, which no day may have been told under (a corrected factor)."""
    key = (document.code, document.version)
    if (known := connection.execute(_VERSION, key).fetchone()) is None:
        connection.execute(_ENTER, (*key, bytes.fromhex(document.sha256)))
        known = connection.execute(_VERSION, key).fetchone()
    assert known is not None
    return known[0]
