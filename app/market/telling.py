"""What the market tells organisations (市场消息): thin, and it names no person."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from app.market.purchases import Purchase
from app.webhooks import News, NewsKind, organisation_owner, tell


def tell_parties(
    session: Session,
    kind: NewsKind,
    purchase: Purchase,
    *,
    new_id: Callable[[], UUID],
    at: datetime,
) -> None:
    """Tell the buyer and the seller what became of a purchase."""
    data = {
        "purchase": purchase.public,
        "quantity_kg": purchase.quantity_kg,
        "due_fen": purchase.due_fen,
    }
    tell(
        session,
        [
            News(new_id(), organisation_owner(each), kind, purchase.public, data, at)
            for each in (purchase.buyer, purchase.seller)
        ],
    )
