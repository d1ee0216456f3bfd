"""The demo's market (演示商城): two merchants that there are not, and what they sell for points.

By the commands that merchants and desk use; every name says that it is a demonstration.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlmodel import Session

from app.kernel.secrets import Keys
from app.mall.categories import Category
from app.mall.offer_rules import Content, OfferKind
from app.mall.offers import add_offers, approve, submit
from app.merchants import MerchantKind, NewMerchant, Terms, merchants, open_merchant

SOLD: Final = timedelta(days=365)
MERCHANTS_MAX: Final = 1_000
TERMS: Final = Terms(fee_permille=20, offline_cap_points=5_000)


@dataclass(frozen=True, slots=True)
class DemoOffer:
    """What a demo merchant sells."""

    kind: OfferKind
    category: Category
    title_zh: str
    title_en: str
    price_points: int
    stocked: int
    price_fen: int = 0
    per_person: int | None = None
    per_day: int | None = None


@dataclass(frozen=True, slots=True)
class DemoMerchant:
    """Who sells it."""

    kind: MerchantKind
    name_zh: str
    name_en: str
    registration: str
    """Of the form of a unified social credit code, and of nobody."""
    offers: Sequence[DemoOffer]


COFFEE: Final = (
    DemoOffer(
        OfferKind.GOODS,
        Category.FOOD,
        "自带杯美式",
        "An americano in your cup",
        price_points=40,
        stocked=300,
        price_fen=990,
    ),
    DemoOffer(OfferKind.GOODS, Category.FOOD, "自带杯拿铁", "A latte in your cup", 300, 200),
    DemoOffer(
        OfferKind.COUPON,
        Category.FOOD,
        "早餐五折券",
        "Half-price breakfast",
        price_points=120,
        stocked=500,
        per_person=2,
        per_day=50,
    ),
    DemoOffer(
        OfferKind.TICKET,
        Category.CULTURE,
        "咖啡渣手作课",
        "Coffee-ground crafts",
        price_points=900,
        stocked=24,
        per_person=1,
    ),
)
TREES: Final = (
    DemoOffer(OfferKind.DONATION, Category.CHARITY, "种一株红树", "Plant a mangrove", 50, 10_000),
)
MERCHANTS: Final = (
    DemoMerchant(
        MerchantKind.BUSINESS,
        "绿荫咖啡(演示)",
        "Shade Coffee (demo)",
        "91440300MA5DEM0A0G",
        COFFEE,
    ),
    DemoMerchant(
        MerchantKind.PUBLIC_BENEFIT,
        "红树林守护(演示)",
        "Mangrove Watch (demo)",
        "53440300MJDEM0B01Q",
        TREES,
    ),
)


def open_shop(
    session: Session, keys: Keys, each: DemoMerchant, ids: Sequence[UUID], *, at: datetime
) -> None:
    """Open a merchant with its offers on sale, unless it is there. Idempotent.

    Args:
        session: Of the command.
        keys: Of the city.
        each: The merchant.
        ids: One for it, and one for each of its offers.
        at: Now.
    """
    there = merchants(session, after=None, limit=MERCHANTS_MAX)
    if any(one.registration == each.registration for one in there):
        return
    shop, *offers = ids
    new = NewMerchant(shop, each.kind, each.name_zh, each.name_en, each.registration)
    open_merchant(session, keys, new, TERMS, at=at)
    wanted = [
        (id_, _content(offer, at), offer.stocked)
        for id_, offer in zip(offers, each.offers, strict=True)
    ]
    for offer in add_offers(session, shop, wanted, at=at):
        sent = submit(session, offer.id, shop)
        approve(session, sent.id, sent.version, at=at)


def _content(offer: DemoOffer, at: datetime) -> Content:
    return Content(
        kind=offer.kind,
        category=offer.category,
        title_zh=f"{offer.title_zh}(演示)",
        title_en=f"{offer.title_en} (demo)",
        text_zh="演示商品，不可真实兑换。",
        text_en="A demonstration; nobody hands it over.",
        price_points=offer.price_points,
        price_fen=offer.price_fen,
        per_person=offer.per_person,
        per_day=offer.per_day,
        sale_from=at,
        sale_to=at + SOLD,
        voucher_days=30,
    )
