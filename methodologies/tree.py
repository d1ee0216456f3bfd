"""The checked tree of an expression: every node knows its unit, every constant is exact.

Constants are fractions and are folded while the tree is built, so that what is left to do for an
act is the arithmetic on its inputs, in an order that stays exact as long as it can.
"""

from dataclasses import dataclass
from fractions import Fraction

from .units import NO_UNIT, Unit


@dataclass(frozen=True, slots=True)
class Constant:
    """A number with its unit."""

    value: Fraction
    unit: Unit


@dataclass(frozen=True, slots=True)
class Variable:
    """An input or an earlier step, by its name in the compiled code."""

    code: str
    unit: Unit


@dataclass(frozen=True, slots=True)
class Lookup:
    """A table read at the row that a choice names."""

    table: str
    key: str
    unit: Unit


@dataclass(frozen=True, slots=True)
class Scaled:
    """A quantity times an exact constant."""

    of: "Quantity"
    by: Fraction
    unit: Unit


@dataclass(frozen=True, slots=True)
class Binary:
    """``+ - * /`` of two quantities; for + and - both are already in one unit."""

    operator: str
    left: "Quantity"
    right: "Quantity"
    unit: Unit


@dataclass(frozen=True, slots=True)
class Extreme:
    """``min`` or ``max`` of quantities in one unit."""

    function: str
    of: tuple["Quantity", ...]
    unit: Unit


@dataclass(frozen=True, slots=True)
class Choose:
    """``a if test else b``, both in one unit."""

    test: "Truth"
    then: "Quantity"
    other: "Quantity"
    unit: Unit


@dataclass(frozen=True, slots=True)
class Word:
    """The value of a choice; it can only be compared with one of its options."""

    code: str
    options: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Compare:
    """A comparison of quantities in one unit."""

    operator: str
    left: "Quantity"
    right: "Quantity"


@dataclass(frozen=True, slots=True)
class Is:
    """Whether a choice is, or is not, one of its options."""

    operator: str
    word: Word
    option: str


@dataclass(frozen=True, slots=True)
class Logic:
    """``and``, ``or`` and ``not``."""

    operator: str
    of: tuple["Truth", ...]


@dataclass(frozen=True, slots=True)
class Known:
    """``True`` or ``False``, written out."""

    value: bool


Quantity = Constant | Variable | Lookup | Scaled | Binary | Extreme | Choose
Truth = Compare | Is | Logic | Known
Node = Quantity | Truth | Word


def scaled(of: Quantity, by: Fraction, unit: Unit) -> Quantity:
    """Multiply by a constant, folding what can be folded."""
    if isinstance(of, Constant):
        return Constant(of.value * by, unit)
    if isinstance(of, Scaled):
        of, by = of.of, of.by * by
    return Scaled(of, by, unit)


def product(left: Quantity, right: Quantity) -> Quantity:
    """Multiply two quantities."""
    unit = left.unit * right.unit
    if isinstance(right, Constant):
        return scaled(left, right.value, unit)
    if isinstance(left, Constant):
        return scaled(right, left.value, unit)
    return Binary("*", left, right, unit)


def quotient(left: Quantity, right: Quantity) -> Quantity:
    """Divide two quantities; a constant divisor is not zero."""
    unit = left.unit / right.unit
    if isinstance(right, Constant):
        return scaled(left, 1 / right.value, unit)
    return Binary("/", left, right, unit)


def is_bare_zero(node: Quantity) -> bool:
    """Whether the node is a plain ``0``, which stands for nothing of any unit."""
    return isinstance(node, Constant) and node.value == 0 and node.unit == NO_UNIT
