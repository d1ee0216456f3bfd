"""How listings, quotes and purchases are told (市场应答)."""

from datetime import datetime

from app.kernel.ids import public_id
from app.market.listings import PREFIX as LISTING_PREFIX
from app.market.listings import Listing
from app.market.payments import Payments
from app.market.purchases import Purchase
from app.market.quotes import Quote
from app.market.rules import PurchaseState
from app.market.schemas import InstructionsOut, ListingOut, PurchaseOut, QuoteOut
from app.organisations.registry import SORT
from app.registry.batches import batch_name
from app.registry.retirements import PREFIX as RETIREMENT_PREFIX


def shown_listing(listing: Listing) -> ListingOut:
    """Tell a listing."""
    return ListingOut(
        id=listing.public,
        seller=SORT.named(listing.seller),
        seller_zh=listing.seller_zh,
        seller_en=listing.seller_en,
        batch=batch_name(listing.batch),
        batch_number=listing.batch_number,
        methodology=listing.methodology,
        version=listing.version,
        scenario=listing.scenario,
        vintage=f"{listing.vintage:%Y-%m}",
        quantity_kg=listing.quantity_kg,
        left_kg=listing.left_kg,
        minimum_kg=listing.minimum_kg,
        price_fen=listing.price_fen,
        opens_at=listing.opens_at,
        closes_at=listing.closes_at,
        withdrawn_at=listing.withdrawn_at,
    )


def shown_quote(quote: Quote) -> QuoteOut:
    """Tell a quote."""
    return QuoteOut(
        id=quote.public,
        listing=public_id(LISTING_PREFIX, quote.listing),
        quantity_kg=quote.quantity_kg,
        due_fen=quote.due_fen,
        expires_at=quote.expires_at,
    )


def shown_purchase(purchase: Purchase, payments: Payments, *, at: datetime) -> PurchaseOut:
    """Tell a purchase, and while it is reserved how to pay for it."""
    state, retirement = purchase.state(at), purchase.retirement
    is_payable = state is PurchaseState.RESERVED
    pay = InstructionsOut(**payments.instructions(purchase)._asdict()) if is_payable else None
    return PurchaseOut(
        id=purchase.public,
        state=state,
        listing=public_id(LISTING_PREFIX, purchase.listing),
        seller=SORT.named(purchase.seller),
        buyer=SORT.named(purchase.buyer),
        batch=batch_name(purchase.batch),
        quantity_kg=purchase.quantity_kg,
        due_fen=purchase.due_fen,
        bought_at=purchase.bought_at,
        expires_at=purchase.expires_at,
        ended_at=purchase.ended_at,
        pay=pay,
        purpose=purchase.purpose,
        retirement=retirement and public_id(RETIREMENT_PREFIX, retirement),
        not_retired=purchase.unretired,
    )
