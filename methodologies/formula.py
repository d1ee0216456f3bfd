"""The formula language: arithmetic, and nothing else, read through a whitelist of `ast` nodes.

``+ - * /``, comparisons, ``and or not``, ``min max``, ``a if test else b``, names, numbers, units
as names (``0.5 * km``), and ``choice == 'word'``. No calls, attributes, subscripts, powers or
loops; at most 500 characters and 40 levels. An expression that passes has a unit.
"""

import ast
import re
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Final

from . import tree
from .units import NAMES, NO_UNIT, Unit, conversion

LENGTH_MAX: Final = 500
_DEPTH_MAX: Final = 40
_DIGITS_MAX: Final = 18
_POWER_MAX: Final = 16
"""Of a unit: steps that square one another reach powers whose conversion fills the memory."""
_ARGUMENTS_MIN: Final = 2
_ARGUMENTS_MAX: Final = 8

_CHARACTERS: Final = re.compile(r"[A-Za-z0-9_ \t\r\n.+\-*/()<>=!,'\"]*")
_BAD_NUMBER: Final = re.compile(r"(?<![A-Za-z0-9_.])[0-9][0-9.]*[A-Za-z_]")
_NUMBER: Final = re.compile(r"[0-9]+\.?[0-9]*|\.[0-9]+")
_OPERATORS: Final[dict[type[ast.AST], str]] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.And: "and",
    ast.Or: "or",
}
_TRUTHS: Final = {"true": True, "false": False}


class BadFormula(Exception):  # noqa: N818 -- a state, as house.md §3.8 names them
    """The expression is not of the language, or its units do not fit."""

    def __init__(self, code: str, message: str) -> None:
        """Keep the code of the fault beside its message."""
        super().__init__(code, message)
        self.code = code
        self.message = message


def read(text: str, names: Mapping[str, tree.Node]) -> tree.Node:
    """Parse and check one expression over ``names``; units are known without being given.

    >>> from .units import parse_unit
    >>> km = tree.Variable("x0", parse_unit("km"))
    >>> str(read("distance * 46.8 * g / (passenger * km)", {"distance": km}).unit)
    'g/person'

    Raises:
        BadFormula: With the first fault of this expression.
    """
    if len(text) > LENGTH_MAX:
        raise BadFormula("formula.too_long", f"an expression has at most {LENGTH_MAX} characters")
    if not _CHARACTERS.fullmatch(text) or _BAD_NUMBER.search(text):
        raise BadFormula("formula.syntax", f"not arithmetic: {text[:60]!r}")
    try:
        parsed = ast.parse(" ".join(text.split()), mode="eval")
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise BadFormula("formula.syntax", f"cannot be read: {text[:60]!r}") from None
    return _Reader(text, names).node(parsed.body, 0)


def as_quantity(node: tree.Node) -> tree.Quantity:
    """Insist on a number."""
    if isinstance(node, tree.Quantity):
        return node
    raise BadFormula("formula.not_a_quantity", "a quantity is needed here")


def as_truth(node: tree.Node) -> tree.Truth:
    """Insist on a condition."""
    if isinstance(node, tree.Truth):
        return node
    raise BadFormula("formula.not_a_condition", "a condition is needed here")


def converted(node: tree.Quantity, unit: Unit) -> tree.Quantity:
    """Express ``node`` in ``unit``.

    Raises:
        BadFormula: The dimensions differ.
    """
    if tree.is_bare_zero(node):
        return tree.Constant(Fraction(0), unit)
    if not node.unit.has_dimension_of(unit):
        raise BadFormula("unit.mismatch", f"{node.unit} does not fit with {unit}")
    factor = conversion(node.unit, unit)
    return node if factor == 1 else tree.scaled(node, factor, unit)


