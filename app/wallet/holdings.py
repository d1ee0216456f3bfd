"""What a citizen holds (持有): reductions by class, points by expiry, from the stored balances.

One statement over the balances of the owner and of their held twin, and over what they owe. A
class says which document, scenario, grade and month it is of, so nothing else needs to be asked;
the two sums that make a level come with it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, NamedTuple

from sqlmodel import Session

from app.catalogue import DIGESTS, is_read, library
from app.growth.levels import SUMS, Level, level_of, twelve_months
from app.kernel.db import Connection, driver
from app.wallet.rules import EXPIRES_SOON, GradeWord, field_of
from methodologies import Field

_HELD: Final = """
select x.methodology, x.version, x.scenario, x.grade, x.vintage, x.programme, x.expires,
       coalesce(sum(b.credits - b.debits) filter (where b.account & 1 = 0), 0)::bigint as available,
       coalesce(sum(b.credits - b.debits) filter (where b.account & 1 = 1), 0)::bigint as reserved,
       (select coalesce(sum(d.points - d.paid - d.forgiven), 0)::bigint from points_debt d
         where d.bucket = %(bucket)s and d.account = %(owner)s and d.paid + d.forgiven < d.points)
       as owed
  from (values (true)) as one (row)
  left join balance b on b.bucket = %(bucket)s and b.account = any(%(places)s)
   and b.credits > b.debits
  left join asset x on x.id = b.asset
 group by x.id"""
_IN_ORDER: Final = """
 order by vintage desc, methodology, version desc, scenario, grade, expires, programme"""
_WALLET: Final = f"""
select held.*, own.*, {DIGESTS} from ({_HELD}) held, ({SUMS}) own{_IN_ORDER}"""  # noqa: S608 -- of constants
"""Both from one look at the books; nothing of it needs a second."""


class ReductionClass(NamedTuple):
    """What is held of one class of reductions (R4)."""

    methodology: str
    version: int
    scenario: str
    grade: GradeWord
    vintage: date
    mg: int


class PointsClass(NamedTuple):
    """What is held of one class of points: those that expire on one day."""

    programme: str
    expires: date
    available: int
    reserved: int


@dataclass(frozen=True, slots=True)
class Holdings:
    """What a citizen holds today."""

    reductions: tuple[ReductionClass, ...]
    points: tuple[PointsClass, ...]
    owed: int
    """Points that later earnings pay first; nobody is ever below zero (R6)."""
    today: date
    fields: dict[Field, int] = field(default_factory=dict[Field, int])
    """By field of life [mg]."""

    @property
    def reduction_mg(self) -> int:
        """All reductions held [mg]."""
        return sum(each.mg for each in self.reductions)

    @property
    def spendable(self) -> int:
        """Points that can be spent: one past its day cannot, whatever the job has done (R5)."""
        return sum(each.available for each in self.points if each.expires >= self.today)

    @property
    def expiring_soon(self) -> int:
        """Spendable points whose last day is near."""
        last = self.today + EXPIRES_SOON
        near = [each for each in self.points if self.today <= each.expires <= last]
        return sum(each.available for each in near)

    @property
    def reserved(self) -> int:
        """Points promised to an order that is not yet redeemed."""
        return sum(each.reserved for each in self.points)


def wallet_of(
    connection: Connection, bucket: int, owner: int, *, today: date
) -> tuple[Holdings, int, Level] | None:
    """Give what an owner holds, their growth value and their level; one statement.

    None where a version was published that this process has not read yet (:func:`wallet_anew`).
    """
    facts = twelve_months(bucket, owner, today) | _owned(bucket, owner)
    rows = connection.execute(_WALLET, facts).fetchall()
    *_, amount_mg, days, digests = rows[0]
    if not is_read(digests):
        return None
    return _holdings((row[:-3] for row in rows), today), *level_of(today, amount_mg, days)


def wallet_anew(
    session: Session, bucket: int, owner: int, *, today: date
) -> tuple[Holdings, int, Level]:
    """Give the same once what was published is read, from one look at both."""
    library(session)
    found = wallet_of(driver(session), bucket, owner, today=today)
    assert found is not None, "the library was read from this snapshot"
    return found


def holdings_of(session: Session, bucket: int, owner: int, *, today: date) -> Holdings:
    """Give what an owner holds; one statement."""
    facts = _owned(bucket, owner)
    return _holdings(driver(session).execute(_HELD + _IN_ORDER, facts).fetchall(), today)


def _owned(bucket: int, owner: int) -> dict[str, object]:
    return {"bucket": bucket, "owner": owner, "places": [owner, owner | 1]}


def _holdings(rows: Iterable[tuple[Any, ...]], today: date) -> Holdings:
    reductions: list[ReductionClass] = []
    points: list[PointsClass] = []
    owed = 0
    for row in rows:
        *_, programme, expires, available, reserved, owed = row
        if programme is not None:
            points.append(PointsClass(programme, expires, available, reserved))
        elif available:
            reductions.append(ReductionClass._make((*row[:5], available)))
    fields: dict[Field, int] = {}
    for each in reductions:
        of = field_of(each.methodology)
        fields[of] = fields.get(of, 0) + each.mg
    return Holdings(tuple(reductions), tuple(points), owed, today, fields)
