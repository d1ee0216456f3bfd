"""Closing a merchant's day (日结): the statement, its lines and the fen that it moves, at once.

The programmes whose points were spent pay: budget → clearing in the budget's bucket, clearing →
merchant in the merchant's, one cause. What was promised for the claims is let go of in the same
transaction; the fee stays in the budget, unpromised. Locks: the merchant, slices, balances.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlmodel import Session

from app.books import Overdrawn, Row, asset_ids, post
from app.kernel.clock import day_of
from app.kernel.db import Connection, driver
from app.kernel.ids import public_id
from app.points import Programme, programmes, promise, spend
from app.settlements.errors import BudgetShort
from app.settlements.lines import PREFIX, shown_lines, unsettled
from app.settlements.rules import ClaimLine, ProgrammeShare, carried, shares
from app.settlements.statement import (
    SettlementSeal,
    SettlementTerms,
    sign_settlement,
)
from app.webhooks import News, NewsKind, merchant_owner, tell
from ledger.accounts import SYSTEM_ACCOUNTS, bucket_of
from ledger.assets import Money
from ledger.chart import Code
from ledger.log import tree_hash
from ledger.settlement import line_leaf

NewId = Callable[[], UUID]
CLEARING: Final = SYSTEM_ACCOUNTS["clearing"]
YUAN: Final = Money()
_LOCK: Final = "select account, fee_permille from merchant where id = %s for no key update"
_LAST: Final = "select max(day) from settlement where bucket = %s and account = %s"
_STATEMENT: Final = """
insert into settlement (bucket, account, id, merchant, day, closed_at, lines, root, fee_permille,
                        gross_fen, fee_fen, net_fen, statement, signature)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"""
_LINES: Final = """
insert into settlement_line (bucket, account, settlement, place, kind, subject, programme, offer,
                             at, points, fen)
select %s, %s, %s, t.*
  from unnest(%s::int4[], %s::text[], %s::uuid[], %s::int4[], %s::uuid[], %s::timestamptz[],
              %s::int8[], %s::int8[]) as t"""
_SHARES: Final = """
insert into settlement_share (bucket, account, settlement, programme, claim_fen, granted_fen,
                              gross_fen, fee_fen)
select %s, %s, %s, t.*
  from unnest(%s::int4[], %s::int8[], %s::int8[], %s::int8[], %s::int8[]) as t"""


def settle_day(
    session: Session,
    seal: SettlementSeal,
    merchant: UUID,
    day: date,
    *,
    settlement: UUID,
    new_id: NewId,
    at: datetime,
) -> bool:
    """Settle what a merchant redeemed up to the end of a day; says whether there was anything.

    Idempotent by merchant and day: a day that was settled, or one before it, is left as it is.

    Raises:
        BudgetShort: A programme cannot pay; a defect, and nothing was done.
    """
    connection = driver(session)
    account, fee_permille = connection.execute(_LOCK, (merchant,)).fetchall()[0]
    place = (bucket_of(account), account)
    (last,) = connection.execute(_LAST, place).fetchall()[0]
    if last is not None and last >= day:
        return False
    lines = unsettled(connection, merchant, place, day)
    if not lines:
        return False
    lines += carried(lines, settlement, at)
    found = shares(lines, fee_permille)
    known = programmes(connection)
    terms = SettlementTerms(settlement, merchant, day, fee_permille, at)
    _write(connection, seal, terms, place, lines, found, known.values())
    for share in found:
        _let_go(connection, share, home=account)
    payments = [(known[share.programme], share.net_fen) for share in found]
    _pay(connection, payments, terms, place, new_id)
    tell(session, [_news(terms, found, new_id())])
    return True


def _write(  # noqa: PLR0917 -- a statement is all of these
    connection: Connection,
    seal: SettlementSeal,
    terms: SettlementTerms,
    place: tuple[int, int],
    lines: Sequence[ClaimLine],
    found: Sequence[ProgrammeShare],
    known: Iterable[Programme],
) -> None:
    codes = {each.id: each.code for each in known}
    root = tree_hash([line_leaf(line) for line in shown_lines(lines, codes)])
    signed = sign_settlement(seal, terms, (len(lines), root), found, codes)
    gross, fee = sum(share.gross_fen for share in found), sum(share.fee_fen for share in found)
    key = (*place, terms.id)
    connection.execute(
        _STATEMENT,
        (
            *(*key, terms.merchant, terms.day, terms.closed_at, len(lines), root),
            *(terms.fee_permille, gross, fee, gross - fee, *signed),
        ),
    )
    columns = zip(*((n, *line) for n, line in enumerate(lines)), strict=True)
    connection.execute(_LINES, (*key, *map(list, columns)))
    connection.execute(_SHARES, (*key, *map(list, zip(*found, strict=True))))


def _let_go(connection: Connection, share: ProgrammeShare, *, home: int) -> None:
    """Let go of what was promised for the claims; promise anew what came back after all."""
    came_back = max(0, -share.claim_fen)
    if promise(connection, share.programme, came_back, home=home) < came_back:
        raise BudgetShort(programme=share.programme)
    claimed = max(0, share.claim_fen) + share.granted_fen
    spend(connection, share.programme, claimed, share.net_fen, home=home)


def _pay(
    connection: Connection,
    payments: Iterable[tuple[Programme, int]],
    terms: SettlementTerms,
    place: tuple[int, int],
    new_id: NewId,
) -> None:
    bucket, account = place
    asset, today = asset_ids(connection, [YUAN])[YUAN], day_of(terms.closed_at)
    rows: list[Row] = []
    for programme, fen in payments:
        if fen:
            story = (asset, fen, int(Code.SETTLE), terms.id, terms.day)
            home = bucket_of(programme.budget)
            rows += (
                Row(home, today, new_id(), programme.budget, CLEARING, *story),
                Row(bucket, today, new_id(), CLEARING, account, *story),
            )
    try:
        post(connection, rows)
    except Overdrawn as error:
        raise BudgetShort from error


def _news(terms: SettlementTerms, found: Iterable[ProgrammeShare], message: UUID) -> News:
    """Tell the merchant that there is a statement, and what it comes to."""
    public = public_id(PREFIX, terms.id)
    net = sum(share.net_fen for share in found)
    data = {"settlement": public, "day": terms.day.isoformat(), "net_fen": net}
    owner, kind = merchant_owner(terms.merchant), NewsKind.SETTLEMENT_CLOSED
    return News(message, owner, kind, public, data, terms.closed_at)
