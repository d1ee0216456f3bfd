"""A checked formula as two Python functions, compiled once.

The source of the functions is written here from the tree: variables are ``x0, s0``, constants
``k0``; not one character of a document's text reaches `compile`. ``run`` is the hot path, ``trace``
gives every step for the working. Both expect `CONTEXT` as the current decimal context.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow
from fractions import Fraction
from typing import Any, Final

from . import tree
from .outcomes import Ineligible
from .units import Unit

CONTEXT: Final = Context(
    prec=80, Emin=-9999, Emax=9999, traps=[InvalidOperation, DivisionByZero, Overflow]
)
"""Products of four 18-digit numbers stay exact in it; only division rounds, at the 80th digit."""

_EXACT: Final = Context(prec=40, Emin=-9999, Emax=9999, traps=[InvalidOperation, Inexact])
_NUMBER: Final = re.compile(r"-?[0-9]{1,18}(?:\.[0-9]{1,18})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one input may be, and what to answer when it is not."""

    name: str
    options: tuple[str, ...]
    otherwise: str
    minimum: Decimal
    maximum: Decimal
    decimals: int
    default: str | None


@dataclass(frozen=True, slots=True)
class Plan:
    """All that a document says about running it."""

    bounds: tuple[Bounds, ...]
    tables: tuple[tuple[str, dict[str, Decimal]], ...]
    rules: tuple[tuple[tree.Truth, str], ...]
    steps: tuple[tree.Quantity, ...]
    """In order; the last one is the reduction, in mg."""


@dataclass(frozen=True, slots=True)
class Program:
    """The compiled formula of one document version."""

    run: Callable[..., Decimal | Ineligible]
    """From input values, in order, to the exact reduction [mg] before weight and rounding."""
    trace: Callable[..., tuple[Decimal, ...] | Ineligible]
    """The same, with the value of every step in the unit of ``units``."""
    units: tuple[Unit, ...]


def build(plan: Plan) -> Program:
    """Compile ``plan``."""
    writer = _Writer(plan)
    return Program(
        run=writer.function(every_step=False),
        trace=writer.function(every_step=True),
        units=tuple(step.unit for step in plan.steps),
    )


def number(raw: object) -> Decimal:
    """Read a plain decimal number; no exponent, no sign but minus, no underscore, no NaN.

    >>> number("10.30"), number(7)
    (Decimal('10.30'), Decimal('7'))

    Raises:
        ValueError: It is anything else.
    """
    if isinstance(raw, str) and _NUMBER.fullmatch(raw):
        return Decimal(raw)
    if type(raw) is int:
        return Decimal(raw)
    raise ValueError(raw)


