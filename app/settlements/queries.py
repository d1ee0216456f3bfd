"""Questions about settlements (结算查询): a merchant's own, and the desk's over all of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlmodel import Session

from app.kernel.db import Connection, driver
from app.kernel.ids import public_id
from app.points import programmes
from app.settlements.disputes import WINDOW
from app.settlements.errors import SettlementUnknown
from app.settlements.lines import PREFIX
from app.settlements.rules import ClaimLine, LineKind, SettlementState, state_of

_SETTLEMENTS: Final = """
select s.id, s.merchant, s.bucket, s.account, s.day, s.closed_at, s.lines, s.gross_fen, s.fee_fen,
       s.net_fen, s.statement, s.signature, f.final_at, p.paid_at, p.reference,
       (select count(*) from settlement_dispute d
         where d.bucket = s.bucket and d.account = s.account and d.settlement = s.id),
       (select count(*) from settlement_dispute d
         where d.bucket = s.bucket and d.account = s.account and d.settlement = s.id
           and d.answered_at is null)
  from settlement s
  left join settlement_final f
    on f.bucket = s.bucket and f.account = s.account and f.settlement = s.id
  left join settlement_payout p
    on p.bucket = s.bucket and p.account = s.account and p.settlement = s.id"""
_OWN: Final = f"""{_SETTLEMENTS}
 where s.bucket = %s and s.account = %s and (%s::date is null or s.day < %s)
 order by s.day desc limit %s"""
_ONE: Final = f"{_SETTLEMENTS} where s.bucket = %s and s.account = %s and s.id = %s"
_ANY: Final = f"{_SETTLEMENTS} where s.id = %s"
_ALL: Final = f"""{_SETTLEMENTS}
 where (%(before)s::uuid is null or s.id < %(before)s)
   and (%(payable)s::bool is null or %(payable)s
        = (f.final_at is not null and p.paid_at is null and s.net_fen > 0))
 order by s.id desc limit %(limit)s"""
_LINES: Final = """
select kind, subject, programme, offer, at, points, fen from settlement_line
 where bucket = %s and account = %s and settlement = %s order by place"""
_DISPUTES: Final = """
select d.id, d.settlement, s.merchant, d.places, d.reason, d.opened_by, d.opened_at, d.answered_at,
       d.answer, array(
         select json_build_object('programme', p.code, 'fen', a.fen)
           from settlement_adjustment a join programme p on p.id = a.programme
          where a.bucket = d.bucket and a.account = d.account and a.dispute = d.id order by p.code)
  from settlement_dispute d
  join settlement s on s.bucket = d.bucket and s.account = d.account and s.id = d.settlement"""
_DISPUTES_OF: Final = f"""{_DISPUTES}
 where d.bucket = %s and d.account = %s and d.settlement = %s order by d.id"""
_DISPUTES_ALL: Final = f"""{_DISPUTES}
 where (%(before)s::uuid is null or d.id < %(before)s)
   and (%(is_open)s::bool is null or %(is_open)s = (d.answered_at is null))
 order by d.id desc limit %(limit)s"""


@dataclass(frozen=True, slots=True)
class MerchantSettlement:
    """A merchant's statement of a day, and what became of it (结算单)."""

    id: UUID
    merchant: UUID
    bucket: int
    account: int
    day: date
    closed_at: datetime
    lines: int
    gross_fen: int
    fee_fen: int
    net_fen: int
    statement: bytes
    signature: bytes
    final_at: datetime | None
    paid_at: datetime | None
    reference: str | None
    disputes: int
    unanswered: int

    @property
    def public(self) -> str:
        """The public id."""
        return public_id(PREFIX, self.id)

    @property
    def state(self) -> SettlementState:
        """What became of it."""
        return state_of(
            is_paid=self.paid_at is not None,
            is_final=self.final_at is not None,
            disputes=self.disputes,
            unanswered=self.unanswered,
        )

    @property
    def disputable_until(self) -> datetime:
        """When its window ends."""
        return self.closed_at + WINDOW


@dataclass(frozen=True, slots=True)
class ToldDispute:
    """A dispute, and the answer to it (争议)."""

    id: UUID
    settlement: UUID
    merchant: UUID
    places: Sequence[int]
    reason: str
    opened_by: UUID
    opened_at: datetime
    answered_at: datetime | None
    answer: str | None
    adjustments: Sequence[dict[str, str | int]]


def settlements_of(
    session: Session, bucket: int, account: int, *, before: date | None, limit: int
) -> list[MerchantSettlement]:
    """List a merchant's statements, the newest day first."""
    rows = driver(session).execute(_OWN, (bucket, account, before, before, limit))
    return [MerchantSettlement(*row) for row in rows]


def all_settlements(
    session: Session, *, is_payable: bool | None, before: UUID | None, limit: int
) -> list[MerchantSettlement]:
    """List every merchant's, the newest first; those to be paid now, or the others."""
    facts = {"payable": is_payable, "before": before, "limit": limit}
    return [MerchantSettlement(*row) for row in driver(session).execute(_ALL, facts)]


def find_settlement(
    session: Session, settlement: UUID | None, place: tuple[int, int] | None = None
) -> MerchantSettlement:
    """Give one statement; of the owner at ``place``, where that is given.

    Raises:
        SettlementUnknown: There is none, or it is another's.
    """
    connection = driver(session)
    found = (
        connection.execute(_ANY, (settlement,))
        if place is None
        else connection.execute(_ONE, (*place, settlement))
    )
    row = found.fetchone()
    if row is None:
        raise SettlementUnknown
    return MerchantSettlement(*row)


def lines_of(session: Session, of: MerchantSettlement) -> list[ClaimLine]:
    """Give the lines of a statement in their order."""
    rows = driver(session).execute(_LINES, (of.bucket, of.account, of.id))
    return [ClaimLine(LineKind(kind), *line) for kind, *line in rows]


def disputes_of(session: Session, of: MerchantSettlement) -> list[ToldDispute]:
    """Give a statement's disputes, the first one first."""
    rows = driver(session).execute(_DISPUTES_OF, (of.bucket, of.account, of.id))
    return [ToldDispute(*row) for row in rows]


def all_disputes(
    session: Session, *, is_open: bool | None, before: UUID | None, limit: int
) -> list[ToldDispute]:
    """List every merchant's disputes, the newest first."""
    facts = {"is_open": is_open, "before": before, "limit": limit}
    return [ToldDispute(*row) for row in driver(session).execute(_DISPUTES_ALL, facts)]


def programme_codes(connection: Connection) -> dict[int, str]:
    """Name every programme."""
    return {number: each.code for number, each in programmes(connection).items()}
