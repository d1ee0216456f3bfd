"""What a registry on the chain is told, in an order that its contract takes, and the records."""

from datetime import date
from uuid import UUID

from ledger.assets import methodology_key
from ledger.extras import cancellations_root
from ledger.registry import (
    EpochCancellation,
    Invalidation,
    Issuance,
    Retirement,
    Told,
    batch_id,
    invalidation_id,
    record,
    retirement_id,
)
from tests.vectors.city import digest, uuid7
from tests.vectors.trees import PLAIN, Vectors, x

NAMES = {
    "issue-batch": batch_id,
    "retirement": retirement_id,
    "invalidation": invalidation_id,
}


def registrations() -> Vectors:
    """List names and messages: two batches, one used up to its end, the widest numbers."""
    one, two = uuid7("batch", 1), uuid7("batch", 2)
    metro, home = methodology_key("SZ-METRO", 1), methodology_key("家庭用电", 1)
    told: list[Told] = [
        Issuance(one, 9_999_999_999, date(2026, 1, 1), metro, 7),
        Issuance(two, 30, date(2025, 12, 1), home, 2**64 - 1),
        _retirement("first", one, start=1, amount_kg=42_195, purpose=2),
        _retirement("second", one, start=42_196, amount_kg=1, purpose=255),
        Invalidation(uuid7("invalidation"), two, 30, 10),
        _retirement("last", two, start=1, amount_kg=20, purpose=1),
        EpochCancellation(1, cancellations_root(PLAIN[:3]), 5, 0),
        EpochCancellation(2**64 - 1, cancellations_root(PLAIN[:1]), 2**127, 2**127),
    ]
    return {
        "names": [
            {"tag": tag, "id": x(uuid7(tag).bytes), "name": x(name(uuid7(tag)))}
            for tag, name in NAMES.items()
        ],
        "told": [
            {
                "kind": each.kind,
                "words": [
                    x(word) if isinstance(word, bytes) else str(word) for word in each.words()
                ],
                "record": x(record(each)),
            }
            for each in told
        ],
    }


def _retirement(name: str, batch: UUID, *, start: int, amount_kg: int, purpose: int) -> Retirement:
    commits = digest(name, "beneficiary"), digest(name, "claim")
    return Retirement(uuid7(name), batch, start, amount_kg, purpose, *commits)
