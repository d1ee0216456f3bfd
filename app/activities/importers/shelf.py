"""The importers by name (导入器目录), and how an upload is read through one of them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import Final, NoReturn

import msgspec

from app.activities.choice import Choice
from app.activities.errors import UploadEmpty, UploadHeader
from app.activities.importers import (
    household_days,
    intervals,
    shenzhen_afc,
    shenzhen_taxi,
    weighed_recycling,
)
from app.activities.importers.errors import FormatUnknown, NotPersonal
from app.activities.importers.formats import Importer, Items, Options
from app.activities.importers.tables import number, read_table, unpacked
from app.activities.items import Item, Malformed, Value
from app.activities.preparing import DAILY_INPUT
from methodologies import Settlement


def _refuse_tonnage(source: Path | bytes, options: Options) -> NoReturn:
    """Refuse municipal tonnage, once it is seen to be that."""
    del options
    read_table(source, ("MONTH", "BOROUGH", "PAPERTONSCOLLECTED"))
    raise NotPersonal


MUNICIPAL: Final = Importer(
    name="nyc-tonnage",
    title_zh="市政清运量（拒收）",
    title_en="Municipal tonnage, refused",
    place="New York 纽约",
    read=_refuse_tonnage,
)

IMPORTERS: Final[Mapping[str, Importer]] = MappingProxyType(
    {
        each.name: each
        for each in (
            shenzhen_afc.IMPORTER,
            household_days.IMPORTER,
            intervals.METER,
            intervals.PHOTOVOLTAIC,
            weighed_recycling.IMPORTER,
            shenzhen_taxi.IMPORTER,
            MUNICIPAL,
        )
    }
)


def importer(name: str) -> Importer:
    """Find an importer.

    Raises:
        FormatUnknown: There is none of this name.
    """
    try:
        return IMPORTERS[name]
    except KeyError as error:
        raise FormatUnknown(known=", ".join(IMPORTERS)) from error


@dataclass(frozen=True, slots=True)
class Import:
    """A real file on its way into ``ingest``; iterating reads it again from the start."""

    importer: Importer
    source: Path | bytes
    choice: Choice
    options: Options = field(default_factory=Options)

    def __iter__(self) -> Iterator[Item | Malformed]:
        """Give its items, with those inputs that the methodology asks for."""
        names = asked_of(self.choice)
        declared = {name: _value(text) for name, text in self.options.declared.items()}
        return (_asked(item, names, declared) for item in self._read())

    @property
    def sha256(self) -> bytes:
        """Digest of the content, unpacked."""
        return sha256(unpacked(self.source)).digest()

    def _read(self) -> Items:
        return self.importer.read(self.source, self.options)


def open_import(
    name: str, source: Path | bytes, choice: Choice, options: Options | None = None
) -> Import:
    """Open a real file by the name of its importer, and see that it is such a file.

    Raises:
        FormatUnknown: There is no importer of this name.
        UploadRefused: The file is refused whole, with the reason as its code; or something was
            declared that the methodology does not ask for.
    """
    opened = Import(importer(name), source, choice, options or Options())
    if unknown := sorted(opened.options.declared.keys() - asked_of(choice)):
        raise UploadHeader(unknown=", ".join(unknown))
    if next(iter(opened), None) is None:
        raise UploadEmpty
    return opened


def asked_of(choice: Choice) -> frozenset[str]:
    """Give the inputs that a day, a trip or a weighing is told with.

    A methodology that settles by the month is told each day's reading, and nothing else (R10).
    """
    if any(each.settlement is Settlement.BILLING_MONTH for each in choice.versions):
        return frozenset({DAILY_INPUT})
    return frozenset(choice.input_names)


def _asked(
    item: Item | Malformed, names: frozenset[str], declared: Mapping[str, Value]
) -> Item | Malformed:
    if isinstance(item, Malformed):
        return item
    inputs = {name: value for name, value in item.inputs.items() if name in names}
    return msgspec.structs.replace(item, inputs={**declared, **inputs})


def _value(text: str) -> Value:
    read = number(text)
    return text if read is None else read
