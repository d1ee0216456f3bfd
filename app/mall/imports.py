"""Offers as a table (商品表格): CSV that a spreadsheet writes and reads, and no formula in it.

A cell that a spreadsheet would run begins with an apostrophe in what we write; one apostrophe goes
again in what we read, so that an export is read back as it was.
"""

import csv
import re
from collections.abc import Iterable, Sequence
from io import StringIO
from itertools import islice
from typing import Final, NamedTuple

from pydantic import ValidationError

from app.kernel.http import title_of
from app.kernel.problems import Refusal
from app.mall.offer_errors import TableInvalid
from app.mall.offer_rules import Content, Offer, check_content
from app.mall.offer_schemas import (
    ImportFault,
    ImportOut,
    ImportRowOut,
    OfferDraftIn,
    content_in,
    own_offer_out,
)
from app.merchants import MerchantKind

ROWS_MAX: Final = 500
BODY_MAX: Final = 2 * 1024 * 1024
"""What may be sent [bytes]."""
CSV: Final = "text/csv"
COLUMNS: Final = tuple(OfferDraftIn.model_fields)
"""What is read: as in JSON; a cell that is left empty is not said."""
KEPT: Final = ("id", "state", "version", "taken")
"""Written besides, and passed over when read: a table adds offers and changes none."""
NUMBERS: Final = frozenset(
    {"price_points", "price_fen", "stocked", "per_person", "per_day", "voucher_days"}
)
_NUMBER: Final = re.compile(r"-?[0-9]{1,18}")
_RUN: Final = re.compile(r"'*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
"""How a cell begins that a spreadsheet would run, in half or full width, or that we made safe."""


class TableRow(NamedTuple):
    """A row as it was understood: an offer and its stock, or what is wrong with it."""

    number: int
    """The first below the names of the columns is 1."""
    offer: tuple[Content, int] | None
    faults: Sequence[ImportFault]


def read_table(data: bytes, merchant: MerchantKind) -> list[TableRow]:
    """Read a table of offers, each row on its own.

    Raises:
        TableInvalid: It is none, names other columns, or is empty or too long.
    """
    try:
        lines = csv.reader(StringIO(data.decode("utf-8-sig"), newline=""), strict=True)
        names = next(lines, list[str]())
        filled = ((number, cells) for number, cells in enumerate(lines, 1) if cells)
        rows = list(islice(filled, ROWS_MAX + 1))
    except (UnicodeDecodeError, csv.Error) as error:
        raise TableInvalid from error
    if not 1 <= len(rows) <= ROWS_MAX:
        raise TableInvalid(most=ROWS_MAX)
    if len(set(names)) != len(names) or not set(names) <= {*COLUMNS, *KEPT}:
        raise TableInvalid(columns=", ".join(COLUMNS))
    return [_row(number, names, cells, merchant) for number, cells in rows]


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


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _row(
    number: int, names: Sequence[str], cells: Sequence[str], merchant: MerchantKind
) -> TableRow:
    try:
        said = _said(names, cells)
        body = OfferDraftIn.model_validate(said)
        content = content_in(body)
        check_content(content, merchant)
    except ValidationError as error:
        faults = [
            ImportFault(
                pointer="".join(f"/{part}" for part in (number, *fault["loc"])),
                code=f"request.{fault['type']}",
                message=fault["msg"],
            )
            for fault in error.errors(include_url=False, include_context=False, include_input=False)
        ]
        return TableRow(number, None, faults)
    except Refusal as error:
        message = title_of(type(error), chinese=False)
        fault = ImportFault(pointer=f"/{number}", code=error.code, message=message)
        return TableRow(number, None, [fault])
    return TableRow(number, (content, body.stocked), ())


def _said(names: Sequence[str], cells: Sequence[str]) -> dict[str, str | int]:
    """Read the cells of a row.

    Raises:
        TableInvalid: There are more or fewer than columns.
    """
    if len(cells) != len(names):
        raise TableInvalid
    said: dict[str, str | int] = {}
    for name, cell in zip(names, cells, strict=True):
        plain = plain_cell(cell)
        if name in KEPT or not plain.strip():
            continue
        is_number = name in NUMBERS and _NUMBER.fullmatch(plain.strip())
        said[name] = int(plain) if is_number else plain
    return said
