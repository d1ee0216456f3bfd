"""Pictures of offers in a backup (备份中的商品图片): one file of all that the folder holds.

Taken after the snapshot: a picture is kept before the row that names it, and none is swept while a
backup is taken, so whatever the snapshot names is in the file.
"""

import re
import tarfile
from pathlib import Path
from typing import Final

from app.backup.errors import BackupMalformed
from app.mall.object_store import FileStore

PICTURES: Final = "pictures.tar"
_NAME: Final = re.compile(r"[0-9a-f]{64}")


def pack(folder: Path, target: Path) -> None:
    """Put every object of a store's folder into one file; drafts are left out."""
    with tarfile.open(target, "w") as archive:
        for path in sorted(folder.glob("*/*")):
            if _NAME.fullmatch(path.name):
                archive.add(path, path.name, recursive=False)


def unpack(source: Path, folder: Path) -> None:
    """Put every object of such a file into a store's folder; what lies there already stays.

    Raises:
        BackupMalformed: An object is not what its name says.
    """
    store = FileStore(folder)
    with tarfile.open(source) as archive:
        for member in archive:
            held = archive.extractfile(member) if member.isfile() else None
            if held is None or store.put(held.read()) != member.name:
                raise BackupMalformed(file=PICTURES, reason="digest")
