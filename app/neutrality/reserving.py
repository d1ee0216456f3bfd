"""Reserving units for a gathering (预留): they leave its organisation, and lie there until a day.

What a gathering has reserved is held in its own name in the books, so nobody sells or retires it
otherwise. Each reservation ends on a day of its own, at the latest with the plan: what is left
then is the organisation's again. What is retired is taken from the reservation that ends first,
what is given back from the one that ends last.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from typing import Final, NamedTuple
from uuid import UUID

from sqlmodel import Session

from app.books import Overdrawn, Row, post
from app.kernel.clock import day_of
from app.kernel.db import Connection, Database, driver
from app.kernel.ids import public_id
from app.neutrality.gatherings import Gathering, lock_gathering
from app.neutrality.neutrality_errors import (
    ReservableLacking,
    ReservationUnknown,
    ReservationUntilInvalid,
)
from app.neutrality.plans import latest_plan
from app.organisations import find_organisation
from app.registry.batches import Batch, find_batch, lock_batch
from app.registry.handing_over import UnitQuantity, legs
from app.registry.passport import UnitUse, check_passport
from app.registry.recalled import void_given_back
from app.webhooks import News, NewsKind, organisation_owner, tell
from ledger.certificate import Purpose
from ledger.chart import Code

PREFIX: Final = "rsv"
EXPIRED_AT_ONCE: Final = 200
NewId = Callable[[], UUID]

_COLUMNS: Final = "id, batch, quantity_kg, left_kg, until, reserved_at"
_RESERVE: Final = f"""
insert into reservation (gathering, {_COLUMNS}) values (%s, %s, %s, %s, %s, %s, %s)"""  # noqa: S608 -- columns of our own
_LEFT: Final = f"""
select {_COLUMNS} from reservation
 where gathering = %s and left_kg > 0 and until >= %s order by until, id"""  # noqa: S608 -- likewise
_LIST: Final = f"""
select {_COLUMNS} from reservation
 where gathering = %s and (%s::uuid is null or id < %s) order by id desc limit %s"""  # noqa: S608 -- likewise
_ONE: Final = f"select {_COLUMNS} from reservation where gathering = %s and id = %s"  # noqa: S608 -- likewise
_TAKE: Final = """
update reservation set left_kg = left_kg - %s where gathering = %s and id = %s"""
_OVER: Final = f"""
select {_COLUMNS} from reservation
 where gathering = %s and left_kg > 0 and until < %s order by until, id"""  # noqa: S608 -- likewise
_DUE: Final = """
select distinct g.id, g.organisation from reservation r join gathering g on g.id = r.gathering
 where r.left_kg > 0 and r.until < %s order by g.id limit %s"""


class Wanted(NamedTuple):
    """What shall be reserved."""

    batch: UUID | None
    quantity_kg: int
    until: date
    """The last day on which the units stay."""


class Reservation(NamedTuple):
    """Units set aside for a gathering (预留)."""

    id: UUID
    batch: UUID
    quantity_kg: int
    left_kg: int
    """Neither given back nor asked to be retired."""
    until: date
    reserved_at: datetime

    @property
    def public(self) -> str:
        """The public id."""
        return public_id(PREFIX, self.id)


def reserve(
    session: Session,
    gathering: Gathering,
    wanted: Wanted,
    *,
    reservation: UUID,
    new_id: NewId,
    at: datetime,
) -> Reservation:
    """Reserve units of the organisation's for its gathering, which is locked.

    Raises:
        PlanUnknown: Nobody has said what the gathering means to do.
        ReservationUntilInvalid, ReservableLacking: See their own words.
        BatchUnknown: There is no such batch.
        PurposeRefused: Units of that batch may not serve a gathering this year.
    """
    deadline = latest_plan(session, gathering.id).intent.deadline
    if not day_of(at) <= wanted.until <= deadline:
        raise ReservationUntilInvalid(latest=deadline.isoformat())
    batch = find_batch(driver(session), wanted.batch)
    use = UnitUse(gathering.owner, batch.id, Purpose.GATHERING, wanted.quantity_kg)
    check_passport(session, use, at=at)
    kg, until = wanted.quantity_kg, wanted.until
    return set_aside(
        session, gathering, batch, kg, until=until, id_=reservation, new_id=new_id, at=at
    )


def set_aside(
    session: Session,
    gathering: Gathering,
    batch: Batch,
    quantity_kg: int,
    *,
    until: date,
    id_: UUID,
    new_id: NewId,
    at: datetime,
) -> Reservation:
    """Move units of a batch from the organisation to what its locked gathering holds reserved.

    Raises:
        ReservableLacking: The organisation has not that many.
    """
    connection, today = driver(session), day_of(at)
    whose = find_organisation(session, gathering.organisation).owner
    owner, units = gathering.owner, UnitQuantity(batch.asset, quantity_kg)
    moved = legs(units, source=whose, target=owner, cause=id_, today=today, new_id=new_id)
    moved.append(held_again(gathering, units, id_, today, new_id))
    try:
        post(connection, moved)
    except Overdrawn as error:
        raise ReservableLacking(batch=batch.public, quantity_kg=quantity_kg) from error
    made = Reservation(id_, batch.id, quantity_kg, quantity_kg, until, at)
    note_reservation(connection, gathering, made)
    return made


def give_back(
    session: Session,
    gathering: Gathering,
    parts: Iterable[tuple[Reservation, int]],
    *,
    new_id: NewId,
    at: datetime,
) -> None:
    """Move units from what a locked gathering holds reserved to its organisation.

    What of them was recalled meanwhile is void.
    """
    connection, today, parts = driver(session), day_of(at), list(parts)
    for batch in sorted({reservation.batch for reservation, _ in parts}):
        lock_batch(connection, batch)
    whose, held = find_organisation(session, gathering.organisation).owner, gathering.owner + 1
    moved: list[Row] = []
    for reservation, kg in parts:
        take(connection, gathering, reservation, kg)
        units = UnitQuantity(find_batch(connection, reservation.batch).asset, kg)
        cause = reservation.id
        moved.append(_own(Code.RELEASE, gathering, units, held, cause, today, new_id))
        moved += legs(
            units, source=gathering.owner, target=whose, cause=cause, today=today, new_id=new_id
        )
    post(connection, moved)
    for reservation, kg in parts:
        void_given_back(session, reservation.batch, whose, kg, new_id=new_id, at=at)


def release(
    session: Session, gathering: Gathering, reservation: UUID | None, *, new_id: NewId, at: datetime
) -> Reservation:
    """Give back what is left of one reservation of a locked gathering.

    Raises:
        ReservationUnknown: There is none, or nothing is left of it.
    """
    row = driver(session).execute(_ONE, (gathering.id, reservation)).fetchone()
    if row is None or not Reservation(*row).left_kg:
        raise ReservationUnknown
    found = Reservation(*row)
    give_back(session, gathering, [(found, found.left_kg)], new_id=new_id, at=at)
    return found._replace(left_kg=0)


def reserved(session: Session, gathering: Gathering, *, today: date) -> list[Reservation]:
    """Give what a gathering still has reserved, what ends first coming first."""
    return [Reservation(*row) for row in driver(session).execute(_LEFT, (gathering.id, today))]


def reservations(
    session: Session, gathering: Gathering, *, before: UUID | None, limit: int
) -> Sequence[Reservation]:
    """List a gathering's reservations, the newest first, those that are over among them."""
    asked = (gathering.id, before, before, limit)
    return [Reservation(*row) for row in driver(session).execute(_LIST, asked)]


