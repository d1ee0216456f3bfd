"""Typed access to a raw TOML tree that notes every fault and goes on.

Each getter answers with a usable stand-in after noting what is wrong, so that one reading of a
document finds all its faults. Numbers are text in the document: a float has already lost digits.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final, TypeVar, cast

from .document import Text
from .faults import Fault
from .places import Path, dotted, line_of
from .units import Unit, UnknownUnit, parse_unit

Raw = dict[str, object]
W = TypeVar("W", bound=StrEnum)

TEXT_MAX: Final = 2_000
ITEMS_MAX: Final = 64
_NUMBER: Final = re.compile(r"-?[0-9]{1,18}(?:\.[0-9]{1,18})?", re.ASCII)
_NUMBER_LENGTH_MAX: Final = 19
_VERSION_MAX: Final = 2**32 - 1
_STAND_IN_DAY: Final = date(1970, 1, 1)


class Reader:
    """Reads one document's tree; ``faults`` grows as it goes."""

    def __init__(self, lines: dict[Path, int]) -> None:
        """Take the places of the keys from ``lines``."""
        self._lines = lines
        self.faults: list[Fault] = []

    def fault(self, path: Path, code: str, message: str) -> None:
        """Note a fault at ``path``."""
        self.faults.append(Fault(line_of(self._lines, path), dotted(path), code, message))

    def allow(self, raw: Raw, path: Path, keys: Sequence[str]) -> None:
        """Note every key that is not one of ``keys``: a mistyped cap would be no cap."""
        for key in raw:
            if key not in keys:
                self.fault((*path, key), "key.unknown", f"known keys: {', '.join(keys)}")

    def table(self, raw: Raw, path: Path, key: str) -> Raw:
        """Read a table; an absent one is empty."""
        value = raw.get(key, {})
        if isinstance(value, dict):
            return cast("Raw", value)
        self.fault((*path, key), "type.not_a_table", "a table is needed here")
        return {}

    def tables(self, raw: Raw, path: Path, key: str) -> Iterator[tuple[Path, str, Raw]]:
        """Read a table of named tables, as (path, name, table)."""
        inner = self.table(raw, path, key)
        if len(inner) > ITEMS_MAX:
            self.fault((*path, key), "size.too_many", f"at most {ITEMS_MAX} entries")
            return
        for name in inner:
            yield (*path, key, name), name, self.table(inner, (*path, key), name)

    def list_of_tables(self, raw: Raw, path: Path, key: str) -> Iterator[tuple[Path, Raw]]:
        """Read an array of tables."""
        for index, item in enumerate(self._array(raw, path, key)):
            if isinstance(item, dict):
                yield (*path, key, index), cast("Raw", item)
            else:
                self.fault((*path, key, index), "type.not_a_table", "a table is needed here")

    def words(self, raw: Raw, path: Path, key: str) -> tuple[str, ...]:
        """Read an array of short texts; absent is empty."""
        found: list[str] = []
        for index, item in enumerate(self._array(raw, path, key)):
            if isinstance(item, str) and item and len(item) <= TEXT_MAX:
                found.append(item)
            else:
                self.fault((*path, key, index), "type.not_text", "a text is needed here")
        return tuple(found)

    def text(
        self, raw: Raw, path: Path, key: str, *, default: str | None = None, like: str = ""
    ) -> str:
        """Read a text; one that must match ``like`` in full is a code or a name."""
        value = raw.get(key, default)
        if value is None:
            self.fault((*path, key), "key.missing", f"{key} is needed")
        elif not isinstance(value, str):
            self.fault((*path, key), "type.not_text", "write it as text, in quotes")
        elif len(value) > TEXT_MAX or "\0" in value:
            self.fault((*path, key), "text.too_long", f"at most {TEXT_MAX} characters, no NUL")
        elif like and key in raw and not re.fullmatch(like, value, re.ASCII):
            self.fault((*path, key), "text.malformed", f"{value[:40]!r} is not like {like}")
        else:
            return value
        return default or ""

    def number(self, raw: Raw, path: Path, key: str, *, default: str | None = None) -> Decimal:
        """Read a number, written as text."""
        if key not in raw and default is None:
            self.fault((*path, key), "key.missing", f"{key} is needed")
            return Decimal(0)
        value = raw.get(key, default)
        if not isinstance(value, str):
            self.fault((*path, key), "number.not_text", 'write numbers as text: "46.8"')
        elif not _NUMBER.fullmatch(value) or len(value) > _NUMBER_LENGTH_MAX:
            self.fault((*path, key), "number.malformed", f"{value[:40]!r} is not a plain number")
        else:
            return Decimal(value)
        return Decimal(0)

    def unit(self, raw: Raw, path: Path, key: str = "unit") -> tuple[str, Unit | None]:
        """Read a unit: its text, and its meaning or None."""
        written = self.text(raw, path, key)
        if not written:
            return written, None
        try:
            return written, parse_unit(written)
        except UnknownUnit as unknown:
            self.fault((*path, key), "unit.unknown", str(unknown))
            return written, None

    def mass(self, raw: Raw, path: Path, key: str) -> str:
        """Read a mass with its unit, for example ``4 kg``; its meaning is `quantities`'."""
        return self.text(
            raw, path, key, like=r"[0-9]{1,18}(\.[0-9]{1,18})?\s?(mg|g|kg|t)(\s?CO2e?)?"
        )

    def word(self, raw: Raw, path: Path, key: str, kind: type[W], *, default: W | None = None) -> W:
        """Read a word of a closed vocabulary."""
        value = raw.get(key, default)
        if isinstance(value, str) and value in set(kind):
            return kind(value)
        listed = ", ".join(kind)
        code = "key.missing" if value is None else "word.unknown"
        self.fault((*path, key), code, f"{key} is one of: {listed}")
        return default or next(iter(kind))

    def kinds(self, raw: Raw, path: Path, key: str, kind: type[W]) -> tuple[W, ...]:
        """Read several words of a closed vocabulary; absent means all of them."""
        if key not in raw:
            return tuple(kind)
        found = self.words(raw, path, key)
        if not set(found) <= set(kind) or not found:
            self.fault((*path, key), "word.unknown", f"some of: {', '.join(kind)}")
            return tuple(kind)
        return tuple(kind(each) for each in found)

    def day(self, raw: Raw, path: Path, key: str) -> date:
        """Read a date, written without quotes."""
        value = raw.get(key)
        if isinstance(value, date) and not isinstance(value, datetime):
            return value
        code = "key.missing" if value is None else "type.not_a_date"
        self.fault((*path, key), code, "a date is needed, for example 2024-03-31")
        return _STAND_IN_DAY

    def day_or_none(self, raw: Raw, path: Path, key: str) -> date | None:
        """Read a date that may be absent."""
        return self.day(raw, path, key) if key in raw else None

    def whole(
        self, raw: Raw, path: Path, key: str, *, low: int = 1, top: int = _VERSION_MAX
    ) -> int:
        """Read a whole number from ``low`` to ``top``."""
        value = raw.get(key)
        if type(value) is int and low <= value <= top:
            return value
        code = "key.missing" if value is None else "type.not_a_whole_number"
        self.fault((*path, key), code, f"a whole number from {low} to {top} is needed")
        return low

    def flag(self, raw: Raw, path: Path, key: str) -> bool:
        """Read true or false; absent is false."""
        value = raw.get(key, False)
        if isinstance(value, bool):
            return value
        self.fault((*path, key), "type.not_a_flag", "true or false is needed")
        return False

    def both(self, raw: Raw, path: Path, key: str) -> Text:
        """Read the same words in Chinese and English."""
        if key not in raw:
            self.fault((*path, key), "key.missing", f"{key} is needed, as {{ zh = …, en = … }}")
            return Text("", "")
        inner = self.table(raw, path, key)
        self.allow(inner, (*path, key), ("zh", "en"))
        return Text(self.text(inner, (*path, key), "zh"), self.text(inner, (*path, key), "en"))

    def both_or_none(self, raw: Raw, path: Path, key: str) -> Text | None:
        """Read words that may be absent."""
        return self.both(raw, path, key) if key in raw else None

    def _array(self, raw: Raw, path: Path, key: str) -> list[object]:
        value = raw.get(key, [])
        if not isinstance(value, list):
            self.fault((*path, key), "type.not_a_list", "a list is needed here")
            return []
        items = cast("list[object]", value)
        if len(items) > ITEMS_MAX:
            self.fault((*path, key), "size.too_many", f"at most {ITEMS_MAX} entries")
            return []
        return items
