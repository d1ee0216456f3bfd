"""The formula of a document against its names: units, conditions, and the compiled program."""

import keyword
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final

from . import tree
from .compiling import Bounds, Plan, Program, build
from .document import Input, Parameter, Rule, Step, Table
from .formula import BadFormula, as_quantity, as_truth, converted, read
from .places import Path
from .reading import Reader
from .sections import NAME
from .units import CO2E_MG, MASS_MG, Unit, UnknownUnit, parse_unit
from .words import Status

_RESERVED: Final = frozenset({"min", "max", "true", "false"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The sections that a formula is about."""

    inputs: tuple[Input, ...]
    parameters: Sequence[Parameter]
    tables: Sequence[Table]
    eligibility: Sequence[Rule]
    steps: Sequence[Step]


def missing(parts: Parts) -> tuple[str, ...]:
    """Name every number that the formula needs and no source gives."""
    alone = [each.name for each in parts.parameters if each.status is Status.MISSING]
    rows = [
        f"{table.name}.{row.name}"
        for table in parts.tables
        for row in table.rows
        if row.status is Status.MISSING
    ]
    return (*alone, *rows)


def check(reader: Reader, parts: Parts) -> Program | None:
    """Check every expression and compile the lot; None when it cannot run.

    Notes each expression's first fault. An expression over a name that is itself at fault is
    passed over, so that one mistake is reported once.
    """
    checker = _Checker(reader)
    checker.declare(parts)
    rules = [
        (condition, rule.reason)
        for index, rule in enumerate(parts.eligibility)
        if (condition := checker.condition(rule, index)) is not None
    ]
    steps = [
        quantity
        for index, step in enumerate(parts.steps)
        if (quantity := checker.step(step, index, parts)) is not None
    ]
    if reader.faults or missing(parts):
        return None
    return build(
        Plan(
            bounds=tuple(_bounds(each) for each in parts.inputs),
            tables=tuple((f"t{index}", _rows(each)) for index, each in enumerate(parts.tables)),
            rules=tuple(rules),
            steps=tuple(steps),
        )
    )


class _Checker:
    """Knows the names so far and which of them are at fault themselves."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._known: dict[str, tree.Node] = {}
        self._broken: set[str] = set()
        self._taken: set[str] = set()

    def declare(self, parts: Parts) -> None:
        codes: dict[str, str] = {}
        for index, each in enumerate(parts.inputs):
            codes[each.name] = f"x{index}"
            word = tree.Word(f"x{index}", each.options) if each.is_choice else None
            self._name(("inputs", each.name), each.name, word or self._variable(each.unit, index))
        for each in parts.parameters:
            self._name(("parameters", each.name), each.name, _parameter(each))
        for index, each in enumerate(parts.tables):
            unit, key = _unit(each.unit), codes.get(each.by)
            lookup = None if unit is None or key is None else tree.Lookup(f"t{index}", key, unit)
            self._name(("tables", each.name), each.name, lookup)

    def condition(self, rule: Rule, index: int) -> tree.Truth | None:
        path: Path = ("eligibility", index, "require")
        node = self._read(path, rule.require)
        try:
            return None if node is None else as_truth(node)
        except BadFormula as bad:
            self._reader.fault(path, bad.code, bad.message)
            return None

    def step(self, step: Step, index: int, parts: Parts) -> tree.Quantity | None:
        path: Path = ("formula", step.name)
        node = self._read(path, step.expression)
        quantity: tree.Quantity | None = None
        try:
            if node is not None:
                quantity = as_quantity(node)
                if index == len(parts.steps) - 1:
                    quantity = _as_mass(quantity, parts)
        except BadFormula as bad:
            self._reader.fault(path, bad.code, bad.message)
        made = None if quantity is None else tree.Variable(f"s{index}", quantity.unit)
        self._name(path, step.name, made)
        return quantity

    def _name(self, path: Path, name: str, node: tree.Node | None) -> None:
        if not re.fullmatch(NAME, name, re.ASCII):
            self._reader.fault(path, "name.malformed", f"{name[:40]!r} is not like {NAME}")
        elif keyword.iskeyword(name) or name in _RESERVED:
            self._reader.fault(path, "name.reserved", f"{name!r} is a word of the language")
        elif name in self._taken:
            self._reader.fault(path, "name.duplicate", f"{name!r} is declared twice")
        self._taken.add(name)
        if node is None:
            self._broken.add(name)
        else:
            self._known[name] = node

    def _variable(self, unit: str, index: int) -> tree.Variable | None:
        meaning = _unit(unit)
        return None if meaning is None else tree.Variable(f"x{index}", meaning)

    def _read(self, path: Path, expression: str) -> tree.Node | None:
        if not expression or self._broken & set(re.findall(NAME, expression)):
            return None
        try:
            return read(expression, self._known)
        except BadFormula as bad:
            self._reader.fault(path, bad.code, bad.message)
            return None


def _as_mass(reduction: tree.Quantity, parts: Parts) -> tree.Quantity:
    """Express the reduction in mg of CO2e.

    Plain mass is read as CO2e, but not where an input is a mass too and the factors tell the two
    apart: there a weight of bottles would pass for a reduction.
    """
    numbers = [_unit(each.unit) for each in (*parts.parameters, *parts.tables)]
    amounts = [_unit(each.unit) for each in parts.inputs if not each.is_choice]
    strict = any(unit is not None and unit.is_material for unit in amounts) and any(
        unit is not None and unit.is_tagged for unit in numbers
    )
    for target in (CO2E_MG,) if strict else (CO2E_MG, MASS_MG):
        if reduction.unit.has_dimension_of(target):
            return converted(reduction, target)
    wanted = "a mass of CO2e" if strict else "a mass"
    raise BadFormula("unit.not_a_mass", f"reduction comes out as {reduction.unit}, not as {wanted}")


def _unit(text: str) -> Unit | None:
    try:
        return parse_unit(text)
    except UnknownUnit:
        return None


def _parameter(each: Parameter) -> tree.Quantity | None:
    unit = _unit(each.unit)
    if unit is None:
        return None
    if each.value is None:
        return tree.Variable("missing", unit)
    return tree.Constant(Fraction(each.value), unit)


def _bounds(each: Input) -> Bounds:
    return Bounds(
        name=each.name,
        options=each.options,
        otherwise=each.otherwise,
        minimum=each.minimum,
        maximum=each.maximum,
        decimals=each.decimals,
        default=each.default,
    )


def _rows(table: Table) -> dict[str, Decimal]:
    return {row.name: row.value for row in table.rows if row.value is not None}
