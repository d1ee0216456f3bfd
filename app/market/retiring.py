"""Retiring at once what was bought (购后即注销): the units are the buyer's for a moment.

A payment is not refused because the units may not serve their purpose any more: the money has
come. Then the buyer has the units, and is told why they were not retired.
"""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlmodel import Session

from app.books import ClaimText
from app.kernel.once import DEFECT
from app.kernel.problems import Refusal
from app.market.purchases import Purchase, RetirementPlan
from app.organisations import find_organisation
from app.registry.retiring import RetirementWish, request_retirement


class Fate(NamedTuple):
    """What became of a plan to retire: one of the two, or neither where there was none."""

    retirement: UUID | None = None
    unretired: str | None = None
    """The code of the refusal."""


def retire(
    session: Session,
    paid: Purchase,
    plan: RetirementPlan,
    *,
    new_id: Callable[[], UUID],
    new_salt: Callable[[], bytes],
    at: datetime,
) -> Fate:
    """Ask for the retirement of what a buyer has just got, in its name."""
    buyer = find_organisation(session, paid.buyer)
    words = {
        "holder": buyer.name_zh,
        "beneficiary": plan.beneficiary or buyer.name_zh,
        "message": plan.message or "",
    }
    texts = [ClaimText(name, new_salt(), text, name in plan.shows) for name, text in words.items()]
    units, why = (paid.batch, paid.quantity_kg), (plan.purpose, plan.period)
    wish = RetirementWish(new_id(), buyer.owner, *units, *why, texts)
    try:
        with session.begin_nested():
            request_retirement(session, wish, new_id=new_id, new_salt=new_salt, at=at)
    except Refusal as refusal:
        if refusal.status >= DEFECT:
            raise
        return Fate(unretired=refusal.code)
    return Fate(retirement=wish.retirement)
