"""Exchange (兑积分): reductions become points, by whole points' worth a class (R1, R27).

A grade A class goes to the pool and a grade B class is absorbed; the programme promises the fen,
the points come, and what their owner owes is paid from them. What is left of a class below a
point's worth stays where it is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, NamedTuple
from uuid import UUID

from sqlmodel import Session

from app.books import Row, asset_ids, post
from app.citizens import lock_citizen
from app.kernel.clock import day_of
from app.kernel.db import Connection, driver
from app.points.debts import NewId, offset_debts
from app.points.earmarks import Funds, funds_of, promise
from app.points.errors import BudgetExhausted, ClassNotHeld, ExchangeEmpty, ExchangeThrottled
from app.points.programmes import (
    Programme,
    Rate,
    field_of,
    find_programme,
    rate_for,
    rates_of,
)
from app.points.rules import is_below, points_for
from app.points.tiers import exchanged_before
from ledger.accounts import SYSTEM_ACCOUNTS, bucket_of
from ledger.chart import Code

ISSUANCE: Final = SYSTEM_ACCOUNTS["issuance/points"]
EXIT: Final[Mapping[str, tuple[Code, int]]] = {
    "A": (Code.EXCHANGE_POOL, SYSTEM_ACCOUNTS["pool"]),
    "B": (Code.EXCHANGE_ABSORB, SYSTEM_ACCOUNTS["absorbed"]),
}
_HELD: Final = """
select b.asset, x.key, x.methodology, x.version, x.scenario, x.grade, x.vintage,
       b.credits - b.debits
  from balance b join asset x on x.id = b.asset
 where b.bucket = %s and b.account = %s and b.credits > b.debits and b.asset & 7 in (1, 2)
 order by x.vintage, b.asset"""
_OWED: Final = """
select coalesce(sum(points - paid - forgiven), 0)::int8 from points_debt
 where bucket = %s and account = %s and programme = %s and paid + forgiven < points"""
_EXCHANGE: Final = """
insert into exchange (bucket, account, id, programme, night, recorded_on, recorded_at, asset,
                      reduction_mg, points)
select * from unnest(%s::int2[], %s::int8[], %s::uuid[], %s::int2[], %s::date[], %s::date[],
                     %s::timestamptz[], %s::int4[], %s::int8[], %s::int8[])"""
_CLASSES: Final = """
insert into exchange_class (bucket, account, exchange, asset, mg, mg_per_point, points)
select * from unnest(%s::int2[], %s::int8[], %s::uuid[], %s::int4[], %s::int8[], %s::int8[],
                     %s::int8[])"""


class Held(NamedTuple):
    """What a citizen holds of one class of reductions."""

    asset: int
    key: bytes
    methodology: str
    version: int
    scenario: str
    grade: str
    vintage: date
    mg: int


class Part(NamedTuple):
    """What an exchange takes of one class: whole points' worth."""

    asset: int
    grade: str
    mg_per_point: int
    points: int

    @property
    def mg(self) -> int:
        """The milligrams of these points."""
        return self.points * self.mg_per_point


@dataclass(frozen=True, slots=True)
class Exchange:
    """One exchange, decided and not yet posted."""

    id: UUID
    bucket: int
    owner: int
    parts: tuple[Part, ...]
    night: date | None = None
    """Of an automatic one."""

    @property
    def points(self) -> int:
        """What it grants."""
        return sum(part.points for part in self.parts)

    @property
    def mg(self) -> int:
        """What it takes."""
        return sum(part.mg for part in self.parts)


class Offer(NamedTuple):
    """A class that is held, and what it would bring."""

    held: Held
    mg_per_point: int | None
    """None where the programme has no rate for it."""

    @property
    def points(self) -> int:
        """Whole points for all of it."""
        return points_for(self.held.mg, self.mg_per_point) if self.mg_per_point else 0


class Quote(NamedTuple):
    """What an exchange would do now."""

    programme: Programme
    offers: tuple[Offer, ...]
    owed_points: int
    """What the citizen owes this programme: paid first, out of the new points."""
    funds: Funds

    @property
    def is_throttled(self) -> bool:
        """Whether exchange by hand is refused for now."""
        return is_below(self.funds.solvency, self.programme.refuse_below_permille)


class Made(NamedTuple):
    """An exchange that was posted."""

    exchange: Exchange
    programme: Programme
    offers: tuple[Offer, ...]
    """What was held before."""
    paid_points: int
    """Of its points, what went to pay a debt."""


