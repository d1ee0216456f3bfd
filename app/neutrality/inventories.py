"""Inventories as they were closed (排放清单): documents that stand, with all that they rest on.

A document is canonical JSON (UTF-8, names sorted, no white space, whole numbers and strings): every
line with its row's id, value, unit and source, what stands in for a Chinese figure, which tables
were used and their SHA-256, what is left out and why. It is served byte for byte, its digest is
what a statement names, and whoever has the published tables computes it again.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from sqlmodel import Session

from app.kernel.clock import SHANGHAI, day_of
from app.kernel.db import driver
from app.neutrality.categories import Category, understates
from app.neutrality.gathering_errors import GatheringNotOver, InventoryUnknown
from app.neutrality.gatherings import Gathering
from app.neutrality.inventory_rules import (
    Line,
    Stage,
    check_complete,
    default_of,
    line_of,
    totals,
)
from app.neutrality.lines import lines_of
from ledger.certificate import canonical
from methodologies.published import TABLES, table_bytes

FORMAT: Final = "tanpu-inventory/1"
ROUNDING: Final = "each line exact, rounded up to a milligram"

Document = Mapping[str, Any]

_COLUMNS: Final = "gathering, stage, version, total_mg, lines, document, digest, closed_at"
_TAKE: Final = """
select coalesce(max(version), 0) + 1 from inventory where gathering = %s and stage = %s"""
_CLOSE: Final = f"""
insert into inventory ({_COLUMNS}) values (%s, %s, %s, %s, %s, %s, %s, %s)"""  # noqa: S608 -- columns of our own
_FIND: Final = f"""
select {_COLUMNS} from inventory
 where gathering = %s and stage = %s and (%s::int is null or version = %s)
 order by version desc limit 1"""  # noqa: S608 -- likewise


@dataclass(frozen=True, slots=True)
class Inventory:
    """What a gathering emits, counted and closed (排放清单)."""

    gathering: UUID
    stage: Stage
    version: int
    total_mg: int
    """Of all lines [mg CO2e]."""
    lines: int
    document: bytes
    digest: bytes
    """SHA-256 of the document."""
    closed_at: datetime

    @property
    def told(self) -> Document:
        """The document, read."""
        return json.loads(self.document)


@dataclass(frozen=True, slots=True)
class Closing:
    """What an organiser says of an inventory as a whole."""

    attendance: int
    """How many came, or are expected."""
    exclusions: Mapping[Category, str]
    """Why a category has no line."""
    assumptions: Sequence[str]


def close_inventory(
    session: Session, gathering: Gathering, stage: Stage, closing: Closing, *, at: datetime
) -> Inventory:
    """Close the lines of a locked gathering into the next version of an inventory.

    Raises:
        GatheringNotOver, InventoryIncomplete: See their own words.
        FactorForeign: The gathering has moved, to where another factor is in force.
    """
    if stage is Stage.ACTUAL and day_of(at) <= gathering.occasion.ends_on:
        raise GatheringNotOver
    drafted = lines_of(session, gathering, stage)
    lines = [line_of(gathering, stage, each.origin, each.id, each.entry) for each in drafted]
    check_complete(lines, closing.exclusions)
    connection = driver(session)
    found = connection.execute(_TAKE, (gathering.id, stage.value)).fetchone()
    assert found is not None, gathering.id
    told = _document(gathering, stage, lines, closing)
    closed_at = at.astimezone(SHANGHAI).isoformat(timespec="seconds")
    document = canonical({**told, "version": found[0], "closed_at": closed_at})
    counted = (found[0], told["total_mg"], len(lines))
    rest = (*counted, document, sha256(document).digest(), at)
    connection.execute(_CLOSE, (gathering.id, stage.value, *rest))
    return Inventory(gathering.id, stage, *rest)


def find_inventory(
    session: Session, gathering: UUID, stage: Stage, version: int | None = None
) -> Inventory:
    """Give an inventory that was closed; the latest, where no version is named.

    Raises:
        InventoryUnknown: There is none.
    """
    asked = (gathering, stage.value, version, version)
    row = driver(session).execute(_FIND, asked).fetchone()
    if row is None:
        raise InventoryUnknown
    id_, stage_, *rest = row
    return Inventory(id_, Stage(stage_), *rest)


def _document(
    gathering: Gathering, stage: Stage, lines: Sequence[Line], closing: Closing
) -> dict[str, Any]:
    of_category, occasion = totals(lines), gathering.occasion
    tables = sorted({line.factor.table for line in lines})
    return {
        "format": FORMAT,
        "gathering": gathering.public,
        "stage": stage.value,
        "kind": occasion.kind.value,
        "starts_on": occasion.starts_on.isoformat(),
        "ends_on": occasion.ends_on.isoformat(),
        "district": occasion.district,
        "attendance": closing.attendance,
        "lines": [line_document(line) for line in lines],
        "categories": {each.value: of_category[each] for each in Category},
        "total_mg": sum(of_category.values()),
        "exclusions": {each.value: why for each, why in closing.exclusions.items()},
        "assumptions": list(closing.assumptions),
        "rounding": ROUNDING,
        "tables": [_table_document(table) for table in tables],
    }


def line_document(line: Line) -> Document:
    """Tell a line with all that its emission follows from."""
    entry, factor = line.entry, line.factor
    return {
        "id": line.public,
        "category": entry.category.value,
        "label": entry.label,
        "quantity": entry.amount,
        "unit": entry.unit,
        "factor": {
            "table": factor.table,
            "row": factor.id,
            "names": list(factor.names),
            "value": format(factor.value, "f"),
            "unit": factor.published_unit,
            "region": factor.region,
            "year": factor.year,
            "status": factor.status.value,
            "source": factor.source,
            "note": factor.note,
            "default": default_of(factor),
            "understates": understates(factor),
        },
        "co2e_mg": line.emissions_mg,
        "tier": entry.tier.value,
        "origin": line.origin,
        "evidence": entry.evidence.hex() if entry.evidence else None,
        "note": entry.note,
    }


def _table_document(table: str) -> Document:
    of = TABLES[table]
    digest = sha256(table_bytes(table)).hexdigest()
    return {
        "id": of.id,
        "title": of.title,
        "licence": of.licence,
        "identity": of.identity,
        "sha256": digest,
    }
