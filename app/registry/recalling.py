"""Carrying recalls out (执行撤回): free units become void, buyers get others, the rest is replaced.

A batch of a recall is looked at once, in one transaction under its lock: what is free becomes
void in the fixed order of ``recall_rules``, the batch ends earlier, on the chain as well, and what
is left over was used. Making good goes on as long as anything is owed, as far as the buffer
reaches: first what was used, by ``replacing``, then what buyers lost, the oldest recall first.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from sqlmodel import Session

from app.books import Row, post
from app.kernel.clock import day_of
from app.kernel.db import Connection, Database, driver
from app.kernel.ids import public_id
from app.organisations import operator_of
from app.registry.batches import Batch, holdings_of, lock_batch
from app.registry.handing_over import CLEARING
from app.registry.recall_rules import Fall, Place, Turn, fall_on
from app.registry.recalls import PREFIX
from app.registry.replacing import NewId
from app.registry.telling import tell_chain
from app.registry.terms import buffer_of
from app.webhooks import News, NewsKind, organisation_owner, tell
from ledger.accounts import SYSTEM_ACCOUNTS, bucket_of
from ledger.chart import Code
from ledger.registry import Invalidation

INVALIDATED: Final = SYSTEM_ACCOUNTS["invalidated"]
_WAITING: Final = """
select b.recall, b.batch from recall_batch b
 where not exists (select from recall_sweep s where (s.recall, s.batch) = (b.recall, b.batch))
 order by b.recall, b.batch"""
_IS_SWEPT: Final = "select from recall_sweep where recall = %s and batch = %s"
_VOID: Final = "select void_kg from recall_batch where recall = %s and batch = %s"
_HOLDERS: Final = """
select account, (credits - debits)::int8 from balance
 where asset = %s and asset & 7 = 4 and account & 1 = 0 and credits > debits"""
_END: Final = "update issue_batch set end_kg = end_kg - %s where id = %s"
_SWEPT: Final = """
insert into recall_sweep (recall, batch, used_kg, swept_at) values (%s, %s, %s, %s)"""
_VOIDED: Final = """
insert into recall_void (id, recall, batch, holder, quantity_kg, is_owed)
values (%s, %s, %s, %s, %s, %s)"""
_OWED: Final = """
select v.id from recall_void v
 where v.is_owed and v.quantity_kg > coalesce(
   (select sum(g.quantity_kg) from recall_given g where g.void = v.id), 0)
 order by v.recall, v.id"""
_OWING: Final = """
select v.holder, v.quantity_kg - coalesce(
         (select sum(g.quantity_kg) from recall_given g where g.void = v.id), 0)::int8
  from recall_void v where v.id = %s"""
_GIVEN: Final = """
insert into recall_given (id, void, taken_from, quantity_kg, given_at)
values (%s, %s, %s, %s, %s)"""
_AFFECTED: Final = """
select distinct o.id from organisation o
 where o.account in (select holder from recall_void where recall = %(recall)s and batch = %(batch)s)
    or (%(used)s > 0 and o.account in (select holder from retirement where batch = %(batch)s
                                        and reverted_at is null))"""


class Owing(NamedTuple):
    """Units that a buyer is to have."""

    holder: int
    left_kg: int


def carry_out_recalls(db: Database, *, new_id: NewId, at: datetime) -> int:
    """Void what recalls name, and give buyers others; gives how many batches were looked at."""
    waiting = db.read(_waiting)
    for recall, batch in waiting:
        db.transact(sweep_batch, recall, batch, new_id=new_id, at=at)
    for void in db.read(_owed):
        db.transact(give_for, void, new_id=new_id, at=at)
    return len(waiting)


def sweep_batch(
    session: Session, recall: UUID, batch: UUID, *, new_id: NewId, at: datetime
) -> Fall | None:
    """Void a batch's free units in their order; None if that was done. Idempotent."""
    connection = driver(session)
    found = lock_batch(connection, batch)
    if connection.execute(_IS_SWEPT, (recall, batch)).rowcount:
        return None
    (void_kg,) = connection.execute(_VOID, (recall, batch)).fetchall()[0]
    fall = fall_on(void_kg, _places(session, connection, found))
    connection.execute(_SWEPT, (recall, batch, fall.used_kg, at))
    if fall.void:
        _invalidate(session, connection, recall, found, fall, new_id=new_id, at=at)
    _tell(session, connection, recall, found, fall, new_id=new_id, at=at)
    return fall