def quote(session: Session, owner: int, programme: str | None, *, today: date) -> Quote:
    """Say what a citizen could exchange, and what for.

    Raises:
        ProgrammeUnknown: There is none of this code, or none at all.
    """
    connection, found = driver(session), find_programme(session, programme)
    rates, place = rates_of(connection, found.id), (bucket_of(owner), owner)
    before_mg = exchanged_before(connection, found.id, place[0], [owner], today).get(owner, 0)
    offers = tuple(
        Offer(held, _rate(session, rates, held, today, before_mg))
        for held in (Held(*row) for row in connection.execute(_HELD, place).fetchall())
    )
    owed = connection.execute(_OWED, (*place, found.id)).fetchone()
    assert owed is not None
    return Quote(found, offers, owed[0], funds_of(connection, found.id))


def exchange(
    session: Session,
    owner: int,
    programme: str | None,
    wanted: Mapping[bytes, int | None] | None,
    *,
    exchange: UUID,
    at: datetime,
    new_id: NewId,
) -> Made:
    """Exchange what a citizen holds, or of named classes so many milligrams or all.

    Raises:
        TokenInvalid: They were erased.
        ProgrammeUnknown, ClassNotHeld, ExchangeEmpty, ExchangeThrottled, BudgetExhausted: See
            their own words.
        Overdrawn: Somebody else took of the same class meanwhile.
    """
    connection, today = driver(session), day_of(at)
    lock_citizen(session, bucket_of(owner), owner)
    found = quote(session, owner, programme, today=today)
    parts = _parts(found.offers, wanted)
    if not parts:
        raise ExchangeEmpty
    if found.is_throttled:
        raise ExchangeThrottled(solvency_permille=found.funds.solvency or 0)
    made = Exchange(exchange, bucket_of(owner), owner, parts)
    fen = made.points * found.programme.fen_per_point
    if promise(connection, found.programme.id, fen, home=made.bucket) < fen:
        raise BudgetExhausted(programme=found.programme.code)
    paid = post_exchanges(connection, found.programme, [made], at=at, new_id=new_id)
    return Made(made, found.programme, found.offers, paid)


def post_exchanges(
    connection: Connection,
    programme: Programme,
    made: Sequence[Exchange],
    *,
    at: datetime,
    new_id: NewId,
) -> int:
    """Post exchanges whose fen are promised; gives the points that paid debts."""
    today = day_of(at)
    points = programme.points_earned(today)
    asset = asset_ids(connection, [points])[points]
    rows: list[Row] = []
    grants: list[Row] = []
    for each in made:
        for part in each.parts:
            code, exit_ = EXIT[part.grade]
            rows.append(
                Row(
                    each.bucket, today, new_id(), each.owner, exit_, part.asset, part.mg, int(code),
                    each.id, today,
                )
            )  # fmt: skip
        grants.append(
            Row(
                each.bucket, today, each.id, ISSUANCE, each.owner, asset, each.points,
                int(Code.GRANT_EXCHANGE), each.id, today,
            )
        )  # fmt: skip
    facts = [
        (
            *(each.bucket, each.owner, each.id, programme.id, each.night, today, at, asset),
            *(each.mg, each.points),
        )
        for each in made
    ]
    classes = [
        (each.bucket, each.owner, each.id, part.asset, part.mg, part.mg_per_point, part.points)
        for each in made
        for part in each.parts
    ]
    connection.execute(_EXCHANGE, [list(column) for column in zip(*facts, strict=True)])
    connection.execute(_CLASSES, [list(column) for column in zip(*classes, strict=True)])
    paid = offset_debts(connection, programme.id, grants, today=today, new_id=new_id)
    post(connection, [*rows, *grants, *paid])
    return sum(row.amount for row in paid)


def _parts(offers: Sequence[Offer], wanted: Mapping[bytes, int | None] | None) -> tuple[Part, ...]:
    """Choose what is exchanged: everything, or what was named."""
    if wanted is None:
        chosen = [(offer, offer.held.mg) for offer in offers]
    else:
        known = {offer.held.key: offer for offer in offers if offer.mg_per_point}
        chosen: list[tuple[Offer, int]] = []
        for key, mg in wanted.items():
            offer = known.get(key)
            if offer is None or (mg is not None and mg > offer.held.mg):
                raise ClassNotHeld(class_id=key.hex())
            chosen.append((offer, offer.held.mg if mg is None else mg))
    return tuple(
        Part(offer.held.asset, offer.held.grade, offer.mg_per_point, points)
        for offer, mg in chosen
        if offer.mg_per_point and (points := points_for(mg, offer.mg_per_point))
    )


def _rate(
    session: Session, rates: Sequence[Rate], held: Held, today: date, before_mg: int
) -> int | None:
    field = field_of(session, held.methodology, held.version)
    return rate_for(rates, held.grade, field, today, before_mg)
