"""Gifts of attendees (捐赠): reductions that citizens give to a gathering, or in its name.

A grade A gram goes to `given`, its cause the gift, which names the gathering; what a gathering was
given is the sum over its gifts, less what corrections took back of them, the latest first (R6). A
grade B gram goes to `cancelled`: its gift names the gathering, and does not count against its
inventory (R1). A gathering has no reductions of its own, so a gift is never passed on.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Final, NamedTuple
from uuid import UUID

from sqlmodel import Session

from app.activities.left import Gift, remaining
from app.books import Row, post
from app.citizens import Citizen, lock_citizen
from app.kernel.clock import day_of
from app.kernel.db import driver
from app.kernel.ids import public_id
from app.neutrality.gatherings import Gathering, find_gathering
from app.neutrality.neutrality_errors import GiftLacking, GiftsNotTaken
from app.neutrality.plans import OffsetWay, public_plan
from app.neutrality.trips import unchosen_mg
from ledger.accounts import SYSTEM_ACCOUNTS
from ledger.assets import Grade
from ledger.chart import Code

PREFIX: Final = "gif"
WAYS: Final = {
    "A": (int(Code.GIVE), SYSTEM_ACCOUNTS["given"]),
    "B": (int(Code.CANCEL), SYSTEM_ACCOUNTS["cancelled"]),
}
"""By grade, how a gift leaves and where it goes."""
_HELD: Final = """
select b.asset, b.credits - b.debits from balance b join asset x on x.id = b.asset
 where b.bucket = %s and b.account = %s and x.grade = %s and b.credits > b.debits
 order by x.vintage, b.asset for update of b"""
_NOTE: Final = """
insert into gathering_gift (bucket, account, id, asset, gathering, mg, transfer, given_on, counts)
select * from unnest(%s::int2[], %s::int8[], %s::uuid[], %s::int4[], %s::uuid[], %s::int8[],
                     %s::uuid[], %s::date[], %s::bool[])"""
_OF: Final = """
select s.account, s.asset, s.transfer, s.mg, s.gathering = %(gathering)s and s.counts
  from (select distinct bucket, account, asset from gathering_gift
         where gathering = %(gathering)s and counts) g
  join gathering_gift s using (bucket, account, asset)"""
_CORRECTED: Final = """
select c.account, t.asset, sum(t.amount)::int8
  from (select distinct bucket, account from gathering_gift
         where gathering = %(gathering)s and counts) g
  join act_change c on c.bucket = g.bucket and c.account = g.account and c.amount_mg < 0
  join transfer t on t.bucket = c.bucket and t.recorded_on = c.recorded_on and t.id = c.id
 where t.code = %(correct)s and t.source = %(given)s
 group by c.account, t.asset"""
_MINE: Final = """
select g.id, g.gathering, g.given_on, x.grade, sum(g.mg)::int8, bool_or(g.counts)
  from gathering_gift g join asset x on x.id = g.asset
 where g.bucket = %s and g.account = %s and g.id < %s
 group by g.id, g.gathering, g.given_on, x.grade order by g.id desc limit %s"""

Part = tuple[int, int]
"""(asset, mg)."""


class Offering(NamedTuple):
    """What a citizen offers (捐赠意向)."""

    grade: Grade
    mg: int
    """Of the oldest months first."""


class GatheringGift(NamedTuple):
    """What a citizen gave at once (捐赠)."""

    id: UUID
    gathering: UUID
    given_on: date
    grade: Grade
    mg: int
    counts: bool
    """Against the inventory."""

    @property
    def public(self) -> str:
        """The public id."""
        return public_id(PREFIX, self.id)


def find_taker(session: Session, gathering: UUID | None, *, at: datetime) -> Gathering:
    """Find a gathering that counts what it is given, and still may.

    Raises:
        GatheringUnknown, PlanUnknown: It is not there, or not for everybody to see.
        GiftsNotTaken: Its plan counts no gifts, or its deadline has passed.
    """
    found = find_gathering(session, gathering, organisation=None)
    intent = public_plan(session, found.id).intent
    if intent.offset_way is not OffsetWay.UNITS_AND_GIFTS or day_of(at) > intent.deadline:
        raise GiftsNotTaken
    return found


def give(
    session: Session,
    citizen: Citizen,
    gathering: UUID | None,
    offering: Offering,
    *,
    gift: UUID,
    new_id: Callable[[], UUID],
    at: datetime,
) -> GatheringGift:
    """Give a gathering what a citizen offers, all of it or nothing.

    What trips on its days earned stays out until somebody has said whose they are: the inventory
    may count such a trip low already, and the gift would make up for it once more.

    Raises:
        TokenInvalid: They were erased.
        GatheringUnknown, PlanUnknown, GiftsNotTaken: As ``find_taker`` says.
        GiftLacking: They do not hold that much of this grade, beside such trips.
    """
    lock_citizen(session, citizen.bucket, citizen.number)
    taker = find_taker(session, gathering, at=at)
    asked = (citizen.bucket, citizen.number, offering.grade)
    left, parts = offering.mg, list[Part]()
    unchosen = unchosen_mg(session, citizen, taker)
    for asset, held in driver(session).execute(_HELD, asked).fetchall():
        part = min(left, held - unchosen.get(asset, 0))
        if part > 0:
            left -= part
            parts.append((asset, part))
    if left:
        raise GiftLacking(lacking_mg=left)
    given = GatheringGift(gift, taker.id, day_of(at), *offering, counts=offering.grade == "A")
    post_gift(session, citizen, given, parts, new_id=new_id)
    return given


def post_gift(
    session: Session,
    citizen: Citizen,
    given: GatheringGift,
    parts: Sequence[Part],
    *,
    new_id: Callable[[], UUID],
) -> None:
    """Post what a locked citizen gives, of classes whose balances are locked; and note it."""
    connection, (code, exit_) = driver(session), WAYS[given.grade]
    day, place = given.given_on, (citizen.bucket, citizen.number)
    moved = [
        Row(place[0], day, new_id(), place[1], exit_, asset, mg, code, given.id, day)
        for asset, mg in parts
    ]
    post(connection, moved)
    notes = [
        (*place, given.id, row.asset, given.gathering, row.amount, row.id, day, given.counts)
        for row in moved
    ]
    connection.execute(_NOTE, [list(column) for column in zip(*notes, strict=True)])


def given_mg(session: Session, gathering: UUID) -> int:
    """Give what a gathering's gifts come to that count, less what corrections took of them."""
    connection = driver(session)
    facts = {
        "gathering": gathering,
        "correct": int(Code.CORRECT),
        "given": SYSTEM_ACCOUNTS["given"],
    }
    gifts: dict[tuple[int, int], list[Gift]] = defaultdict(list)
    counted: set[bytes] = set()
    for owner, asset, transfer, mg, counts in connection.execute(_OF, facts).fetchall():
        gifts[owner, asset].append(Gift(transfer.bytes, mg))
        if counts:
            counted.add(transfer.bytes)
    taken: dict[tuple[int, int], int] = {
        (owner, asset): mg for owner, asset, mg in connection.execute(_CORRECTED, facts).fetchall()
    }
    return sum(
        mg
        for of, own in gifts.items()
        for order, mg in remaining(own, taken.get(of, 0)).items()
        if order in counted
    )


def gifts_of(
    session: Session, citizen: Citizen, *, before: UUID, limit: int
) -> list[GatheringGift]:
    """List what a citizen gave to gatherings, the newest first."""
    asked = (citizen.bucket, citizen.number, before, limit)
    return [GatheringGift(*row) for row in driver(session).execute(_MINE, asked)]
