"""Payouts (付款): what an organisation's sales brought leaves for its bank, by two of the desk."""

from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from psycopg import errors as db_errors
from sqlmodel import Session

from app.books import Overdrawn, Row, asset_ids, post
from app.kernel.clock import day_of
from app.kernel.db import driver
from app.market.errors import ProceedsShort, ReferenceUsed
from app.market.proceeds import BANK, YUAN
from app.organisations import find_organisation
from app.organisations.errors import OrganisationSuspended
from ledger.accounts import bucket_of
from ledger.chart import Code

_EARNED: Final = """
select coalesce(sum(fen), 0)::int8 from proceeds where organisation = %s"""
_PAID_OUT: Final = """
select coalesce(sum(fen), 0)::int8 from proceeds_payout where organisation = %s"""
_PAY: Final = """
insert into proceeds_payout (transfer, organisation, fen, reference, recorded_on, paid_at)
values (%s, %s, %s, %s, %s, %s)"""
_NOTE: Final = "insert into bank_payment values (normal_reference(%s), %s)"


class Earned(NamedTuple):
    """What an organisation's sales brought it [fen]."""

    earned_fen: int
    paid_out_fen: int

    @property
    def payable_fen(self) -> int:
        """What was not paid out."""
        return self.earned_fen - self.paid_out_fen


def earned_by(session: Session, organisation: UUID) -> Earned:
    """Give what an organisation's sales brought it, and how much of that it has."""
    sums = [
        driver(session).execute(each, (organisation,)).fetchall()[0][0]
        for each in (_EARNED, _PAID_OUT)
    ]
    return Earned(*sums)


def check_payout(session: Session, organisation: UUID | None, fen: int) -> UUID:
    """Pass a payout that an organisation's sales cover; gives the organisation.

    Raises:
        OrganisationUnknown, OrganisationSuspended, ProceedsShort: See their own words.
    """
    found = find_organisation(session, organisation)
    if found.suspended_at is not None:
        raise OrganisationSuspended
    payable = earned_by(session, found.id).payable_fen
    if fen > payable:
        raise ProceedsShort(payable_fen=payable)
    return found.id


def pay_out(
    session: Session,
    organisation: UUID | None,
    fen: int,
    reference: str,
    *,
    transfer: UUID,
    at: datetime,
) -> None:
    """Note that the bank paid an organisation; once, and by a payment that paid nothing else.

    Raises:
        OrganisationUnknown, OrganisationSuspended, ProceedsShort, ReferenceUsed: See their own
            words.
    """
    connection, today = driver(session), day_of(at)
    owner = find_organisation(session, check_payout(session, organisation, fen)).owner
    asset = asset_ids(connection, [YUAN])[YUAN]
    story = (asset, fen, int(Code.PAY_OUT), transfer, today)
    try:
        post(connection, [Row(bucket_of(owner), today, transfer, owner, BANK, *story)])
        connection.execute(_NOTE, (reference, transfer))
        connection.execute(_PAY, (transfer, organisation, fen, reference, today, at))
    except Overdrawn as error:
        raise ProceedsShort from error
    except db_errors.UniqueViolation as error:
        raise ReferenceUsed(reference=reference) from error
