"""A statement's lines as a table (结算明细表格): for a spreadsheet, and nothing that it runs."""

import csv
from io import StringIO
from typing import Final

from app.kernel.sheets import safe_cell
from app.settlements.schemas import LineOut
from app.settlements.showing import WholeSettlement

COLUMNS: Final = tuple(LineOut.model_fields)


def csv_of(whole: WholeSettlement) -> bytes:
    """Write every line as a row, with the mark by which spreadsheets know UTF-8."""
    out = StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for line in whole.shown():
        writer.writerow([_cell(value) for value in line.model_dump(mode="json").values()])
    return out.getvalue().encode("utf-8-sig")


def _cell(value: str | int | None) -> str | int:
    """Leave numbers, which run nothing, as numbers."""
    return value if isinstance(value, int) else safe_cell(value or "")
