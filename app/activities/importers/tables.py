"""Tables as their publishers left them (原始表格): CSV, plain or gzipped, read line by line.

A file is refused whole when it cannot be the file that the importer reads: not UTF-8, cut off,
too large, a column missing or named twice. A line that does not fit its header is malformed and
costs nothing but itself. Cells stay text; only importers turn them into numbers, as Decimal.
"""

import csv
import gzip
import io
import re
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime, tzinfo
from decimal import Decimal
from pathlib import Path
from typing import Final, NamedTuple

from app.activities.errors import (
    UploadDamaged,
    UploadEmpty,
    UploadEncoding,
    UploadHeader,
    UploadTooLarge,
)

BYTES_MAX: Final = 64 * 1024 * 1024
"""Unpacked; the largest real file here has 4 MB."""
LINE_MAX: Final = 64 * 1024
GZIP: Final = b"\x1f\x8b"
NUMBER: Final = re.compile(r"[+-]?\d{1,15}(?:\.\d{1,30})?(?:[eE][+-]?\d{1,2})?")


class Row(NamedTuple):
    """One line under its header; ``cells`` is empty where the line does not fit it."""

    line: int
    cells: Mapping[str, str]
    fault: str = ""


def read_table(source: Path | bytes, needed: Collection[str]) -> Iterator[Row]:
    """Read the rows of a table whose header has the columns ``needed``, among others.

    Raises:
        UploadRefused: The file as a whole is not such a table; raised before the first row.
    """
    text = _text(unpacked(source))
    lines = text.split("\n")
    if not text.strip():
        raise UploadEmpty
    header = _header(lines[0])
    twice = sorted({name for name in header if header.count(name) > 1})
    missing = sorted(set(needed) - set(header))
    if twice or missing:
        raise UploadHeader(missing=", ".join(missing), twice=", ".join(twice)[: LINE_MAX // 64])
    return _rows(header, lines)


def header_of(source: Path | bytes) -> tuple[str, ...]:
    """Give the column names of a table, for importers of several kinds of file.

    Raises:
        UploadRefused: As in :func:`read_table`.
    """
    first = _text(unpacked(source)).split("\n", 1)[0].rstrip("\r")
    if not first:
        raise UploadEmpty
    return tuple(_header(first))


def number(text: str) -> Decimal | None:
    """Read a plain decimal number; ``None`` for anything else, NaN and infinity included.

    >>> number("5.3999999999999995"), number("NA"), number("1e3"), number("nan")
    (Decimal('5.3999999999999995'), None, Decimal('1E+3'), None)
    """
    return Decimal(text) if NUMBER.fullmatch(text) and text.isascii() else None


def wall_clock(text: str, zone: tzinfo) -> datetime | None:
    """Read ``YYYY-MM-DD[ HH:MM[:SS]]`` as the clock on the wall of ``zone`` showed it.

    >>> from datetime import UTC
    >>> wall_clock("2018-08-31 22:14:50", UTC).isoformat(), wall_clock("yesterday", UTC)
    ('2018-08-31T22:14:50+00:00', None)
    """
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return None
    return read if read.tzinfo else read.replace(tzinfo=zone)


def _rows(header: list[str], lines: list[str]) -> Iterator[Row]:
    for place, line in enumerate(lines[1:], start=2):
        bare = line.rstrip("\r")
        if not bare:
            continue
        cells, fault = _cells(bare)
        if not fault and len(cells) != len(header):
            fault = "line.cells"
        yield Row(place, {} if fault else dict(zip(header, cells, strict=True)), fault)


def _header(line: str) -> list[str]:
    cells, fault = _cells(line.rstrip("\r"))
    if fault:
        raise UploadHeader(fault=fault)
    return cells


def _cells(line: str) -> tuple[list[str], str]:
    if len(line) > LINE_MAX:
        return [], "line.too_long"
    if "\0" in line:
        return [], "line.nul"
    try:
        return [cell.strip() for cell in next(csv.reader([line], strict=True))], ""
    except csv.Error:
        return [], "line.quotes"


def unpacked(source: Path | bytes) -> bytes:
    """Give the content of a file, unpacked where it is gzipped.

    Raises:
        UploadDamaged: The compression is broken or cut off.
        UploadTooLarge: It is, or unpacks to, more than a file may be.
    """
    read: Callable[[], bytes] = source.read_bytes if isinstance(source, Path) else lambda: source
    raw = read()
    if not raw.startswith(GZIP):
        if len(raw) > BYTES_MAX:
            raise UploadTooLarge(bytes_max=BYTES_MAX)
        return raw
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(raw)) as packed:
            whole = packed.read(BYTES_MAX + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise UploadDamaged from error
    if len(whole) > BYTES_MAX:
        raise UploadTooLarge(bytes_max=BYTES_MAX)
    return whole


def _text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UploadEncoding(offset=error.start) from error
