"""A person's twelve months, read from their rows as of a day (按日重算).

Every row carries the day it was recorded on, and nothing is edited: what was known on a day can
be read again on any later one. Each statement stays in one bucket and finds the person by key.
"""

from collections.abc import Mapping
from datetime import date
from typing import Final

from sqlmodel import Session

from app.catalogue import library, settled_by_month
from app.growth.year import Tally, Year, a_year_before, gathered
from app.kernel.db import driver
from ledger.accounts import SYSTEM_ACCOUNTS
from ledger.chart import Code
from methodologies import Field, Settlement

PROVED: Final = 2
"""Evidence from here up is a document or a measurement."""
CORRECT: Final = int(Code.CORRECT)
CONTRIBUTED: Final = (SYSTEM_ACCOUNTS["cancelled"], SYSTEM_ACCOUNTS["given"])

_VERSIONS: Final = "select id, code, version from methodology_version"
_ACTS: Final = """
with changed as materialized (
  select activity, sum(amount_mg)::int8 as mg from act_change
   where bucket = %(bucket)s and account = %(owner)s and recorded_on <= %(known)s
   group by activity),
merged as materialized (
  select distinct on (activity) activity, counted from act_merge
   where bucket = %(bucket)s and account = %(owner)s and recorded_on <= %(known)s
   order by activity, id desc),
withdrawn as materialized (
  select distinct activity from act_correction
   where bucket = %(bucket)s and account = %(owner)s and recorded_on <= %(known)s
     and is_withdrawn)
select a.occurred_on, a.methodology, a.evidence, count(*) filter (where w.activity is null),
       coalesce(sum(coalesce(t.amount, 0) + coalesce(c.mg, 0))
                filter (where w.activity is null), 0)::int8,
       count(w.activity)
  from activity a
  left join transfer t on t.bucket = a.bucket and t.recorded_on = a.recorded_on and t.id = a.id
   and t.recorded_on between %(since)s and %(known)s
  left join changed c on c.activity = a.id
  left join merged m on m.activity = a.id
  left join withdrawn w on w.activity = a.id
 where a.bucket = %(bucket)s and a.account = %(owner)s
   and a.recorded_on between %(since)s and %(known)s
   and a.occurred_on between %(since)s and %(until)s
   and a.reason is null and m.counted is null
   and not a.methodology = any(array(select id from methodology_version
                                      where code || '/' || version = any(%(by_month)s::text[])))
 group by a.occurred_on, a.methodology, a.evidence"""
_MONTHS: Final = """
select (s.month + interval '1 month')::date - 1, s.methodology, coalesce(e.evidence, 0)::int2, 1,
       (s.reduction_mg + coalesce(c.mg, 0))::int8, 0
  from month_settlement s
  left join lateral (select sum(amount_mg) as mg from act_change
    where bucket = s.bucket and account = s.account and activity = s.id
      and recorded_on <= %(known)s) c on true
  left join lateral (select min(evidence) as evidence from activity a
    where a.bucket = s.bucket and a.account = s.account
      and a.methodology in (select w.id from methodology_version v
        join methodology_version w on w.code = v.code where v.id = s.methodology)
      and a.recorded_on between s.month and s.recorded_on
      and date_trunc('month', a.occurred_on) = s.month and a.reason is null) e on true
 where s.bucket = %(bucket)s and s.account = %(owner)s and s.recorded_on <= %(known)s
   and (s.month + interval '1 month')::date - 1 between %(since)s and %(until)s
   and s.reduction_mg + coalesce(c.mg, 0) > 0"""
_TALLIES: Final = _ACTS + "\n union all" + _MONTHS
"""Days with their acts, and months that were settled whole: one act each, on their last day."""
SUMS: Final = f"""
select coalesce(sum(mg), 0)::int8 as mg, count(distinct day)::int4 as days
  from ({_TALLIES}) tally (day, methodology, evidence, acts, mg, withdrawn)
 where acts > 0"""  # noqa: S608 -- of constants
"""What the same rows come to: their mass, and the days with an act."""
_CONTRIBUTED: Final = """
select coalesce(sum(mg), 0)::int8 from (
  select amount as mg from transfer
   where bucket = %(bucket)s and source = %(owner)s and code in (12, 13)
     and recorded_on between %(since)s and %(until)s
  union all
  select -t.amount from act_change c
    join transfer t on t.bucket = c.bucket and t.recorded_on = c.recorded_on and t.id = c.id
   where c.bucket = %(bucket)s and c.account = %(owner)s and c.amount_mg < 0
     and c.recorded_on between %(since)s and %(until)s
     and t.code = %(correct)s and t.source = any(%(contributed)s)) moved"""


class Library:
    """Which field a methodology version belongs to, and which are settled by the month."""

    def __init__(self, fields: Mapping[int, str], by_month: frozenset[int]) -> None:
        """Take both by the number that acts carry."""
        self._fields, self.by_month = fields, by_month

    def field_of(self, methodology: int) -> str:
        """Give the field; a version that no library knows is of no field in particular."""
        return self._fields.get(methodology, Field.OTHER.value)

    def of_field(self, field: str) -> list[int]:
        """Give the versions of one field."""
        return sorted(number for number, its in self._fields.items() if its == field)


def library_of(session: Session) -> Library:
    """Read which versions acts may carry."""
    documents = library(session)
    fields: dict[int, str] = {}
    by_month: set[int] = set()
    for number, code, version in driver(session).execute(_VERSIONS).fetchall():
        document = documents.get((code, version))
        fields[number] = (Field.OTHER if document is None else document.field).value
        if document is not None and document.settlement is Settlement.BILLING_MONTH:
            by_month.add(number)
    return Library(fields, frozenset(by_month))


def year_of(session: Session, bucket: int, owner: int, until: date) -> Year:
    """Read a person's twelve months that end on ``until``, as they were known on that day."""
    return between(session, bucket, owner, a_year_before(until), until, known_on=until)


def between(
    session: Session, bucket: int, owner: int, since: date, until: date, *, known_on: date
) -> Year:
    """Read a person's acts of some days, as they were known on a day; four statements."""
    known = library_of(session)
    facts = {
        **own_days(bucket, owner, since, until, known_on=known_on),
        "correct": CORRECT,
        "contributed": list(CONTRIBUTED),
    }
    tallies: list[Tally] = []
    disproved = 0
    for day, methodology, evidence, acts, mg, withdrawn in driver(session).execute(_TALLIES, facts):
        if acts:
            proved = acts if evidence >= PROVED else 0
            tallies.append(Tally(day, known.field_of(methodology), acts, proved, mg))
        if evidence < PROVED:
            disproved += withdrawn
    row = driver(session).execute(_CONTRIBUTED, facts).fetchone()
    assert row is not None
    return Year(since, until, gathered(tallies), max(0, row[0]), disproved)


def own_days(
    bucket: int, owner: int, since: date, until: date, *, known_on: date
) -> dict[str, object]:
    """Give what `SUMS` asks for; it goes by the versions that this process has read."""
    return {
        "bucket": bucket,
        "owner": owner,
        "since": since,
        "until": until,
        "known": known_on,
        "by_month": settled_by_month(),
    }
