"""Offers as a table (商品表格): what a merchant writes in a spreadsheet, and reads there."""

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from io import StringIO
from typing import Final, NamedTuple

from pydantic import ValidationError

from app.kernel.http import title_of
from app.kernel.problems import Refusal
from app.kernel.sheets import BadTable, TableFault, faults_of, read_rows, safe_cell
from app.mall.offer_errors import TableInvalid
from app.mall.offer_rules import Content, Offer, check_content
from app.mall.offer_schemas import (
    ImportOut,
    ImportRowOut,
    OfferDraftIn,
    content_in,
    own_offer_out,
)
from app.merchants import MerchantKind

ROWS_MAX: Final = 500
COLUMNS: Final = tuple(OfferDraftIn.model_fields)
"""What is read: as in JSON; a cell that is left empty is not said."""
KEPT: Final = ("id", "state", "version", "taken")
"""Written besides, and passed over when read: a table adds offers and changes none."""
NUMBERS: Final = frozenset(
    {"price_points", "price_fen", "stocked", "per_person", "per_day", "voucher_days"}
)
_NUMBER: Final = re.compile(r"-?[0-9]{1,18}")


class TableRow(NamedTuple):
    """A row as it was understood: an offer and its stock, or what is wrong with it."""

    number: int
    """The first below the names of the columns is 1."""
    offer: tuple[Content, int] | None
    faults: Sequence[TableFault]


def read_table(data: bytes, merchant: MerchantKind) -> list[TableRow]:
    """Read a table of offers, each row on its own.

    Raises:
        TableInvalid: It is none, names other columns, or is empty or too long.
    """
    try:
        rows = read_rows(data, {*COLUMNS, *KEPT}, most=ROWS_MAX)
    except BadTable as error:
        raise TableInvalid(**error.facts) from error
    return [_row(number, cells, merchant) for number, cells in rows]


def report(rows: Sequence[TableRow], added: Sequence[Offer] | None) -> ImportOut:
    """Tell of each row what became of it; of what would become of it, if nothing was ``added``."""
    ids = iter(added or ())
    told = [
        ImportRowOut(
            row=row.number,
            outcome="refused" if row.offer is None else "valid" if added is None else "added",
            offer=None if row.offer is None or added is None else next(ids).public,
            errors=row.faults,
        )
        for row in rows
    ]
    refused = sum(row.offer is None for row in rows)
    return ImportOut(dry_run=added is None, added=len(added or ()), refused=refused, rows=told)


def table_of(offers: Iterable[Offer]) -> bytes:
    """Write offers as a table, with the mark by which spreadsheets know UTF-8."""
    out = StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow((*KEPT, *COLUMNS))
    for offer in offers:
        told = own_offer_out(offer).model_dump(mode="json")
        writer.writerow([safe_cell(_text(told[name])) for name in (*KEPT, *COLUMNS)])
    return out.getvalue().encode("utf-8-sig")


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _row(number: int, cells: Mapping[str, str] | None, merchant: MerchantKind) -> TableRow:
    try:
        if cells is None:
            raise TableInvalid
        body = OfferDraftIn.model_validate(_said(cells))
        content = content_in(body)
        check_content(content, merchant)
    except ValidationError as error:
        return TableRow(number, None, faults_of(number, error))
    except Refusal as error:
        message = title_of(type(error), chinese=False)
        fault = TableFault(pointer=f"/{number}", code=error.code, message=message)
        return TableRow(number, None, [fault])
    return TableRow(number, (content, body.stocked), ())


def _said(cells: Mapping[str, str]) -> dict[str, str | int]:
    own = {name: cell for name, cell in cells.items() if name not in KEPT}
    return {
        name: int(cell) if name in NUMBERS and _NUMBER.fullmatch(cell.strip()) else cell
        for name, cell in own.items()
    }
