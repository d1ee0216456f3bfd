"""Upheld appeals that post what they order (支持申诉的入账): one clerk asks, another signs.

The request shows what the right quantities come to, by posting them on trial. The signature posts
them and decides the appeal in one transaction, and only while they still come to those figures:
if the act was corrected meanwhile, or another took the room under its day's cap, nobody signs
for what they did not see.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlmodel import Session

from app.activities import APPEAL as APPEALED
from app.activities import Correction, correct
from app.activities.marks import plain_inputs
from app.catalogue import holding
from app.kernel.db import driver, on_trial
from app.kernel.ids import new_id, parse_public_id, public_id
from app.kernel.scopes import Scope
from app.staff import Approval, Asking, Deed, Signing, ask
from app.staff.approvals import Payload
from app.wallet.acts import act_of
from app.wallet.appeals import APPEAL, Appeal, appeal_of, decide_appeal
from app.wallet.errors import AppealDecided, CorrectionImpossible, FiguresChanged
from app.wallet.rules import StoredAct, rework
from app.wallet.telling import document_of_act, stored_act
from methodologies import BadQuantity, Document, read_inputs

UPHOLD: Final = "appeal.uphold"


@dataclass(frozen=True, slots=True)
class Order:
    """The correction that an upheld appeal orders (更正要求)."""

    answer: str
    """To the person."""
    text: str
    inputs: Mapping[str, str]
    """The right quantities with their units; what is not named stays as it was told."""
    window_days: int
    """The acceptance window: an act from before it is not raised."""


def ask_upholding(session: Session, asking: Asking, appeal: UUID, order: Order) -> Approval:
    """Ask for a second signature under an upheld appeal, with the figures that it comes to.

    Raises:
        AppealUnknown, AppealDecided, CorrectionImpossible, ApprovalOpen: See their own words.
    """
    known = _open(session, appeal)
    figures = on_trial(session, _post, known, order.inputs, order.window_days, at=asking.at)
    payload = {
        "appeal": known.name,
        "activity": public_id("act", known.activity),
        "answer": order.answer,
        "order": order.text,
        "inputs": dict(order.inputs),
        "window_days": order.window_days,
        **figures,
    }
    return ask(session, asking, UPHOLD, known.name, payload, scope=Scope.APPEALS_DECIDE)


def uphold(session: Session, payload: Payload, signing: Signing) -> None:
    """Decide an appeal as two people agreed, and post what it orders.

    Raises:
        AppealDecided: Somebody decided it meanwhile.
        CorrectionImpossible, FiguresChanged: The act is not what it was when it was asked for.
    """
    appeal = parse_public_id(APPEAL, payload["appeal"])
    assert appeal is not None, payload
    known = _open(session, appeal)
    figures = _post(session, known, payload["inputs"], payload["window_days"], at=signing.at)
    if changed := {name: mg for name, mg in figures.items() if mg != payload[name]}:
        raise FiguresChanged(**changed)
    words = (payload["answer"], payload["order"])
    # Last: it writes to the desk's log, which is locked until the commit.
    change_mg = figures["change_mg"]
    decide_appeal(session, signing.signed_by, appeal, *words, change_mg=change_mg, at=signing.at)


def _open(session: Session, appeal: UUID) -> Appeal:
    known = appeal_of(session, appeal)
    if known.decided_at is not None:
        raise AppealDecided
    return known


def _post(
    session: Session, appeal: Appeal, given: Mapping[str, str], window_days: int, *, at: datetime
) -> dict[str, int]:
    """Post what the act is worth with the right quantities; gives the figures of it [mg]."""
    detail = act_of(session, appeal.bucket, appeal.owner, appeal.activity)
    document = None if detail is None else document_of_act(session, detail)
    if detail is None or document is None or detail.act.asset is None:
        raise CorrectionImpossible(activity=public_id("act", appeal.activity))
    holds = holding(session, document.code).of(document.version, detail.act.occurred_on)
    act = replace(stored_act(detail), inputs=detail.latest_inputs)
    inputs, raw_mg = _worth(holds or document, act, given)
    place = (appeal.bucket, appeal.owner, detail.act.recorded_on, appeal.activity)
    (made,) = correct(
        driver(session),
        [Correction(*place, raw_mg, APPEALED, inputs=inputs)],
        cause=appeal.id,
        at=at,
        window_days=window_days,
        new_id=new_id,
    )
    if not made.is_recorded:
        raise CorrectionImpossible(reason=made.reason)
    granted_mg = detail.act.granted_mg
    return {"granted_mg": granted_mg, "raw_mg": raw_mg, "change_mg": made.change_mg}


def _worth(
    document: Document, act: StoredAct, given: Mapping[str, str]
) -> tuple[dict[str, str], int]:
    """Give the corrected quantities as they are kept, and what they come to [mg]."""
    if unknown := sorted(set(given) - set(document.input_names)):
        raise CorrectionImpossible(unknown=", ".join(unknown))
    try:
        values = read_inputs(document, {**(act.inputs or {}), **given})
    except BadQuantity as error:
        raise CorrectionImpossible(reason=str(error)) from error
    inputs = plain_inputs({name: value for name, value in values.items() if value is not None})
    worked = rework(document, replace(act, inputs=inputs, raw_mg=None))
    if worked is None or worked.ineligible is not None or worked.mg is None:
        why = None if worked is None or worked.ineligible is None else worked.ineligible.reason
        raise CorrectionImpossible(reason=why)
    return inputs, worked.mg


DEEDS: Final[Mapping[str, Deed]] = {UPHOLD: uphold}
"""What a second signature sets in motion here."""
