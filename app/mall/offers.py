"""Offers as merchant and desk keep them (商品): every change locks the offer's row first.

A change of content counts the version up and takes the offer off the shelf until the desk has seen
it; stock is no content. Orders read an offer without a lock and name the version they were shown.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlmodel import Session

from app.kernel.db import driver
from app.mall.categories import Category
from app.mall.offer_errors import (
    ImageForeign,
    ImagesMany,
    OfferChanged,
    OffersMany,
    StockTaken,
    TagStale,
)
from app.mall.offer_rules import (
    IMAGES_MAX,
    OFFERS_MAX,
    Content,
    Offer,
    OfferKind,
    OfferState,
    Step,
    check_content,
    state_after,
)
from app.mall.order_errors import OfferUnknown
from app.merchants import find_merchant

STANDING: Final = 4
"""Columns between an offer's state and its content."""
CONTENT: Final = """
o.kind, o.category, o.title_zh, o.title_en, o.text_zh, o.text_en, o.price_points, o.price_fen,
o.per_person, o.per_day, o.sale_from, o.sale_to, o.voucher_days, o.images"""
_OFFER: Final = f"""
select o.id, o.merchant, s.stocked, s.taken, o.state, o.version, o.created_at, o.reason,
       o.published_at, {CONTENT}
  from offer o join offer_stock s on s.offer = o.id"""  # noqa: S608 -- columns of our own
_FIND: Final = f"{_OFFER} where o.id = %s and (%s::uuid is null or o.merchant = %s)"
_LOCK: Final = f"{_FIND} for update of o"
_LIST: Final = f"""{_OFFER}
 where (%(merchant)s::uuid is null or o.merchant = %(merchant)s)
   and (%(state)s::text is null or o.state = %(state)s)
   and (%(before)s::uuid is null or o.id < %(before)s)
 order by o.id desc limit %(limit)s"""
_COUNT: Final = "select count(*) from offer where merchant = %s"
_TURN: Final = "select from merchant where id = %s for no key update"
_ADD: Final = """
insert into offer (id, merchant, state, created_at, kind, category, title_zh, title_en, text_zh,
                   text_en, price_points, price_fen, per_person, per_day, sale_from, sale_to,
                   voucher_days, images)
values (%s, %s, 'draft', %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"""
_STOCK: Final = "insert into offer_stock (offer, stocked) values (%s, %s)"
_EDIT: Final = """
update offer
   set state = %s, version = version + 1, reason = null, kind = %s, category = %s, title_zh = %s,
       title_en = %s, text_zh = %s, text_en = %s, price_points = %s, price_fen = %s,
       per_person = %s, per_day = %s, sale_from = %s, sale_to = %s, voucher_days = %s, images = %s
 where id = %s"""
_RESTOCK: Final = "update offer_stock set stocked = %s where offer = %s and taken <= %s"
_MOVE: Final = """
update offer set state = %s, reason = %s, published_at = coalesce(%s, published_at)
 where id = %s"""
_KEEP: Final = """
insert into offer_published
select id, version, kind, title_zh, title_en, price_points, price_fen, published_at
  from offer where id = %s on conflict do nothing"""


def add_offer(
    session: Session, offer: UUID, merchant: UUID, content: Content, stocked: int, *, at: datetime
) -> Offer:
    """Add a draft.

    Raises:
        DonationOnly, WindowInvalid, OffersMany: See their own words.
    """
    (made,) = add_offers(session, merchant, [(offer, content, stocked)], at=at)
    return made


def add_offers(
    session: Session, merchant: UUID, new: Sequence[tuple[UUID, Content, int]], *, at: datetime
) -> list[Offer]:
    """Add drafts, all or none: id, content and stock of each.

    Raises:
        DonationOnly, WindowInvalid, OffersMany: See their own words.
    """
    connection, kind = driver(session), find_merchant(session, merchant).kind
    connection.execute(_TURN, (merchant,))
    found = connection.execute(_COUNT, (merchant,)).fetchone()
    assert found is not None
    if found[0] + len(new) > OFFERS_MAX:
        raise OffersMany(most=OFFERS_MAX)
    for offer, content, stocked in new:
        check_content(content, kind)
        connection.execute(_ADD, (offer, merchant, at, *_row(content)))
        connection.execute(_STOCK, (offer, stocked))
    return [
        Offer(offer, merchant, content, stocked, 0, OfferState.DRAFT, 1, at)
        for offer, content, stocked in new
    ]


def find_offer(session: Session, offer: UUID | None, *, merchant: UUID | None = None) -> Offer:
    """Give an offer; one of ``merchant``, where that is named.

    Raises:
        OfferUnknown: There is none.
    """
    return _found(session, _FIND, offer, merchant)


def offers(
    session: Session,
    *,
    merchant: UUID | None,
    state: OfferState | None,
    before: UUID | None,
    limit: int,
) -> Sequence[Offer]:
    """List offers in any state, the newest first."""
    asked = {"merchant": merchant, "state": state and state.value, "before": before, "limit": limit}
    return [_offer(*row) for row in driver(session).execute(_LIST, asked).fetchall()]


