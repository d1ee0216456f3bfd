"""Tables of attendees and suppliers (参会者与供应商表格): CSV read into lines, tried first.

Suppliers' rows are lines as they are. Attendees' rows are groups who travelled alike: they are
added up to one line a way of travelling, and the table itself is kept by its organiser; only its
digest stays here. A column of any other name is refused, so that no names of people arrive.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from hashlib import sha256
from typing import Annotated, Final, NamedTuple
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field, ValidationError

from app.kernel.http import title_of
from app.kernel.problems import Refusal
from app.kernel.sheets import BadTable, TableFault, faults_of, read_rows
from app.neutrality.categories import Category
from app.neutrality.gathering_errors import LinesTableInvalid
from app.neutrality.gathering_schemas import COUNT_MAX, FROZEN
from app.neutrality.gatherings import Gathering
from app.neutrality.inventory_rules import Entry, Line, Stage, Tier, line_of
from app.neutrality.inventory_schemas import LineIn, Quantity, entry_in
from app.neutrality.modes import COUNTED, TABLE, Mode, distance

ROWS_MAX: Final = 2000
DISTANCE_KM_MAX: Final = 20_038
"""Half of the way around the Earth."""


class TableKind(StrEnum):
    """What a table tells."""

    SUPPLIERS = "suppliers"
    """供应商: amounts and factors, a line a row."""
    ATTENDEES = "attendees"
    """参会者: how groups travelled, a line a way of travelling."""


def _on_earth(text: str) -> str:
    if Decimal(text) > DISTANCE_KM_MAX:
        raise ValueError("nobody on Earth lives so far away")
    return text


class GroupIn(BaseModel):
    """People who travel alike, there and back."""

    model_config = FROZEN

    mode: Mode
    distance_km: Annotated[Quantity, AfterValidator(_on_earth)]
    """One way."""
    persons: Annotated[int, Field(ge=1, le=COUNT_MAX)]
    vehicles: Annotated[int, Field(ge=1, le=COUNT_MAX)] | None = None
    """Of cars and motorbikes; one a person where it is not told."""


class Read(NamedTuple):
    """A row as it was understood, or what is wrong with it."""

    number: int
    body: LineIn | GroupIn | None
    faults: Sequence[TableFault]


class Understood(NamedTuple):
    """A table as it was understood."""

    rows: Sequence[Read]
    lines: Sequence[Line]
    """Of all rows together; none where one is at fault."""


def understood(
    kind: TableKind, data: bytes, gathering: Gathering, stage: Stage, new_id: Callable[[], UUID]
) -> Understood:
    """Read a table into lines.

    Raises:
        LinesTableInvalid: It is no such table.
    """
    model = LineIn if kind is TableKind.SUPPLIERS else GroupIn
    try:
        rows = read_rows(data, model.model_fields.keys(), most=ROWS_MAX)
    except BadTable as error:
        raise LinesTableInvalid(**error.facts) from error
    read = [_row(model, number, cells) for number, cells in rows]
    if any(row.faults for row in read):
        return Understood(read, ())
    if kind is TableKind.ATTENDEES:
        groups = [row.body for row in read if isinstance(row.body, GroupIn)]
        entries = travelled(groups, sha256(data).digest())
        lines = [line_of(gathering, stage, "table", new_id(), each) for each in entries]
        return Understood(read, lines)
    return _lines(read, gathering, stage, new_id)


def travelled(groups: Sequence[GroupIn], evidence: bytes) -> list[Entry]:
    """Add groups up to one entry a way of travelling; ways that emit nothing have none."""
    entries: list[Entry] = []
    for mode, counted in COUNTED.items():
        alike = [each for each in groups if each.mode is mode]
        if counted is None or not alike:
            continue
        of_each = (
            distance(mode, Decimal(each.distance_km), each.persons, each.vehicles or each.persons)
            for each in alike
        )
        persons = sum(each.persons for each in alike)
        entries.append(
            Entry(
                category=Category.TRANSPORT,
                label=f"Attendees by {mode.value}: {persons} persons, there and back",
                quantity=sum(of_each, Decimal()),
                unit=counted.unit,
                table=TABLE,
                row=counted.row,
                tier=Tier.ESTIMATED,
                evidence=evidence,
                note=f"Added up from {len(alike)} rows of a table; its digest is the evidence",
            )
        )
    return entries


def _row(model: type[LineIn] | type[GroupIn], number: int, cells: Mapping[str, str] | None) -> Read:
    if cells is None:
        return Read(number, None, [_fault(number, LinesTableInvalid)])
    try:
        return Read(number, model.model_validate(cells), ())
    except ValidationError as error:
        return Read(number, None, faults_of(number, error))


def _lines(
    read: Sequence[Read], gathering: Gathering, stage: Stage, new_id: Callable[[], UUID]
) -> Understood:
    rows: list[Read] = []
    lines: list[Line] = []
    for row in read:
        assert isinstance(row.body, LineIn), row.number
        try:
            lines.append(line_of(gathering, stage, "table", new_id(), entry_in(row.body)))
            rows.append(row)
        except Refusal as error:
            rows.append(Read(row.number, None, [_fault(row.number, type(error))]))
    return Understood(rows, () if any(row.faults for row in rows) else lines)


def _fault(row: int, kind: type[Refusal]) -> TableFault:
    message = title_of(kind, chinese=False)
    return TableFault(pointer=f"/{row}", code=kind.code, message=message)
