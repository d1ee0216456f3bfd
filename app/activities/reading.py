"""Reading a file or body into items (读取): CSV, NDJSON, Parquet, the first two also gzipped.

A file is read twice: once to its end, to know that it is whole and what its digest is, before a
line of it is taken in; then again in blocks, for its items. So a file that is cut off is refused
whole, never half-posted, and a file of any size needs little memory.
"""

import csv
import gzip
import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import IO, Final, Literal, cast

from app.activities.choice import Choice
from app.activities.errors import (
    UploadDamaged,
    UploadEmpty,
    UploadEncoding,
    UploadFormat,
    UploadTooLarge,
)
from app.activities.items import Item, Malformed
from app.activities.lines import BLOCK_BYTES, numbered_lines
from app.activities.preparing import DAILY_INPUT
from app.activities.wire import Wire
from methodologies import Settlement

Format = Literal["csv", "ndjson", "parquet"]
UNPACKED_BYTES_MAX: Final = 8 << 30
_GZIP: Final = b"\x1f\x8b"
_PARQUET: Final = b"PAR1"
_BOM: Final = b"\xef\xbb\xbf"
_OTHER_ENCODINGS: Final = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")
_ENDINGS: Final[dict[str, Format]] = {".csv": "csv", ".ndjson": "ndjson", ".jsonl": "ndjson"}


@dataclass(frozen=True, slots=True)
class ItemFile:
    """A file or body that was found whole; its items are read again on each iteration."""

    source: Path | bytes
    format: Format
    wire: Wire
    sha256: bytes
    """Of the content, unpacked."""

    def __iter__(self) -> Iterator[Item | Malformed]:
        """Read the items."""
        if self.format == "parquet":
            from app.activities.columnar import parquet_items  # noqa: PLC0415 -- polars is large

            return parquet_items(self.source, self.wire)
        return self._text_items()

    def _text_items(self) -> Iterator[Item | Malformed]:
        with _unpacked(self.source) as stream:
            lines = numbered_lines(stream)
            if self.format == "csv":
                _, header = next(lines)
                yield from _csv_items(lines, _header(header or b"", self.wire), self.wire)
            else:
                read = self.wire.from_json
                for number, line in lines:
                    yield read(number, line)


def read_items(source: Path | bytes, choice: Choice, *, name: str = "") -> ItemFile:
    """Check that ``source`` is whole and of a known format.

    Args:
        source: A file, or a body.
        choice: Which methodology; its inputs are the columns.
        name: A file name whose ending tells the format of a body.

    Raises:
        UploadRefused: The file is refused whole, with the reason as its code.
    """
    wire = wire_of(choice)
    digest, start = _whole(source)
    kind = _format_of(start, name or (source.name if isinstance(source, Path) else ""))
    if kind == "parquet":
        from app.activities.columnar import check_columns  # noqa: PLC0415 -- likewise

        check_columns(source, wire)
        return ItemFile(source, kind, wire, digest)
    with _unpacked(source) as stream:
        lines = numbered_lines(stream)
        if kind == "csv":
            _, header = next(lines, (0, b""))
            _header(header or b"", wire)
        if next(lines, None) is None:
            raise UploadEmpty
    return ItemFile(source, kind, wire, digest)


def wire_of(choice: Choice) -> Wire:
    """Make the wire form of the inputs of any version of a methodology."""
    inputs = {each.name: each for document in choice.versions for each in document.inputs}
    words = [name for name, each in inputs.items() if each.is_choice]
    quantities = [name for name in inputs if name not in words]
    if any(each.settlement is Settlement.BILLING_MONTH for each in choice.versions):
        quantities.append(DAILY_INPUT)
    return Wire(quantities, words)


@contextmanager
def _unpacked(source: Path | bytes) -> Generator[IO[bytes]]:
    """Open the content, unpacked and past its byte order mark."""
    with BytesIO(source) if isinstance(source, bytes) else source.open("rb") as raw:
        packed = raw.read(2) == _GZIP
        raw.seek(0)
        stream = cast("IO[bytes]", gzip.GzipFile(fileobj=raw) if packed else raw)
        if stream.read(len(_BOM)) != _BOM:
            stream.seek(0)
        yield stream


def _whole(source: Path | bytes) -> tuple[bytes, bytes]:
    """Read to the end; give the digest and the first bytes."""
    digest, start, size = sha256(), b"", 0
    try:
        with _unpacked(source) as stream:
            while block := stream.read(BLOCK_BYTES):
                start = start or block[:4096]
                digest.update(block)
                size += len(block)
                if size > UNPACKED_BYTES_MAX:
                    raise UploadTooLarge(bytes_max=UNPACKED_BYTES_MAX)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise UploadDamaged(format="gzip") from error
    if not start:
        raise UploadEmpty
    return digest.digest(), start


def _format_of(start: bytes, name: str) -> Format:
    if start.startswith(_PARQUET):
        return "parquet"
    if start.startswith(_OTHER_ENCODINGS):
        raise UploadEncoding
    suffixes = Path(name.lower()).suffixes
    for suffix in suffixes[-2:]:
        if suffix in _ENDINGS:
            return _ENDINGS[suffix]
    if suffixes[-1:] == [".parquet"]:
        raise UploadDamaged(format="parquet")
    if b"\0" in start:
        raise UploadFormat
    return "ndjson" if start.lstrip().startswith(b"{") else "csv"


def _header(line: bytes, wire: Wire) -> list[str]:
    """Read a CSV's header; each column once, all known, the required ones among them."""
    try:
        names = next(csv.reader([line.decode()], strict=True), list[str]())
        columns = [name.strip() for name in names]
    except (UnicodeDecodeError, csv.Error) as error:
        raise UploadEncoding from error
    wire.check_columns(columns)
    return columns


def _csv_items(
    lines: Iterator[tuple[int, bytes | None]], columns: list[str], wire: Wire
) -> Iterator[Item | Malformed]:
    for number, line in lines:
        if line is None:
            yield Malformed(number, "line.too_long")
            continue
        try:
            row = next(csv.reader([line.decode()], strict=True))
        except UnicodeDecodeError:
            yield Malformed(number, "line.not_utf8")
        except csv.Error:
            yield Malformed(number, "line.not_csv")
        else:
            if len(row) != len(columns):
                many = "line.too_many_columns"
                yield Malformed(number, many if len(row) > len(columns) else "line.too_few_columns")
            else:
                fields = zip(columns, map(str.strip, row), strict=True)
                yield wire.from_mapping(number, {name: text for name, text in fields if text})
