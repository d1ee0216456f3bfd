"""Reading a file into items (读取)."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from app.activities.choice import Choice
from app.activities.items import Item, Malformed


@dataclass(frozen=True, slots=True)
class ItemFile:
    """A file or body that was found whole; its items are read again on each iteration."""

    source: Path | bytes
    choice: Choice
    sha256: bytes
    """Of the content, unpacked."""

    def __iter__(self) -> Iterator[Item | Malformed]:
        """Read the items."""
        raise NotImplementedError


def read_items(source: Path | bytes, choice: Choice, *, name: str = "") -> ItemFile:
    """Check that ``source`` is whole and of a known format.

    Args:
        source: A file, or a body.
        choice: Which methodology; its inputs are the columns.
        name: A file name whose ending tells the format of a body.

    Raises:
        UploadRefused: The file is refused whole, with the reason as its code.
    """
    raise NotImplementedError
