"""Trips to a gathering (活动出行): a citizen's green travel on its days, and what it earned."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from sqlmodel import Session

from app.activities.corrected import load_standing
from app.catalogue import VersionUnknown, document_of
from app.citizens import Citizen
from app.kernel.db import driver
from app.neutrality.gatherings import Gathering
from app.neutrality.neutrality_errors import TripUnknown
from methodologies.words import Field

AROUND: Final = timedelta(days=1)
"""People come the day before, and leave the day after."""
_ACT: Final = """
select a.recorded_on, m.code, m.version
  from activity a join methodology_version m on m.id = a.methodology
 where a.bucket = %s and a.account = %s and a.id = %s"""
_UNCHOSEN: Final = """
select a.asset, m.code, m.version, sum(t.amount + coalesce(h.mg, 0))::int8
  from activity a
  join methodology_version m on m.id = a.methodology
  join transfer t on t.bucket = a.bucket and t.recorded_on = a.recorded_on and t.id = a.id
  left join lateral (
    select sum(c.amount_mg)::int8 as mg from act_change c
     where c.bucket = a.bucket and c.account = a.account and c.activity = a.id) h on true
 where a.bucket = %(bucket)s and a.account = %(account)s and a.recorded_on >= %(first)s
   and a.occurred_on between %(first)s and %(last)s
   and not exists (select from claim_side s where s.bucket = a.bucket and s.account = a.account
                    and s.activity = a.id)
 group by a.asset, m.code, m.version"""


class Trip(NamedTuple):
    """A trip that earned something."""

    activity: UUID
    asset: int
    mg: int
    """What it earned, as it stands."""


def trip_of(
    session: Session, citizen: Citizen, gathering: Gathering, activity: UUID | None
) -> Trip:
    """Give a citizen's trip to a gathering.

    Raises:
        TripUnknown: They have no such act, or it is no travel, earned nothing, or was another day.
    """
    connection, place = driver(session), (citizen.bucket, citizen.number)
    row = connection.execute(_ACT, (*place, activity)).fetchone()
    if row is None or activity is None:
        raise TripUnknown
    recorded_on, methodology, version = row
    acts = [(*place, recorded_on, activity)]
    standing = load_standing(connection, acts, activity)[citizen.number, activity]
    first, last = days_of(gathering)
    if (
        standing.asset is None
        or not standing.granted_mg
        or not first <= standing.day <= last
        or not _is_travel(session, methodology, version)
    ):
        raise TripUnknown
    return Trip(activity, standing.asset, standing.granted_mg)


def unchosen_mg(session: Session, citizen: Citizen, gathering: Gathering) -> Mapping[int, int]:
    """Give what trips earned, by class, of which nobody has said whose they are."""
    first, last = days_of(gathering)
    facts = {
        "bucket": citizen.bucket,
        "account": citizen.number,
        "first": first,
        "last": last,
    }
    rows = driver(session).execute(_UNCHOSEN, facts).fetchall()
    return {asset: mg for asset, code, version, mg in rows if _is_travel(session, code, version)}


def days_of(gathering: Gathering) -> tuple[date, date]:
    """Give the first and the last day on which somebody travels to a gathering."""
    return gathering.occasion.starts_on - AROUND, gathering.occasion.ends_on + AROUND


def _is_travel(session: Session, methodology: str, version: int) -> bool:
    try:
        return document_of(session, methodology, version).field is Field.GREEN_TRAVEL
    except VersionUnknown:
        return False
