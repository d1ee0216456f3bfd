"""Whose a green trip is (出行归属): it lowers the gathering's footprint, or earns its rider.

A metro ride to a gathering is a small number in its inventory, and the same ride gave its rider the
difference to a car. Whoever sells that difference would count it twice. So each trip has one side
at one gathering, chosen once by who has a ticket of it; a ticket serves one citizen:

- ``gathering``: the inventory may count the trip as low as it is. What it earned leaves the rider,
  all of it, and counts no second time as a gift.
- ``attendee``: the rider keeps what it earned, and the statement adds it to the inventory, as if
  the trip had been made the usual way.

Whoever chooses pins the gathering, which a statement locks: a choice is in it, or too late.
"""

from collections.abc import Callable
from datetime import date, datetime
from enum import StrEnum
from typing import Final, NamedTuple
from uuid import UUID

from sqlmodel import Session

from app.citizens import Citizen, lock_citizen
from app.kernel.clock import day_of
from app.kernel.db import Connection, driver
from app.kernel.secrets import Keys
from app.neutrality.gatherings import Gathering, pin_gathering
from app.neutrality.gifts import GatheringGift, post_gift
from app.neutrality.neutrality_errors import SideChosen, SidesClosed, TicketTaken, TripSpent
from app.neutrality.plans import public_plan
from app.neutrality.surveys import NUMBER_BYTES, ticket_number
from app.neutrality.trips import Trip, trip_of
from ledger.assets import Grade

_HELD: Final = """
select b.credits - b.debits, x.grade from balance b join asset x on x.id = b.asset
 where b.bucket = %s and b.account = %s and b.asset = %s for update of b"""
_CHOSEN: Final = """
select activity, gathering, side, mg, chosen_on from claim_side
 where bucket = %s and account = %s and activity = %s"""
_CHOOSE: Final = """
insert into claim_side (bucket, account, activity, gathering, side, mg, chosen_on)
values (%s, %s, %s, %s, %s, %s, %s)"""
_CLOSED: Final = "select 1 from neutrality_statement where gathering = %s limit 1"
_USE: Final = """
insert into side_ticket (gathering, ticket, holder) values (%s, %s, %s) on conflict do nothing"""
_HOLDER: Final = "select holder from side_ticket where gathering = %s and ticket = %s"
_KEPT: Final = """
select coalesce(sum(mg), 0)::int8 from claim_side where gathering = %s and side = 'attendee'"""


class Side(StrEnum):
    """Whose a trip's reduction is."""

    GATHERING = "gathering"
    """归活动: its footprint is as low as the trip."""
    ATTENDEE = "attendee"
    """归本人: the reduction stays with who made the trip."""


class Chosen(NamedTuple):
    """The side of a trip (归属)."""

    activity: UUID
    gathering: UUID
    side: Side
    mg: int
    """What the trip was worth then."""
    chosen_on: date


class TripChoice(NamedTuple):
    """What somebody says of a trip (选择)."""

    activity: UUID | None
    side: Side
    ticket: str
    """Words of a ticket of the gathering, as a survey has them."""


def choose_side(
    session: Session,
    keys: Keys,
    citizen: Citizen,
    gathering: UUID | None,
    choice: TripChoice,
    *,
    gift: UUID,
    new_id: Callable[[], UUID],
    at: datetime,
) -> Chosen:
    """Say whose a trip is; saying it again is the same.

    Raises:
        TokenInvalid: They were erased.
        GatheringUnknown, PlanUnknown: It is not there, or not for everybody to see.
        TicketUnknown, TicketTaken, TripUnknown, SideChosen, SidesClosed, TripSpent: See their own
            words.
    """
    lock_citizen(session, citizen.bucket, citizen.number)
    found = pin_gathering(session, gathering)
    public_plan(session, found.id)
    number = ticket_number(keys, found.id, choice.ticket)
    trip = trip_of(session, citizen, found, choice.activity)
    before = _chosen(session, citizen, trip)
    if before is not None:
        if (before.gathering, before.side) != (found.id, choice.side):
            raise SideChosen(side=before.side)
        return before
    if driver(session).execute(_CLOSED, (found.id,)).fetchone():
        raise SidesClosed
    _use(driver(session), keys, citizen, found, number)
    chosen = Chosen(trip.activity, found.id, choice.side, trip.mg, day_of(at))
    if choice.side is Side.GATHERING:
        _hand_over(session, citizen, found, trip, gift=gift, new_id=new_id, at=at)
    place = (citizen.bucket, citizen.number)
    driver(session).execute(_CHOOSE, (*place, *chosen))
    return chosen


def kept_mg(session: Session, gathering: UUID) -> int:
    """Give what trips to a gathering earned that stayed with who made them."""
    row = driver(session).execute(_KEPT, (gathering,)).fetchone()
    assert row is not None, gathering
    return row[0]


def _chosen(session: Session, citizen: Citizen, trip: Trip) -> Chosen | None:
    """Give what was chosen of a trip before, at whichever gathering."""
    place = (citizen.bucket, citizen.number, trip.activity)
    row = driver(session).execute(_CHOSEN, place).fetchone()
    if row is None:
        return None
    activity, gathering, side, *rest = row
    return Chosen(activity, gathering, Side(side), *rest)


def _use(
    connection: Connection, keys: Keys, citizen: Citizen, gathering: Gathering, number: int
) -> None:
    """Let a ticket serve this citizen, and from now on nobody else.

    Raises:
        TicketTaken: It serves another.
    """
    of = gathering.id.bytes
    ticket = keys.survey_hash("side", of + number.to_bytes(NUMBER_BYTES, "big"))
    holder = keys.survey_hash("holder", of + citizen.number.to_bytes(8, "big"))
    connection.execute(_USE, (gathering.id, ticket, holder))
    if connection.execute(_HOLDER, (gathering.id, ticket)).fetchone() != (holder,):
        raise TicketTaken


def _hand_over(
    session: Session,
    citizen: Citizen,
    gathering: Gathering,
    trip: Trip,
    *,
    gift: UUID,
    new_id: Callable[[], UUID],
    at: datetime,
) -> None:
    """Take what a trip earned from its rider: the inventory counts it, so no gift does."""
    held, grade = _held(driver(session), citizen, trip.asset)
    if held < trip.mg:
        raise TripSpent(lacking_mg=trip.mg - held)
    given = GatheringGift(gift, gathering.id, day_of(at), grade, trip.mg, counts=False)
    post_gift(session, citizen, given, [(trip.asset, trip.mg)], new_id=new_id)


def _held(connection: Connection, citizen: Citizen, asset: int) -> tuple[int, Grade]:
    row = connection.execute(_HELD, (citizen.bucket, citizen.number, asset)).fetchone()
    assert row is not None, asset
    return row[0], row[1]