class _Writer:
    """Writes the source of a function and keeps the constants that it names."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._names: dict[str, object] = {
            "ArithmeticError": ArithmeticError,
            "ValueError": ValueError,
            "str": str,
            "Decimal": Decimal,
            "DivisionByZero": DivisionByZero,
            "Inexact": Inexact,
            "number": number,
            "quantize": _EXACT.quantize,
            "min": min,
            "max": max,
            "divided": Ineligible("formula.division_by_zero"),
            "overflowed": Ineligible("formula.overflow"),
        }
        self._names.update(plan.tables)

    def function(self, *, every_step: bool) -> Callable[..., Any]:
        lines: list[str] = []
        for position, bounds in enumerate(self._plan.bounds):
            write = self._choice if bounds.options else self._quantity
            lines += write(f"x{position}", bounds)
        lines.append("try:")
        for condition, reason in self._plan.rules:
            refusal = self._constant(Ineligible(reason))
            lines.append(f"    if not {self._text(condition)}: return {refusal}")
        count = len(self._plan.steps)
        for position, step in enumerate(self._plan.steps):
            lines.append(f"    s{position} = {self._text(step)}")
        steps = "".join(f"s{position}, " for position in range(count))
        lines.append(f"    return ({steps})" if every_step else f"    return s{count - 1}")
        lines.append("except DivisionByZero: return divided")
        lines.append("except ArithmeticError: return overflowed")
        arguments = ", ".join(f"x{position}" for position in range(len(self._plan.bounds)))
        source = f"def formula({arguments}):\n" + "\n".join(f"    {line}" for line in lines)
        scope: dict[str, Any] = {"__builtins__": {}, **self._names}
        exec(compile(source, "<methodology>", "exec"), scope)  # noqa: S102 -- written above, see the module
        return scope["formula"]

    def _choice(self, name: str, bounds: Bounds) -> list[str]:
        options = self._constant(frozenset(bounds.options))
        refusal = self._constant(Ineligible(bounds.otherwise, bounds.name))
        return [
            *self._defaulted(name, bounds, bounds.default),
            f"if {name}.__class__ is not str or {name} not in {options}: return {refusal}",
        ]

    def _quantity(self, name: str, bounds: Bounds) -> list[str]:
        default = None if bounds.default is None else Decimal(bounds.default)
        refusals = {
            reason: self._constant(Ineligible(f"input.{reason}", bounds.name))
            for reason in ("not_a_number", "below_minimum", "above_maximum", "too_precise")
        }
        return [
            *self._defaulted(name, bounds, default),
            "try:",
            f"    if {name}.__class__ is not Decimal: {name} = number({name})",
            f"    if {name} < {self._constant(bounds.minimum)}: return {refusals['below_minimum']}",
            f"    if {name} > {self._constant(bounds.maximum)}: return {refusals['above_maximum']}",
            f"    {name} = quantize({name}, {self._constant(Decimal(1).scaleb(-bounds.decimals))})",
            f"except Inexact: return {refusals['too_precise']}",
            f"except (ArithmeticError, ValueError): return {refusals['not_a_number']}",
        ]

    def _defaulted(self, name: str, bounds: Bounds, default: object) -> list[str]:
        if default is None:
            missing = self._constant(Ineligible("input.missing", bounds.name))
            return [f"if {name} is None: return {missing}"]
        return [f"if {name} is None: {name} = {self._constant(default)}"]

    def _constant(self, value: object) -> str:
        name = f"k{len(self._names)}"
        self._names[name] = value
        return name

    def _text(self, node: tree.Quantity | tree.Truth) -> str:  # noqa: C901, PLR0911 -- one case a kind of node
        match node:
            case tree.Constant(value=value):
                return self._fraction(value)
            case tree.Variable(code=code):
                return code
            case tree.Lookup(table=table, key=key):
                return f"{table}[{key}]"
            case tree.Scaled(of=of, by=by):
                return self._scaled(self._text(of), by)
            case tree.Choose(test=test, then=then, other=other):
                return f"({self._text(then)} if {self._text(test)} else {self._text(other)})"
            case tree.Extreme(function=function, of=of):
                return f"{function}({', '.join(self._text(part) for part in of)})"
            case tree.Is(operator=operator, word=word, option=option):
                return f"({word.code} {operator} {self._constant(option)})"
            case tree.Logic(operator="not", of=(condition,)):
                return f"(not {self._text(condition)})"
            case tree.Logic(operator=operator, of=of):
                return f"({f' {operator} '.join(self._text(part) for part in of)})"
            case tree.Known(value=value):
                return self._constant(value)
            case _:
                return f"({self._text(node.left)} {node.operator} {self._text(node.right)})"

    def _scaled(self, text: str, by: Fraction) -> str:
        if terminating(by) is not None:
            return f"({text} * {self._fraction(by)})"
        over = text if by.numerator == 1 else f"{text} * {self._constant(Decimal(by.numerator))}"
        return f"({over} / {self._constant(Decimal(by.denominator))})"

    def _fraction(self, value: Fraction) -> str:
        if (exact := terminating(value)) is not None:
            return self._constant(exact)
        numerator, denominator = Decimal(value.numerator), Decimal(value.denominator)
        return self._constant(CONTEXT.divide(numerator, denominator))


def terminating(value: Fraction) -> Decimal | None:
    """Write a fraction as a decimal, if it has an end.

    >>> terminating(Fraction(1, 8)), terminating(Fraction(1, 3))
    (Decimal('0.125'), None)
    """
    exact = CONTEXT.divide(Decimal(value.numerator), Decimal(value.denominator))
    return exact if Fraction(exact) == value else None
