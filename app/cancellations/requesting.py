"""Asking for a cancellation, and reverting it (申请与撤回注销), until it is posted."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from sqlmodel import Session

from app.books import ClaimText, keep_texts
from app.cancellations.errors import (
    CancellationPosted,
    CancellationsMany,
    ClassesTooMany,
    ReductionsLacking,
)
from app.cancellations.queries import Cancellation, find_cancellation
from app.cancellations.rules import (
    CLASSES_MAX,
    COOL_DOWN,
    OPEN_MAX,
    HeldClass,
    Part,
    named,
    oldest_first,
)
from app.citizens import lock_citizen
from app.kernel.db import Connection, driver
from app.kernel.tokens import Principal
from ledger.accounts import bucket_of
from ledger.certificate import Purpose

_LOCK: Final = """
select b.asset from balance b
 where b.bucket = %s and b.account = %s and b.asset & 7 in (1, 2) and b.credits > b.debits
 order by b.asset for update of b"""
_HELD: Final = """
select b.asset, x.key, x.vintage, (b.credits - b.debits - coalesce((
         select sum(p.mg) from cancellation_part p
           join cancellation c on c.bucket = p.bucket and c.account = p.account
            and c.id = p.cancellation and c.reverted_at is null and c.posted_at is null
          where p.bucket = b.bucket and p.account = b.account and p.asset = b.asset), 0))::int8
  from balance b join asset x on x.id = b.asset
 where b.bucket = %s and b.account = %s and b.asset & 7 in (1, 2) and b.credits > b.debits"""
_OPEN: Final = """
select count(*) from cancellation
 where bucket = %s and account = %s and reverted_at is null and posted_at is null"""
_REQUEST: Final = """
insert into cancellation (bucket, account, id, purpose, period, holder_commit, beneficiary_commit,
                          message_commit, mg, requested_at, due_at)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"""
_PARTS: Final = """
insert into cancellation_part (bucket, account, cancellation, asset, mg, transfer, salt)
select * from unnest(%s::int2[], %s::int8[], %s::uuid[], %s::int4[], %s::int8[], %s::uuid[],
                     %s::bytea[])"""
_REVERT: Final = """
update cancellation set reverted_at = %s, reason = 'owner'
 where bucket = %s and account = %s and id = %s and reverted_at is null and posted_at is null"""


class Wish(NamedTuple):
    """What somebody wishes to cancel: so many milligrams, or named classes; for whom and why."""

    mg: int | None
    """Of the oldest months first; None where classes are named."""
    classes: Mapping[bytes, int | None]
    """By published key, so many milligrams or all of it."""
    purpose: Purpose
    period: str | None
    texts: Sequence[ClaimText]
    """One of each of ``ledger.certificate.TEXTS``."""


def request_cancellation(
    session: Session,
    who: Principal,
    wish: Wish,
    *,
    cancellation: UUID,
    new_id: Callable[[], UUID],
    new_salt: Callable[[], bytes],
    at: datetime,
) -> Cancellation:
    """Ask for a cancellation; what it takes is fixed now, and posted after the cool-down.

    Raises:
        TokenInvalid: The citizen was erased.
        CancellationsMany, ReductionsLacking, ClassesTooMany: See their own words.
    """
    connection, owner = driver(session), who.owner
    if who.kind == "citizen":
        lock_citizen(session, who.bucket, owner)
    parts = _chosen(connection, owner, wish)
    texts = {text.name: text for text in wish.texts}
    commits = [texts[name].commit for name in ("holder", "beneficiary", "message")]
    place = (bucket_of(owner), owner, cancellation)
    mg = sum(each for _, each in parts)
    facts = (wish.purpose, wish.period, *commits, mg, at, at + COOL_DOWN)
    connection.execute(_REQUEST, (*place, *facts))
    rows = [(*place, asset, each, new_id(), new_salt()) for asset, each in parts]
    connection.execute(_PARTS, [list(column) for column in zip(*rows, strict=True)])
    keep_texts(connection, owner, cancellation, wish.texts)
    return find_cancellation(session, owner, cancellation)


def revert_cancellation(
    session: Session, owner: int, cancellation: UUID | None, *, at: datetime
) -> Cancellation:
    """Revert a cancellation that waits; nothing was moved.

    Raises:
        OwnCancellationUnknown: They have none of this id.
        CancellationPosted: It was posted, or reverted before.
    """
    find_cancellation(session, owner, cancellation)
    facts = (at, bucket_of(owner), owner, cancellation)
    if driver(session).execute(_REVERT, facts).rowcount != 1:
        raise CancellationPosted
    return find_cancellation(session, owner, cancellation)


def _chosen(connection: Connection, owner: int, wish: Wish) -> list[Part]:
    """Choose of what is held beside open cancellations; requests of one owner take turns."""
    place = (bucket_of(owner), owner)
    connection.execute(_LOCK, place)
    if connection.execute(_OPEN, place).fetchall()[0][0] >= OPEN_MAX:
        raise CancellationsMany(most=OPEN_MAX)
    held = [HeldClass(*row) for row in connection.execute(_HELD, place)]
    found = named(held, wish.classes) if wish.mg is None else oldest_first(held, wish.mg)
    if not found:
        raise ReductionsLacking
    if len(found) > CLASSES_MAX:
        raise ClassesTooMany(most=CLASSES_MAX)
    return found
