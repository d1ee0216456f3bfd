"""Disputes (争议): for seven days a merchant may contest a statement; two of the desk answer.

An answer may grant fen or take some back, by programme: lines of the next statement, for this one
never changes. What is granted is promised by the programme as the answer is signed. Once the window
is over and nothing waits for an answer, the statement is final.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from psycopg import errors as db_errors
from sqlmodel import Session

from app.kernel.db import Connection, Database, driver
from app.points import find_programme, promise
from app.settlements.errors import (
    BudgetShort,
    DisputeAnswered,
    DisputeOpen,
    DisputeUnknown,
    LineUnknown,
    SettlementUnknown,
    WindowClosed,
)
from ledger.accounts import bucket_of

WINDOW: Final = timedelta(days=7)
AT_ONCE: Final = 500
_LOCK: Final = "select account from merchant where id = %s for no key update"
_FIND: Final = """
select s.closed_at, s.lines, f.final_at is not null
  from settlement s
  left join settlement_final f
    on f.bucket = s.bucket and f.account = s.account and f.settlement = s.id
 where s.bucket = %s and s.account = %s and s.id = %s"""
_OPEN: Final = """
insert into settlement_dispute (bucket, account, id, settlement, places, reason, opened_by,
                                opened_at)
values (%s, %s, %s, %s, %s, %s, %s, %s)"""
_WHERE: Final = """
select d.answered_at is not null, s.merchant
  from settlement_dispute d
  join settlement s on s.bucket = d.bucket and s.account = d.account and s.id = d.settlement
 where d.bucket = %s and d.account = %s and d.id = %s"""
_PLACE: Final = "select bucket, account from settlement_dispute where id = %s"
_ANSWER: Final = """
update settlement_dispute set answered_at = %s, answer = %s
 where bucket = %s and account = %s and id = %s and answered_at is null"""
_ADJUST: Final = """
insert into settlement_adjustment (bucket, account, dispute, programme, fen)
values (%s, %s, %s, %s, %s)"""
_DUE: Final = """
select s.merchant, s.id from settlement s
 where s.closed_at <= %s
   and not exists (
     select from settlement_final f
      where f.bucket = s.bucket and f.account = s.account and f.settlement = s.id)
   and not exists (
     select from settlement_dispute d
      where d.bucket = s.bucket and d.account = s.account and d.settlement = s.id
        and d.answered_at is null)
 order by s.closed_at, s.id limit %s"""
_FINAL: Final = """
insert into settlement_final (bucket, account, settlement, final_at)
select s.bucket, s.account, s.id, %(at)s from settlement s
 where s.bucket = %(bucket)s and s.account = %(account)s and s.id = %(settlement)s
   and not exists (
     select from settlement_dispute d
      where d.bucket = s.bucket and d.account = s.account and d.settlement = s.id
        and d.answered_at is null)
on conflict do nothing"""


@dataclass(frozen=True, slots=True)
class NewDispute:
    """What a merchant contests."""

    id: UUID
    settlement: UUID
    places: Sequence[int]
    """Of the lines; none, where one is missing."""
    reason: str
    opened_by: UUID


@dataclass(frozen=True, slots=True)
class DisputeAnswer:
    """What the desk says to it."""

    dispute: UUID
    answer: str
    adjustments: Mapping[str, int]
    """By code of the programme [fen], before the fee; below zero to take back."""


def lock_merchant(connection: Connection, merchant: UUID) -> tuple[int, int]:
    """Wait for whoever else changes what becomes of a merchant's statements; give its place."""
    (account,) = connection.execute(_LOCK, (merchant,)).fetchall()[0]
    return bucket_of(account), account


def open_dispute(session: Session, merchant: UUID, new: NewDispute, *, at: datetime) -> None:
    """Contest lines of a statement, or that one is missing.

    Raises:
        SettlementUnknown, LineUnknown, WindowClosed, DisputeOpen: See their own words.
    """
    connection = driver(session)
    place = lock_merchant(connection, merchant)
    found = connection.execute(_FIND, (*place, new.settlement)).fetchone()
    if found is None:
        raise SettlementUnknown
    closed_at, lines, is_final = found
    if any(each >= lines for each in new.places):
        raise LineUnknown(lines=lines)
    if is_final or at >= closed_at + WINDOW:
        raise WindowClosed
    facts = (new.id, new.settlement, list(new.places), new.reason, new.opened_by, at)
    try:
        connection.execute(_OPEN, (*place, *facts))
    except db_errors.UniqueViolation as error:
        raise DisputeOpen from error


def find_open(session: Session, dispute: UUID | None) -> UUID:
    """Give the merchant whose dispute awaits an answer.

    Raises:
        DisputeUnknown, DisputeAnswered: See their own words.
    """
    connection = driver(session)
    place = connection.execute(_PLACE, (dispute,)).fetchone()
    if place is None:
        raise DisputeUnknown
    is_answered, merchant = connection.execute(_WHERE, (*place, dispute)).fetchall()[0]
    if is_answered:
        raise DisputeAnswered
    return merchant


def answer_dispute(session: Session, said: DisputeAnswer, *, at: datetime) -> None:
    """Answer a dispute; what is granted is promised now, and settled with the next statement.

    Raises:
        DisputeUnknown, DisputeAnswered, ProgrammeUnknown, BudgetShort: See their own words.
    """
    connection = driver(session)
    place = lock_merchant(connection, find_open(session, said.dispute))
    if connection.execute(_ANSWER, (at, said.answer, *place, said.dispute)).rowcount == 0:
        raise DisputeAnswered
    for code, fen in sorted(said.adjustments.items()):
        programme = find_programme(session, code)
        if promise(connection, programme.id, max(0, fen), home=place[1]) < fen:
            raise BudgetShort(programme=code)
        connection.execute(_ADJUST, (*place, said.dispute, programme.id, fen))


def finalise(db: Database, *, at: datetime) -> int:
    """Let every statement stand whose time has come; gives how many. Resumable."""
    made = 0
    while due := db.read(_due, at - WINDOW):
        for merchant, settlement in due:
            made += db.transact(_finalise, merchant, settlement, at=at)
        if len(due) < AT_ONCE:
            break
    return made


def _due(session: Session, before: datetime) -> list[tuple[UUID, UUID]]:
    return driver(session).execute(_DUE, (before, AT_ONCE)).fetchall()


def _finalise(session: Session, merchant: UUID, settlement: UUID, *, at: datetime) -> int:
    connection = driver(session)
    bucket, account = lock_merchant(connection, merchant)
    facts = {"at": at, "bucket": bucket, "account": account, "settlement": settlement}
    return connection.execute(_FINAL, facts).rowcount
