"""The catalogue that ships: ``catalog/<code>/<version>.toml``, read when first asked for."""

from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable

from .document import Document
from .loading import load


class Catalog(Mapping[tuple[str, int], Document]):
    """All shipped versions by (code, version); a document is parsed once, on first use."""

    def __getitem__(self, key: tuple[str, int]) -> Document:
        """Give one version; KeyError if it does not ship."""
        return _loaded(key)

    def __iter__(self) -> Iterator[tuple[str, int]]:
        """Go through the versions by code, then version."""
        return iter(_files())

    def __len__(self) -> int:
        """Count the versions."""
        return len(_files())


CATALOG = Catalog()


def get(code: str, version: int) -> Document:
    """Give one version of one methodology.

    >>> get("SZ-METRO", 1).title.zh
    '轨道交通出行'

    Raises:
        KeyError: It does not ship.
    """
    return CATALOG[code, version]


def source(code: str, version: int) -> bytes:
    """Give the bytes of one version as they ship.

    >>> source("SZ-METRO", 1)[:4]
    b'code'

    Raises:
        KeyError: It does not ship.
    """
    return _files()[code, version].read_bytes()


def find(code: str, *, on: date) -> Document:
    """Give the version in force on a day: the one that took effect last.

    >>> from datetime import date
    >>> find("WH-BUS", on=date(2024, 1, 1)).version, find("WH-BUS", on=date(2026, 1, 1)).version
    (1, 2)

    Raises:
        KeyError: There is no such code, or none of its versions was in force yet or still.
    """
    versions = [CATALOG[key] for key in CATALOG if key[0] == code]
    in_force = [v for v in versions if v.effective <= on and (v.until is None or on <= v.until)]
    if not in_force:
        raise KeyError((code, on))
    return max(in_force, key=lambda each: (each.effective, each.version))


@cache
def _files() -> dict[tuple[str, int], Traversable]:
    root = resources.files("methodologies") / "catalog"
    files = {
        (folder.name, int(file.name.removesuffix(".toml"))): file
        for folder in root.iterdir()
        for file in folder.iterdir()
    }
    return dict(sorted(files.items()))


@cache
def _loaded(key: tuple[str, int]) -> Document:
    file = _files()[key]
    return load(file.read_bytes(), f"{key[0]}/{key[1]}.toml")
