"""Asking for a retirement, and reverting it (申请与撤回注销使用), until it has its serials.

A request holds the units: nobody else can use them, and its holder can still have them back. Which
units they are is decided when the registry takes them (``app.registry.taking``).
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from sqlmodel import Session

from app.books import ClaimText, Overdrawn, Row, keep_texts, post
from app.kernel.clock import day_of
from app.kernel.db import Connection, driver
from app.registry.batches import Batch, find_batch, lock_batch
from app.registry.passport import UnitUse, check_passport
from app.registry.recalled import void_given_back
from app.registry.retirement_errors import RetirementEnded, UnitsLacking
from app.registry.retirements import (
    Retirement,
    RetirementState,
    find_retirement,
    lock_retirement,
)
from ledger.accounts import bucket_of
from ledger.certificate import Purpose
from ledger.chart import Code

COOL_DOWN: Final = timedelta(minutes=10)
"""Between a request and its taking: until then it may be reverted."""
_INSERT: Final = """
insert into retirement (id, holder, source, batch, quantity_kg, purpose, period, holder_commit,
                        beneficiary_commit, message_commit, salt, transfer, requested_at, due_at)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"""
_REVERT: Final = "update retirement set reverted_at = %s where holder = %s and id = %s"
_HELD: Final = """
select b.credits - b.debits from balance b
 where b.bucket = %s and b.account = %s and b.asset = %s for update"""
_SPOKEN_FOR: Final = """
select coalesce(sum(quantity_kg), 0)::int8 from retirement
 where holder = %s and batch = %s and reverted_at is null and taken_at is null"""


class RetirementWish(NamedTuple):
    """What somebody wishes to retire: how much of which batch, for whom and why."""

    retirement: UUID
    holder: int
    """The owner in the books: an organisation or a gathering."""
    batch: UUID | None
    quantity_kg: int
    purpose: Purpose
    period: str | None
    """What time it makes up for; of ``ETS_SURRENDER`` the compliance year."""
    texts: Sequence[ClaimText]
    """One of each of ``ledger.certificate.TEXTS``."""
    from_held: bool = False
    """Whether the units are held already, and free of other requests."""
    cool_down: timedelta = COOL_DOWN


def request_retirement(
    session: Session,
    wish: RetirementWish,
    *,
    new_id: Callable[[], UUID],
    new_salt: Callable[[], bytes],
    at: datetime,
) -> Retirement:
    """Ask for a retirement: its units are held, and taken after the cool-down.

    Raises:
        BatchUnknown, UnitsLacking: See their own words.
        PurposeRefused: Units of this sort may not serve this; so do the passport's others.
    """
    connection = driver(session)
    batch = find_batch(connection, wish.batch)
    use = UnitUse(wish.holder, batch.id, wish.purpose, wish.quantity_kg, wish.period)
    check_passport(session, use, at=at)
    if wish.from_held:
        _check_held(connection, wish, batch)
    else:
        _move(connection, Code.HOLD, wish, batch.asset, transfer=new_id(), at=at)
    insert_wish(connection, wish, source=wish.holder | 1, transfer=new_id(), salt=new_salt(), at=at)
    return find_retirement(session, wish.holder, wish.retirement)


def revert_retirement(
    session: Session,
    holder: int,
    retirement: UUID | None,
    *,
    owed_to: int | None = None,
    new_id: Callable[[], UUID],
    at: datetime,
) -> Retirement:
    """Revert a retirement that has no serials yet; its units are its holder's to use again.

    As far as they were recalled meanwhile they are void, and ``owed_to`` or the holder gets others.

    Raises:
        RetirementUnknown: They have none of this id.
        RetirementEnded: It was taken, or reverted before.
    """
    connection = driver(session)
    found = lock_retirement(connection, holder, retirement)
    if found.state is not RetirementState.REQUESTED:
        raise RetirementEnded(state=found.state)
    batch = lock_batch(connection, found.batch)
    _move(connection, Code.RELEASE, found, batch.asset, transfer=new_id(), at=at)
    story = (session, batch.id, holder, found.quantity_kg)
    void_given_back(*story, owed_to=owed_to, new_id=new_id, at=at)
    connection.execute(_REVERT, (at, holder, found.id))
    return find_retirement(session, holder, found.id)


def insert_wish(
    connection: Connection,
    wish: RetirementWish,
    *,
    source: int,
    transfer: UUID,
    salt: bytes,
    at: datetime,
) -> None:
    """Write a retirement down, and keep what opens its texts."""
    texts = {text.name: text for text in wish.texts}
    commits = [texts[name].commit for name in ("holder", "beneficiary", "message")]
    units = (wish.batch, wish.quantity_kg, int(wish.purpose), wish.period)
    row = (wish.retirement, wish.holder, source, *units, *commits, salt, transfer)
    connection.execute(_INSERT, (*row, at, at + wish.cool_down))
    keep_texts(connection, wish.holder, wish.retirement, wish.texts)


def _move(
    connection: Connection,
    code: Code,
    what: RetirementWish | Retirement,
    asset: int,
    *,
    transfer: UUID,
    at: datetime,
) -> None:
    """Hold its units, or release them."""
    today, places = day_of(at), (what.holder, what.holder | 1)
    source, target = places if code is Code.HOLD else places[::-1]
    cause = what.retirement if isinstance(what, RetirementWish) else what.id
    place = (bucket_of(what.holder), today, transfer, source, target)
    try:
        post(connection, [Row(*place, asset, what.quantity_kg, int(code), cause, today)])
    except Overdrawn as error:
        raise UnitsLacking from error


def _check_held(connection: Connection, wish: RetirementWish, batch: Batch) -> None:
    """Pass units that are held and that no other open request has; requests take turns."""
    place = (bucket_of(wish.holder), wish.holder | 1, batch.asset)
    held = connection.execute(_HELD, place).fetchone()
    ((spoken_for,),) = connection.execute(_SPOKEN_FOR, (wish.holder, batch.id))
    if held is None or held[0] < spoken_for + wish.quantity_kg:
        raise UnitsLacking
