"""The units a document may use, and what they convert to; everything else is refused.

`pint` does the algebra over a registry that holds these names only, with exact fractions. Grams of
CO2e are a dimension of their own, so kilograms of bottles never pass for kilograms of CO2e; plain
grams are read as CO2e only in a document that weighs nothing else. Counts (persons, trips,
meals, items, rooms, nights) are dimensions too: a factor per trip cannot meet a distance.
"""

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any, Final, cast

import pint

_DEFINITIONS: Final = """
g = [mass]
mg = g / 1000
kg = 1000 * g
t = 1000000 * g
gCO2e = [co2e]
mgCO2e = gCO2e / 1000
kgCO2e = 1000 * gCO2e
tCO2e = 1000000 * gCO2e
m = [length]
km = 1000 * m
m3 = m * m * m
L = m3 / 1000
J = [energy]
MJ = 1000000 * J
GJ = 1000000000 * J
TJ = 1000000000000 * J
Wh = 3600 * J
kWh = 3600000 * J
MWh = 3600000000 * J
s = [time]
min = 60 * s
h = 3600 * s
day = 86400 * s
W = J / s
kW = 1000 * W
MW = 1000000 * W
year = [calendar_year]
person = [person]
household = [household]
vehicle = [vehicle]
trip = [trip]
item = [item]
meal = [meal]
room = [room]
night = [night]
"""

_ALIASES: Final = {
    "passenger": "person",
    "p": "person",
    "ride": "trip",
    "piece": "item",
    "kgCO2": "kgCO2e",
    "gCO2": "gCO2e",
    "tCO2": "tCO2e",
    "litre": "L",
    "hour": "h",
    "d": "day",
}

_COMPOUNDS: Final = {"pkm": ("person", "km"), "vkm": ("vehicle", "km")}


class UnknownUnit(ValueError):  # noqa: N818 -- a state, as house.md §3.8 names them
    """The text names no unit of this registry."""


_REGISTRY: Final = cast("Any", pint).UnitRegistry(None, non_int_type=Fraction)
for _line in _DEFINITIONS.split("\n"):
    if _line:
        _REGISTRY.define(_line)


@dataclass(frozen=True, slots=True)
class Unit:
    """A product of powers of named units; pint's own unit is kept inside, where types are lax."""

    of: Any

    def __mul__(self, other: "Unit") -> "Unit":
        """Multiply; equal names add their powers."""
        return Unit(self.of * other.of)

    def __truediv__(self, other: "Unit") -> "Unit":
        """Divide; equal names cancel."""
        return Unit(self.of / other.of)

    def has_dimension_of(self, other: "Unit") -> bool:
        """Whether both measure the same thing.

        >>> parse_unit("km").has_dimension_of(parse_unit("m")), NO_UNIT.has_dimension_of(MASS_MG)
        (True, False)
        """
        return bool(self.of.dimensionality == other.of.dimensionality)

    @property
    def highest_power(self) -> int:
        """The highest power of any of its names, above the line or below it.

        >>> parse_unit("g/m^3").highest_power, NO_UNIT.highest_power
        (3, 0)
        """
        return max((abs(power) for _, power in self._powers()), default=0)

    def _powers(self) -> list[tuple[str, int]]:
        items = _REGISTRY.Quantity(1, self.of).unit_items()
        return [(str(name), int(power)) for name, power in items]

    @property
    def is_tagged(self) -> bool:
        """Whether the unit speaks of CO2e and not of plain mass."""
        return "[co2e]" in self.of.dimensionality

    @property
    def is_material(self) -> bool:
        """Whether the unit is a plain mass, which may be of bottles as well as of CO2e."""
        return self.has_dimension_of(MASS_MG)

    def __str__(self) -> str:
        """Write it as documents do.

        >>> str(parse_unit("g/pkm")), str(NO_UNIT)
        ('g/(km*person)', '1')
        """
        powers = sorted(self._powers())
        over = [_power_of(name, power) for name, power in powers if power > 0]
        under = [_power_of(name, -power) for name, power in powers if power < 0]
        top = "*".join(over) or "1"
        if not under:
            return top
        return f"{top}/{under[0]}" if len(under) == 1 else f"{top}/({'*'.join(under)})"


NO_UNIT: Final = Unit(_REGISTRY.Unit(""))
_NAMED: Final = re.findall(r"^(\w+) =", _DEFINITIONS, re.MULTILINE)
NAMES: Final[dict[str, Unit]] = {name: Unit(_REGISTRY.Unit(name)) for name in _NAMED}
NAMES.update({alias: NAMES[name] for alias, name in _ALIASES.items()})
NAMES.update({name: NAMES[a] * NAMES[b] for name, (a, b) in _COMPOUNDS.items()})

CO2E_MG: Final = NAMES["mgCO2e"]
MASS_MG: Final = NAMES["mg"]
_TEXT_MAX: Final = 40
_TAGGED: Final = re.compile(r"\b([km]?g|t)\s?CO2e?\b")
_TOKENS: Final = re.compile(r"\s*([A-Za-z][A-Za-z0-9]*|\^[23]|[*/·()]|1)")


@lru_cache(maxsize=512)
def parse_unit(text: str) -> Unit:
    """Read a unit.

    >>> str(parse_unit("g/pkm") * parse_unit("person * km"))
    'g'
    >>> str(parse_unit("kg CO2/kWh"))
    'kgCO2e/kWh'

    Raises:
        UnknownUnit: A name is not in the list above, or the text is not a product of names.
    """
    if len(text) > _TEXT_MAX:
        raise UnknownUnit("a unit has at most 40 characters")
    tokens = _tokens(_TAGGED.sub(r"\1CO2e", text.replace("₂", "2")))
    unit = _product(tokens)
    if tokens:
        raise UnknownUnit(f"cannot read the unit {text!r}")
    return unit


def conversion(source: Unit, target: Unit) -> Fraction:
    """Give the exact number of ``target`` in one ``source``; both are of one dimension.

    >>> conversion(parse_unit("kWh"), parse_unit("MJ"))
    Fraction(18, 5)
    """
    return Fraction(_REGISTRY.convert(Fraction(1), source.of, target.of))


def _power_of(name: str, power: int) -> str:
    return name if power == 1 else f"{name}^{power}"


def _tokens(text: str) -> list[str]:
    tokens: list[str] = []
    position = 0
    stripped = text.strip()
    while position < len(stripped):
        found = _TOKENS.match(stripped, position)
        if found is None:
            raise UnknownUnit(f"cannot read the unit {text!r}")
        tokens.append(found[1])
        position = found.end()
    tokens.reverse()
    return tokens


def _product(tokens: list[str]) -> Unit:
    unit = _power(tokens)
    while tokens and tokens[-1] != ")":
        operator = tokens.pop() if tokens[-1] in "*/·" else "*"
        unit = unit / _power(tokens) if operator == "/" else unit * _power(tokens)
    return unit


def _power(tokens: list[str]) -> Unit:
    if not tokens:
        raise UnknownUnit("a unit is missing")
    token = tokens.pop()
    if token == "(":  # noqa: S105 -- a bracket, not a password
        unit = _product(tokens)
        if not tokens or tokens.pop() != ")":
            raise UnknownUnit("a bracket is open")
    elif token == "1":  # noqa: S105 -- a number, not a password
        unit = NO_UNIT
    elif token in NAMES:
        unit = NAMES[token]
    else:
        raise UnknownUnit(f"no unit is called {token!r}")
    if tokens and tokens[-1].startswith("^"):
        unit = Unit(unit.of ** int(tokens.pop()[1:]))
    return unit
