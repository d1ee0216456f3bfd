"""Parquet (列式文件): read in slices, after every page of it was read once."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Final

import polars as pl
from polars.exceptions import PanicException, PolarsError

from app.activities.errors import UploadDamaged, UploadEmpty
from app.activities.items import Item, Malformed
from app.activities.wire import Wire

SLICE_ROWS: Final = 50_000


def check_columns(source: Path | bytes, wire: Wire) -> None:
    """Check the columns, and read every page once, so that a damaged one is met before posting.

    Raises:
        UploadDamaged: It can't be read to its end.
        UploadHeader: A column is unknown, or one that is needed is missing.
        UploadEmpty: It has no rows.
    """
    try:
        wire.check_columns(pl.read_parquet_schema(_opened(source)))
        rows = sum(frame.height for frame in _frames(source))
    except (PolarsError, PanicException, OSError, ValueError, TypeError) as error:
        raise UploadDamaged(format="parquet") from error
    if rows == 0:
        raise UploadEmpty


def parquet_items(source: Path | bytes, wire: Wire) -> Iterator[Item | Malformed]:
    """Give the items; a row's number is its line."""
    number = 0
    for frame in _frames(source):
        for row in frame.iter_rows(named=True):
            number += 1
            yield wire.from_mapping(number, {k: _plain(v) for k, v in row.items() if v is not None})


def _frames(source: Path | bytes) -> Iterator[pl.DataFrame]:
    start = 0
    scan = pl.scan_parquet(_opened(source), glob=False)
    while (frame := scan.slice(start, SLICE_ROWS).collect()).height:
        yield frame
        start += SLICE_ROWS


def _opened(source: Path | bytes) -> Path | BytesIO:
    return BytesIO(source) if isinstance(source, bytes) else source


def _plain(value: object) -> object:
    """Give a float as the shortest text that names it: no binary fraction is computed with."""
    if isinstance(value, float):
        return repr(value)
    return value.strip() if isinstance(value, str) else value
