"""The real files of these tests (真实文件): shipped ones always, shared ones where they are.

``read_plain`` reads a file by the csv module alone: the other way by which counts are found.
"""

import csv
import gzip
from collections import Counter
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path
from typing import cast

import pytest

from app.activities.choice import catalogued
from app.activities.importers import Import, Options, open_import
from app.activities.items import Item, Malformed

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data"


def shipped(name: str) -> Path:
    return cast("Path", files("app").joinpath("demo_data", name))


def shared(name: str) -> Path:
    found = SHARED / name
    if not found.exists():
        pytest.skip(f"{name} may not ship, and ../shared/data is not here")
    return found


def opened(form: str, source: Path | bytes, code: str, options: Options | None = None) -> Import:
    return open_import(form, source, catalogued(code), options)


def read_plain(path: Path) -> list[dict[str, str]]:
    raw = path.read_bytes()
    text = gzip.decompress(raw) if path.suffix == ".gz" else raw
    return list(csv.DictReader(text.decode("utf-8-sig").splitlines()))


def reasons(items: Iterable[Item | Malformed]) -> Counter[str]:
    """Count what became of the lines: ``""`` is an act."""
    return Counter(
        f"malformed {each.reason}" if isinstance(each, Malformed) else each.not_eligible
        for each in items
    )


def acts(items: Iterable[Item | Malformed]) -> list[Item]:
    return [each for each in items if isinstance(each, Item) and not each.not_eligible]
