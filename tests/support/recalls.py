"""Recalls in tests (撤回测试): two sign, the jobs look, and what became of it."""

import secrets
from collections.abc import Sequence
from uuid import UUID

from app.kernel.db import Database, driver
from app.kernel.ids import new_id
from app.kernel.scopes import SCOPES, Role
from app.kernel.tokens import Principal
from app.registry.batches import Batch
from app.registry.conservation import units_of_batches
from app.registry.conservation_rules import UnitsOfBatch, gap_kg
from app.registry.recalling import carry_out_recalls
from app.registry.recalls import ActsOfDays, ask_recall, open_recall, recalled_batches
from app.registry.replacing import replace_all, standing_of
from app.staff import Approval, Asking
from tests.support.registry import Registry

WHO = Principal("clerk", new_id(), SCOPES[Role.REGULATOR])
REASON = "The meter was broken."


def asked(registry: Registry, batches: dict[str, int], acts: ActsOfDays | None = None) -> Approval:
    """Ask for a recall."""
    asking = Asking(WHO, REASON, new_id(), registry.tick())
    return registry.db.transact(ask_recall, asking, acts, batches)


def opened(registry: Registry, batches: dict[str, int], acts: ActsOfDays | None = None) -> UUID:
    """Have two sign; no job has looked yet."""
    found, signing = asked(registry, batches, acts), registry.signing()
    registry.db.transact(open_recall, found.payload, signing)
    return signing.approval


def recall(registry: Registry, batches: dict[str, int], acts: ActsOfDays | None = None) -> UUID:
    """Have two sign, and the jobs look."""
    made = opened(registry, batches, acts)
    carry_out(registry)
    return made


def carry_out(registry: Registry) -> None:
    """Run the jobs."""
    at = registry.tick()
    carry_out_recalls(registry.db, new_id=new_id, at=at)
    replace_all(registry.db, new_id=new_id, new_salt=new_salt, at=at)
    carry_out_recalls(registry.db, new_id=new_id, at=at)


def told(registry: Registry, recall: UUID) -> Sequence[tuple[int | None, ...]]:
    """What became of it, by batch: void, used, invalidated, owed, given, and what is held."""
    found = registry.db.read(recalled_batches, recall)
    return [(*each[1:], each.held_kg) for each in found]


def units(db: Database, batch: Batch) -> UnitsOfBatch:
    """Where the units of a batch are; every batch is conserved."""
    found = db.read(lambda session: units_of_batches(driver(session)))
    assert all(gap_kg(each) == 0 for each in found.values())
    return found[batch.public]


def deficit(db: Database, batch: Batch) -> int:
    """What nothing has replaced yet."""
    return db.read(lambda session: standing_of(driver(session), batch.id).deficit_kg)


def new_salt() -> bytes:
    """Make a salt."""
    return secrets.token_bytes(32)
