"""Where bytes lie that are named by their hash (对象存储).

A name never means other bytes, so that putting twice is putting once, nothing but what the disk
has spoilt is ever overwritten, and any cache may keep it for good.
"""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Final, Protocol

from fastapi import Depends, Request

from app.kernel.durable import sync
from app.kernel.ids import new_id

DIGITS: Final = 2
"""How much of a name is its folder: 256 folders keep each short."""


class ObjectStore(Protocol):
    """Keeps bytes under their SHA-256 (对象存储)."""

    def put(self, data: bytes) -> str:
        """Keep bytes until they are deleted; gives their name, once they are durable."""
        ...

    def get(self, name: str) -> bytes | None:
        """Give the bytes of a name; ``None`` where it has none."""
        ...

    def names(self) -> Iterator[str]:
        """List what is kept, and what a crash left of a writing, each by what deletes it."""
        ...

    def delete(self, name: str) -> None:
        """Let go of what lies under a name, if anything does; of nothing that is being put."""
        ...


class FileStore:
    """In a folder of the file system, which several machines may share."""

    def __init__(self, folder: Path) -> None:
        """Keep in ``folder``, which is made with the first object."""
        self._folder = folder

    def put(self, data: bytes) -> str:
        """Write beside, make durable, rename: a crash leaves all of it, or a draft of no name.

        Whoever wrote it may have crashed before its name was durable, so that is seen to each time.
        """
        name = sha256(data).hexdigest()
        path = self._path(name)
        if self.get(name) is None:
            path.parent.mkdir(parents=True, exist_ok=True)
            draft = path.with_name(f".{name}.{new_id().hex}")
            draft.write_bytes(data)
            sync(draft)
            draft.replace(path)
        for folder in (path.parent, self._folder, self._folder.parent):
            sync(folder)
        return name

    def get(self, name: str) -> bytes | None:
        """Read the bytes, unless the disk gives back others than were put."""
        try:
            data = self._path(name).read_bytes()
        except FileNotFoundError:
            return None
        return data if sha256(data).hexdigest() == name else None

    def names(self) -> Iterator[str]:
        """List the files of each folder, drafts too."""
        for folder in sorted(self._folder.glob("*")):
            yield from sorted(path.name for path in folder.iterdir())

    def delete(self, name: str) -> None:
        """Delete a file. A crash may bring it back: whoever deletes looks again some day."""
        self._path(name).unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        return self._folder / name.removeprefix(".")[:DIGITS] / name


async def _pictures(request: Request) -> ObjectStore:
    return request.app.state.pictures


Pictures = Annotated[ObjectStore, Depends(_pictures)]
"""Where the running city keeps the pictures of offers."""
