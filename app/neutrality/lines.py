"""Lines that an organiser works on (清单草稿): added, taken out, and closed into an inventory.

A line is computed when it is added, against the published row that it names. Published tables do
not change; another edition is another table.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlmodel import Session

from app.kernel.db import driver
from app.neutrality.categories import Category
from app.neutrality.gathering_errors import LinesMany, LineUnknown
from app.neutrality.gatherings import Gathering
from app.neutrality.inventory_rules import LINES_MAX, Entry, Line, Origin, Stage, Tier
from methodologies.published import factor_row

_COLUMNS: Final = """
id, stage, origin, category, label, quantity, unit, source, factor, tier, evidence,
note"""
_ADD: Final = f"""
insert into gathering_line (gathering, added_at, {_COLUMNS})
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"""  # noqa: S608 -- columns of our own
_COUNT: Final = "select count(*) from gathering_line where gathering = %s and stage = %s"
_LIST: Final = f"""
select {_COLUMNS} from gathering_line
 where gathering = %s and stage = %s and (%s::uuid is null or id > %s) order by id limit %s"""  # noqa: S608 -- likewise
_REMOVE: Final = "delete from gathering_line where gathering = %s and id = %s"
_CLEAR: Final = "delete from gathering_line where gathering = %s and stage = %s and origin = %s"


def add_lines(
    session: Session, gathering: Gathering, stage: Stage, lines: Sequence[Line], *, at: datetime
) -> None:
    """Add lines to a locked gathering, all or none.

    Raises:
        LinesMany: The inventory would have more than it may.
    """
    connection = driver(session)
    found = connection.execute(_COUNT, (gathering.id, stage.value)).fetchone()
    assert found is not None, gathering.id
    if found[0] + len(lines) > LINES_MAX:
        raise LinesMany(most=LINES_MAX)
    rows = [(gathering.id, at, *_row(line)) for line in lines]
    with connection.cursor() as cursor:
        cursor.executemany(_ADD, rows)


def lines_of(
    session: Session,
    gathering: Gathering,
    stage: Stage,
    *,
    after: UUID | None = None,
    limit: int = LINES_MAX,
) -> Sequence[Line]:
    """List lines in the order in which they were added."""
    asked = (gathering.id, stage.value, after, after, limit)
    return [_line(*row) for row in driver(session).execute(_LIST, asked).fetchall()]


def remove_line(session: Session, gathering: Gathering, line: UUID | None) -> None:
    """Take a line out.

    Raises:
        LineUnknown: The gathering has none of that id.
    """
    if line is None or not driver(session).execute(_REMOVE, (gathering.id, line)).rowcount:
        raise LineUnknown


def replace_lines(
    session: Session,
    gathering: Gathering,
    stage: Stage,
    origin: Origin,
    lines: Sequence[Line],
    *,
    at: datetime,
) -> None:
    """Put lines in the place of those of the same origin.

    Raises:
        LinesMany: The inventory would have more than it may.
    """
    driver(session).execute(_CLEAR, (gathering.id, stage.value, origin))
    add_lines(session, gathering, stage, lines, at=at)


def _row(line: Line) -> tuple[object, ...]:
    entry = line.entry
    return (
        line.id,
        line.stage.value,
        line.origin,
        entry.category.value,
        entry.label,
        entry.quantity,
        entry.unit,
        entry.table,
        entry.row,
        entry.tier.value,
        entry.evidence,
        entry.note,
    )


def _line(id_: UUID, stage: str, origin: Origin, *said: Any) -> Line:  # noqa: ANN401 -- the columns of the statements
    category, label, quantity, unit, table, row, tier, evidence, note = said
    entry = Entry(
        category=Category(category),
        label=label,
        quantity=quantity,
        unit=unit,
        table=table,
        row=row,
        tier=Tier(tier),
        evidence=evidence,
        note=note,
    )
    return Line(id_, Stage(stage), origin, entry, factor_row(table, row))
