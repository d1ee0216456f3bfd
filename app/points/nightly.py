"""The exchange of a night (自动兑换): once a night, for those who chose it (R6, R27).

What a citizen's class may give is min(balance, Σ accruals past the deadline − Σ exits and
corrections). The balance is Σ all accruals − Σ exits and corrections, so that is the balance less
the accruals that are still open to merging and correction, and nothing below zero: one look at the
balances and at the transfers of the last days. A correction of an accrual that is itself still open
counts on both sides, which only lets the same milligrams wait for a later night.

Each bucket is one transaction, and an exchange is unique by citizen and night: a run that broke off
is begun again and does the rest. A throttle or an empty programme leaves reductions held.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

import structlog
from sqlmodel import Session

from app.kernel.clock import day_of
from app.kernel.db import Connection, Database, driver
from app.kernel.ids import new_id
from app.points.debts import NewId
from app.points.earmarks import funds_of, give_back, promise
from app.points.errors import ProgrammeUnknown
from app.points.exchanging import Exchange, Part, post_exchanges
from app.points.programmes import (
    Programme,
    Rate,
    field_of,
    find_programme,
    least_rate,
    rate_for,
    rates_of,
)
from app.points.rules import is_below, points_for, shares
from app.points.tiers import exchanged_before

LOG: Final = structlog.get_logger("tanpu.points")
_CLASSES: Final = """
select id, methodology, version, grade from asset where id & 7 in (1, 2) order by id"""
_BUCKETS: Final = """
select distinct bucket from citizen_setting where automatic_exchange order by bucket"""
_LOCK: Final = """
select 1 from subject s
  join citizen_setting c on c.bucket = s.bucket and c.account = s.account
 where s.bucket = %s and c.automatic_exchange
 order by s.bucket, s.account for no key update of s"""
_DUE: Final = """
select b.account, b.asset, b.credits - b.debits - coalesce(n.mg, 0)
  from citizen_setting c
  join balance b on b.bucket = c.bucket and b.account = c.account
  join unnest(%(assets)s::int4[], %(least)s::int8[]) as x (asset, mg_per_point)
    on x.asset = b.asset
  left join (select bucket, target, asset, sum(amount)::int8 as mg from transfer
              where bucket = %(bucket)s and recorded_on >= %(open_from)s and code = 1
              group by bucket, target, asset) n
    on n.bucket = b.bucket and n.target = b.account and n.asset = b.asset
 where c.bucket = %(bucket)s and c.automatic_exchange
   and b.credits - b.debits - coalesce(n.mg, 0) >= x.mg_per_point
   and not exists (select from exchange e where e.bucket = c.bucket and e.account = c.account
                    and e.night = %(night)s)
 order by b.account, b.asset"""


class Terms(NamedTuple):
    """What is the same for every bucket of a night."""

    programme: Programme
    rates: Sequence[Rate]
    classes: Mapping[int, "Class"]
    """Those that have a rate."""
    open_from: date
    """Accruals recorded from this day on may still be corrected."""


class Class(NamedTuple):
    """What a class of reductions is of, and the least that a point of it takes [mg]."""

    grade: str
    field: str | None
    least: int


class Night(NamedTuple):
    """What a night came to."""

    exchanges: int = 0
    points: int = 0
    left: int = 0
    """Citizens whose reductions stay held: the programme is short."""


def exchange_automatically(
    db: Database, *, deadline_days: int, at: datetime, ids: Callable[[], UUID] = new_id
) -> Night:
    """Exchange for everybody who chose it, what no provider can correct any more.

    Resumable. ``deadline_days`` is the longest merge or correction deadline of any provider.
    """
    terms = db.read(_terms, deadline_days, at)
    night = Night()
    for bucket in db.read(_buckets) if terms is not None else ():
        assert terms is not None
        done = db.transact(_exchange_bucket, terms, bucket, at=at, ids=ids)
        night = Night(*map(sum, zip(night, done, strict=True)))
    if night.left:
        LOG.warning("exchange.left_held", citizens=night.left)
    return night


def _terms(session: Session, deadline_days: int, at: datetime) -> Terms | None:
    try:
        programme = find_programme(session, None)
    except ProgrammeUnknown:
        return None
    connection, today = driver(session), day_of(at)
    known = rates_of(connection, programme.id)
    classes: dict[int, Class] = {}
    for asset, methodology, version, grade in connection.execute(_CLASSES).fetchall():
        field = field_of(session, methodology, version)
        if least := least_rate(known, grade, field, today):
            classes[asset] = Class(grade, field, least)
    return Terms(programme, known, classes, today - timedelta(days=deadline_days))


def _buckets(session: Session) -> list[int]:
    return [row[0] for row in driver(session).execute(_BUCKETS)]


def _exchange_bucket(
    session: Session, terms: Terms, bucket: int, *, at: datetime, ids: NewId
) -> Night:
    connection, programme = driver(session), terms.programme
    connection.execute(_LOCK, (bucket,))
    due = _due(connection, terms, bucket, at, ids)
    if not due:
        return Night()
    if is_below(funds_of(connection, programme.id).solvency, programme.pause_below_permille):
        return Night(left=len(due))
    asked = [each.points * programme.fen_per_point for each in due]
    given = promise(connection, programme.id, sum(asked), home=bucket)
    met = shares(asked, given)
    made = [each for each, fits in zip(due, met, strict=True) if fits]
    used = sum(fen for fen, fits in zip(asked, met, strict=True) if fits)
    give_back(connection, programme.id, given - used, home=bucket)
    if made:
        post_exchanges(connection, programme, made, at=at, new_id=ids)
    return Night(len(made), sum(each.points for each in made), len(due) - len(made))


def _due(
    connection: Connection, terms: Terms, bucket: int, at: datetime, ids: NewId
) -> list[Exchange]:
    today = day_of(at)
    facts = {
        "bucket": bucket,
        "assets": list(terms.classes),
        "least": [each.least for each in terms.classes.values()],
        "open_from": terms.open_from,
        "night": today,
    }
    found = connection.execute(_DUE, facts).fetchall()
    owners = sorted({owner for owner, _, _ in found})
    before = exchanged_before(connection, terms.programme.id, bucket, owners, today)
    parts: dict[int, list[Part]] = defaultdict(list)
    for owner, asset, mg in found:
        of = terms.classes[asset]
        rate = rate_for(terms.rates, of.grade, of.field, today, before.get(owner, 0))
        if rate and (points := points_for(mg, rate)):
            parts[owner].append(Part(asset, of.grade, rate, points))
    return [Exchange(ids(), bucket, owner, tuple(own), day_of(at)) for owner, own in parts.items()]
