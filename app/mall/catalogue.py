"""The catalogue (商品目录): what is on sale now, by trading merchants, for anybody to read.

Words are looked for anywhere in titles, texts and the merchant's names, with ILIKE: half of what is
typed is two Chinese characters, of which a trigram index knows nothing; see docs/decisions/0028.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlmodel import Session

from app.kernel.clock import day_of
from app.kernel.db import driver
from app.mall.categories import Category
from app.mall.offer_rules import Content, OfferKind
from app.mall.offers import CONTENT, content_of
from app.mall.order_errors import OfferUnknown

WORDS_MAX: Final = 8
_SPECIAL: Final = str.maketrans({"\\": r"\\", "%": r"\%", "_": r"\_"})

_ON_SALE: Final = f"""
select o.id, o.version, o.published_at, m.id, m.name_zh, m.name_en,
       least(s.stocked - s.taken, o.per_day - coalesce(d.taken, 0)), {CONTENT}
  from offer o
  join merchant m on m.id = o.merchant
  join offer_stock s on s.offer = o.id
  left join offer_day d on d.offer = o.id and d.day = %(today)s
 where o.state = 'published' and m.suspended_at is null
   and o.sale_from <= %(at)s and %(at)s < o.sale_to"""  # noqa: S608 -- columns of our own
_ONE: Final = f"{_ON_SALE} and o.id = %(offer)s"
_LIST: Final = f"""{_ON_SALE}
   and (%(category)s::text is null or o.category = %(category)s)
   and (%(kind)s::text is null or o.kind = %(kind)s)
   and (%(merchant)s::uuid is null or o.merchant = %(merchant)s)
   and (%(price_min)s::int8 is null or o.price_points >= %(price_min)s)
   and (%(price_max)s::int8 is null or o.price_points <= %(price_max)s)
   and concat_ws(' ', o.title_zh, o.title_en, o.text_zh, o.text_en, m.name_zh, m.name_en)
       ilike all (%(patterns)s::text[])
   and (%(published_at)s::timestamptz is null
        or (o.published_at, o.id) < (%(published_at)s, %(before)s::uuid))
 order by o.published_at desc, o.id desc limit %(limit)s"""
_SHOWN: Final = """
select exists (select from offer where images @> array[%s]::text[] and state = 'published')"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody looks for; ``None`` is anything."""

    words: str | None = None
    category: Category | None = None
    kind: OfferKind | None = None
    merchant: UUID | None = None
    price_min: int | None = None
    price_max: int | None = None


@dataclass(frozen=True, slots=True)
class OnSale:
    """An offer as anybody sees it."""

    id: UUID
    version: int
    published_at: datetime
    merchant: UUID
    merchant_zh: str
    merchant_en: str
    left: int
    """Of stock, and of what today allows."""
    content: Content


def on_sale(
    session: Session,
    wanted: Wanted,
    *,
    after: tuple[datetime, UUID] | None,
    limit: int,
    at: datetime,
) -> Sequence[OnSale]:
    """List what is on sale, the newest first; ``after`` is the place of the one before."""
    published_at, before = after or (None, None)
    asked = {
        "at": at,
        "today": day_of(at),
        "category": wanted.category and wanted.category.value,
        "kind": wanted.kind and wanted.kind.value,
        "merchant": wanted.merchant,
        "price_min": wanted.price_min,
        "price_max": wanted.price_max,
        "patterns": patterns(wanted.words or ""),
        "published_at": published_at,
        "before": before,
        "limit": limit,
    }
    return [_on_sale(*row) for row in driver(session).execute(_LIST, asked).fetchall()]


def one_on_sale(session: Session, offer: UUID | None, *, at: datetime) -> OnSale:
    """Give an offer that is on sale.

    Raises:
        OfferUnknown: There is none, or not now.
    """
    asked = {"at": at, "today": day_of(at), "offer": offer}
    row = driver(session).execute(_ONE, asked).fetchone()
    if row is None:
        raise OfferUnknown
    return _on_sale(*row)


def is_shown(session: Session, image: str) -> bool:
    """Say whether any published offer has this picture."""
    row = driver(session).execute(_SHOWN, (image,)).fetchone()
    return row == (True,)


def patterns(words: str) -> list[str]:
    r"""Make of each word what ILIKE finds it by.

    >>> patterns("冰 100%")
    ['%冰%', '%100\\%%']
    """
    return [f"%{word.translate(_SPECIAL)}%" for word in words.split()[:WORDS_MAX]]


def _on_sale(  # noqa: PLR0917 -- the columns of the statements
    id_: UUID,
    version: int,
    published_at: datetime,
    merchant: UUID,
    merchant_zh: str,
    merchant_en: str,
    left: int,
    *content: Any,  # noqa: ANN401 -- likewise
) -> OnSale:
    seller = (merchant, merchant_zh, merchant_en)
    return OnSale(id_, version, published_at, *seller, max(left, 0), content_of(*content))
