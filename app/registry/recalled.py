"""What becomes of held units of a recalled batch (撤回后的预留): void when they are given back.

What a recall names is void at once as far as it is free. The rest has serials, or is held for
somebody: for an open purchase, a gathering, a retirement in its cool-down. Who holds may go on;
what is given back, or delivered to a buyer, becomes void in the same transaction, and what gets
serials while too little is held for the rest is used, and replaced. So while a recall waits for
units of a batch, nobody has a free one of it. Every deed that ends a hold has the batch locked
before it moves units, as the sweep has.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from sqlmodel import Session

from app.books import Row, post
from app.kernel.clock import day_of
from app.kernel.db import Connection, driver
from app.kernel.ids import public_id
from app.organisations import operator_of
from app.registry.batches import Batch, batch_name, lock_batch
from app.registry.recall_rules import spread
from app.registry.telling import tell_chain
from app.webhooks import News, NewsKind, organisation_owner, tell
from ledger.accounts import SYSTEM_ACCOUNTS, bucket_of
from ledger.chart import Code
from ledger.registry import Invalidation

PREFIX: Final = "rcl"
INVALIDATED: Final = SYSTEM_ACCOUNTS["invalidated"]
_OPEN: Final = """
select s.recall, (b.void_kg
         - coalesce((select sum(v.quantity_kg) from recall_void v
                      where v.recall = s.recall and v.batch = s.batch), 0)
         - coalesce((select sum(u.quantity_kg) from recall_used u
                      where u.recall = s.recall and u.batch = s.batch), 0))::int8
  from recall_sweep s join recall_batch b on (b.recall, b.batch) = (s.recall, s.batch)
 where s.batch = %s order by s.recall"""
_HELD: Final = """
select coalesce(sum(credits - debits), 0)::int8 from balance
 where asset = %s and asset & 7 = 4 and account & 1 = 1"""
_END: Final = "update issue_batch set end_kg = end_kg - %s where id = %s"
_VOIDED: Final = """
insert into recall_void (id, recall, batch, holder, quantity_kg, owed_to, voided_at)
values (%s, %s, %s, %s, %s, %s, %s)"""
_USED: Final = """
insert into recall_used (recall, batch, cursor_kg, quantity_kg, noted_at)
values (%s, %s, %s, %s, %s)"""
_ORGANISATION: Final = "select id from organisation where account = %s"

NewId = Callable[[], UUID]


class OpenRecall(NamedTuple):
    """Units of a batch that a recall still waits for: all of them are held for somebody."""

    recall: UUID
    quantity_kg: int


class Voided(NamedTuple):
    """Free units that become void."""

    recall: UUID
    holder: int
    quantity_kg: int
    owed_to: int | None
    """Who bought them; None: nobody."""


def open_recalls(connection: Connection, batch: UUID) -> list[OpenRecall]:
    """Give the recalls that wait for units of a locked batch, the oldest first."""
    found = [OpenRecall(*row) for row in connection.execute(_OPEN, (batch,)).fetchall()]
    return [each for each in found if each.quantity_kg]


def void_given_back(
    session: Session,
    batch: UUID,
    holder: int,
    quantity_kg: int,
    *,
    owed_to: int | None = None,
    new_id: NewId,
    at: datetime,
) -> int:
    """Void what a holder has just got free of a locked batch, as far as recalls wait for it.

    ``owed_to``, or the holder, is to have others in their place, unless it is the operator. Gives
    how many units those are.
    """
    connection = driver(session)
    waiting = open_recalls(connection, batch)
    if not waiting:
        return 0
    owner = owed_to or holder
    buyer = None if owner == operator_of(session).owner else owner
    void = [Voided(recall, holder, kg, buyer) for recall, kg in spread(quantity_kg, waiting)]
    invalidate(session, lock_batch(connection, batch), void, new_id=new_id, at=at)
    for recall, *_ in void if buyer else ():
        row = connection.execute(_ORGANISATION, (buyer,)).fetchone()
        tell_organisations(session, recall, batch, [row[0]] if row else [], new_id=new_id, at=at)
    return sum(each.quantity_kg for each in void)


def note_used(connection: Connection, batch: Batch, *, at: datetime) -> int:
    """Note which units up to a locked batch's cursor recalls wait for in vain; gives how many.

    They wait for no more than what is held, so the rest has serials.
    """
    waiting = open_recalls(connection, batch.id)
    if not waiting:
        return 0
    (held_kg,) = connection.execute(_HELD, (batch.asset,)).fetchall()[0]
    used_kg = max(0, sum(each.quantity_kg for each in waiting) - held_kg)
    for recall, kg in spread(used_kg, reversed(waiting)):
        connection.execute(_USED, (recall, batch.id, batch.cursor_kg, kg, at))
    return used_kg


def invalidate(
    session: Session, batch: Batch, void: Sequence[Voided], *, new_id: NewId, at: datetime
) -> None:
    """Void free units of a locked batch: it ends earlier, on the chain as well."""
    connection, today = driver(session), day_of(at)
    moved = [(new_id(), each) for each in void]
    post(
        connection,
        [
            Row(
                bucket_of(each.holder), today, id_, each.holder, INVALIDATED, batch.asset,
                each.quantity_kg, int(Code.INVALIDATE), each.recall, today,
            )
            for id_, each in moved
        ],
    )  # fmt: skip
    for id_, each in moved:
        facts = (each.recall, batch.id, each.holder, each.quantity_kg, each.owed_to)
        connection.execute(_VOIDED, (id_, *facts, at))
    void_kg = sum(each.quantity_kg for each in void)
    connection.execute(_END, (void_kg, batch.id))
    tell_chain(session, Invalidation(new_id(), batch.id, batch.end_kg, void_kg), at=at)


def tell_organisations(
    session: Session,
    recall: UUID,
    batch: UUID,
    organisations: Sequence[UUID],
    *,
    new_id: NewId,
    at: datetime,
) -> None:
    """Tell organisations that units of a batch that they had were recalled; each once."""
    names = {"recall": public_id(PREFIX, recall), "batch": batch_name(batch)}
    cause = " ".join(names.values())
    tell(
        session,
        [
            News(new_id(), organisation_owner(each), NewsKind.RECALL_OPENED, cause, names, at)
            for each in organisations
        ],
    )
