"""Carrying recalls out (执行撤回): free units become void, buyers get others, the rest is replaced.

A batch of a recall is looked at once, in one transaction under its lock: what is free becomes
void in the fixed order of ``recall_rules``, and the batch ends earlier, on the chain as well. What
is left over has serials, or is held for somebody (``recalled``). Making good goes on as long as
anything is owed, as far as the buffer reaches: first what was used, by ``replacing``, then what
buyers lost, the oldest recall first. Whoever has acts in a recalled batch finds a notice.
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
from app.notices import Notice, NoticeKind, notify
from app.organisations import operator_of
from app.registry.batches import Batch, find_batch, holdings_of, lock_batch
from app.registry.handing_over import CLEARING
from app.registry.recall_rules import Fall, Place, Turn, fall_on
from app.registry.recalled import PREFIX, Voided, invalidate, note_used, tell_organisations
from app.registry.replacing import NewId
from app.registry.terms import buffer_of
from ledger.accounts import bucket_of
from ledger.chart import Code

BUCKETS_AT_ONCE: Final = 64
"""Whose citizens are told in one transaction."""
_WAITING: Final = """
select b.recall, b.batch from recall_batch b
 where not exists (select from recall_sweep s where (s.recall, s.batch) = (b.recall, b.batch))
 order by b.recall, b.batch"""
_IS_SWEPT: Final = "select from recall_sweep where recall = %s and batch = %s"
_VOID: Final = "select void_kg from recall_batch where recall = %s and batch = %s"
_HOLDERS: Final = """
select account, (credits - debits)::int8 from balance
 where asset = %s and asset & 7 = 4 and account & 1 = 0
 order by bucket, account, asset for update"""
_SWEPT: Final = "insert into recall_sweep (recall, batch, swept_at) values (%s, %s, %s)"
_OWED: Final = """
select v.id from recall_void v
 where v.owed_to is not null and v.quantity_kg > coalesce(
   (select sum(g.quantity_kg) from recall_given g where g.void = v.id), 0)
 order by v.recall, v.id"""
_OWING: Final = """
select v.owed_to, v.quantity_kg - coalesce(
         (select sum(g.quantity_kg) from recall_given g where g.void = v.id), 0)::int8
  from recall_void v where v.id = %s"""
_GIVEN: Final = """
insert into recall_given (id, void, taken_from, quantity_kg, given_at)
values (%s, %s, %s, %s, %s)"""
_AFFECTED: Final = """
select distinct o.id from organisation o
 where o.account in (select owed_to from recall_void
                      where recall = %(recall)s and batch = %(batch)s)
    or o.account = any(%(held)s)
    or (%(has_left)s and o.account in (select holder from retirement where batch = %(batch)s
                                        and reverted_at is null))"""
_HOLDING: Final = """
select account - 1 from balance
 where asset = %s and asset & 7 = 4 and account & 1 = 1 and credits > debits"""
_UNTOLD: Final = """
select s.recall, s.batch from recall_sweep s
 where not exists (select from recall_told t where (t.recall, t.batch) = (s.recall, s.batch))
 order by s.recall, s.batch"""
_WHOSE: Final = """
select distinct i.bucket, i.account
  from issued_row i
  join lot_row r on r.bucket = i.bucket and r.account = i.account and r.lot = i.lot
   and r.activity = i.activity
 where i.bucket between %s and %s and i.asset = %s and i.batch = %s
   and r.occurred_on between coalesce(%s, r.occurred_on) and coalesce(%s, r.occurred_on)"""
_WHERE: Final = """
select distinct l.bucket / %s from issue_batch b join lot_leaf l on l.lot = b.lot
 where b.id = %s order by 1"""
_DAYS: Final = "select first_on, last_on from recall where id = %s"
_TOLD: Final = """
insert into recall_told (recall, batch, told_at) values (%s, %s, %s) on conflict do nothing"""


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
    for recall, batch in db.read(_untold):
        for part in db.read(_parts, batch):
            db.transact(tell_citizens, recall, batch, part, new_id=new_id, at=at)
        db.transact(_note_told, recall, batch, at=at)
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
    connection.execute(_SWEPT, (recall, batch, at))
    if fall.void:
        void = [
            Voided(recall, owner, kg, owner if turn is Turn.BUYER else None)
            for turn, owner, kg in fall.void
        ]
        invalidate(session, found, void, new_id=new_id, at=at)
    note_used(connection, found, at=at)
    affected = _affected(connection, recall, found, has_left=fall.left_kg > 0)
    tell_organisations(session, recall, batch, affected, new_id=new_id, at=at)
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


def tell_citizens(
    session: Session, recall: UUID, batch: UUID, part: int, *, new_id: NewId, at: datetime
) -> int:
    """Tell those of some buckets whose acts are in a recalled batch; gives how many. Idempotent."""
    connection, first = driver(session), part * BUCKETS_AT_ONCE
    last, series = first + BUCKETS_AT_ONCE - 1, find_batch(connection, batch).series
    days = connection.execute(_DAYS, (recall,)).fetchall()[0]
    whose = connection.execute(_WHOSE, (first, last, series, batch, *days)).fetchall()
    name = public_id(PREFIX, recall)
    kind, facts = NoticeKind.UNITS_RECALLED, {"recall": name}
    return notify(
        connection,
        [Notice(bucket, owner, new_id(), kind, name, facts, at) for bucket, owner in whose],
    )


def _places(session: Session, connection: Connection, batch: Batch) -> Sequence[Place]:
    """Give who has free units of a locked batch; nobody else gets any until this transaction ends.

    A trade that was under way may bring units to somebody whom the statement before did not see.
    So it looks again until there is nobody new: those who could hand units on are locked by then.
    """
    operator, buffer = operator_of(session).owner, buffer_of(session)
    turns = {operator: Turn.OPERATOR, buffer: Turn.BUFFER}
    known: dict[int, int] = {}
    while (found := dict(connection.execute(_HOLDERS, (batch.asset,)).fetchall())).keys() - known:
        known = found
    return [Place(turns.get(owner, Turn.BUYER), owner, kg) for owner, kg in found.items() if kg]


def _affected(
    connection: Connection, recall: UUID, batch: Batch, *, has_left: bool
) -> Sequence[UUID]:
    held = [owner for (owner,) in connection.execute(_HOLDING, (batch.asset,)).fetchall()]
    facts = {"recall": recall, "batch": batch.id, "held": held, "has_left": has_left}
    return [id_ for (id_,) in connection.execute(_AFFECTED, facts).fetchall()]


def _waiting(session: Session) -> Sequence[tuple[UUID, UUID]]:
    return driver(session).execute(_WAITING).fetchall()


def _untold(session: Session) -> Sequence[tuple[UUID, UUID]]:
    return driver(session).execute(_UNTOLD).fetchall()


def _parts(session: Session, batch: UUID) -> Sequence[int]:
    rows = driver(session).execute(_WHERE, (BUCKETS_AT_ONCE, batch)).fetchall()
    return [part for (part,) in rows]


def _note_told(session: Session, recall: UUID, batch: UUID, *, at: datetime) -> None:
    driver(session).execute(_TOLD, (recall, batch, at))


def _owed(session: Session) -> Sequence[UUID]:
    return [void for (void,) in driver(session).execute(_OWED).fetchall()]