def give_for(session: Session, void: UUID, *, new_id: NewId, at: datetime) -> int:
    """Give a buyer units of the buffer for void ones; gives how many. Idempotent."""
    connection, buffer = driver(session), buffer_of(session)
    given, today = 0, day_of(at)
    # Whoever takes from the buffer's units of a batch has the batch: no other job gives them twice.
    for held in holdings_of(connection, buffer):
        batch = lock_batch(connection, held.batch.id)
        owing = Owing(*connection.execute(_OWING, (void,)).fetchall()[0])
        free = {each.batch.id: each.available_kg for each in holdings_of(connection, buffer)}
        part = min(owing.left_kg, free.get(batch.id, 0))
        if part == 0:
            continue
        cause = new_id()
        story = (batch.asset, part, int(Code.REPLACE), cause, today)
        out = Row(bucket_of(buffer), today, new_id(), buffer, CLEARING, *story)
        back = Row(bucket_of(owing.holder), today, new_id(), CLEARING, owing.holder, *story)
        post(connection, [out, back])
        connection.execute(_GIVEN, (cause, void, batch.id, part, at))
        given += part
    return given


def _places(session: Session, connection: Connection, batch: Batch) -> Sequence[Place]:
    operator, buffer = operator_of(session).owner, buffer_of(session)
    turns = {operator: Turn.OPERATOR, buffer: Turn.BUFFER}
    rows = connection.execute(_HOLDERS, (batch.asset,)).fetchall()
    return [Place(turns.get(owner, Turn.BUYER), owner, kg) for owner, kg in rows]


def _invalidate(
    session: Session,
    connection: Connection,
    recall: UUID,
    batch: Batch,
    fall: Fall,
    *,
    new_id: NewId,
    at: datetime,
) -> None:
    today, moved = day_of(at), [(new_id(), place) for place in fall.void]
    story = (int(Code.INVALIDATE), recall, today)
    post(
        connection,
        [
            Row(
                bucket_of(place.owner),
                today,
                id_,
                place.owner,
                INVALIDATED,
                batch.asset,
                place.quantity_kg,
                *story,
            )
            for id_, place in moved
        ],
    )
    for id_, place in moved:
        is_owed = place.turn is Turn.BUYER
        row = (id_, recall, batch.id, place.owner, place.quantity_kg, is_owed)
        connection.execute(_VOIDED, row)
    void_kg = sum(place.quantity_kg for place in fall.void)
    connection.execute(_END, (void_kg, batch.id))
    tell_chain(session, Invalidation(new_id(), batch.id, batch.end_kg, void_kg), at=at)


def _tell(
    session: Session,
    connection: Connection,
    recall: UUID,
    batch: Batch,
    fall: Fall,
    *,
    new_id: NewId,
    at: datetime,
) -> None:
    facts = {"recall": recall, "batch": batch.id, "used": fall.used_kg}
    name = public_id(PREFIX, recall)
    data, cause = {"recall": name, "batch": batch.public}, f"{name} {batch.public}"
    tell(
        session,
        [
            News(new_id(), organisation_owner(each), NewsKind.RECALL_OPENED, cause, data, at)
            for (each,) in connection.execute(_AFFECTED, facts).fetchall()
        ],
    )


def _waiting(session: Session) -> Sequence[tuple[UUID, UUID]]:
    return driver(session).execute(_WAITING).fetchall()


def _owed(session: Session) -> Sequence[UUID]:
    return [void for (void,) in driver(session).execute(_OWED).fetchall()]
