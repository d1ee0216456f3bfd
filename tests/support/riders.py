"""Ten citizens who rode and exchanged, and what their provider keeps (骑行与入池样例)."""

from datetime import timedelta
from hashlib import sha256

from app.activities import Item, Outcome
from app.activities.marks import record_of
from app.kernel.db import Database
from app.registry.verification import Finding, Record, SampledRow, Verdict
from ledger.assets import Reduction
from tests.support.acts import TODAY, item, people, provider, rows, send
from tests.support.points import swap
from tests.support.registry import Registry, grade_a

RIDE = grade_a()
RIDES = 20


def rode(registry: Registry) -> Reduction:
    """Let ten citizens ride twice, a kilogram a ride, as a provider tells, and exchange it all."""
    db, metro = registry.db, provider(registry.db)
    cards = [f"card-{n}" for n in range(10)]
    people(db, registry.keys, metro, cards, choice=RIDE)
    items = [ride(line) for line in range(RIDES)]
    assert send(db, registry.keys, metro, items, RIDE).counts[Outcome.ACCEPTED] == RIDES
    for owner in riders(db):
        swap(db, owner)
    (facts,) = rows(
        db, "select methodology, version, scenario, grade, vintage from asset where grade = 'A'"
    )
    return Reduction(*facts)


def ride(line: int) -> Item:
    """Tell one of the rides."""
    at = TODAY - timedelta(hours=1 + line // 10)
    return item(line, subject=f"card-{line % 10}", occurred_at=at)


def riders(db: Database) -> list[int]:
    """Give the owners of all who take part."""
    return [owner for (owner,) in rows(db, "select account from subject order by account")]


def record(row: SampledRow) -> Record:
    """Produce what the provider keeps for a row: found by the hash of its own id."""
    for told in map(ride, range(RIDES)):
        if sha256(told.external_id.encode()).digest()[:16] == row.external_hash:
            return Record(told.external_id, sha256(record_of(told, RIDE.code)).digest())
    raise AssertionError(row)


def confirmed(row: SampledRow) -> Finding:
    """Find a row true, by the provider's record."""
    return Finding(row.draw, Verdict.CONFIRMED, None, record(row), "")