def shared_out(of: Iterable[Reservation], quantity_kg: int) -> list[tuple[Reservation, int]]:
    """Take so many units from reservations, in their order, as far as they go.

    >>> shared_out([], 5)
    []
    """
    parts: list[tuple[Reservation, int]] = []
    for each in of:
        part = min(each.left_kg, quantity_kg)
        quantity_kg -= part
        if part:
            parts.append((each, part))
    return parts


def take(connection: Connection, gathering: Gathering, reservation: Reservation, kg: int) -> None:
    """Note that so many units of a reservation have gone."""
    connection.execute(_TAKE, (kg, gathering.id, reservation.id))


def expire_reservations(db: Database, *, new_id: NewId, at: datetime) -> int:
    """Give back what is left of reservations whose day has passed; gives of how many gatherings.

    A gathering is a transaction, so a run that broke off is begun again and does the rest.
    """
    ended = 0
    while due := db.read(_due, day_of(at)):
        for gathering, organisation in due:
            db.transact(_expire, gathering, organisation, new_id=new_id, at=at)
        ended += len(due)
    return ended


def _due(session: Session, today: date) -> list[tuple[UUID, UUID]]:
    return driver(session).execute(_DUE, (today, EXPIRED_AT_ONCE)).fetchall()


def _expire(
    session: Session, gathering: UUID, organisation: UUID, *, new_id: NewId, at: datetime
) -> None:
    locked = lock_gathering(session, gathering, organisation=organisation)
    over = driver(session).execute(_OVER, (gathering, day_of(at))).fetchall()
    parts = [(each, each.left_kg) for each in (Reservation(*row) for row in over)]
    give_back(session, locked, parts, new_id=new_id, at=at)
    tell(session, [_ended(locked, *part, id_=new_id(), at=at) for part in parts])


def _ended(
    gathering: Gathering, reservation: Reservation, kg: int, *, id_: UUID, at: datetime
) -> News:
    owner, cause = organisation_owner(gathering.organisation), reservation.public
    data = {"gathering": gathering.public, "reservation": cause, "quantity_kg": kg}
    return News(id_, owner, NewsKind.RESERVATION_ENDED, cause, data, at)


def note_reservation(connection: Connection, gathering: Gathering, made: Reservation) -> None:
    """Write a reservation down; its units are held already."""
    connection.execute(_RESERVE, (gathering.id, *made))


def held_again(
    gathering: Gathering, units: UnitQuantity, cause: UUID, today: date, new_id: NewId
) -> Row:
    """Write how units that a gathering has become reserved."""
    return _own(Code.HOLD, gathering, units, gathering.owner, cause, today, new_id)


def _own(  # noqa: PLR0917 -- a movement of one owner's, on one line
    code: Code,
    gathering: Gathering,
    units: UnitQuantity,
    source: int,
    cause: UUID,
    today: date,
    new_id: NewId,
) -> Row:
    """Write a movement between what a gathering has and what it holds reserved."""
    where = (gathering.bucket, today, new_id(), source, source ^ 1)
    return Row(*where, units.asset, units.quantity_kg, int(code), cause, today)
