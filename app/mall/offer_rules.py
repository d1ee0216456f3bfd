"""What an offer is, and what may be done to it when (商品规则)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from app.kernel.ids import public_id
from app.mall.categories import Category
from app.mall.offer_errors import DonationOnly, OfferStuck, WindowInvalid
from app.merchants import MerchantKind

PREFIX: Final = "off"
IMAGES_MAX: Final = 8
YEARS: Final = frozenset(range(2020, 2100))
OFFERS_MAX: Final = 2_000
"""Of a merchant, withdrawn ones too."""


class OfferKind(StrEnum):
    """What points buy."""

    GOODS = "goods"
    COUPON = "coupon"
    TICKET = "ticket"
    DONATION = "donation"
    """Given to a public cause, and redeemed as it is ordered."""


class OfferState(StrEnum):
    """Where an offer stands between merchant and desk."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    PUBLISHED = "published"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class Step(StrEnum):
    """What moves an offer on."""

    EDIT = "edit"
    """Any change of its content."""
    SUBMIT = "submit"
    WITHDRAW = "withdraw"
    APPROVE = "approve"
    REFUSE = "refuse"
    """By the desk: before publication, or to take it down."""


@dataclass(frozen=True, slots=True)
class Content:
    """All of an offer that a customer is shown, and the desk approves."""

    kind: OfferKind
    category: Category
    title_zh: str
    title_en: str
    text_zh: str
    text_en: str
    price_points: int
    price_fen: int
    """Paid besides, at the till."""
    per_person: int | None
    per_day: int | None
    sale_from: datetime
    sale_to: datetime
    voucher_days: int
    images: tuple[str, ...] = ()
    """SHA-256 of each picture as it is served, in hex."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What a merchant sells for points (商品), as merchant and desk see it."""

    id: UUID
    merchant: UUID
    content: Content
    stocked: int
    """All that there ever were of it."""
    taken: int
    state: OfferState
    version: int
    """Of the content: counts every change of it."""
    created_at: datetime
    reason: str | None = None
    """Why the desk refused it."""
    published_at: datetime | None = None

    @property
    def public(self) -> str:
        """The public id."""
        return public_id(PREFIX, self.id)

    @property
    def tag(self) -> str:
        """Name all of it that merchant and desk change; what customers take is not theirs."""
        return f'"{self.version}-{self.state}-{self.stocked}"'


_ANY: Final = frozenset(OfferState)
_STEPS: Final[Mapping[Step, tuple[frozenset[OfferState], OfferState]]] = {
    Step.EDIT: (_ANY, OfferState.DRAFT),
    Step.SUBMIT: (
        frozenset({OfferState.DRAFT, OfferState.WITHDRAWN}),
        OfferState.SUBMITTED,
    ),
    Step.WITHDRAW: (
        frozenset({OfferState.SUBMITTED, OfferState.PUBLISHED}),
        OfferState.WITHDRAWN,
    ),
    Step.APPROVE: (frozenset({OfferState.SUBMITTED}), OfferState.PUBLISHED),
    Step.REFUSE: (
        frozenset({OfferState.SUBMITTED, OfferState.PUBLISHED}),
        OfferState.REFUSED,
    ),
}


def state_after(step: Step, state: OfferState) -> OfferState:
    """Give the state that a step leads to.

    >>> state_after(Step.EDIT, OfferState.PUBLISHED)
    <OfferState.DRAFT: 'draft'>

    Raises:
        OfferStuck: It leads nowhere from here.
    """
    starts, end = _STEPS[step]
    if state not in starts:
        raise OfferStuck(state=state.value)
    return end


def check_content(content: Content, merchant: MerchantKind) -> None:
    """Pass content that this kind of merchant may offer.

    Raises:
        DonationOnly, WindowInvalid: See their own words.
    """
    years = {content.sale_from.year, content.sale_to.year}
    if content.sale_to <= content.sale_from or not years <= YEARS:
        raise WindowInvalid
    is_donation = content.kind is OfferKind.DONATION
    if is_donation and (merchant is not MerchantKind.PUBLIC_BENEFIT or content.price_fen):
        raise DonationOnly
