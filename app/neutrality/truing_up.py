"""Truing up (轧差): what is reserved is made equal to what is still to be retired.

After the inventory is closed, units are added from what the organisation holds, the oldest batch
first, or given back, what ends last first. It is done again whenever a figure has changed: a newer
inventory, a gift, a correction that took of one.
"""

from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from sqlmodel import Session

from app.kernel.clock import day_of
from app.kernel.db import driver
from app.kernel.ids import public_id
from app.neutrality.gatherings import Gathering
from app.neutrality.neutrality_errors import DeadlinePassed, ReservableLacking
from app.neutrality.reserving import NewId, give_back, reserved, set_aside, shared_out
from app.neutrality.standing import Standing, standing_of
from app.organisations import find_organisation
from app.registry.batches import Batch, holdings_of
from app.registry.passport import UnitUse, check_passport
from app.registry.passport_errors import PurposeRefused
from ledger.certificate import Purpose

PREFIX: Final = "tru"
_NOTE: Final = """
insert into true_up (gathering, id, inventory, needed_kg, added_kg, released_kg, trued_at)
values (%s, %s, %s, %s, %s, %s, %s)"""


class TrueUp(NamedTuple):
    """What a true-up came to (轧差)."""

    id: UUID
    inventory: int
    """Version of the inventory of what was emitted."""
    needed_kg: int
    """Still to be retired, and now reserved."""
    added_kg: int
    released_kg: int
    trued_at: datetime

    @property
    def public(self) -> str:
        """The public id."""
        return public_id(PREFIX, self.id)


def true_up(
    session: Session, gathering: Gathering, *, id_: UUID, new_id: NewId, at: datetime
) -> TrueUp:
    """Make what a locked gathering has reserved what it still has to retire.

    Raises:
        InventoryUnknown, PlanUnknown: As ``standing_of`` says.
        DeadlinePassed, ReservableLacking: See their own words.
    """
    standing, today = standing_of(session, gathering), day_of(at)
    if today > standing.deadline:
        raise DeadlinePassed(deadline=standing.deadline.isoformat())
    has = reserved(session, gathering, today=today)
    missing = standing.needed_kg - sum(each.left_kg for each in has)
    if missing > 0:
        _add(session, gathering, standing, missing, new_id=new_id, at=at)
    else:
        give_back(session, gathering, shared_out(reversed(has), -missing), new_id=new_id, at=at)
    made = TrueUp(
        id_,
        standing.inventory.version,
        standing.needed_kg,
        added_kg=max(0, missing),
        released_kg=max(0, -missing),
        trued_at=at,
    )
    driver(session).execute(_NOTE, (gathering.id, *made))
    return made


def _add(
    session: Session,
    gathering: Gathering,
    standing: Standing,
    missing_kg: int,
    *,
    new_id: NewId,
    at: datetime,
) -> None:
    """Reserve what is missing until the deadline, of batches that may serve.

    Raises:
        ReservableLacking: The organisation has not that many.
    """
    whose = find_organisation(session, gathering.organisation).owner
    for batch, available_kg, _ in holdings_of(driver(session), whose):
        part = min(missing_kg, available_kg)
        if not part or not _may_serve(session, gathering, batch, part, at):
            continue
        until = standing.deadline
        set_aside(session, gathering, batch, part, until=until, id_=new_id(), new_id=new_id, at=at)
        missing_kg -= part
    if missing_kg:
        raise ReservableLacking(lacking_kg=missing_kg)


def _may_serve(
    session: Session, gathering: Gathering, batch: Batch, quantity_kg: int, at: datetime
) -> bool:
    use = UnitUse(gathering.owner, batch.id, Purpose.GATHERING, quantity_kg)
    try:
        check_passport(session, use, at=at)
    except PurposeRefused:
        return False
    return True
