"""Where a gathering stands (中和进度): what is to be made up for, and with what it has been.

The footprint is the inventory of what was emitted and what trips earned that stayed with attendees
(``sides``). Against it stand units that are retired, and gifts where the plan counts them. Units
are whole kilograms: what is still to be retired is rounded up. What attendees kept and gave is
whole kilograms too, rounded up and down: no figure claims too much, or shows one person's trip.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlmodel import Session

from app.kernel.db import driver
from app.neutrality.gatherings import Gathering
from app.neutrality.gifts import given_mg
from app.neutrality.inventories import Inventory, find_inventory
from app.neutrality.inventory_rules import Stage
from app.neutrality.plans import OffsetWay, latest_plan
from app.neutrality.sides import kept_mg
from app.registry.replacing import owed_kg
from app.registry.retirements import Retirement, retirements_of
from ledger.assets import MG_PER_KG
from ledger.certificate import Purpose

RETIREMENTS_MAX: Final = 1_000
"""Of one gathering; a statement names each."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What a gathering emitted, and what has made up for it (中和进度)."""

    inventory: Inventory
    deadline: date
    kept_kg: int
    """Earned by trips and kept by attendees, rounded up; the inventory counted those trips
    without it."""
    given_kg: int
    """Gifts that count, less what corrections took of them, rounded down."""
    retired_kg: int
    asked_kg: int
    """Asked to be retired, and waiting for their serials."""
    void_kg: int
    """Of the retired, those that stand for nothing and that the buffer has not replaced yet."""

    @property
    def footprint_mg(self) -> int:
        """What is to be made up for."""
        return self.inventory.total_mg + self.kept_kg * MG_PER_KG

    @property
    def covered_mg(self) -> int:
        """What has been made up for, or more."""
        return (self.retired_kg - self.void_kg + self.given_kg) * MG_PER_KG

    @property
    def lacking_mg(self) -> int:
        """What has not been made up for."""
        return max(0, self.footprint_mg - self.covered_mg)

    @property
    def needed_kg(self) -> int:
        """How many units are still to be asked for; void ones are the buffer's to replace."""
        emitted_kg = -(-self.footprint_mg // MG_PER_KG)
        return max(0, emitted_kg - self.given_kg - self.retired_kg - self.asked_kg)


def standing_of(session: Session, gathering: Gathering) -> Standing:
    """Say where a gathering stands.

    Raises:
        InventoryUnknown: What was emitted was not counted yet.
        PlanUnknown: Nobody has said what the gathering means to do.
    """
    inventory = find_inventory(session, gathering.id, Stage.ACTUAL)
    intent = latest_plan(session, gathering.id).intent
    counts = intent.offset_way is OffsetWay.UNITS_AND_GIFTS
    found = retirements(session, gathering)
    return Standing(
        inventory=inventory,
        deadline=intent.deadline,
        kept_kg=-(-kept_mg(session, gathering.id) // MG_PER_KG),
        given_kg=given_mg(session, gathering.id) // MG_PER_KG if counts else 0,
        retired_kg=sum(each.quantity_kg for each in found if each.taken_at is not None),
        asked_kg=sum(each.quantity_kg for each in found if each.taken_at is None),
        void_kg=sum(owed_kg(driver(session), each) for each in found),
    )


def retirements(session: Session, gathering: Gathering) -> list[Retirement]:
    """List what a gathering retires for itself, the oldest first; what was reverted is left out."""
    found = retirements_of(session, gathering.owner, before=None, limit=RETIREMENTS_MAX)
    return [
        each
        for each in reversed(found)
        if each.purpose is Purpose.GATHERING and each.reverted_at is None
    ]
