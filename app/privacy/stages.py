"""The stages of an erasure, in the order of R20 (删除步骤): each one transaction, and idempotent.

A stage that cannot be finished yet says so and changes nothing; the job asks again. The last one
looks once more: whatever came in meanwhile goes through all of them again before anything is
destroyed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from sqlmodel import Session

from app.anchoring.erasing import is_settled, let_go, sealed_note
from app.books import Note, Row, post, write_notes
from app.books.erasing import erase_owner
from app.citizens import Citizen
from app.kernel.clock import day_of
from app.kernel.db import driver
from app.kernel.secrets import Keys
from app.points import write_off_debts
from app.points.expiring import expire_all
from app.privacy.forgetting import forget
from app.privacy.receipts import sign_receipt
from ledger.accounts import SYSTEM_ACCOUNTS
from ledger.chart import Code

_HELD: Final = """
select 1 from balance
 where bucket = %s and account = %s + 1 and credits > debits limit 1"""
_REDUCTIONS: Final = """
select asset, credits - debits from balance
 where bucket = %s and account = %s and asset & 7 in (1, 2) and credits > debits
 order by asset for update"""
_LEFT: Final = """
select 1 from balance
 where bucket = %s and account in (%s, %s) and credits > debits limit 1"""
_REACH: Final = "update erasure set stage = %s where bucket = %s and account = %s"
_NOTE: Final = "update erasure set note = %s where bucket = %s and account = %s"
_CLOSE: Final = """
update erasure set stage = 'destroyed', statement = %s, signature = %s
 where bucket = %s and account = %s"""


class Stage(StrEnum):
    """How far an erasure has come."""

    STOPPED = "stopped"
    """Nothing new begins: consents, links and sessions have ended."""
    RELEASED = "released"
    """No order holds anything of theirs."""
    EXPIRED = "expired"
    """Points went to ``expired``."""
    CANCELLED = "cancelled"
    """Reductions were cancelled for the public good."""
    FORGIVEN = "forgiven"
    """What was owed was written off."""
    NOTED = "noted"
    """The log says that somebody's openings are about to be destroyed."""
    DESTROYED = "destroyed"
    """Nothing leads to them any more, and the receipt is signed."""


@dataclass(frozen=True, slots=True)
class Others:
    """What domains that hold something of a person do and say, each by name, in this order."""

    release: tuple[Callable[[Session, Citizen, datetime], None], ...] = ()
    """Give back what is reserved: orders, vouchers, holds."""
    is_quiet: tuple[Callable[[Session, Citizen, datetime], bool], ...] = ()
    """Say whether nothing is on its way: outbox, reversals, vouchers that work offline."""


@dataclass(frozen=True, slots=True)
class Case:
    """One erasure, as its row says."""

    citizen: Citizen
    id: UUID
    asked_at: datetime
    stage: Stage
    note: UUID | None


@dataclass(frozen=True, slots=True)
class World:
    """What the stages need beside their case."""

    keys: Keys
    origin: str
    others: Others
    new_id: Callable[[], UUID]


def advance(session: Session, world: World, case: Case, *, at: datetime) -> Stage | None:
    """Take the next stage; ``None`` where it has to wait."""
    reached = _STAGES[case.stage](session, world, case, at)
    if reached not in {None, Stage.DESTROYED}:
        driver(session).execute(_REACH, (reached, case.citizen.bucket, case.citizen.number))
    return reached


def _release(session: Session, world: World, case: Case, at: datetime) -> Stage | None:
    for release in world.others.release:
        release(session, case.citizen, at)
    owner = (case.citizen.bucket, case.citizen.number)
    held = driver(session).execute(_HELD, owner).fetchone() is not None
    return None if held else Stage.RELEASED


def _expire(session: Session, world: World, case: Case, at: datetime) -> Stage:
    today, owner = day_of(at), case.citizen.number
    expire_all(driver(session), owner, cause=case.id, today=today, new_id=world.new_id)
    return Stage.EXPIRED


def _cancel(session: Session, world: World, case: Case, at: datetime) -> Stage:
    connection, today = driver(session), day_of(at)
    bucket, owner = case.citizen.bucket, case.citizen.number
    cancelled, code = SYSTEM_ACCOUNTS["cancelled"], int(Code.CANCEL)
    rows = [
        Row(bucket, today, world.new_id(), owner, cancelled, asset, mg, code, case.id, today)
        for asset, mg in connection.execute(_REDUCTIONS, (bucket, owner)).fetchall()
    ]
    post(connection, rows)
    return Stage.CANCELLED


def _forgive(session: Session, world: World, case: Case, at: datetime) -> Stage:
    owner, today = case.citizen.number, day_of(at)
    write_off_debts(driver(session), owner, cause=case.id, today=today, new_id=world.new_id)
    return Stage.FORGIVEN


def _note(session: Session, world: World, case: Case, at: datetime) -> Stage | None:
    if not all(quiet(session, case.citizen, at) for quiet in world.others.is_quiet):
        return None
    if case.note is None:
        connection, note = driver(session), world.new_id()
        bucket, owner = case.citizen.bucket, case.citizen.number
        connection.execute(_NOTE, (note, bucket, owner))
        write_notes(connection, [Note(bucket, day_of(at), note, owner, Code.ERASE, case.id)])
    return Stage.NOTED


def _destroy(session: Session, world: World, case: Case, at: datetime) -> Stage | None:
    connection, citizen = driver(session), case.citizen
    bucket, owner = citizen.bucket, citizen.number
    if connection.execute(_LEFT, (bucket, owner, owner + 1)).fetchone() is not None:
        return Stage.STOPPED
    assert case.note is not None, case
    sealed = sealed_note(session, case.note)
    if sealed is None or not is_settled(session, bucket, owner):
        return None
    for release in world.others.release:  # of what began since, under a token that still lived
        release(session, citizen, at)
    forget(session, world.keys, citizen)
    if not (erase_owner(connection, bucket, owner) and is_settled(session, bucket, owner)):
        raise NotEmpty
    let_go(session, owner)
    receipt = sign_receipt(world.keys.receipt, world.origin, case.id, case.asked_at, sealed, at=at)
    connection.execute(_CLOSE, (receipt.statement, receipt.signature, bucket, owner))
    return Stage.DESTROYED


class NotEmpty(Exception):  # noqa: N818 -- names a state, and undoes the transaction
    """Something reached them while they were being destroyed: the next try sees it first."""


_STAGES: Final[dict[Stage, Callable[[Session, World, Case, datetime], Stage | None]]] = {
    Stage.STOPPED: _release,
    Stage.RELEASED: _expire,
    Stage.EXPIRED: _cancel,
    Stage.CANCELLED: _forgive,
    Stage.FORGIVEN: _note,
    Stage.NOTED: _destroy,
}
