"""A night's gifts (夜间公益): what those who chose it would lose, given to what they named.

Each bucket is one transaction, and a citizen gives at most once a night, by the keys of
``benefit_gift`` and ``benefit_order``: a run that broke off is begun again and does the rest. Who
withdrew, or is leaving, gives nothing from then on: people and their choices are locked first, and
then read.
"""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Final, LiteralString, NamedTuple
from uuid import UUID

from sqlmodel import Session

from app.books import Row, post
from app.kernel.clock import day_of
from app.kernel.db import Connection, Database, driver
from app.kernel.ids import new_id
from app.points.programmes import field_of, least_rate, programmes, rates_of
from ledger.accounts import SYSTEM_ACCOUNTS
from ledger.chart import Code

CANCELLED: Final = SYSTEM_ACCOUNTS["cancelled"]
_BUCKETS: Final = "select distinct bucket from benefit_choice order by bucket"
_LOCK: Final = """
select 1 from subject s
  join benefit_choice c on c.bucket = s.bucket and c.account = s.account
 where s.bucket = %s order by s.bucket, s.account for no key update of s, c"""
_CLASSES: Final = """
select id, methodology, version, grade from asset where id & 7 in (1, 2) order by id"""
_OPEN: Final = "select id from public_cancellation where %s between starts_on and ends_on"
_DUST: Final = """
with moved as materialized (
  select source as account, asset from transfer
   where bucket = %(bucket)s and recorded_on > %(since)s and asset & 7 in (1, 2)
  union
  select target, asset from transfer
   where bucket = %(bucket)s and recorded_on > %(since)s and asset & 7 in (1, 2))
select c.account, c.cancellation, b.asset, b.credits - b.debits
  from benefit_choice c
  join balance b on b.bucket = c.bucket and b.account = c.account
  join unnest(%(assets)s::int4[], %(worths)s::int8[]) as x (asset, mg_per_point)
    on x.asset = b.asset
 where c.bucket = %(bucket)s and c.cancellation = any(%(open)s)
   and b.credits > b.debits and b.credits - b.debits < x.mg_per_point
   and not exists (select from moved m where m.account = b.account and m.asset = b.asset)
   and not exists (select from benefit_gift g where g.bucket = c.bucket and g.account = c.account
                    and g.night = %(night)s)
   and not exists (select from erasure e where e.bucket = c.bucket and e.account = c.account)
 order by c.account, b.asset for update of b"""
_GIVE: Final = """
insert into benefit_gift (bucket, account, night, asset, id, cancellation, mg)
select * from unnest(%s::int2[], %s::int8[], %s::date[], %s::int4[], %s::uuid[], %s::uuid[],
                     %s::int8[])"""
_EXPIRING: Final = """
select c.account, c.offer, b.asset, b.credits - b.debits
  from benefit_choice c
  join balance b on b.bucket = c.bucket and b.account = c.account
  join asset x on x.id = b.asset
 where c.bucket = %(bucket)s and c.offer is not null
   and b.asset & 7 = 3 and b.credits > b.debits and x.expires = %(night)s and x.fen_per_point > 0
   and not exists (select from benefit_order g where g.bucket = c.bucket and g.account = c.account
                    and g.night = %(night)s)
   and not exists (select from erasure e where e.bucket = c.bucket and e.account = c.account)
 order by c.account, b.asset for update of b"""
_DONATE: Final = """
select donate_points(%s::int2, %s::int8, %s::date, %s, %s::int4[], %s::int8[], %s, %s, %s, %s,
                     %s)"""


class Given(NamedTuple):
    """What a night came to."""

    gifts: int = 0
    amount: int = 0
    """Milligrams, or points."""


class Dust(NamedTuple):
    """What is the same for every bucket of a night."""

    worths: dict[int, int]
    """By class, what the least point of it takes [mg]."""
    open: list[UUID]
    """Public cancellations that may be joined."""
    since: date
    """A class that something moved in after this day is left alone."""


def give_dust(db: Database, *, untouched_days: int, at: datetime) -> Given:
    """Let residual milligrams join the public cancellations that their owners named. Resumable."""
    dust = db.read(dust_terms, day_of(at), untouched_days)
    given = Given()
    for bucket in db.read(_buckets) if dust.worths and dust.open else ():
        given = _sum(given, db.transact(give_dust_of, dust, bucket, day_of(at)))
    return given


def give_points(db: Database, *, at: datetime) -> Given:
    """Donate the points that end today to what their owners named. Resumable."""
    given = Given()
    for bucket in db.read(_buckets):
        given = _sum(given, db.transact(_give_points, bucket, at))
    return given


def dust_terms(session: Session, today: date, untouched_days: int) -> Dust:
    """Say what dust is today, and what it may join."""
    connection = driver(session)
    known = [rates_of(connection, each) for each in programmes(connection)]
    worths: dict[int, int] = {}
    for asset, methodology, version, grade in connection.execute(_CLASSES).fetchall():
        field = field_of(session, methodology, version)
        asked = [mg for rates in known if (mg := least_rate(rates, grade, field, today))]
        if asked:
            worths[asset] = min(asked)
    open_ = [row[0] for row in connection.execute(_OPEN, (today,))]
    return Dust(worths, open_, today - timedelta(days=untouched_days))


def _buckets(session: Session) -> list[int]:
    return [row[0] for row in driver(session).execute(_BUCKETS)]


def give_dust_of(session: Session, dust: Dust, bucket: int, night: date) -> Given:
    """Give one bucket's dust, in the caller's transaction."""
    connection = driver(session)
    facts = {
        "bucket": bucket,
        "night": night,
        "since": dust.since,
        "open": dust.open,
        "assets": list(dust.worths),
        "worths": list(dust.worths.values()),
    }
    found = _after_lock(connection, bucket, _DUST, facts)
    if not found:
        return Given()
    gifts = [
        (bucket, owner, night, asset, new_id(), cause, mg) for owner, cause, asset, mg in found
    ]
    connection.execute(_GIVE, [list(column) for column in zip(*gifts, strict=True)])
    code = int(Code.CANCEL)
    post(
        connection,
        [
            Row(bucket, night, id_, owner, CANCELLED, asset, mg, code, cause, night)
            for _, owner, _, asset, id_, cause, mg in gifts
        ],
    )
    return Given(len(gifts), sum(each[-1] for each in gifts))


def _give_points(session: Session, bucket: int, at: datetime) -> Given:
    connection, night = driver(session), day_of(at)
    found = _after_lock(connection, bucket, _EXPIRING, {"bucket": bucket, "night": night})
    classes: dict[tuple[int, UUID], list[tuple[int, int]]] = defaultdict(list)
    for owner, offer, asset, points in found:
        classes[owner, offer].append((asset, points))
    given = Given()
    for (owner, offer), own in classes.items():
        assets, points = [list(column) for column in zip(*own, strict=True)]
        ids = (new_id(), new_id(), new_id(), new_id())
        facts = (bucket, owner, night, offer, assets, points, *ids, at)
        row = connection.execute(_DONATE, facts).fetchone()
        if row is not None and row[0]:
            given = _sum(given, Given(1, sum(points)))
    return given


def _after_lock(
    connection: Connection, bucket: int, query: LiteralString, facts: Mapping[str, object]
) -> list[tuple[int, UUID, int, int]]:
    connection.execute(_LOCK, (bucket,))
    return connection.execute(query, facts).fetchall()


def _sum(one: Given, other: Given) -> Given:
    return Given(one.gifts + other.gifts, one.amount + other.amount)
