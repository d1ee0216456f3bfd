"""The lines of a statement (结算明细): found in the mall's rows, once each, shown alike everywhere.

A line is taken by the first statement that finds it, of whatever its programme: the unique key of
``settlement_line`` is what makes that once. Each statement looks some days back, so what a slow
clock recorded for a day that was closed is taken by the next one.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from app.kernel.clock import SHANGHAI
from app.kernel.db import Connection
from app.kernel.ids import public_id
from app.settlements.rules import ClaimLine, LineKind

BACK: Final = timedelta(days=3)
PREFIX: Final = "set"
DISPUTE_PREFIX: Final = "dsp"
_CLAIMS: Final = """
select r.id, p.id, o.offer, r.redeemed_at, v.reversed_at, sum(k.points)::int8,
       sum(k.points * x.fen_per_point)::int8
  from redemption r
  join mall_order o
    on o.bucket = r.bucket and o.account = r.account and o.id = r.mall_order
  join order_part k
    on k.bucket = r.bucket and k.account = r.account and k.mall_order = r.mall_order
  join asset x on x.id = k.asset
  join programme p on p.code = x.programme
  left join reversal v
    on v.bucket = r.bucket and v.account = r.account and v.redemption = r.id
 where r.merchant = %s and r.recorded_on between %s and %s
 group by r.id, p.id, o.offer, r.redeemed_at, v.reversed_at"""
_KNOWN: Final = """
select kind, subject, programme from settlement_line
 where bucket = %s and account = %s and kind in ('redemption', 'reversal')
   and subject = any(%s::uuid[])"""
_ADJUSTED: Final = """
select a.dispute, a.programme, d.answered_at, a.fen
  from settlement_adjustment a
  join settlement_dispute d
    on d.bucket = a.bucket and d.account = a.account and d.id = a.dispute
 where a.bucket = %s and a.account = %s
   and (d.answered_at at time zone 'Asia/Shanghai')::date <= %s and not exists (
   select from settlement_line l
    where l.bucket = a.bucket and l.account = a.account and l.kind = 'adjustment'
      and l.subject = a.dispute and l.programme = a.programme)"""
_BROUGHT: Final = """
select l.settlement, l.programme, l.at, l.fen
  from settlement_line l
 where l.bucket = %s and l.account = %s and l.kind = 'carried' and not exists (
   select from settlement_line b
    where b.bucket = l.bucket and b.account = l.account and b.kind = 'brought'
      and b.subject = l.subject and b.programme = l.programme)
 order by l.programme"""


def unsettled(
    connection: Connection, merchant: UUID, place: tuple[int, int], day: date
) -> list[ClaimLine]:
    """Give what no statement of a merchant has yet, up to a day's end, in the order of a statement.

    Nothing, where only what was carried forward is left: it waits for a claim to pay it.
    """
    lines = [*_claims(connection, merchant, place, day), *_adjusted(connection, place, day)]
    if not lines:
        return []
    return [*_brought(connection, place), *sorted(lines, key=lambda line: (line.at, *line[:3]))]


def _claims(
    connection: Connection, merchant: UUID, place: tuple[int, int], day: date
) -> Iterator[ClaimLine]:
    found = connection.execute(_CLAIMS, (merchant, day - BACK, day)).fetchall()
    redeemed = [row[0] for row in found]
    known = set(connection.execute(_KNOWN, (*place, redeemed)).fetchall())
    for subject, programme, offer, redeemed_at, reversed_at, points, fen in found:
        for kind, at, sign in (
            (LineKind.REDEMPTION, redeemed_at, 1),
            (LineKind.REVERSAL, reversed_at, -1),
        ):
            if at is not None and (kind.value, subject, programme) not in known:
                yield ClaimLine(kind, subject, programme, offer, at, sign * points, sign * fen)


def _adjusted(connection: Connection, place: tuple[int, int], day: date) -> Iterator[ClaimLine]:
    for dispute, programme, at, fen in connection.execute(_ADJUSTED, (*place, day)):
        yield ClaimLine(LineKind.ADJUSTMENT, dispute, programme, None, at, 0, fen)


def _brought(connection: Connection, place: tuple[int, int]) -> Iterator[ClaimLine]:
    for before, programme, at, fen in connection.execute(_BROUGHT, place):
        yield ClaimLine(LineKind.BROUGHT, before, programme, None, at, 0, -fen)


def shown_lines(lines: Iterable[ClaimLine], programmes: Mapping[int, str]) -> list[dict[str, Any]]:
    """Write lines as the merchant sees them and the tree hashes them: nothing of a person."""
    return [shown_line(line, place, programmes[line.programme]) for place, line in enumerate(lines)]


def shown_line(line: ClaimLine, place: int, programme: str) -> dict[str, Any]:
    """Write one line; ``place`` is its own in the statement, from 0."""
    return {
        "place": place,
        "kind": line.kind.value,
        "id": public_id(_PREFIXES[line.kind], line.subject),
        "voucher": None if line.offer is None else public_id("vch", line.subject),
        "offer": None if line.offer is None else public_id("off", line.offer),
        "programme": programme,
        "at": written(line.at),
        "points": line.points,
        "fen": line.fen,
    }


def written(at: datetime) -> str:
    """Write an instant as a statement has it: to the microsecond, in Shanghai's time."""
    return at.astimezone(SHANGHAI).isoformat(timespec="microseconds")


_PREFIXES: Final[Mapping[LineKind, str]] = {
    LineKind.REDEMPTION: "rdm",
    LineKind.REVERSAL: "rdm",
    LineKind.ADJUSTMENT: DISPUTE_PREFIX,
    LineKind.BROUGHT: PREFIX,
    LineKind.CARRIED: PREFIX,
}
