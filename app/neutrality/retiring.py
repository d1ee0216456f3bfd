"""Retiring for a gathering (活动注销): what it emitted, from what it has reserved, in its name.

Nobody else retires for a gathering: the holder is its owner in the books, and only its organisation
asks. Each batch is a retirement of its own; its texts name organisation, gathering and the digest
of the inventory, in public, so that its certificate cannot be shown for another gathering.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from app.books import ClaimText, post
from app.kernel.clock import day_of
from app.kernel.db import driver
from app.neutrality.gatherings import Gathering
from app.neutrality.neutrality_errors import DeadlinePassed, NothingToRetire, UnitsNotReserved
from app.neutrality.reserving import (
    NewId,
    Reservation,
    held_again,
    note_reservation,
    reserved,
    shared_out,
    take,
)
from app.neutrality.standing import Standing, standing_of
from app.organisations import find_organisation
from app.registry.batches import holdings_of
from app.registry.handing_over import UnitQuantity
from app.registry.retirements import Retirement
from app.registry.retiring import RetirementWish, request_retirement, revert_retirement
from ledger.certificate import Purpose

NewSalt = Callable[[], bytes]


def retire(
    session: Session, gathering: Gathering, *, new_id: NewId, new_salt: NewSalt, at: datetime
) -> Sequence[Retirement]:
    """Ask that a locked gathering retires what it still has to, what ends first coming first.

    Raises:
        InventoryUnknown, PlanUnknown: As ``standing_of`` says.
        DeadlinePassed, NothingToRetire, UnitsNotReserved: See their own words.
        PurposeRefused: Units of a batch may not serve a gathering any more.
    """
    standing, today = standing_of(session, gathering), day_of(at)
    if today > standing.deadline:
        raise DeadlinePassed(deadline=standing.deadline.isoformat())
    if not standing.needed_kg:
        raise NothingToRetire
    has = reserved(session, gathering, today=today)
    if sum(each.left_kg for each in has) < standing.needed_kg:
        lacking = standing.needed_kg - sum(each.left_kg for each in has)
        raise UnitsNotReserved(lacking_kg=lacking)
    of_batch: dict[UUID, int] = defaultdict(int)
    for reservation, kg in shared_out(has, standing.needed_kg):
        take(driver(session), gathering, reservation, kg)
        of_batch[reservation.batch] += kg
    return [
        _ask(session, gathering, standing, batch, kg, new_id=new_id, new_salt=new_salt, at=at)
        for batch, kg in of_batch.items()
    ]


def take_back(
    session: Session, gathering: Gathering, retirement: UUID | None, *, new_id: NewId, at: datetime
) -> Retirement:
    """Revert a retirement of a locked gathering that has no serials yet: it is reserved again.

    What of it was recalled meanwhile is void, and its organisation gets others.

    Raises:
        RetirementUnknown, RetirementEnded: See their own words.
    """
    whose = find_organisation(session, gathering.organisation).owner
    found = revert_retirement(
        session, gathering.owner, retirement, owed_to=whose, new_id=new_id, at=at
    )
    again = [each for each in holdings_of(driver(session), gathering.owner) if each.available_kg]
    if not again:
        return found
    ((batch, kg, _),) = again
    deadline = standing_of(session, gathering).deadline
    made = Reservation(new_id(), batch.id, kg, kg, deadline, at)
    row = held_again(gathering, UnitQuantity(batch.asset, kg), made.id, day_of(at), new_id)
    post(driver(session), [row])
    note_reservation(driver(session), gathering, made)
    return found


def _ask(
    session: Session,
    gathering: Gathering,
    standing: Standing,
    batch: UUID,
    quantity_kg: int,
    *,
    new_id: NewId,
    new_salt: NewSalt,
    at: datetime,
) -> Retirement:
    occasion, inventory = gathering.occasion, standing.inventory
    words = {
        "holder": find_organisation(session, gathering.organisation).name_zh,
        "beneficiary": occasion.title_zh,
        "message": f"{gathering.public}; inventory {inventory.version} {inventory.digest.hex()}",
    }
    wish = RetirementWish(
        retirement=new_id(),
        holder=gathering.owner,
        batch=batch,
        quantity_kg=quantity_kg,
        purpose=Purpose.GATHERING,
        period=f"{occasion.starts_on}/{occasion.ends_on}",
        texts=[ClaimText(name, new_salt(), text, is_public=True) for name, text in words.items()],
        from_held=True,
    )
    return request_retirement(session, wish, new_id=new_id, new_salt=new_salt, at=at)
