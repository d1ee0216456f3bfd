"""What something costs, and whom the money reaches (市场规则): values in, values out."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

KG_PER_TONNE = 1_000


class PurchaseState(StrEnum):
    """What a purchase is (购买状态)."""

    RESERVED = "reserved"
    PAID = "paid"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


def due_fen(quantity_kg: int, price_fen: int) -> int:
    """Give what a quantity costs at a price for a tonne, rounded up once.

    >>> due_fen(1_000, 7_350), due_fen(1, 7_350), due_fen(1_001, 7_350)
    (7350, 8, 7358)
    """
    return -(-quantity_kg * price_fen // KG_PER_TONNE)


def state_at(outcome: str | None, expires_at: datetime, at: datetime) -> PurchaseState:
    """Give a purchase's state: past its end it is expired, whatever the job has done."""
    if outcome is not None:
        return PurchaseState(outcome)
    return PurchaseState.EXPIRED if expires_at <= at else PurchaseState.RESERVED


def is_enough(quantity_kg: int, minimum_kg: int, left_kg: int) -> bool:
    """Say whether a purchase may be of so little: what is left goes whole, however small.

    >>> is_enough(999, 1_000, 5_000), is_enough(999, 1_000, 999)
    (False, True)
    """
    return quantity_kg >= min(minimum_kg, left_kg)


def split(whole: int, weights: Sequence[int]) -> list[int]:
    """Split a sum in proportion to weights, by largest remainder: the parts are the sum.

    Of equal remainders the first comes first.

    >>> split(10, [1, 1, 1]), split(1, [3, 5]), split(0, [7])
    ([4, 3, 3], [0, 1], [0])
    """
    total = sum(weights)
    parts = [whole * weight // total for weight in weights]
    left = whole - sum(parts)
    by_rest = sorted(range(len(weights)), key=lambda n: (-(whole * weights[n] % total), n))
    for n in by_rest[:left]:
        parts[n] += 1
    return parts