def change(
    session: Session,
    offer: UUID | None,
    merchant: UUID,
    tags: frozenset[str],
    changes: Mapping[str, Any],
) -> Offer:
    """Change a merchant's offer as it was read: ``stocked``, or any field of its content.

    What stays as it was is no change: only other content counts the version up.

    Raises:
        OfferUnknown, TagStale, StockTaken, ImageForeign, DonationOnly, WindowInvalid: See there.
    """
    was = _found(session, _LOCK, offer, merchant)
    if was.tag not in tags and "*" not in tags:
        raise TagStale(tag=was.tag)
    stocked: int = changes.get("stocked", was.stocked)
    if stocked != was.stocked:
        _restock(session, was, stocked)
    content = replace(was.content, **{name: changes[name] for name in changes if name != "stocked"})
    images = set(content.images)
    if not images <= set(was.content.images) or len(images) < len(content.images):
        raise ImageForeign
    if content != was.content:
        _edit(session, was, content)
    return _found(session, _FIND, was.id, merchant)


def add_image(session: Session, offer: UUID | None, merchant: UUID, image: str) -> Offer:
    """Show one more picture of an offer, after those it has; the same one again changes nothing.

    Raises:
        OfferUnknown, ImagesMany: See their own words.
    """
    was = _found(session, _LOCK, offer, merchant)
    images = was.content.images
    if image in images:
        return was
    if len(images) >= IMAGES_MAX:
        raise ImagesMany(most=IMAGES_MAX)
    _edit(session, was, replace(was.content, images=(*images, image)))
    return _found(session, _FIND, was.id, merchant)


def submit(session: Session, offer: UUID | None, merchant: UUID) -> Offer:
    """Ask the desk to publish an offer.

    Raises:
        OfferUnknown, OfferStuck: See their own words.
    """
    return _move(session, _found(session, _LOCK, offer, merchant), Step.SUBMIT)


def withdraw(session: Session, offer: UUID | None, merchant: UUID) -> Offer:
    """Take an offer back; what was ordered of it stays ordered.

    Raises:
        OfferUnknown, OfferStuck: See their own words.
    """
    return _move(session, _found(session, _LOCK, offer, merchant), Step.WITHDRAW)


def approve(session: Session, offer: UUID | None, version: int, *, at: datetime) -> Offer:
    """Publish the version that a clerk has read, and keep it as it is sold.

    Raises:
        OfferUnknown, OfferChanged, OfferStuck: See their own words.
    """
    made = _move(session, _read(session, offer, version), Step.APPROVE, at=at)
    driver(session).execute(_KEEP, (made.id,))
    return made


def refuse(session: Session, offer: UUID | None, version: int, reason: str) -> Offer:
    """Refuse the version that a clerk has read, or take it off the shelf.

    Raises:
        OfferUnknown, OfferChanged, OfferStuck: See their own words.
    """
    return _move(session, _read(session, offer, version), Step.REFUSE, reason=reason)


def _read(session: Session, offer: UUID | None, version: int) -> Offer:
    found = _found(session, _LOCK, offer, None)
    if found.version != version:
        raise OfferChanged(version=found.version)
    return found


def _move(
    session: Session,
    was: Offer,
    step: Step,
    *,
    reason: str | None = None,
    at: datetime | None = None,
) -> Offer:
    state = state_after(step, was.state)
    driver(session).execute(_MOVE, (state.value, reason, at, was.id))
    return replace(was, state=state, reason=reason, published_at=at or was.published_at)


def _edit(session: Session, was: Offer, content: Content) -> None:
    check_content(content, find_merchant(session, was.merchant).kind)
    state = state_after(Step.EDIT, was.state)
    driver(session).execute(_EDIT, (state.value, *_row(content), was.id))


def _restock(session: Session, was: Offer, stocked: int) -> None:
    if not driver(session).execute(_RESTOCK, (stocked, was.id, stocked)).rowcount:
        raise StockTaken(taken=was.taken)


def _found(session: Session, query: Any, offer: UUID | None, merchant: UUID | None) -> Offer:  # noqa: ANN401 -- one of our statements
    row = offer and driver(session).execute(query, (offer, merchant, merchant)).fetchone()
    if not row:
        raise OfferUnknown
    return _offer(*row)


def _row(content: Content) -> tuple[object, ...]:
    return (
        content.kind.value,
        content.category.value,
        content.title_zh,
        content.title_en,
        content.text_zh,
        content.text_en,
        content.price_points,
        content.price_fen,
        content.per_person,
        content.per_day,
        content.sale_from,
        content.sale_to,
        content.voucher_days,
        list(content.images),
    )


def content_of(kind: str, category: str, *plain: Any) -> Content:  # noqa: ANN401 -- the columns
    """Read ``CONTENT`` back."""
    told, images = plain[:-1], plain[-1]
    return Content(*(OfferKind(kind), Category(category), *told), images=tuple(images))


def _offer(
    id_: UUID,
    merchant: UUID,
    stocked: int,
    taken: int,
    state: str,
    *rest: Any,  # noqa: ANN401 -- likewise
) -> Offer:
    standing, content = rest[:STANDING], rest[STANDING:]
    return Offer(id_, merchant, content_of(*content), stocked, taken, OfferState(state), *standing)
