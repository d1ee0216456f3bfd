"""Taking a backup (备份): one snapshot, two dumps, pictures, a manifest signed and written last."""

import json
import os
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import file_digest
from pathlib import Path
from typing import Final, Self

import psycopg
from cryptography.exceptions import InvalidSignature
from psycopg import IsolationLevel
from pydantic import BaseModel, ConfigDict

from app.backup.errors import BackupMalformed, BackupThere
from app.backup.pictures import PICTURES, pack
from app.backup.survey import Survey, survey
from app.embedded.programs import dump
from app.kernel.durable import sync
from app.kernel.secrets import Keys
from app.mall.pictures import hold_pictures

CITY: Final = "city.dump"
OPENINGS: Final = "openings.dump"
"""``account_secret`` alone: what opens people's entries, and what an erasure destroys."""
CHOOSE: Final[Mapping[str, tuple[str, ...]]] = {
    CITY: ("--exclude-table-data=account_secret",),
    OPENINGS: ("--data-only", "--table=account_secret"),
}
MANIFEST: Final = "manifest.json"


class Manifest(BaseModel):
    """What a backup says of itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int = 1
    origin: str
    taken_at: str
    sha256: Mapping[str, str]
    """File → digest, in hex."""
    survey: Survey

    def signed(self, keys: Keys) -> bytes:
        """Write the manifest with its signature."""
        told = self.model_dump(mode="json")
        signature = keys.receipt.sign(_canonical(told)).hex()
        return json.dumps({**told, "signature": signature}, ensure_ascii=False, indent=1).encode()

    @classmethod
    def read(cls, folder: Path, keys: Keys) -> Self:
        """Read the manifest of a backup, and hold its signature and files to it.

        Raises:
            BackupMalformed: It is not one, or not what was signed.
        """
        try:
            told = json.loads((folder / MANIFEST).read_bytes())
            signature = bytes.fromhex(told.pop("signature"))
            keys.receipt.public_key().verify(signature, _canonical(told))
            made = cls.model_validate(told)
        except (OSError, ValueError, KeyError, AttributeError) as error:
            raise BackupMalformed(file=MANIFEST, reason=type(error).__name__) from error
        except InvalidSignature as error:
            raise BackupMalformed(file=MANIFEST, reason="signature") from error
        for name, digest in made.sha256.items():
            path = folder / Path(name).name
            if not path.exists() or sha256_of(path) != digest:
                raise BackupMalformed(file=name, reason="digest")
        return made


def take_backup(
    owner_url: str,
    keys: Keys,
    folder: Path,
    *,
    origin: str,
    at: datetime,
    pictures: Path | None = None,
) -> Manifest:
    """Write a backup into a new folder; it appears whole or not at all.

    ``pictures`` is the folder of an object store; without it they are backed up elsewhere.

    Raises:
        BackupThere: The folder is there already.
        ProgramFailed: PostgreSQL's program says why.
    """
    if folder.exists():
        raise BackupThere(folder=folder.name)
    draft = folder.with_name(f".{folder.name}.{os.getpid()}")
    draft.mkdir(parents=True, mode=0o700)
    try:
        with psycopg.connect(owner_url, autocommit=True) as keeper:
            hold_pictures(keeper)
            with psycopg.connect(owner_url) as connection:
                connection.isolation_level = IsolationLevel.REPEATABLE_READ
                row = connection.execute("select pg_export_snapshot()").fetchone()
                assert row is not None
                for name, choose in CHOOSE.items():
                    dump(owner_url, draft / name, row[0], choose=choose)
                held = survey(connection)
            if pictures is not None:
                pack(pictures, draft / PICTURES)
        manifest = Manifest(
            origin=origin,
            taken_at=at.astimezone(UTC).isoformat(timespec="seconds"),
            sha256={path.name: sha256_of(path) for path in sorted(draft.iterdir())},
            survey=held,
        )
        (draft / MANIFEST).write_bytes(manifest.signed(keys))
        for path in (*draft.iterdir(), draft):
            sync(path)
        draft.rename(folder)
        sync(folder.parent)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return manifest


def _canonical(told: Mapping[str, object]) -> bytes:
    return json.dumps(told, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def sha256_of(path: Path) -> str:
    """Hash a file, as manifests do."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
