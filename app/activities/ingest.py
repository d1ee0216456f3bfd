"""Taking an upload in (接收): from items to committed chunks to a signed receipt.

Each chunk is a transaction of its own and idempotent item by item, so an upload that broke off
is taken in again from its start: what was committed is found as duplicates, or, under the same
upload id, with the outcomes it had.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from hashlib import sha256 as sha256_of
from itertools import islice
from typing import Final
from uuid import UUID

from sqlmodel import Session

from app.activities.choice import Choice
from app.activities.errors import ParameterMissing
from app.activities.items import Item, Malformed
from app.activities.marks import Marker, record_of
from app.activities.outcomes import ItemOutcome, UploadResult
from app.activities.preparing import Chunk, Preparation
from app.activities.recording import Terms, record
from app.activities.uploads import ChunkRecord, close_upload, open_upload
from app.books import asset_ids
from app.kernel.clock import day_of
from app.kernel.db import Database, driver
from app.kernel.ids import new_id
from app.kernel.secrets import Keys
from app.kernel.settings import Settings
from ledger.assets import Reduction

CHUNK_LINES: Final = 10_000
Progress = Callable[[Sequence[ItemOutcome]], None]
Items = Iterable[Item | Malformed]


def ingest(  # noqa: PLR0913 -- the world of an upload, and five facts about it
    db: Database,
    keys: Keys,
    settings: Settings,
    provider: str,
    methodology: Choice,
    items: Items,
    *,
    at: datetime,
    upload: UUID | None = None,
    sha256: bytes | None = None,
    progress: Progress | None = None,
    chunk_lines: int = CHUNK_LINES,
) -> UploadResult:
    """Take ``items`` of ``provider`` in; every line ends with one outcome.

    Args:
        db: Where to.
        keys: Hash subjects, sign the receipt.
        settings: The acceptance window and the merge deadline.
        provider: The provider's code.
        methodology: The versions that may apply; each act takes the one in force on its day.
        items: What was read; see ``read_items``.
        at: Now.
        upload: The id of an upload to resume: chunks that were committed are not run again.
            Without it a new upload begins, whose lines that were told before are duplicates.
        sha256: Of the content; by default that of ``items`` if it is an ``ItemFile``.
        progress: Called with the outcomes of each chunk, after its commit.
        chunk_lines: How many lines are one transaction; an upload is resumed with the same.

    Raises:
        ProviderUnknown, ProviderSuspended, ParameterMissing, UploadReused: See their own words.
    """
    if all(each.missing_parameters for each in methodology.versions):
        missing = ", ".join(methodology.versions[-1].missing_parameters)
        raise ParameterMissing(methodology=methodology.code, parameters=missing)
    content = sha256 or _digest(items, methodology.code)
    opened = db.transact(open_upload, upload or new_id(), provider, methodology, content, at=at)
    today = day_of(at)
    preparation = Preparation(
        methodology,
        opened.versions,
        Marker(keys, provider, opened.aliases),
        today=today,
        at=at,
        window_days=settings.acceptance_window_days,
        new_id=new_id,
    )
    open_from = today - timedelta(days=settings.merge_deadline_days)
    terms = Terms(opened, today, open_from, new_id)
    assets: dict[Reduction, int] = {}
    for number, part in enumerate(_parts(items, chunk_lines)):
        chunk = preparation.chunk(number, part)
        wanted = {c.reduction for c in chunk.candidates if c.reduction is not None} - assets.keys()
        if wanted:
            assets |= db.transact(_asset_ids, wanted)
        made = db.transact(record, terms, chunk, assets)
        if progress is not None:
            progress(_told(chunk, made))
    return db.transact(close_upload, opened, keys.receipt, at=at, delay=settings.merge_delay)


def _asset_ids(session: Session, wanted: Iterable[Reduction]) -> dict[Reduction, int]:
    found = asset_ids(driver(session), wanted)
    return {asset: number for asset, number in found.items() if isinstance(asset, Reduction)}


def _parts(items: Items, lines: int) -> Iterator[list[Item | Malformed]]:
    rest = iter(items)
    while part := list(islice(rest, lines)):
        yield part


def _told(chunk: Chunk, made: ChunkRecord) -> list[ItemOutcome]:
    return [
        ItemOutcome(line, item.external_id, outcome, reason, mg)
        for item, (line, outcome, reason, mg) in zip(chunk.items, made.lines, strict=True)
    ]


def _digest(items: Items, code: str) -> bytes:
    """Give the digest of the content: the file's own, or one over the records of a list."""
    known = getattr(items, "sha256", None)
    if isinstance(known, bytes):
        return known
    assert isinstance(items, Sequence), "a stream needs the sha256 of its source"
    told = sha256_of()
    for each in items:
        told.update(record_of(each, code) if isinstance(each, Item) else each.reason.encode())
    return told.digest()
