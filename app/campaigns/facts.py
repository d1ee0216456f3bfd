"""The facts of a quarter (推演事实): what was exchanged and done, a bucket at a time."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final, NamedTuple

from sqlmodel import Session

from app.campaigns.rules import Acted, Taken
from app.catalogue import library
from app.kernel.db import Connection, driver
from app.points.programmes import field_of
from app.points.tiers import month_before

_TAKEN: Final = """
select c.account, c.asset, e.recorded_on, c.mg, c.points
  from exchange e
  join exchange_class c on c.bucket = e.bucket and c.account = e.account and c.exchange = e.id
 where e.bucket = %(bucket)s and e.programme = %(programme)s
   and e.recorded_on >= %(since)s and e.recorded_on < %(until)s
 order by c.account, c.asset, e.id"""
_BEFORE: Final = """
select account, date_trunc('month', recorded_on)::date, sum(reduction_mg)::int8 from exchange
 where bucket = %(bucket)s and programme = %(programme)s
   and recorded_on >= %(month)s and recorded_on < %(until)s
 group by 1, 2"""
_ACTED: Final = """
select a.account, v.code, a.occurred_on, a.recorded_on, count(*)::int
  from activity a
  join methodology_version v on v.id = a.methodology
  left join lateral (
    select h.counted from act_merge h
     where h.bucket = a.bucket and h.account = a.account and h.activity = a.id
     order by h.id desc limit 1) m on true
 where a.bucket = %(bucket)s and v.code = any(%(codes)s) and a.asset is null and a.reason is null
   and a.occurred_on >= %(since)s and a.occurred_on < %(until)s and a.recorded_on >= %(since)s
   and m.counted is null
   and not exists (select from act_correction k where k.bucket = a.bucket
                    and k.account = a.account and k.activity = a.id and k.is_withdrawn)
 group by a.account, v.code, a.occurred_on, a.recorded_on
 order by a.account, v.code, a.occurred_on, a.recorded_on"""
_GRANTED: Final = """
select d.account, r.methodology, d.day, d.granted
  from behaviour_day d join behaviour_reward r on r.id = d.reward
 where d.bucket = %(bucket)s and r.programme = %(programme)s and d.granted > 0
   and d.day >= %(since)s and d.day < %(until)s"""
_CLASSES: Final = "select id, methodology, version, grade from asset where id & 7 in (1, 2)"


class Granted(NamedTuple):
    """What a person's day of one behaviour was granted, as it stands."""

    owner: int
    methodology: str
    day: date
    points: int


class Facts(NamedTuple):
    """What happened in one bucket."""

    taken: list[Taken]
    acted: list[Acted]
    granted: list[Granted]
    before: Mapping[tuple[int, date], int]
    """By person and first day of a month, what they exchanged in it [mg]: from the month before."""


class Classes(NamedTuple):
    """What classes of reductions, and behaviours, are of."""

    classes: Mapping[int, tuple[str, str | None]]
    """(grade, field) by class; no field of a version that no library has."""
    behaviours: Mapping[str, str]
    """Field by methodology."""


def facts_of(
    connection: Connection,
    bucket: int,
    programme: int,
    codes: Sequence[str],
    since: date,
    until: date,
) -> Facts:
    """Read what one bucket's people exchanged, and which acts of these behaviours count."""
    facts = {
        "bucket": bucket,
        "programme": programme,
        "codes": list(codes),
        "since": since,
        "until": until,
        "month": month_before(since),
    }
    months = connection.execute(_BEFORE, facts).fetchall()
    return Facts(
        [Taken(*row) for row in connection.execute(_TAKEN, facts)],
        [Acted(*row) for row in connection.execute(_ACTED, facts)],
        [Granted(*row) for row in connection.execute(_GRANTED, facts)],
        {(owner, month): mg for owner, month, mg in months},
    )


def classes_of(session: Session) -> Classes:
    """Read what everything is of."""
    classes = {
        asset: (grade, field_of(session, methodology, version))
        for asset, methodology, version, grade in driver(session).execute(_CLASSES).fetchall()
    }
    documents = library(session)
    return Classes(classes, {code: documents[code, v].field.value for code, v in documents})
