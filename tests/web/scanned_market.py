"""What a scan finds on the market (受扫描的市场): a listing, a quote and a purchase."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from app.city import City
from app.kernel.clock import now
from app.kernel.ids import new_id
from app.market import buy
from app.market.listings import Terms, list_units
from app.market.purchases import Buying
from app.market.quotes import Quote, quote
from tests.support.organisations import Office, organisation
from tests.support.retirements import issued_to

UNITS_KG: Final = 100_000
PART_KG: Final = 5_000
DAY: Final = timedelta(days=1)


def traded(city: City, office: Office) -> Mapping[str, str]:
    """Let another organisation list units, and this one ask their price and buy some."""
    db, at, whose = city.db, now(), office.organisation
    seller = organisation(db, city.keys, 2).organisation
    own = issued_to(db, whose.owner, UNITS_KG, at=at)
    batch = issued_to(db, seller.owner, UNITS_KG, at=at)
    terms = Terms(batch.id, UNITS_KG, 1, 1, at, at + 30 * DAY)
    facts: dict[str, Any] = {"listing": new_id(), "by": seller.public, "at": at}
    listing = db.transact(list_units, (seller.id, seller.owner), terms, **facts)

    def asked() -> Quote:
        wanted = (whose.id, listing.id, PART_KG)
        said: dict[str, Any] = {"quote": new_id(), "by": whose.public, "valid_for": DAY, "at": at}
        return db.transact(quote, *wanted, **said)

    buying = Buying(whose.id, whose.owner, whose.public, DAY)
    ids: dict[str, Any] = {"purchase": new_id(), "held": new_id(), "at": at}
    bought = db.transact(buy, buying, asked().id, None, **ids)
    return {
        "batch": own.public,
        "listing": listing.public,
        "listing_id": listing.public,
        "quote": asked().public,
        "purchase_id": bought.public,
        "organisation": whose.public,
        "organisation_id": whose.public,
        "closes_at": (at + 30 * DAY).isoformat(),
    }
