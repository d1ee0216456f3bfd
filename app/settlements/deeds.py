"""What of settlements needs two people of the desk (结算的复核事项): whatever moves fen."""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from sqlmodel import Session

from app.kernel.ids import parse_public_id
from app.kernel.scopes import Scope
from app.points import find_programme
from app.settlements.disputes import DisputeAnswer, answer_dispute, find_open
from app.settlements.lines import DISPUTE_PREFIX, PREFIX
from app.settlements.payouts import pay_out, payable
from app.staff import Approval, Asking, Deed, Signing, ask, note_act
from app.staff.approvals import Payload

ANSWER: Final = "settlements.answer"
PAY: Final = "settlements.pay"


def ask_answer(session: Session, asking: Asking, public: str, said: Payload) -> Approval:
    """Ask for a second signature under the answer to a dispute.

    Raises:
        DisputeUnknown, DisputeAnswered, ProgrammeUnknown, ApprovalOpen: See their own words.
    """
    find_open(session, parse_public_id(DISPUTE_PREFIX, public))
    for code in said["adjustments"]:
        find_programme(session, code)
    payload = {"dispute": public, **said}
    return ask(session, asking, ANSWER, public, payload, scope=Scope.MERCHANTS_MANAGE)


def ask_payout(session: Session, asking: Asking, public: str, reference: str) -> Approval:
    """Ask for a second signature under a payment that the bank made.

    Raises:
        SettlementUnknown, NotFinal, SettlementPaid, NothingToPay, MerchantSuspended, ApprovalOpen:
            See their own words.
    """
    due = payable(session, parse_public_id(PREFIX, public))
    payload = {"settlement": public, "reference": reference, "fen": due.fen}
    return ask(session, asking, PAY, public, payload, scope=Scope.MERCHANTS_MANAGE)


def _answer(session: Session, payload: Payload, signing: Signing) -> None:
    granted = {str(code): int(fen) for code, fen in payload["adjustments"].items()}
    said = DisputeAnswer(_id(DISPUTE_PREFIX, payload["dispute"]), str(payload["answer"]), granted)
    answer_dispute(session, said, at=signing.at)
    fen = sum(granted.values())
    note_act(session, signing.signed_by, ANSWER, str(payload["dispute"]), at=signing.at, fen=fen)


def _pay(session: Session, payload: Payload, signing: Signing) -> None:
    public, reference = str(payload["settlement"]), str(payload["reference"])
    settlement = _id(PREFIX, public)
    pay_out(session, settlement, reference, transfer=signing.approval, at=signing.at)
    note_act(session, signing.signed_by, PAY, public, at=signing.at, fen=int(payload["fen"]))


def _id(prefix: str, text: object) -> UUID:
    found = parse_public_id(prefix, str(text))
    assert found is not None, text
    return found


DEEDS: Final[Mapping[str, Deed]] = {ANSWER: _answer, PAY: _pay}
