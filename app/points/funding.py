"""Funding (注资): money comes in from a bank, asked for by one person and signed by another.

The transfer and the slices that points take from move in one transaction, so that a budget's
balance is what its slices say.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlmodel import Session

from app.books import Row, asset_ids, post
from app.kernel.clock import day_of
from app.kernel.db import driver
from app.kernel.scopes import Scope
from app.points.earmarks import add_funds
from app.points.errors import ProgrammeUnfunded
from app.points.programmes import find_programme
from app.points.sponsors import note_sponsor
from app.staff import Approval, Asking, Deed, Signing, ask, note_act
from app.staff.approvals import Payload
from ledger.accounts import SYSTEM_ACCOUNTS, bucket_of
from ledger.assets import Money
from ledger.chart import Code

BANK: Final = SYSTEM_ACCOUNTS["bank"]
FUND: Final = "programmes.fund"
YUAN: Final = Money()


def fund(
    session: Session,
    code: str,
    fen: int,
    *,
    cause: UUID,
    at: datetime,
    sponsor: str | None = None,
) -> None:
    """Take ``fen`` in from the bank. The transfer's id is its cause's, so it is posted once.

    ``sponsor`` is told publicly; none wishes not to be.

    Raises:
        ProgrammeUnknown: There is none of this code.
        ProgrammeUnfunded: Its points claim no money.
    """
    connection, programme = driver(session), find_programme(session, code)
    if programme.fen_per_point == 0:
        raise ProgrammeUnfunded(programme=code)
    today, budget = day_of(at), programme.budget
    asset = asset_ids(connection, [YUAN])[YUAN]
    row = Row(
        bucket_of(budget), today, cause, BANK, budget, asset, fen, int(Code.FUND), cause, today
    )
    add_funds(connection, programme.id, fen)
    note_sponsor(connection, programme.id, sponsor, fen, funding=cause, at=at)
    post(connection, [row])


def ask_funding(
    session: Session, asking: Asking, code: str, fen: int, sponsor: str | None = None
) -> Approval:
    """Ask for a second signature under so much money.

    Raises:
        ProgrammeUnknown, ProgrammeUnfunded: See their own words.
        ApprovalOpen: Another funding of this programme awaits its signature.
    """
    if find_programme(session, code).fen_per_point == 0:
        raise ProgrammeUnfunded(programme=code)
    payload = {"programme": code, "fen": fen, "sponsor": sponsor}
    return ask(session, asking, FUND, code, payload, scope=Scope.PROGRAMMES_MANAGE)


def _signed(session: Session, payload: Payload, signing: Signing) -> None:
    code, fen = str(payload["programme"]), int(payload["fen"])
    sponsor = payload.get("sponsor")
    fund(session, code, fen, cause=signing.approval, at=signing.at, sponsor=sponsor)
    told = {"fen": fen} | ({"sponsor": sponsor} if sponsor else {})
    note_act(session, signing.signed_by, FUND, code, at=signing.at, **told)


DEEDS: Final[Mapping[str, Deed]] = {FUND: _signed}
