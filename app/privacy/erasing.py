"""Erasures (删除): asked for by a person, then taken through their stages by the worker (R20).

The row of an erasure says how far it came; a worker that dies leaves it at the last commit, and
the next one goes on. Asking is itself the first stage: from then on nothing new begins.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final
from uuid import UUID

import structlog
from sqlmodel import Session

from app.cancellations import is_final, release_cancellations
from app.citizens import Citizen
from app.citizens.choices import choices_of, choose
from app.citizens.consents import close_consents, void_links
from app.kernel.db import Database, driver
from app.kernel.ids import new_id
from app.kernel.secrets import Keys
from app.kernel.tokens import Principal
from app.mall.expiring import is_quiet, release_orders
from app.privacy.consenting import refuse_leaving
from app.privacy.guarding import step_back_from_all
from app.privacy.receipts import Receipt
from app.privacy.stages import Case, NotEmpty, Others, Stage, World, advance
from app.projects.leaving import release_projects
from app.sessions.commands import close_all

SECRET_BYTES: Final = 32
CASES_PER_RUN: Final = 200
STAGES_MAX: Final = 12
"""Stages of one person in one run: all of them, and most of them once more."""
OTHERS: Final = Others(
    release=(release_orders, release_cancellations, release_projects),
    is_quiet=(is_quiet, is_final),
)
"""The mall holds points of people; a cancellation names whom it is for; a project has meters."""

_ASK: Final = """
insert into erasure (bucket, account, id, token, asked_at, stage)
values (%s, %s, %s, %s, %s, 'stopped')"""
_OPEN: Final = """
select bucket, account from erasure where stage <> 'destroyed' order by asked_at limit %s"""
_CASE: Final = """
select id, asked_at, stage, note from erasure
 where bucket = %s and account = %s and stage <> 'destroyed' for update skip locked"""
_FIND: Final = """
select id, asked_at, stage, statement, signature from erasure where bucket = %s and token = %s"""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Erasure:
    """How far an erasure has come, for whoever holds its token."""

    id: UUID
    asked_at: datetime
    stage: Stage
    receipt: Receipt | None


def ask_erasure(
    session: Session, keys: Keys, who: Principal, *, named: UUID, secret: bytes, at: datetime
) -> None:
    """Stop everything of a person, and have them erased; ``secret`` opens the receipt.

    Raises:
        ErasureUnderWay: They asked before.
        TokenInvalid: They were erased already.
    """
    assert len(secret) == SECRET_BYTES, len(secret)
    citizen = Citizen(who.bucket, who.owner)
    connection, owner = driver(session), (who.bucket, who.owner)
    refuse_leaving(session, citizen)
    connection.execute(_ASK, (*owner, named, sha256(secret).digest(), at))
    close_consents(session, citizen, at=at)
    void_links(session, citizen)
    step_back_from_all(session, keys, citizen, at=at)
    if choices_of(session, citizen).automatic_exchange:
        choose(session, citizen, choices_of(session, citizen).without_exchange())
    close_all(session, who, at=at)


def find_erasure(session: Session, bucket: int, secret: bytes) -> Erasure | None:
    """Give the erasure that a token opens."""
    token = sha256(secret).digest()
    row = driver(session).execute(_FIND, (bucket, token)).fetchone()
    if row is None:
        return None
    receipt = None if row[3] is None else Receipt(bytes(row[3]), bytes(row[4]))
    return Erasure(row[0], row[1], Stage(row[2]), receipt)


def erase(
    db: Database,
    keys: Keys,
    origin: str,
    *,
    at: datetime,
    others: Others = OTHERS,
    ids: Callable[[], UUID] = new_id,
) -> int:
    """Take every open erasure as far as it can go; gives how many were finished.

    Runs as the worker. One that waits, or fails, holds up no other.
    """
    world = World(keys, origin, others, ids)
    done = 0
    for bucket, number in db.read(_open_cases):
        for _ in range(STAGES_MAX):
            try:
                reached = db.transact(_step, world, Citizen(bucket, number), at=at)
            except NotEmpty:
                log.warning("erasure waits: something came in meanwhile")
                break
            if reached is None:
                break
            done += reached is Stage.DESTROYED
    return done


def _step(session: Session, world: World, citizen: Citizen, *, at: datetime) -> Stage | None:
    owner = (citizen.bucket, citizen.number)
    row = driver(session).execute(_CASE, owner).fetchone()
    if row is None:
        return None
    case = Case(citizen, row[0], row[1], Stage(row[2]), row[3])
    return advance(session, world, case, at=at)


def _open_cases(session: Session) -> list[tuple[int, int]]:
    return [(row[0], row[1]) for row in driver(session).execute(_OPEN, (CASES_PER_RUN,))]
