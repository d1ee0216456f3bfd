"""What the registry decides without asking anybody (登记规则): values in, values out."""

from collections.abc import Iterable
from decimal import Decimal, localcontext
from typing import Final, NamedTuple

from ledger.assets import MG_PER_KG

PERMILLE: Final = 1000
Z_95: Final = Decimal("1.959964")
"""The 97.5th percentile of the normal distribution: an interval of 95 %, two-sided."""
_PLACES: Final = Decimal("0.000001")


class Issue(NamedTuple):
    """Whole units out of so many milligrams; what is left of a kilogram stays in the pool."""

    quantity_kg: int
    buffer_kg: int
    """Of these, what the buffer keeps."""
    residue_mg: int


class Units(NamedTuple):
    """Units of a batch, by their numbers; both ends belong to them."""

    first: int
    last: int


class ErrorRate(NamedTuple):
    """How much of a sample was wrong, and between which shares the lot's own lies."""

    wrong: int
    sampled: int
    rate: Decimal
    low: Decimal
    high: Decimal


def issue_of(mg: int, buffer_permille: int) -> Issue:
    """Cut milligrams into units; the buffer's share is rounded up.

    >>> issue_of(12_345_678, 50)
    Issue(quantity_kg=12, buffer_kg=1, residue_mg=345678)
    """
    quantity, residue = divmod(mg, MG_PER_KG)
    return Issue(quantity, -(-quantity * buffer_permille // PERMILLE), residue)


def error_rate(verdicts: Iterable[bool]) -> ErrorRate | None:
    """Give the share of rows that were wrong, with Wilson's interval of 95 %; None of no rows.

    Wilson, E. B. (1927), "Probable inference, the law of succession, and statistical inference",
    Journal of the American Statistical Association 22 (158), 209-212; as in NIST/SEMATECH
    e-Handbook of Statistical Methods, 7.2.4.1. Ends are rounded outward, to a millionth.

    >>> error_rate([True] + [False] * 9)[2:]
    (Decimal('0.100000'), Decimal('0.017876'), Decimal('0.404151'))
    """
    told = list(verdicts)
    if not told:
        return None
    with localcontext(prec=40):
        n, wrong = Decimal(len(told)), Decimal(sum(told))
        share, square = wrong / n, Z_95 * Z_95
        middle = share + square / (2 * n)
        spread = Z_95 * (share * (1 - share) / n + square / (4 * n * n)).sqrt()
        low, high = ((middle + sign * spread) / (1 + square / n) for sign in (-1, 1))
        return ErrorRate(
            int(wrong),
            len(told),
            share.quantize(_PLACES),
            max(low, Decimal()).quantize(_PLACES, rounding="ROUND_FLOOR"),
            min(high, Decimal(1)).quantize(_PLACES, rounding="ROUND_CEILING"),
        )


def units_at(first_mg: int, start_mg: int, end_mg: int) -> Units:
    """Say which units of a batch hold a stretch of its series, [start, end).

    >>> units_at(5_000_000, 5_900_000, 7_000_001)
    Units(first=1, last=3)
    """
    assert first_mg <= start_mg < end_mg, (first_mg, start_mg, end_mg)
    return Units((start_mg - first_mg) // MG_PER_KG + 1, (end_mg - 1 - first_mg) // MG_PER_KG + 1)


def due_kg(shortfall_mg: int, recalled_kg: int, replaced_kg: int) -> int:
    """Say how many whole kilograms a batch is short of that nothing has replaced yet.

    >>> due_kg(2_999_999, 3, 1)
    4
    """
    return shortfall_mg // MG_PER_KG + recalled_kg - replaced_kg
