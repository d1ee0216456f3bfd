"""How good a provider's data are (质量记分卡): what it sent in a month, and how much of it stood.

By the day of reception in Asia/Shanghai. Everything is read from rows: the counts of its uploads
and corrections, and the appeals against its records that were upheld.
"""

from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Final, NamedTuple

from sqlmodel import Session

from app.activities.correction_batches import CorrectionOutcome
from app.activities.corrections import APPEAL
from app.activities.outcomes import OUTCOMES, Outcome
from app.kernel.clock import SHANGHAI
from app.kernel.db import driver
from app.providers import Provider

_UPLOADS: Final = """
select count(distinct u.id)::int8, coalesce(sum(c.late), 0)::int8
  from upload u left join upload_chunk c on c.upload = u.id
 where u.provider = %(provider)s and u.opened_at >= %(since)s and u.opened_at < %(until)s"""
_LINES: Final = """
select n.place, sum(n.lines)::int8
  from upload u join upload_chunk c on c.upload = u.id
 cross join unnest(c.counts) with ordinality as n (lines, place)
 where u.provider = %(provider)s and u.opened_at >= %(since)s and u.opened_at < %(until)s
 group by n.place"""
_CORRECTIONS: Final = """
select n.place, sum(n.lines)::int8
  from correction_batch b
 cross join unnest(b.counts) with ordinality as n (lines, place)
 where b.provider = %(provider)s and b.recorded_at >= %(since)s and b.recorded_at < %(until)s
 group by n.place"""
_APPEALED: Final = """
select count(distinct h.activity)::int8
  from act_correction h
  join activity a on a.bucket = h.bucket and a.account = h.account and a.id = h.activity
 where h.reason = %(appeal)s and h.recorded_on >= %(first)s and h.recorded_on < %(next)s
   and a.provider = %(provider)s"""


class Scorecard(NamedTuple):
    """A month of one provider; all are numbers of lines."""

    month: date
    uploads: int
    lines: Mapping[Outcome, int]
    late: int
    """New, and told after the merge deadline of their day."""
    corrections: Mapping[CorrectionOutcome, int]
    appealed: int
    """Acts that an upheld appeal had corrected."""

    @property
    def received(self) -> int:
        """All lines of the month's uploads."""
        return sum(self.lines.values())


def scorecard(session: Session, provider: Provider, month: date) -> Scorecard:
    """Give the scorecard of the month that begins on ``month``."""
    connection = driver(session)
    following = next_month(month)
    facts = {
        "provider": provider.id,
        "first": month,
        "next": following,
        "since": datetime.combine(month, time(), SHANGHAI),
        "until": datetime.combine(following, time(), SHANGHAI),
        "appeal": APPEAL,
    }
    (uploads, late), *_ = connection.execute(_UPLOADS, facts).fetchall()
    ((appealed,),) = connection.execute(_APPEALED, facts).fetchall()
    lines = dict(connection.execute(_LINES, facts).fetchall())
    corrections = dict(connection.execute(_CORRECTIONS, facts).fetchall())
    return Scorecard(
        month,
        uploads,
        {outcome: lines.get(place, 0) for place, outcome in enumerate(OUTCOMES, 1)},
        late,
        {outcome: corrections.get(place, 0) for place, outcome in enumerate(CorrectionOutcome, 1)},
        appealed,
    )


def next_month(month: date) -> date:
    """Give the first day of the month after.

    >>> next_month(date(2026, 12, 1))
    datetime.date(2027, 1, 1)
    """
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)
