"""What corrections and recalls take of used units (差额替换): the buffer retires as many.

A shortfall adds up in milligrams per batch; each whole kilogram of it, and each used unit that was
recalled, is made good by retiring a unit of the buffer, of the short batch itself first, then of
the oldest batch that has some. What the buffer lacks is the batch's public deficit until it is
zero: it lies on the units that were used last when it was found, and stays there.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Final, NamedTuple
from uuid import UUID

from sqlmodel import Session

from app.books import ClaimText
from app.kernel.clock import day_of
from app.kernel.db import Connection, Database, driver
from app.registry.batches import Batch, Holding, find_batch, holdings_of, lock_batch
from app.registry.recall_rules import Mark, fallen_kg, owed_of
from app.registry.retirements import Retirement
from app.registry.retiring import RetirementWish
from app.registry.rules import due_kg
from app.registry.taking import retire_at_once
from app.registry.terms import buffer_of
from ledger.certificate import Purpose

_SHORT: Final = """
select batch from (
  select batch, floor(sum(mg) / 1000000) as kg from issued_shortfall
   where bucket >= 0 group by batch
  union all select batch, sum(quantity_kg) from recall_used group by batch) short
 group by batch having sum(kg) > 0 order by batch"""
_STANDING: Final = """
select coalesce((select sum(mg) from issued_shortfall where bucket >= 0 and batch = %(batch)s),
                0)::int8,
       coalesce((select sum(quantity_kg) from recall_used where batch = %(batch)s), 0)::int8,
       coalesce((select sum(quantity_kg) from replacement where batch = %(batch)s), 0)::int8"""
_FALLEN: Final = """
select d.recorded_on, d.mg,
       coalesce((select max(upper(r.range)) - 1 from retirement r
                  where r.batch = %(batch)s and r.taken_on <= d.recorded_on), 0)::int8
  from (select recorded_on, sum(mg)::int8 as mg from issued_shortfall
         where bucket >= 0 and batch = %(batch)s group by recorded_on) d
 order by d.recorded_on"""
_RECALLED: Final = """
select noted_at, cursor_kg, quantity_kg from recall_used
 where batch = %s order by noted_at, recall"""
_GOOD: Final = """
select lower(range), upper(range) - 1 from retirement
 where batch = %s and purpose = 8 and range is not null"""
_REPLACED: Final = """
insert into replacement (id, batch, taken_from, quantity_kg, replaced_at)
values (%s, %s, %s, %s, %s)"""

NewId = Callable[[], UUID]
NewSalt = Callable[[], bytes]


class Standing(NamedTuple):
    """How far a batch is short, and what was done about it."""

    short_mg: int
    """What corrections took."""
    recalled_kg: int
    """Used units that were recalled."""
    replaced_kg: int

    @property
    def deficit_kg(self) -> int:
        """Whole units that nothing has replaced yet."""
        return due_kg(self.short_mg, self.recalled_kg, self.replaced_kg)


def standing_of(connection: Connection, batch: UUID) -> Standing:
    """Give how far a batch is short."""
    return Standing(*connection.execute(_STANDING, {"batch": batch}).fetchall()[0])


def owed_kg(connection: Connection, retirement: Retirement) -> int:
    """Say how many units of a retirement stand for nothing, and nothing has replaced them yet.

    0 while it has no serials, and of what replaced others.
    """
    if retirement.range is None or retirement.range.lower is None:
        return 0
    batch = find_batch(connection, retirement.batch)
    standing = standing_of(connection, batch.id)
    if not standing.deficit_kg:
        return 0
    first = retirement.range.lower
    return owed_of(
        (first, first + retirement.quantity_kg - 1),
        _marks(connection, batch.id),
        replaced_kg=standing.replaced_kg,
        good=connection.execute(_GOOD, (batch.id,)).fetchall(),
        quantity_kg=batch.quantity_kg,
    )


def _marks(connection: Connection, batch: UUID) -> Sequence[Mark]:
    """Give what was found void of a batch, in the order in which it was."""
    marks = fallen_kg(connection.execute(_FALLEN, {"batch": batch}).fetchall())
    for noted_at, cursor_kg, kg in connection.execute(_RECALLED, (batch,)).fetchall():
        marks.append((day_of(noted_at), Mark(cursor_kg, kg, goes_on=False)))
    return [mark for _, mark in sorted(marks, key=itemgetter(0))]


def replace_all(db: Database, *, new_id: NewId, new_salt: NewSalt, at: datetime) -> int:
    """Replace what batches are short of, as far as the buffer reaches; gives how many units."""
    return sum(
        db.transact(replace_units, batch, new_id=new_id, new_salt=new_salt, at=at)
        for batch in db.read(_short)
    )


def replace_units(
    session: Session, batch: UUID, *, new_id: NewId, new_salt: NewSalt, at: datetime
) -> int:
    """Replace what one batch is short of; gives how many units. Idempotent."""
    connection = driver(session)
    short = lock_batch(connection, batch)
    due = standing_of(connection, batch).deficit_kg
    buffer, done = buffer_of(session), 0
    for held in _in_order(holdings_of(connection, buffer), short) if due else ():
        part = min(held.available_kg, due - done)
        if part == 0:
            continue
        wish = RetirementWish(
            new_id(),
            buffer,
            held.batch.id,
            part,
            Purpose.REPLACEMENT,
            None,
            _texts(short, new_salt),
        )
        retire_at_once(session, wish, source=buffer, transfer=new_id(), salt=new_salt(), at=at)
        facts = (wish.retirement, batch, held.batch.id, part, at)
        connection.execute(_REPLACED, facts)
        done += part
    return done


def _short(session: Session) -> Sequence[UUID]:
    return [batch for (batch,) in driver(session).execute(_SHORT).fetchall()]


def _in_order(held: Sequence[Holding], short: Batch) -> Sequence[Holding]:
    """Put the batch's own units first; the rest are the oldest first already."""
    return sorted(held, key=lambda each: each.batch.id != short.id)


def _texts(short: Batch, new_salt: NewSalt) -> Sequence[ClaimText]:
    words = {"holder": "缓冲账户 buffer", "beneficiary": short.public, "message": ""}
    return [ClaimText(name, new_salt(), text, is_public=True) for name, text in words.items()]