class _Reader:
    """Walks one expression; a method for each kind of node that is let in."""

    def __init__(self, text: str, names: Mapping[str, tree.Node]) -> None:
        self._text = " ".join(text.split())
        self._names = names

    def node(self, node: ast.expr, depth: int) -> tree.Node:  # noqa: C901, PLR0911 -- the whitelist
        if depth > _DEPTH_MAX:
            raise BadFormula("formula.too_deep", f"nested deeper than {_DEPTH_MAX} levels")
        match node:
            case ast.Name():
                return self._name(node.id)
            case ast.Constant():
                return self._constant(node)
            case ast.BinOp():
                return self._arithmetic(node, depth)
            case ast.UnaryOp(op=ast.USub()):
                operand = as_quantity(self.node(node.operand, depth + 1))
                return tree.scaled(operand, Fraction(-1), operand.unit)
            case ast.UnaryOp(op=ast.Not()):
                return tree.Logic("not", (as_truth(self.node(node.operand, depth + 1)),))
            case ast.BoolOp():
                parts = tuple(as_truth(self.node(part, depth + 1)) for part in node.values)
                return tree.Logic(_OPERATORS[type(node.op)], parts)
            case ast.Compare():
                return self._comparison(node, depth)
            case ast.IfExp():
                return self._choice(node, depth)
            case ast.Call(func=ast.Name(id="min" | "max"), keywords=[]):
                return self._extreme(node, depth)
            case _:
                raise BadFormula("formula.not_allowed", f"{type(node).__name__} is not allowed")

    def _name(self, name: str) -> tree.Node:
        if name in self._names:
            return self._names[name]
        if name in _TRUTHS:
            return tree.Known(_TRUTHS[name])
        if name in NAMES:
            return tree.Constant(Fraction(1), NAMES[name])
        raise BadFormula("name.unknown", f"nothing is called {name!r}")

    def _constant(self, node: ast.Constant) -> tree.Node:
        if isinstance(node.value, bool):
            return tree.Known(node.value)
        written = ast.get_source_segment(self._text, node) or ""
        if not _NUMBER.fullmatch(written):
            raise BadFormula("formula.not_allowed", "text stands only beside == or !=")
        if len(written) > _DIGITS_MAX:
            raise BadFormula("formula.number_too_long", f"{written[:30]!r} has too many digits")
        return tree.Constant(Fraction(Decimal(written)), NO_UNIT)

    def _arithmetic(self, node: ast.BinOp, depth: int) -> tree.Quantity:
        operator = _OPERATORS.get(type(node.op))
        if operator is None:
            raise BadFormula("formula.not_allowed", f"{type(node.op).__name__} is not allowed")
        left = as_quantity(self.node(node.left, depth + 1))
        right = as_quantity(self.node(node.right, depth + 1))
        if operator == "*":
            return _bounded(tree.product(left, right))
        if operator == "/":
            if isinstance(right, tree.Constant) and right.value == 0:
                raise BadFormula("formula.division_by_zero", "the divisor is always zero")
            return _bounded(tree.quotient(left, right))
        left, right = _in_one_unit((left, right))
        if isinstance(left, tree.Constant) and isinstance(right, tree.Constant):
            sign = 1 if operator == "+" else -1
            return tree.Constant(left.value + sign * right.value, left.unit)
        return tree.Binary(operator, left, right, left.unit)

    def _comparison(self, node: ast.Compare, depth: int) -> tree.Truth:
        operands = [node.left, *node.comparators]
        parts: list[tree.Truth] = []
        for operator, left, right in zip(node.ops, operands, operands[1:], strict=False):
            symbol = _OPERATORS.get(type(operator))
            if symbol is None:
                raise BadFormula("formula.not_allowed", f"{type(operator).__name__} is not allowed")
            parts.append(self._pair(symbol, left, right, depth))
        return parts[0] if len(parts) == 1 else tree.Logic("and", tuple(parts))

    def _pair(self, operator: str, left: ast.expr, right: ast.expr, depth: int) -> tree.Truth:
        first = self.node(left, depth + 1)
        if not isinstance(first, tree.Word):
            a, b = _in_one_unit((as_quantity(first), as_quantity(self.node(right, depth + 1))))
            return tree.Compare(operator, a, b)
        option = right.value if isinstance(right, ast.Constant) else None
        if operator not in {"==", "!="} or option not in first.options:
            listed = ", ".join(first.options)
            raise BadFormula("formula.not_an_option", f"compare by == or != with one of: {listed}")
        return tree.Is(operator, first, str(option))

    def _choice(self, node: ast.IfExp, depth: int) -> tree.Quantity:
        test = as_truth(self.node(node.test, depth + 1))
        then = as_quantity(self.node(node.body, depth + 1))
        other = as_quantity(self.node(node.orelse, depth + 1))
        then, other = _in_one_unit((then, other))
        return tree.Choose(test, then, other, then.unit)

    def _extreme(self, node: ast.Call, depth: int) -> tree.Quantity:
        if not _ARGUMENTS_MIN <= len(node.args) <= _ARGUMENTS_MAX:
            raise BadFormula("formula.arguments", "min and max take two to eight quantities")
        of = _in_one_unit(tuple(as_quantity(self.node(arg, depth + 1)) for arg in node.args))
        assert isinstance(node.func, ast.Name)
        return tree.Extreme(node.func.id, of, of[0].unit)


def _bounded(node: tree.Quantity) -> tree.Quantity:
    if node.unit.highest_power > _POWER_MAX:
        raise BadFormula("unit.too_high", f"a unit stands to the power of {_POWER_MAX} at most")
    return node


def _in_one_unit(parts: tuple[tree.Quantity, ...]) -> tuple[tree.Quantity, ...]:
    unit = next((part.unit for part in parts if not tree.is_bare_zero(part)), NO_UNIT)
    return tuple(converted(part, unit) for part in parts)
