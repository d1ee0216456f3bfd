"""Tables (表格): CSV that a spreadsheet writes and reads, and no formula in it.

A cell that a spreadsheet would run begins with an apostrophe in what we write; one apostrophe goes
again in what we read, so that an export is read back as it was.
"""

import csv
import re
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from io import StringIO
from itertools import islice
from typing import Final, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

CSV: Final = "text/csv"
TABLE_MAX: Final = 2 * 1024 * 1024
"""What may be sent as a table [bytes]."""
_RUN: Final = re.compile(r"'*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
"""How a cell begins that a spreadsheet would run, in half or full width, or that we made safe."""


class BadTable(ValueError):  # noqa: N818 -- names a state, as refusals do
    """It is no UTF-8 CSV of such columns, or it is empty or too long; ``facts`` say what."""

    def __init__(self, **facts: str | int) -> None:
        """Name what was asked for."""
        super().__init__()
        self.facts = facts


class TableFault(BaseModel):
    """One fault of a row, and where it is: `/2/price_points` is of the second row."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    pointer: str = Field(examples=["/2/price_points"])
    code: str = Field(examples=["request.int_type"])
    message: str


class Row(NamedTuple):
    """A row as it was written."""

    number: int
    """The first below the names of the columns is 1."""
    cells: dict[str, str] | None
    """By column; what is left empty is not said. None: they are more or fewer than the columns."""


def read_rows(data: bytes, columns: AbstractSet[str], *, most: int) -> list[Row]:
    """Read a table of some of these columns, each row on its own.

    >>> read_rows(b"a,b" + bytes([10]) + b"1,", {"a", "b"}, most=1)
    [Row(number=1, cells={'a': '1'})]

    Raises:
        BadTable: It is none, names other columns, or is empty or too long.
    """
    try:
        lines = csv.reader(StringIO(data.decode("utf-8-sig"), newline=""), strict=True)
        names = next(lines, list[str]())
        filled = ((number, cells) for number, cells in enumerate(lines, 1) if cells)
        rows = list(islice(filled, most + 1))
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadTable from error
    if not 1 <= len(rows) <= most:
        raise BadTable(most=most)
    if len(set(names)) != len(names) or not set(names) <= columns:
        raise BadTable(columns=", ".join(sorted(columns)))
    return [Row(number, _said(names, cells)) for number, cells in rows]


def faults_of(row: int, error: ValidationError) -> list[TableFault]:
    """Say what a model found wrong with a row."""
    return [
        TableFault(
            pointer="".join(f"/{part}" for part in (row, *fault["loc"])),
            code=f"request.{fault['type']}",
            message=fault["msg"],
        )
        for fault in error.errors(include_url=False, include_context=False, include_input=False)
    ]


def safe_cell(text: str) -> str:
    """Write a cell so that no spreadsheet runs it.

    >>> safe_cell("=1+1"), safe_cell("拿铁")
    ("'=1+1", '拿铁')
    """
    return f"'{text}" if _RUN.match(text) else text


def plain_cell(text: str) -> str:
    """Read a cell that was written so.

    >>> plain_cell("'=1+1"), plain_cell("'tis")
    ('=1+1', "'tis")
    """
    return text[1:] if text.startswith("'") and _RUN.match(text) else text


def _said(names: Sequence[str], cells: Sequence[str]) -> dict[str, str] | None:
    if len(cells) != len(names):
        return None
    told = zip(names, map(plain_cell, cells), strict=True)
    return {name: plain for name, plain in told if plain.strip()}
