"""Payouts (付款): a final statement's net leaves the merchant's account for its bank, once."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from psycopg import errors as db_errors
from sqlmodel import Session

from app.books import Row, asset_ids, post
from app.kernel.clock import day_of
from app.kernel.db import driver
from app.merchants import find_merchant
from app.merchants.errors import MerchantSuspended
from app.settlements.closing import YUAN
from app.settlements.disputes import lock_merchant
from app.settlements.errors import NotFinal, NothingToPay, SettlementPaid, SettlementUnknown
from ledger.accounts import SYSTEM_ACCOUNTS
from ledger.chart import Code

BANK: Final = SYSTEM_ACCOUNTS["bank"]
_WHOSE: Final = "select merchant, bucket, account from settlement where id = %s"
_FIND: Final = """
select s.net_fen, f.final_at is not null, p.paid_at is not null
  from settlement s
  left join settlement_final f
    on f.bucket = s.bucket and f.account = s.account and f.settlement = s.id
  left join settlement_payout p
    on p.bucket = s.bucket and p.account = s.account and p.settlement = s.id
 where s.bucket = %s and s.account = %s and s.id = %s"""
_PAY: Final = """
insert into settlement_payout (bucket, account, settlement, reference, transfer, recorded_on,
                               paid_at)
values (%s, %s, %s, %s, %s, %s, %s)"""
_NOTE: Final = "insert into bank_payment values (normal_reference(%s), %s)"


@dataclass(frozen=True, slots=True)
class Payable:
    """A final statement that was not paid (待付结算单)."""

    merchant: UUID
    bucket: int
    account: int
    fen: int


def payable(session: Session, settlement: UUID | None) -> Payable:
    """Give what is to be paid of a statement.

    Raises:
        SettlementUnknown, NotFinal, SettlementPaid, NothingToPay: See their own words.
        MerchantSuspended: What it is owed waits until it stands again.
    """
    connection = driver(session)
    whose = connection.execute(_WHOSE, (settlement,)).fetchone()
    if whose is None:
        raise SettlementUnknown
    merchant, bucket, account = whose
    found = connection.execute(_FIND, (bucket, account, settlement)).fetchall()
    fen, is_final, is_paid = found[0]
    if is_paid:
        raise SettlementPaid
    if not is_final:
        raise NotFinal
    if fen == 0:
        raise NothingToPay
    if find_merchant(session, merchant).suspended_at is not None:
        raise MerchantSuspended
    return Payable(merchant, bucket, account, fen)


def pay_out(
    session: Session, settlement: UUID, reference: str, *, transfer: UUID, at: datetime
) -> None:
    """Note that the bank paid a statement; once, and by a payment that paid nothing else.

    Raises:
        SettlementUnknown, NotFinal, SettlementPaid, NothingToPay, MerchantSuspended: As above.
    """
    connection, today = driver(session), day_of(at)
    lock_merchant(connection, payable(session, settlement).merchant)
    due = payable(session, settlement)
    place, asset = (due.bucket, due.account), asset_ids(connection, [YUAN])[YUAN]
    try:
        connection.execute(_NOTE, (reference, transfer))
        connection.execute(_PAY, (*place, settlement, reference, transfer, today, at))
    except db_errors.UniqueViolation as error:
        raise SettlementPaid(reference=reference) from error
    story = (asset, due.fen, int(Code.PAY_OUT), settlement, today)
    post(connection, [Row(due.bucket, today, transfer, due.account, BANK, *story)])
