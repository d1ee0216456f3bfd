"""Uploads on disk (批次): opened, recorded chunk by chunk, closed with a signed receipt.

Nothing of an upload is ever changed: that it is complete is the presence of its receipt. A crash
between the last commit and the signature is mended by the retry, which signs. The receipt says by
when all of it is in an anchored epoch; ``ledger.promise`` holds the operator to that.
"""

import zlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final, NamedTuple
from uuid import UUID

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlmodel import Session

from app.activities.choice import Choice
from app.activities.errors import MethodologyAltered, UploadReused
from app.activities.outcomes import OUTCOMES, ItemOutcome, Outcome, UploadResult
from app.kernel.db import Connection, driver
from app.kernel.ids import public_id
from app.providers import Provider, ProviderSuspended, find_provider
from ledger.log import tree_hash
from methodologies import Document

RECEIPT_KIND: Final = "tanpu/ingest-receipt/2"
_OPEN: Final = """
insert into upload (id, provider, methodology, sha256, opened_at) values (%s, %s, %s, %s, %s)
on conflict (id) do nothing"""
_OPENED: Final = "select provider, methodology, sha256, opened_at from upload where id = %s"
_VERSIONS: Final = """
insert into methodology_version (code, version, sha256)
select * from unnest(%s::text[], %s::int4[], %s::bytea[]) on conflict (code, version) do nothing"""
_VERSION_IDS: Final = "select version, id, sha256 from methodology_version where code = %s"
_ALIASES: Final = "select kind, alias, name from place_alias"
_RECORDED: Final = (
    "select outcomes, corrected_mg from upload_chunk where upload = %s and number = %s"
)
_RECORD: Final = """
insert into upload_chunk (upload, number, counts, reduction_mg, corrected_mg, digest, outcomes,
                          late)
values (%s, %s, %s, %s, %s, %s, %s, %s)"""
_CHUNKS: Final = """
select counts, reduction_mg, corrected_mg, digest from upload_chunk where upload = %s
 order by number"""
_CLOSE: Final = """
insert into upload_receipt (upload, statement, signature) values (%s, %s, %s)
on conflict (upload) do nothing"""
_CLOSED: Final = "select statement, signature from upload_receipt where upload = %s"
_OUTCOMES: Final = "select outcomes from upload_chunk where upload = %s order by number"

Line = tuple[int, Outcome, str, int]
"""As stored: line, outcome, reason, mg. The provider's own id is not kept."""


class Upload(NamedTuple):
    """An open upload and what every chunk of it needs."""

    id: UUID
    provider: Provider
    methodology: str
    sha256: bytes
    opened_at: datetime
    versions: Mapping[Document, int]
    aliases: Mapping[tuple[str, str], str]


class ChunkRecord(NamedTuple):
    """What a committed chunk came to."""

    lines: Sequence[Line]
    corrected_mg: int
    late: int = 0
    """Lines that were new and past their day's merge deadline; a recorded chunk is not asked."""


def open_upload(
    session: Session, upload: UUID, provider: str, choice: Choice, content: bytes, *, at: datetime
) -> Upload:
    """Open an upload, or find it as it was opened.

    Raises:
        ProviderUnknown, ProviderSuspended: See their own words.
        UploadReused: The id is another upload's.
        MethodologyAltered: A version is not the one that was used before.
    """
    connection = driver(session)
    sender = find_provider(session, provider)
    if sender.suspended_at is not None and sender.suspended_at <= at:
        raise ProviderSuspended(provider=provider)
    connection.execute(_OPEN, (upload, sender.id, choice.code, content, at))
    row = connection.execute(_OPENED, (upload,)).fetchone()
    if row is None or row[:3] != (sender.id, choice.code, content):
        raise UploadReused(upload=public_id("bat", upload))
    aliases = {(kind, alias): name for kind, alias, name in connection.execute(_ALIASES)}
    versions = _version_ids(connection, choice)
    return Upload(upload, sender, choice.code, content, row[3], versions, aliases)


def _version_ids(connection: Connection, choice: Choice) -> dict[Document, int]:
    documents = choice.versions
    columns = (
        [each.code for each in documents],
        [each.version for each in documents],
        [bytes.fromhex(each.sha256) for each in documents],
    )
    connection.execute(_VERSIONS, columns)
    found = {row[0]: row[1:] for row in connection.execute(_VERSION_IDS, (choice.code,))}
    for each in documents:
        if bytes(found[each.version][1]).hex() != each.sha256:
            raise MethodologyAltered(methodology=each.code, version=each.version)
    return {each: found[each.version][0] for each in documents}


def recorded_chunk(connection: Connection, upload: UUID, number: int) -> ChunkRecord | None:
    """Give a chunk that was committed before."""
    row = connection.execute(_RECORDED, (upload, number)).fetchone()
    return None if row is None else ChunkRecord(_lines(row[0]), row[1])


def record_chunk(connection: Connection, upload: UUID, number: int, made: ChunkRecord) -> None:
    """Write what a chunk came to."""
    text = msgspec.json.encode(made.lines)
    counts = dict.fromkeys(OUTCOMES, 0)
    for _, outcome, _, _ in made.lines:
        counts[outcome] += 1
    connection.execute(
        _RECORD,
        (
            upload,
            number,
            list(counts.values()),
            sum(mg for _, _, _, mg in made.lines),
            made.corrected_mg,
            sha256(text).digest(),
            zlib.compress(text, 1),
            made.late,
        ),
    )


def outcomes_of(session: Session, upload: UUID) -> list[ItemOutcome]:
    """Give the outcomes of an upload, by line; the provider's own ids are not kept."""
    return [
        ItemOutcome(line, "", outcome, reason, mg)
        for (packed,) in driver(session).execute(_OUTCOMES, (upload,))
        for line, outcome, reason, mg in _lines(packed)
    ]


def close_upload(
    session: Session, upload: Upload, key: Ed25519PrivateKey, *, at: datetime, delay: timedelta
) -> UploadResult:
    """Sign what was committed, and that it will be logged within ``delay``; keep the receipt.

    Idempotent: the first receipt is the one that counts.
    """
    connection = driver(session)
    chunks = connection.execute(_CHUNKS, (upload.id,)).fetchall()
    counts = {
        outcome: sum(chunk[0][place] for chunk in chunks) for place, outcome in enumerate(OUTCOMES)
    }
    reduction_mg, corrected_mg = (sum(chunk[place] for chunk in chunks) for place in (1, 2))
    statement = msgspec.json.encode(
        {
            "kind": RECEIPT_KIND,
            "upload": public_id("bat", upload.id),
            "provider": upload.provider.code,
            "methodology": upload.methodology,
            "content_sha256": upload.sha256.hex(),
            "lines": sum(counts.values()),
            "counts": {str(outcome): count for outcome, count in counts.items()},
            "reduction_mg": reduction_mg,
            "corrected_mg": corrected_mg,
            "outcomes_root": tree_hash([bytes(chunk[3]) for chunk in chunks]).hex(),
            "opened_at": upload.opened_at,
            "closed_at": at,
            "logged_by": at + delay,
        },
        order="sorted",
    )
    connection.execute(_CLOSE, (upload.id, statement, key.sign(statement)))
    row = connection.execute(_CLOSED, (upload.id,)).fetchone()
    assert row is not None, upload.id
    statement, signature = bytes(row[0]), bytes(row[1])
    return UploadResult(
        upload.id, counts, reduction_mg, corrected_mg, statement, signature, upload.opened_at
    )


def _lines(packed: bytes) -> list[Line]:
    return msgspec.json.decode(zlib.decompress(packed), type=list[Line])
