"""Taking an upload in (接收)."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from uuid import UUID

from app.activities.choice import Choice
from app.activities.items import Item, Malformed
from app.activities.outcomes import ItemOutcome, UploadResult
from app.kernel.db import Database
from app.kernel.secrets import Keys
from app.kernel.settings import Settings

Progress = Callable[[Sequence[ItemOutcome]], None]


def ingest(
    db: Database,
    keys: Keys,
    settings: Settings,
    provider: str,
    methodology: Choice,
    items: Iterable[Item | Malformed],
    *,
    at: datetime,
    upload: UUID | None = None,
    sha256: bytes | None = None,
    progress: Progress | None = None,
) -> UploadResult:
    """Take ``items`` of ``provider`` in; every line ends with one outcome.

    Args:
        provider: The provider's code.
        upload: The id of an upload to resume: chunks that were committed are not run again.
            Without it a new upload begins, whose lines that were told before are duplicates.
        sha256: Of the content; by default that of ``items`` if it is an ``ItemFile``.
        progress: Called with the outcomes of each chunk, after its commit.

    Raises:
        ProviderUnknown, ProviderSuspended, ParameterMissing, UploadReused: See their own words.
    """
    raise NotImplementedError
