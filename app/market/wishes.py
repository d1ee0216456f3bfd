"""What is asked of the market, read from its wire form (市场请求)."""

from datetime import datetime

from app.kernel.ids import parse_public_id
from app.market.listings import Terms
from app.market.purchases import RetirementPlan
from app.market.schemas import ListingIn, RetireIn
from app.registry.batches import PREFIX as BATCH_PREFIX


def terms_of(body: ListingIn, *, at: datetime) -> Terms:
    """Read what is to be offered."""
    batch, opens_at = parse_public_id(BATCH_PREFIX, body.batch), body.opens_at or at
    amounts = (body.quantity_kg, body.minimum_kg, body.price_fen)
    return Terms(batch, *amounts, opens_at, body.closes_at)


def plan_of(wish: RetireIn | None) -> RetirementPlan | None:
    """Read what shall become of units once they are paid for."""
    if wish is None:
        return None
    words = (wish.beneficiary, wish.message)
    return RetirementPlan(wish.purpose, wish.period, *words, wish.shows)
