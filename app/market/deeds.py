"""What of the market needs two people of the desk (市场的复核事项).

Listing the operator's units, confirming a payment above a limit, paying an organisation out.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from secrets import token_bytes
from typing import Any, Final
from uuid import UUID

from sqlmodel import Session

from app.kernel.ids import new_id, parse_public_id, public_id
from app.kernel.scopes import Scope
from app.market.listings import PREFIX as LISTING_PREFIX
from app.market.listings import Terms, check_terms, list_units
from app.market.paying import check_payable, confirm
from app.market.payments import Confirmation
from app.market.payouts import check_payout, pay_out
from app.market.proceeds import shares_of
from app.market.purchases import PREFIX, prolong
from app.organisations import operator_of
from app.organisations.registry import SORT
from app.registry.batches import PREFIX as BATCH_PREFIX
from app.staff import Approval, Asking, Deed, Signing, ask, note_act
from app.staff.approvals import Payload
from ledger.encoding import HASH_BYTES

LIST: Final = "market.list"
CONFIRM: Final = "market.confirm"
PAY_OUT: Final = "market.pay_out"


def new_salt() -> bytes:
    """Make what a commitment to a text is salted with."""
    return token_bytes(HASH_BYTES)


def ask_listing(session: Session, asking: Asking, terms: Terms) -> Approval:
    """Ask for a second signature under an offer of the operator's units.

    Raises:
        OperatorUnknown, WindowWrong, MinimumWrong, BatchUnknown, UnitsShort, SharesUntrue,
        ApprovalOpen: See their own words.
    """
    batch = check_terms(session, operator_of(session).owner, terms, at=asking.at)
    shares_of(session, batch.id)
    payload: dict[str, Any] = {
        **terms._asdict(),
        "batch": batch.public,
        "opens_at": terms.opens_at.isoformat(),
        "closes_at": terms.closes_at.isoformat(),
    }
    return ask(session, asking, LIST, batch.public, payload, scope=Scope.MARKET_MANAGE)


def ask_payment(
    session: Session,
    asking: Asking,
    public: str,
    told: Confirmation,
    *,
    hold_for: timedelta,
) -> Approval:
    """Ask for a second signature under a payment that came; the purchase is held meanwhile.

    Raises:
        PurchaseUnknown, PurchaseEnded, BuyerSuspended, AmountDiffers, ApprovalOpen: See their own
            words.
    """
    found = check_payable(session, parse_public_id(PREFIX, public), told.fen, at=asking.at)
    prolong(session, found.id, until=asking.at + hold_for)
    payload = {
        "purchase": public,
        "method": told.method,
        "reference": told.reference,
        "fen": told.fen,
        "received_on": told.received_on.isoformat(),
    }
    return ask(session, asking, CONFIRM, public, payload, scope=Scope.MARKET_MANAGE)


def ask_payout(
    session: Session, asking: Asking, organisation: str, fen: int, reference: str
) -> Approval:
    """Ask for a second signature under a payment that the bank made to an organisation.

    Raises:
        OrganisationUnknown, OrganisationSuspended, ProceedsShort, ApprovalOpen: See their own
            words.
    """
    check_payout(session, SORT.firm_of(organisation), fen)
    payload = {"organisation": organisation, "fen": fen, "reference": reference}
    return ask(session, asking, PAY_OUT, organisation, payload, scope=Scope.MARKET_MANAGE)


def note_payment(
    session: Session, actor: str, public: str, told: Confirmation, *, at: datetime
) -> None:
    """Write into the desk's log that a payment was confirmed."""
    note_act(session, actor, CONFIRM, public, at=at, fen=told.fen, reference=told.reference)


def _list(session: Session, payload: Payload, signing: Signing) -> None:
    seller = operator_of(session)
    terms = Terms(
        _id(BATCH_PREFIX, payload["batch"]),
        payload["quantity_kg"],
        payload["minimum_kg"],
        payload["price_fen"],
        datetime.fromisoformat(payload["opens_at"]),
        datetime.fromisoformat(payload["closes_at"]),
    )
    listing, by = signing.approval, signing.signed_by
    list_units(session, (seller.id, seller.owner), terms, listing=listing, by=by, at=signing.at)
    public, kg = public_id(LISTING_PREFIX, listing), terms.quantity_kg
    note_act(session, by, LIST, public, at=signing.at, quantity_kg=kg, price_fen=terms.price_fen)


def _confirm(session: Session, payload: Payload, signing: Signing) -> None:
    public, received = str(payload["purchase"]), date.fromisoformat(payload["received_on"])
    money = (payload["method"], payload["reference"], payload["fen"])
    told = Confirmation(*money, received, signing.signed_by, signing.asked_by)
    bought = _id(PREFIX, public)
    confirm(session, bought, told, new_id=new_id, new_salt=new_salt, at=signing.at)
    note_payment(session, signing.signed_by, public, told, at=signing.at)


def _pay_out(session: Session, payload: Payload, signing: Signing) -> None:
    public, fen, reference = payload["organisation"], payload["fen"], payload["reference"]
    pay_out(session, SORT.firm_of(public), fen, reference, transfer=signing.approval, at=signing.at)
    note_act(session, signing.signed_by, PAY_OUT, public, at=signing.at, fen=fen)


def _id(prefix: str, text: object) -> UUID:
    found = parse_public_id(prefix, str(text))
    assert found is not None, text
    return found


DEEDS: Final[Mapping[str, Deed]] = {LIST: _list, CONFIRM: _confirm, PAY_OUT: _pay_out}
