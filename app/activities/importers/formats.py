"""What every importer is (导入器): a name, its columns, and a way from rows to items."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from hashlib import sha256
from pathlib import Path

from app.activities.importers.replay import Replay
from app.activities.importers.segments import Segments
from app.activities.items import Item, Malformed

Items = Iterator[Item | Malformed]


@dataclass(frozen=True, slots=True)
class Options:
    """What the file itself does not say."""

    replay: Replay = field(default_factory=Replay)
    day: date | None = None
    """When it was weighed, for files that do not tell."""
    segments: Segments | None = None
    """The track between stations, where it is at hand; else trips have no distance."""
    declared: Mapping[str, str] = field(default_factory=dict[str, str])
    """Inputs that hold for the whole file by somebody's declaration, as a plant's capacity."""


@dataclass(frozen=True, slots=True)
class Importer:
    """Reads one kind of real file (真实数据文件)."""

    name: str
    title_zh: str
    title_en: str
    place: str
    """Where its readings were taken; shown on every act of a replay."""
    read: Callable[[Path | bytes, Options], Items]
    """Raises ``UploadRefused`` before the first item if the file is another."""


def row_id(kind: str, *facts: str) -> str:
    """Name a record whose publisher gave it no id, by what tells it from all others.

    >>> row_id("afc", "CBEHFCFCG", "2018-08-31 22:14:50") == row_id("afc", "CBEHFCFCG", "2018")
    False
    """
    return f"{kind}-{sha256(chr(31).join(facts).encode()).hexdigest()[:24]}"


def origin(options: Options, place: str, source: datetime) -> tuple[datetime | None, str]:
    """Give what a replayed act shows of its origin; nothing where nothing was moved."""
    return (source, place) if options.replay.is_replay else (None, "")
