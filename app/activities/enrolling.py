"""Enrolment by import (导入开户): outside production a file brings its own people (R15).

The consent of everybody it opens begins at the start of the day of the file's earliest act.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, time
from itertools import islice
from typing import Final

from app.activities.choice import Choice
from app.activities.items import Item, Malformed
from app.citizens import WHEREABOUTS, Basis, enrol_unknown, scenes_of
from app.kernel.clock import SHANGHAI, day_of
from app.kernel.db import Database
from app.kernel.secrets import Keys
from app.providers import find_provider

AT_ONCE: Final = 10_000


def enrol(
    db: Database,
    keys: Keys,
    provider: str,
    choice: Choice,
    items: Iterable[Item | Malformed],
    *,
    at: datetime,
    is_production: bool,
    basis: Basis = "operator-import",
) -> int:
    """Open account, consent and link for every subject of ``items`` that nobody linked.

    Reads all items once. Idempotent; returns how many people were enrolled.

    Raises:
        EnrolmentRefused: In production.
        ProviderUnknown: There is no such provider.
    """
    number_of = db.read(find_provider, provider).id
    hashed: dict[str, bytes] = {}
    earliest: datetime | None = None
    scenes = set(scenes_of(choice.versions))
    for item in items:
        if isinstance(item, Malformed):
            continue
        if item.subject not in hashed:
            hashed[item.subject] = keys.subject_hash(provider, item.subject)
        if earliest is None or item.occurred_at < earliest:
            earliest = item.occurred_at
        if item.vehicle or item.station:
            scenes.add(WHEREABOUTS)
    if earliest is None:
        return 0
    since = datetime.combine(day_of(earliest), time(), SHANGHAI)
    enrolled = 0
    for scene in sorted(scenes):
        for numbers in _parts(hashed.values()):
            enrolled += db.transact(
                enrol_unknown,
                keys,
                number_of,
                numbers,
                scene,
                since=since,
                at=at,
                is_production=is_production,
                basis=basis,
            )
    return enrolled


def _parts(numbers: Iterable[bytes]) -> Iterator[list[bytes]]:
    rest = iter(numbers)
    while part := list(islice(rest, AT_ONCE)):
        yield part
