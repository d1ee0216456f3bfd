"""Opening, refreshing and closing sessions (会话的开启、刷新与关闭)."""

from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlmodel import Session

from app.kernel.db import driver
from app.kernel.secrets import Keys
from app.kernel.tokens import Principal
from app.sessions.grants import Granted, Rights
from app.sessions.refresh_tokens import SECRET_BYTES, RefreshToken
from app.sessions.rules import LIFETIMES, State, Step, step

_OPEN: Final = """
insert into session (bucket, family, kind, holder, account, label, opened_at, ends_at, current)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s)"""
_LOCK: Final = """
select kind, opened_at, ends_at, current, previous, rotated_at, closed_at, holder, account
  from session where bucket = %s and family = %s for update"""
_ROTATE: Final = """
update session set previous = current, current = %s, rotated_at = %s
 where bucket = %s and family = %s"""
_CLOSE: Final = """
update session set closed_at = %s, closed_for = %s
 where bucket = %s and family = %s and closed_at is null"""
_CLOSE_OWN: Final = """
update session set closed_at = %s, closed_for = 'revoked'
 where bucket = %s and holder = %s and account = %s and family = %s and closed_at is null"""
_CLOSE_ALL: Final = """
update session set closed_at = %s, closed_for = 'revoked'
 where bucket = %s and holder = %s and account = %s and closed_at is null"""
_SWEEP: Final = "delete from session where bucket >= 0 and ends_at < %s"


def bucket_of_holder(who: Principal) -> int:
    """Give where somebody's sessions lie: a clerk owns nothing, and has the first bucket."""
    return who.bucket if who.owner else 0


def open_session(
    session: Session,
    who: Principal,
    *,
    label: str,
    family: UUID,
    secret: bytes,
    at: datetime,
) -> Granted:
    """Open a session on one device; ``secret`` is the first token's, random and never stored."""
    assert len(secret) == SECRET_BYTES, len(secret)
    assert who.kind in LIFETIMES, who
    token = RefreshToken(bucket_of_holder(who), family, secret)
    lifetimes = LIFETIMES[who.kind]
    whole = at + lifetimes.whole
    where = (token.bucket, family, who.kind, who.id, who.owner)
    driver(session).execute(_OPEN, (*where, label, at, whole, token.hash))
    return Granted(replace(who, proved_at=at), token, min(whole, at + lifetimes.idle))


def refresh(
    session: Session, keys: Keys, rights: Rights, token: RefreshToken, *, at: datetime
) -> Granted | Step:
    """Give the token that follows ``token``, or why there is none.

    Idempotent within the grace: the same token gives the same successor. A replayed token closes
    the session, which has to be committed, so it is an answer and not raised.
    """
    connection = driver(session)
    place = (token.bucket, token.family)
    row = connection.execute(_LOCK, place).fetchone()
    if row is None:
        return Step.ENDED
    state, who = _state(row), Principal(row[0], row[7], frozenset(), row[8])
    taken = step(state, token.hash, at)
    if taken is Step.REPLAYED:
        connection.execute(_CLOSE, (at, "replay", *place))
    if taken in {Step.REPLAYED, Step.ENDED}:
        return taken
    scopes = rights[who.kind](session, who)
    if not scopes:
        connection.execute(_CLOSE, (at, "holder", *place))
        return Step.ENDED
    following = token.successor(keys)
    if taken is Step.ROTATED:
        connection.execute(_ROTATE, (following.hash, at, *place))
    seen_at = at if taken is Step.ROTATED else state.seen_at
    ends_at = min(state.ends_at, seen_at + LIFETIMES[state.kind].idle)
    who = replace(who, scopes=scopes, proved_at=state.opened_at)
    return Granted(who, following, ends_at)


def close_session(session: Session, token: RefreshToken, *, at: datetime) -> bool:
    """Log out: end the session that a token is of; says whether it was open. Idempotent."""
    place = (token.bucket, token.family)
    return driver(session).execute(_CLOSE, (at, "logout", *place)).rowcount > 0


def close_own(session: Session, who: Principal, family: UUID, *, at: datetime) -> bool:
    """End one of somebody's own sessions; says whether there was one that was open."""
    place = (bucket_of_holder(who), who.id, who.owner, family)
    return driver(session).execute(_CLOSE_OWN, (at, *place)).rowcount > 0


def close_all(session: Session, who: Principal, *, at: datetime) -> int:
    """End every session of somebody; gives how many. Idempotent."""
    place = (bucket_of_holder(who), who.id, who.owner)
    return driver(session).execute(_CLOSE_ALL, (at, *place)).rowcount


def sweep(session: Session, *, before: datetime) -> int:
    """Forget sessions that ended before an instant; gives how many rows went."""
    return driver(session).execute(_SWEEP, (before,)).rowcount


def _state(row: tuple[Any, ...]) -> State:
    kind, opened_at, ends_at, current, previous, rotated_at, closed_at, *_ = row
    earlier = None if previous is None else bytes(previous)
    return State(kind, opened_at, ends_at, bytes(current), earlier, rotated_at, closed_at)
