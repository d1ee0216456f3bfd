"""Recalls (撤回): two regulators say that units stand for nothing; asked for, opened, read.

A recall names batches and how many of their units, or the acts of some days of a class: then every
batch that has milligrams of them is short of those. What corrections took already is their
shortfall and not a recall's; what a recall says no correction has taken.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlmodel import Session

from app.kernel.db import Connection, driver
from app.kernel.ids import parse_public_id, public_id
from app.kernel.scopes import Scope
from app.registry.batches import PREFIX as BATCH
from app.registry.batches import Batch, batch_name, find_batch, lock_batch
from app.registry.errors import (
    ClassNotPooled,
    RecallChanged,
    RecallEmpty,
    RecallTooMuch,
    RecallUnknown,
)
from app.registry.issuing import lock_series
from app.registry.recall_rules import kilograms_of
from app.registry.recalled import PREFIX
from app.staff import Approval, Asking, Deed, Signing, ask, note_act
from app.staff.approvals import Payload

RECALL: Final = "registry.recall"
_CLASS: Final = "select id from asset where key = %s and id & 7 = 1"
_OF_DAYS: Final = """
select i.batch, sum(upper(i.place) - lower(i.place))::int8
  from issued_row i
  join lot_row r on r.bucket = i.bucket and r.account = i.account and r.lot = i.lot
   and r.activity = i.activity
 where i.bucket >= 0 and i.asset = %(asset)s and r.occurred_on between %(first)s and %(last)s
   and not exists (select from recall q where q.reduction = %(asset)s
                     and r.occurred_on between q.first_on and q.last_on)
 group by i.batch order by i.batch"""
_NAMED: Final = "select coalesce(sum(void_kg), 0)::int8 from recall_batch where batch = %s"
_OPEN: Final = """
insert into recall (id, reason, reduction, first_on, last_on, asked_by, signed_by, opened_at)
values (%s, %s, %s, %s, %s, %s, %s, %s)"""
_ADD: Final = "insert into recall_batch (recall, batch, void_kg) values (%s, %s, %s)"
_COLUMNS: Final = "r.id, r.reason, a.key, r.first_on, r.last_on, r.opened_at"
_FIND: Final = f"""
select {_COLUMNS} from recall r left join asset a on a.id = r.reduction where r.id = %s"""  # noqa: S608 -- columns of our own
_LIST: Final = f"""
select {_COLUMNS} from recall r left join asset a on a.id = r.reduction
 where %s::uuid is null or r.id < %s order by r.id desc limit %s"""  # noqa: S608 -- likewise
_STANDINGS: Final = """
select b.batch, b.void_kg,
       case when s.recall is not null then coalesce((select sum(u.quantity_kg) from recall_used u
                  where u.recall = b.recall and u.batch = b.batch), 0)::int8 end,
       coalesce((select sum(v.quantity_kg) from recall_void v
                  where v.recall = b.recall and v.batch = b.batch), 0)::int8,
       coalesce((select sum(v.quantity_kg) from recall_void v
                  where v.recall = b.recall and v.batch = b.batch
                    and v.owed_to is not null), 0)::int8,
       coalesce((select sum(g.quantity_kg) from recall_given g join recall_void v on v.id = g.void
                  where v.recall = b.recall and v.batch = b.batch), 0)::int8
  from recall_batch b left join recall_sweep s on (s.recall, s.batch) = (b.recall, b.batch)
 where b.recall = %s order by b.batch"""


class ActsOfDays(NamedTuple):
    """Acts of one class on some days, both included."""

    key: bytes
    """Of the class (``assetKey``)."""
    first_on: date
    last_on: date


@dataclass(frozen=True, slots=True)
class Recall:
    """Units that turned out to stand for nothing (撤回)."""

    id: UUID
    reason: str
    acts: ActsOfDays | None
    opened_at: datetime

    @property
    def public(self) -> str:
        """The public id."""
        return public_id(PREFIX, self.id)


class RecalledBatch(NamedTuple):
    """What a recall did to a batch [kg]."""

    batch: UUID
    void_kg: int
    used_kg: int | None
    """They have serials, and the buffer replaces them; None until the job has looked."""
    invalidated_kg: int
    owed_kg: int
    """Of these, bought ones."""
    given_kg: int
    """In their place."""

    @property
    def held_kg(self) -> int | None:
        """Held for somebody: void when they are given back; None until the job has looked."""
        return None if self.used_kg is None else self.void_kg - self.used_kg - self.invalidated_kg


def recalled_by_days(session: Session, acts: ActsOfDays) -> Mapping[str, int]:
    """Give the kilograms of each batch that have milligrams of such acts.

    Days of which an earlier recall took the acts are left out.

    Raises:
        ClassNotPooled: There is no such class.
        RecallEmpty: Nothing of them was issued.
    """
    found = _count(driver(session), _class(session, acts), acts)
    if not found:
        raise RecallEmpty
    return found


def ask_recall(
    session: Session,
    asking: Asking,
    acts: ActsOfDays | None,
    batches: Mapping[str, int],
) -> Approval:
    """Ask for a second signature under a recall.

    Raises:
        BatchUnknown, RecallTooMuch, ApprovalOpen: See their own words.
    """
    connection = driver(session)
    for name, void_kg in batches.items():
        batch = find_batch(connection, parse_public_id(BATCH, name))
        _refuse_too_much(connection, batch, void_kg)
    payload = {"reason": asking.reason, "batches": dict(batches)} | _said(acts)
    of = public_id(PREFIX, asking.id)
    return ask(session, asking, RECALL, of, payload, scope=Scope.UNITS_INVALIDATE)


def open_recall(session: Session, payload: Payload, signing: Signing) -> None:
    """Open it; a job carries it out. From then on acts of its days are in no lot and no issuance.

    Raises:
        RecallChanged: Its acts are in other batches, or in more of them, than was asked.
        RecallTooMuch: Another recall came between.
    """
    connection, acts = driver(session), _read(payload)
    series = None if acts is None else _class(session, acts)
    if acts is not None and series is not None:
        lock_series(connection, series)
        found = _count(connection, series, acts)
        if found != payload["batches"]:
            asked_kg = sum(payload["batches"].values())
            raise RecallChanged(asked_kg=asked_kg, found_kg=sum(found.values()))
    of = (None, None, None) if acts is None else (series, *acts[1:])
    people = (signing.asked_by, signing.signed_by, signing.at)
    connection.execute(_OPEN, (signing.approval, payload["reason"], *of, *people))
    for name, void_kg in sorted(payload["batches"].items()):
        batch = parse_public_id(BATCH, name)
        assert batch is not None, name
        _refuse_too_much(connection, lock_batch(connection, batch), void_kg)
        connection.execute(_ADD, (signing.approval, batch, void_kg))
    told = public_id(PREFIX, signing.approval)
    note_act(session, signing.signed_by, RECALL, told, at=signing.at, **payload["batches"])


def find_recall(session: Session, recall: UUID | None) -> Recall:
    """Give a recall.

    Raises:
        RecallUnknown: There is none.
    """
    row = driver(session).execute(_FIND, (recall,)).fetchone()
    if row is None:
        raise RecallUnknown
    return _recall(*row)


def recalls(session: Session, *, before: UUID | None, limit: int) -> Sequence[Recall]:
    """List recalls, the newest first."""
    rows = driver(session).execute(_LIST, (before, before, limit)).fetchall()
    return [_recall(*row) for row in rows]


def recalled_batches(session: Session, recall: UUID) -> Sequence[RecalledBatch]:
    """Give what a recall did to each batch, so far."""
    rows = driver(session).execute(_STANDINGS, (recall,)).fetchall()
    return [RecalledBatch(*row) for row in rows]


def _refuse_too_much(connection: Connection, batch: Batch, void_kg: int) -> None:
    named = connection.execute(_NAMED, (batch.id,)).fetchone()
    left = batch.quantity_kg - (named[0] if named else 0)
    if void_kg > left:
        raise RecallTooMuch(batch=batch.public, left_kg=left)


def _count(connection: Connection, series: int, acts: ActsOfDays) -> dict[str, int]:
    days = {"asset": series, "first": acts.first_on, "last": acts.last_on}
    rows = connection.execute(_OF_DAYS, days).fetchall()
    return {batch_name(batch): kilograms_of(mg) for batch, mg in rows}


def _class(session: Session, acts: ActsOfDays) -> int:
    row = driver(session).execute(_CLASS, (acts.key,)).fetchone()
    if row is None:
        raise ClassNotPooled
    return row[0]


def _said(acts: ActsOfDays | None) -> dict[str, str]:
    if acts is None:
        return {}
    days = {"first_on": str(acts.first_on), "last_on": str(acts.last_on)}
    return {"class_key": acts.key.hex(), **days}


def _read(payload: Payload) -> ActsOfDays | None:
    if "class_key" not in payload:
        return None
    first, last = (date.fromisoformat(payload[name]) for name in ("first_on", "last_on"))
    return ActsOfDays(bytes.fromhex(payload["class_key"]), first, last)


def _recall(id_: UUID, reason: str, key: bytes | None, *rest: Any) -> Recall:  # noqa: ANN401 -- the columns of the statements
    first_on, last_on, opened_at = rest
    acts = None if key is None else ActsOfDays(bytes(key), first_on, last_on)
    return Recall(id_, reason, acts, opened_at)


DEEDS: Final[Mapping[str, Deed]] = {RECALL: open_recall}
