"""A month as it is added up (按月核算): its readings, and what a document makes of them (R10).

The same for whoever settles a month, tries a candidate on settled ones, or corrects their factor.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Final, NamedTuple
from uuid import UUID

from app.activities.preparing import DAILY_INPUT, EVIDENCE_RANK
from app.kernel.db import Connection
from methodologies import Document, Ineligible, quantify, settle_month

WEEK: Final = timedelta(days=7)
_EVIDENCE: Final = {rank: evidence for evidence, rank in EVIDENCE_RANK.items()}
_SETTLED: Final = """
select m.bucket, m.account, m.month, m.id, m.recorded_on, x.grade,
       coalesce((select h.raw_mg from act_correction h
                  where h.bucket = m.bucket and h.account = m.account and h.activity = m.id
                  order by h.id desc limit 1), m.reduction_mg)
  from month_settlement m
  left join transfer t on t.bucket = m.bucket and t.recorded_on = m.recorded_on and t.id = m.id
  left join asset x on x.id = t.asset
 where m.bucket between %(first)s and %(last)s
   and m.methodology = (select id from methodology_version
                         where code = %(code)s and version = %(version)s)
   and (m.month + interval '1 month')::date - 1 between %(since)s and %(until)s
   and (m.bucket, m.account, m.month) > (%(bucket)s, %(owner)s, %(month)s)
 order by m.bucket, m.account, m.month limit %(limit)s"""
# As they were told when the month was settled: what came later was too late for it.
_READINGS: Final = """
select q.id, a.occurred_on, coalesce(c.inputs, a.inputs) ->> %(input)s, a.evidence, p.code
  from unnest(%(buckets)s::int2[], %(owners)s::int8[], %(months)s::date[], %(ids)s::uuid[],
              %(days)s::date[]) as q (bucket, account, month, id, settled_on)
  join activity a on a.bucket = q.bucket and a.account = q.account
   and a.recorded_on between q.month - 7 and q.settled_on
   and a.occurred_on between q.month - 7 and (q.month + interval '1 month')::date - 1
  join provider p on p.id = a.provider
  left join lateral (
    select h.is_withdrawn, i.inputs
      from act_correction h
      left join corrected_input i on i.bucket = h.bucket and i.account = h.account
       and i.correction = h.id
     where h.bucket = a.bucket and h.account = a.account and h.activity = a.id
     order by h.id desc limit 1) c on true
 where a.methodology in (select id from methodology_version where code = %(code)s)
   and a.reason is null and c.is_withdrawn is not true
   and (select m.counted from act_merge m where m.bucket = a.bucket and m.account = a.account
                    and m.activity = a.id order by m.id desc limit 1) is null"""
MonthPlace = tuple[int, int, date]
"""(bucket, owner, month)."""
FIRST: Final[MonthPlace] = (-1, 0, date.min)


class Reading(NamedTuple):
    """What one meter used on one day."""

    day: date
    kwh: Decimal
    evidence: int


class SettledMonth(NamedTuple):
    """A person's month that was settled under a version (已结算月份)."""

    bucket: int
    owner: int
    month: date
    id: UUID
    settled_on: date
    grade: str | None
    """None where nothing was posted."""
    mg: int
    """What it is worth, by the newest correction [mg]."""

    @property
    def place(self) -> MonthPlace:
        """Where its row lies."""
        return (self.bucket, self.owner, self.month)

    @property
    def last_day(self) -> date:
        """The day on which the month counts."""
        return (self.month + timedelta(days=31)).replace(day=1) - timedelta(days=1)


class Recount(NamedTuple):
    """A settled month, computed again."""

    provider: str
    """Who told its days; several are joined by a plus."""
    worth_mg: Sequence[int] | None
    """By each document; None where quantities were forgotten."""


def worth_of(document: Document, readings: Sequence[Reading], last_day: date) -> tuple[int, int]:
    """Give the days that count and what a month is worth [mg]."""
    assert document.history is not None
    month = settle_month(daily(readings), year=last_day.year, month=last_day.month)
    inputs = {each.name: Decimal(month.days) for each in document.inputs if each.unit == "day"}
    inputs[document.history.expected] = month.expected_kwh
    inputs[document.history.used] = month.used_kwh
    evidence = _EVIDENCE[min(reading.evidence for reading in readings)]
    worth = quantify(document, inputs, evidence=evidence, occurred_on=last_day)
    return month.days, 0 if isinstance(worth, Ineligible) else worth.mg


def daily(readings: Iterable[Reading]) -> dict[date, Decimal]:
    """Add up the meters of one person by day; a day that lacks one of them is left out.

    >>> monday, tuesday = date(2026, 1, 5), date(2026, 1, 6)
    >>> daily([Reading(monday, Decimal(1), 3), Reading(monday, Decimal(2), 3),
    ...        Reading(tuesday, Decimal(1), 3)])
    {datetime.date(2026, 1, 5): Decimal('3')}
    """
    by_day: dict[date, list[Decimal]] = defaultdict(list)
    for reading in readings:
        by_day[reading.day].append(reading.kwh)
    meters = max(map(len, by_day.values()), default=0)
    return {day: sum(kwh, Decimal(0)) for day, kwh in by_day.items() if len(kwh) == meters}


def settled_months(
    connection: Connection, facts: Mapping[str, object], after: MonthPlace
) -> list[SettledMonth]:
    """Give a page of the months that were settled under a version, in order of their places.

    Args:
        connection: Of the caller's transaction.
        facts: ``code``, ``version``; ``since`` and ``until`` for the month's last day; buckets
            ``first`` to ``last``; ``limit``.
        after: The last place of the page before.
    """
    bucket, owner, month = after
    asked = {**facts, "bucket": bucket, "owner": owner, "month": month}
    return [SettledMonth(*row) for row in connection.execute(_SETTLED, asked).fetchall()]


def recount(
    connection: Connection, months: Sequence[SettledMonth], documents: Sequence[Document]
) -> list[Recount]:
    """Compute settled months again from their readings, by documents in force on their days."""
    facts = {
        "input": DAILY_INPUT,
        "code": documents[0].code,
        "buckets": [each.bucket for each in months],
        "owners": [each.owner for each in months],
        "months": [each.month for each in months],
        "ids": [each.id for each in months],
        "days": [each.settled_on for each in months],
    }
    told: dict[UUID, list[tuple[date, str | None, int, str]]] = defaultdict(list)
    for month, *reading in connection.execute(_READINGS, facts).fetchall():
        day, kwh, evidence, provider = reading
        told[month].append((day, kwh, evidence, provider))
    return [_recounted(each, told[each.id], documents) for each in months]


def _recounted(
    month: SettledMonth,
    told: Sequence[tuple[date, str | None, int, str]],
    documents: Sequence[Document],
) -> Recount:
    provider = "+".join(sorted({code for *_, code in told}))
    readings = [
        Reading(day, Decimal(kwh), evidence) for day, kwh, evidence, _ in told if kwh is not None
    ]
    if not readings or len(readings) < len(told):
        return Recount(provider, None)
    worth = [worth_of(document, readings, month.last_day)[1] for document in documents]
    return Recount(provider, worth)
