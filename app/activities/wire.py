"""The wire form of an item (条目格式): which fields a line may have, each bounded.

One struct type is made for each set of inputs, so that a line is decoded and checked in one
step of C. Reasons are ``line.…`` where the line as such is at fault, ``field.NAME`` else.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any, Final

import msgspec

from app.activities.errors import UploadHeader
from app.activities.items import Item, Malformed
from methodologies import Evidence

REQUIRED: Final = ("external_id", "subject", "occurred_at")
YEARS: Final = range(2000, 2200)
LASTS_MAX: Final = timedelta(days=1)
"""An act without end would be the same act as every other of its person, and displace them all."""
_NAME: Final = re.compile(r"`\$\.([^`]*)`|field `([^`]*)`")
_REASON: Final = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")
_FORMULA: Final = frozenset("=@+-")

_Id = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
_Word: Any = Annotated[str, msgspec.Meta(max_length=64)]
_Place = Annotated[str, msgspec.Meta(max_length=200)]
_Instant: Any = Annotated[datetime, msgspec.Meta(tz=True)]
_OPTIONAL: Final[dict[str, tuple[Any, Any]]] = {
    "ended_at": (_Instant | None, None),
    "evidence": (Evidence, Evidence.PROVIDER_MEASURED),
    "mode": (_Word, ""),
    "vehicle": (_Word, ""),
    "station": (_Word, ""),
    "source_occurred_at": (_Instant | None, None),
    "place": (_Place, ""),
    "not_eligible": (_Word, ""),
}
SHARED: Final = frozenset({"mode"})
"""Fields of every item that a methodology may also ask for as an input."""


@lru_cache(maxsize=64)
def wire_type(quantities: tuple[str, ...], words: tuple[str, ...]) -> type[msgspec.Struct]:
    """Make the struct type of lines with these inputs."""
    fields: list[tuple[str, Any] | tuple[str, Any, Any]] = [
        ("external_id", _Id),
        ("subject", _Id),
        ("occurred_at", _Instant),
        *((name, type_, default) for name, (type_, default) in _OPTIONAL.items()),
        *((f"q{place}", Decimal | None, None) for place in range(len(quantities))),
        *((f"w{place}", _Word | None, None) for place in range(len(words))),
    ]
    rename = {f"q{place}": name for place, name in enumerate(quantities)}
    rename |= {f"w{place}": name for place, name in enumerate(words)}
    return msgspec.defstruct(
        "Wire", fields, rename=rename, forbid_unknown_fields=True, frozen=True, gc=False
    )


class Wire:
    """The wire form for one set of inputs."""

    def __init__(self, quantities: Sequence[str], words: Sequence[str]) -> None:
        """Name the inputs that are quantities, and those that are words."""
        own = [name for name in words if name not in SHARED]
        shared = [name for name in words if name in SHARED]
        clash = {*REQUIRED, *_OPTIONAL}.intersection([*quantities, *own])
        assert not clash, clash
        self.names = (*quantities, *own, *shared)
        self.columns = frozenset((*REQUIRED, *_OPTIONAL, *self.names))
        self._type = wire_type(tuple(quantities), tuple(own))
        self._decode = msgspec.json.Decoder(self._type).decode
        self._input_fields = (
            *(f"q{place}" for place in range(len(quantities))),
            *(f"w{place}" for place in range(len(own))),
            *shared,
        )

    def check_columns(self, columns: Iterable[str]) -> None:
        """Check a header: each column once, all known, the required ones among them.

        Raises:
            UploadHeader: It is not so; the fact names the column.
        """
        seen: set[str] = set()
        for name in columns:
            if name in seen:
                raise UploadHeader(twice=name[:64])
            if name not in self.columns:
                raise UploadHeader(unknown=name[:64])
            seen.add(name)
        if missing := [name for name in REQUIRED if name not in seen]:
            raise UploadHeader(missing=missing[0])

    def from_json(self, line: int, text: bytes | None) -> Item | Malformed:
        """Read one line of NDJSON; ``None`` stands for a line that was too long."""
        if text is None:
            return Malformed(line, "line.too_long")
        try:
            return self._item(line, self._decode(text))
        except msgspec.ValidationError as error:
            return Malformed(line, _blame(error))
        except UnicodeDecodeError:
            return Malformed(line, "line.not_utf8")
        except (msgspec.DecodeError, RecursionError):
            return Malformed(line, "line.not_json")

    def from_mapping(self, line: int, fields: Mapping[str, object]) -> Item | Malformed:
        """Read one row of named values, which may be text."""
        try:
            return self._item(line, msgspec.convert(fields, self._type, strict=False))
        except (msgspec.ValidationError, UnicodeEncodeError) as error:
            return Malformed(line, _blame(error))

    def _item(self, line: int, read: Any) -> Item | Malformed:  # noqa: ANN401 -- a made type
        if fault := _unsafe(read):
            return Malformed(line, f"field.{fault}")
        ended_at = read.ended_at
        if read.occurred_at.year not in YEARS:
            return Malformed(line, "field.occurred_at", read.external_id)
        if ended_at is not None and not (
            ended_at.year in YEARS and timedelta() <= ended_at - read.occurred_at <= LASTS_MAX
        ):
            return Malformed(line, "field.ended_at", read.external_id)
        if (source := read.source_occurred_at) is not None and source.year not in YEARS:
            return Malformed(line, "field.source_occurred_at", read.external_id)
        inputs = {
            name: value
            for name, field in zip(self.names, self._input_fields, strict=True)
            if (value := getattr(read, field)) is not None and value != ""
        }
        return Item(
            line=line,
            external_id=read.external_id,
            subject=read.subject,
            occurred_at=read.occurred_at,
            ended_at=ended_at,
            inputs=inputs,
            evidence=read.evidence,
            mode=read.mode,
            vehicle=read.vehicle,
            station=read.station,
            source_occurred_at=read.source_occurred_at,
            place=read.place,
            not_eligible=read.not_eligible,
        )


def _unsafe(read: Any) -> str:  # noqa: ANN401 -- a made type
    """Name the text that a terminal or a spreadsheet would act on; empty for none."""
    names = ("external_id", "subject")
    if read.vehicle or read.station or read.mode or read.place:
        names = ("external_id", "subject", "vehicle", "station", "mode", "place")
    for name in names:
        text: str = getattr(read, name)
        if text and not (text.isprintable() and (text[0] not in _FORMULA or _signed(text))):
            return name
    return "not_eligible" if read.not_eligible and not _REASON.fullmatch(read.not_eligible) else ""


def _signed(text: str) -> bool:
    """Say whether a text that a spreadsheet might run is but a number with its sign."""
    return text[0] in "+-" and text[1:].isdigit()


def _blame(error: Exception) -> str:
    """Give the reason that a decoder's error stands for."""
    found = _NAME.search(str(error))
    if found is None:
        return "line.not_an_object"
    name = found[1] or found[2] or ""
    return f"field.{name}" if re.fullmatch(r"[a-z][a-z0-9_]{0,39}", name) else "field.unknown"
