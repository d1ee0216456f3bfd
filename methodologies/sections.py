"""The numbers of a document: inputs, parameters and tables, each with unit, status and source."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from .document import FactorReference, Input, Parameter, Spread, Table
from .factors import NoFactor, factor
from .places import Path
from .reading import Raw, Reader
from .units import Unit, parse_unit
from .words import Status

NAME: Final = r"[A-Za-z][A-Za-z0-9_]{0,39}"
ANY: Final = r"(?s).+"
REASON: Final = r"[a-z][a-z0-9_]{0,39}(\.[a-z][a-z0-9_]{0,39}){1,3}"
_OPTION: Final = r"[A-Za-z0-9_-]{1,40}"
_DECIMALS_MAX: Final = 12

_PARAMETER_KEYS: Final = (
    "value",
    "unit",
    "status",
    "source",
    "factor",
    "derived",
    "title",
    "spread",
)


def inputs(reader: Reader, raw: Raw) -> tuple[Input, ...]:
    """Read ``[inputs.<name>]``: a quantity with bounds, or a choice with options."""
    return tuple(
        _choice(reader, path, name, table)
        if "options" in table
        else _quantity(reader, path, name, table)
        for path, name, table in reader.tables(raw, (), "inputs")
    )


def parameters(reader: Reader, raw: Raw) -> tuple[Parameter, ...]:
    """Read ``[parameters.<name>]``."""
    return tuple(
        _parameter(reader, path, name, table)
        for path, name, table in reader.tables(raw, (), "parameters")
    )


def tables(reader: Reader, raw: Raw, choices: Sequence[Input]) -> tuple[Table, ...]:
    """Read ``[tables.<name>]``: one row for each option of the choice named by ``by``."""
    options = {each.name: each.options for each in choices if each.is_choice}
    found: list[Table] = []
    for path, name, table in reader.tables(raw, (), "tables"):
        reader.allow(table, path, ("by", "unit", "rows"))
        by = reader.text(table, path, "by")
        unit, _ = reader.unit(table, path)
        rows: list[Parameter] = []
        for row_path, option, row in reader.tables(table, path, "rows"):
            if "unit" in row:
                reader.fault((*row_path, "unit"), "key.unknown", "a table has one unit for all")
            rows.append(_parameter(reader, row_path, option, {**row, "unit": unit}))
        if by not in options:
            reader.fault((*path, "by"), "table.no_choice", f"{by!r} is no input with options")
        elif {row.name for row in rows} != set(options[by]):
            reader.fault(path, "table.rows_differ", f"one row for each option of {by} is needed")
        found.append(Table(name=name, by=by, unit=unit, rows=tuple(rows)))
    return tuple(found)


def _choice(reader: Reader, path: Path, name: str, table: Raw) -> Input:
    reader.allow(table, path, ("options", "otherwise", "default", "help"))
    options = reader.words(table, path, "options")
    for option in options:
        reader.text({"options": option}, path, "options", like=_OPTION)
    if not options or len(set(options)) != len(options):
        reader.fault((*path, "options"), "input.options", "one option at least, each once")
    default = reader.text(table, path, "default", default="") or None
    if default is not None and default not in options:
        reader.fault((*path, "default"), "input.default", "the default is one of the options")
    return Input(
        name=name,
        unit="",
        options=options,
        otherwise=reader.text(table, path, "otherwise", default="input.not_an_option", like=REASON),
        default=default,
        help=reader.both_or_none(table, path, "help"),
    )


def _quantity(reader: Reader, path: Path, name: str, table: Raw) -> Input:
    reader.allow(table, path, ("unit", "min", "max", "decimals", "default", "help"))
    unit, _ = reader.unit(table, path)
    minimum = reader.number(table, path, "min", default="0")
    maximum = reader.number(table, path, "max")
    if minimum > maximum:
        reader.fault((*path, "max"), "input.bounds", "max is below min")
    decimals = 6
    if "decimals" in table:
        decimals = reader.whole(table, path, "decimals", low=0, top=_DECIMALS_MAX)
    default = None
    if "default" in table:
        value = reader.number(table, path, "default")
        default = str(value)
        if not minimum <= value <= maximum:
            reader.fault((*path, "default"), "input.default", "the default is out of bounds")
    return Input(
        name=name,
        unit=unit,
        minimum=minimum,
        maximum=maximum,
        decimals=decimals,
        default=default,
        help=reader.both_or_none(table, path, "help"),
    )


def _parameter(reader: Reader, path: Path, name: str, table: Raw) -> Parameter:
    reader.allow(table, path, _PARAMETER_KEYS)
    unit, meaning = reader.unit(table, path)
    status = reader.word(table, path, "status", Status)
    value: Decimal | None = None
    if status is not Status.MISSING:
        value = reader.number(table, path, "value")
    elif "value" in table:
        reader.fault((*path, "value"), "parameter.missing_with_value", "missing means no value")
    reference = _reference(reader, path, table)
    if reference is not None and value is not None and meaning is not None:
        _agree(reader, path, reference, value, meaning)
    return Parameter(
        name=name,
        value=value,
        unit=unit,
        status=status,
        source=reader.text(table, path, "source", like=ANY),
        factor=reference,
        derived=reader.text(table, path, "derived", default=""),
        title=reader.both_or_none(table, path, "title"),
        spread=tuple(
            _spread(reader, spread_path, spread)
            for spread_path, spread in reader.list_of_tables(table, path, "spread")
        ),
    )


def _spread(reader: Reader, path: Path, table: Raw) -> Spread:
    reader.allow(table, path, ("value", "unit", "source"))
    return Spread(
        value=reader.number(table, path, "value"),
        unit=reader.unit(table, path)[0],
        source=reader.text(table, path, "source"),
    )


def _reference(reader: Reader, path: Path, table: Raw) -> FactorReference | None:
    if "factor" not in table:
        return None
    inner, at = reader.table(table, path, "factor"), (*path, "factor")
    reader.allow(inner, at, ("id", "region", "purpose", "on"))
    return FactorReference(
        id=reader.text(inner, at, "id"),
        region=reader.text(inner, at, "region"),
        purpose=reader.text(inner, at, "purpose"),
        on=reader.day(inner, at, "on"),
    )


def _agree(
    reader: Reader, path: Path, reference: FactorReference, value: Decimal, unit: Unit
) -> None:
    """Note a value that is not the library's: what runs is what was signed, and both agree."""
    try:
        found = factor(
            reference.id, region=reference.region, purpose=reference.purpose, on=reference.on
        )
    except NoFactor as absent:
        reader.fault((*path, "factor"), "factor.not_found", str(absent))
        return
    if found.value != value or parse_unit(found.unit) != unit:
        message = f"the factor library has {found.value} {found.unit}"
        reader.fault((*path, "value"), "factor.differs", message)
