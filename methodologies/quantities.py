"""Amounts as people write them, ``10.3 km``, read into the unit that a document uses."""

import re
from collections.abc import Mapping
from decimal import ROUND_DOWN, Decimal
from fractions import Fraction
from typing import Final

from .compiling import CONTEXT
from .document import Document
from .units import CO2E_MG, MASS_MG, Unit, UnknownUnit, conversion, parse_unit

_QUANTITY: Final = re.compile(
    r"(-?[0-9]{1,18}(?:\.[0-9]{1,18})?)\s?([^\s0-9.\-].{0,39})?", re.ASCII
)
_PLACES: Final = Decimal("0.000001")
"""What an amount is cut to, downwards, when its conversion has no end."""


class BadQuantity(ValueError):  # noqa: N818 -- a state, as house.md §3.8 names them
    """The text is no amount, or not of the wanted dimension."""

    code = "quantity.malformed"


def parse_quantity(text: str, *, to: str) -> Decimal:
    """Read an amount and express it in the unit ``to``; a bare number is in ``to`` already.

    >>> parse_quantity("10300 m", to="km"), parse_quantity("4", to="kWh")
    (Decimal('10.3'), Decimal('4'))

    Raises:
        BadQuantity: It is not a plain number with a unit of that dimension.
    """
    return _converted(text, parse_unit(to))


def mass_mg(text: str) -> Decimal:
    """Read a mass of CO2e [mg]; plain mass is meant as CO2e here.

    >>> mass_mg("482.04 g")
    Decimal('482040')
    """
    try:
        return _converted(text, MASS_MG)
    except BadQuantity:
        return _converted(text, CO2E_MG)


def read_inputs(document: Document, given: Mapping[str, str]) -> dict[str, Decimal | str | None]:
    """Read what a person gave, by name, into the units of the document's inputs.

    A word for a choice and a name that no input has are left as they are: the methodology itself
    answers for those.

    Raises:
        BadQuantity: An amount cannot be read or has another dimension.
    """
    units = {each.name: each.unit for each in document.inputs if not each.is_choice}
    return {
        name: parse_quantity(text, to=units[name]) if name in units else text
        for name, text in given.items()
    }


def _converted(text: str, target: Unit) -> Decimal:
    found = _QUANTITY.fullmatch(text.strip())
    if found is None:
        raise BadQuantity(f"{text[:60]!r} is not an amount such as '10.3 km'")
    amount = Decimal(found[1])
    if not found[2]:
        return amount
    try:
        unit = parse_unit(found[2])
    except UnknownUnit as unknown:
        raise BadQuantity(str(unknown)) from None
    if not unit.has_dimension_of(target):
        raise BadQuantity(f"{text[:60]!r} cannot be expressed in {target}")
    exact = Fraction(amount) * conversion(unit, target)
    result = CONTEXT.divide(Decimal(exact.numerator), Decimal(exact.denominator))
    if Fraction(result) != exact:
        result = result.quantize(_PLACES, rounding=ROUND_DOWN, context=CONTEXT)
    return result
