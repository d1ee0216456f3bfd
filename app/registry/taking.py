"""Taking retirements (执行注销使用): each gets the next units of its batch, and the chain is told.

Cursor, serials, transfer and message are one transaction under the lock on the batch: so a serial
is given once, and the chain hears of it in the order in which it was given. From then on a
retirement only ever becomes final.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlmodel import Session

from app.books import Row, post
from app.firms.deeds import WORKER
from app.kernel.clock import day_of
from app.kernel.db import Connection, Database, driver
from app.kernel.ids import new_id
from app.registry.batches import lock_batch, unit_asset
from app.registry.recalled import note_used
from app.registry.retirement_errors import RetirementEnded
from app.registry.retirements import Retirement, RetirementState, find_retirement, lock_retirement
from app.registry.retiring import RetirementWish, insert_wish, revert_retirement
from app.registry.telling import tell_chain
from app.staff import note_act
from ledger.accounts import SYSTEM_ACCOUNTS, bucket_of
from ledger.assets import day_number
from ledger.certificate import Claim, ClaimPart, claim_commit
from ledger.chart import Code
from ledger.receipt import Json
from ledger.registry import Retirement as ToldRetirement

RETIRED: Final = SYSTEM_ACCOUNTS["retired"]
AT_ONCE: Final = 500
_DUE: Final = """
select r.holder, r.id, o.id is not null from retirement r
  left join organisation o on o.account = r.holder and o.suspended_at is not null
 where r.reverted_at is null and r.taken_at is null and r.due_at <= %s
   and not exists (select from gathering g join organisation h on h.id = g.organisation
                    where g.account = r.holder and h.suspended_at is not null)
 order by r.due_at, r.id limit %s"""
_STOPPED: Final = """
select from organisation
 where suspended_at is not null
   and (account = %(holder)s
        or id = (select organisation from gathering where account = %(holder)s))"""
_ADVANCE: Final = "update issue_batch set cursor_kg = %s where id = %s"
_TAKEN: Final = """
update retirement set taken_at = %s, taken_on = %s, range = int8range(%s, %s), claim = %s
 where holder = %s and id = %s"""


def take_retirements(db: Database, *, at: datetime) -> int:
    """Take every retirement that is due; give how many that were. Runs as the application.

    What a suspended organisation asked for is reverted instead; a gathering of its waits.
    """
    taken = 0
    while due := db.read(_due, at):
        for holder, retirement, is_suspended in due:
            if is_suspended:
                db.transact(_revert, holder, retirement, at=at)
            else:
                taken += db.transact(take_retirement, holder, retirement, at=at)
    return taken


def take_retirement(session: Session, holder: int, retirement: UUID, *, at: datetime) -> bool:
    """Give a retirement its serials.

    Says whether it had none, was not reverted, and whoever asked for it is not suspended.

    Raises:
        RetirementUnknown: The holder has none of this id.
    """
    connection = driver(session)
    found = lock_retirement(connection, holder, retirement)
    stopped = connection.execute(_STOPPED, {"holder": holder}).fetchone()
    if found.state is not RetirementState.REQUESTED or stopped is not None:
        return False
    _take(session, connection, found, at=at)
    return True


def retire_at_once(
    session: Session,
    wish: RetirementWish,
    *,
    source: int,
    transfer: UUID,
    salt: bytes,
    at: datetime,
) -> Retirement:
    """Retire without a request that could be reverted: what the registry itself does (失效替换).

    ``source`` is where the units lie: the buffer, or what is held.
    """
    connection = driver(session)
    insert_wish(connection, wish, source=source, transfer=transfer, salt=salt, at=at)
    _take(session, connection, lock_retirement(connection, wish.holder, wish.retirement), at=at)
    return find_retirement(session, wish.holder, wish.retirement)


def claim_of(retirement: Retirement) -> Json:
    """Write what the certificate of a taken retirement says."""
    assert retirement.serial is not None, retirement
    assert retirement.taken_on is not None, retirement
    return _claim(retirement, retirement.serial, retirement.taken_on)


def _take(session: Session, connection: Connection, found: Retirement, *, at: datetime) -> None:
    batch, today = lock_batch(connection, found.batch), day_of(at)
    first = batch.cursor_kg + 1
    last = batch.cursor_kg + found.quantity_kg
    evidence = claim_commit(found.salt, _claim(found, found.serial_from(first), today))
    connection.execute(_ADVANCE, (last, batch.id))
    facts = (at, today, first, last + 1, evidence)
    connection.execute(_TAKEN, (*facts, found.holder, found.id))
    place = (bucket_of(found.holder), today, found.transfer, found.source, RETIRED)
    units = (batch.asset, found.quantity_kg, int(Code.RETIRE), found.id, today)
    post(connection, [Row(*place, *units, evidence=evidence)])
    told = ToldRetirement(
        retirement=found.id,
        batch=batch.id,
        start=first,
        amount_kg=found.quantity_kg,
        purpose=int(found.purpose),
        beneficiary_commit=found.beneficiary_commit,
        evidence=evidence,
    )
    tell_chain(session, told, at=at)
    note_used(connection, replace(batch, cursor_kg=last), at=at)


def _claim(found: Retirement, serial: str, day: date) -> Json:
    return Claim(
        kind="unit",
        subject=found.public,
        parts=[ClaimPart(unit_asset(found.batch), found.quantity_kg, serials=serial)],
        purpose=found.purpose,
        period=found.period,
        day=day_number(day),
        holder_commit=found.holder_commit,
        beneficiary_commit=found.beneficiary_commit,
        message_commit=found.message_commit,
    ).to_json()


def _revert(session: Session, holder: int, retirement: UUID, *, at: datetime) -> None:
    with suppress(RetirementEnded):
        done = revert_retirement(session, holder, retirement, new_id=new_id, at=at)
        note_act(session, WORKER, "retirements.revert", done.public, at=at)


def _due(session: Session, at: datetime) -> Sequence[tuple[int, UUID, bool]]:
    return driver(session).execute(_DUE, (at, AT_ONCE)).fetchall()
