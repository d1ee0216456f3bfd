"""Who wants to be on boards (自愿上榜): nobody until they ask, and at once nobody again."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from sqlmodel import Session

from app.citizens import lock_citizen
from app.growth.errors import PseudonymRefused
from app.growth.names import PSEUDONYM_MAX, plain_name
from app.kernel.db import driver
from app.kernel.tokens import Principal
from ledger.accounts import bucket_of

_ENTER: Final = """
insert into leaderboard_entrant (bucket, account, pseudonym, since) values (%s, %s, %s, %s)
on conflict (bucket, account) do update set pseudonym = excluded.pseudonym"""
_LEAVE: Final = "delete from leaderboard_entrant where bucket = %s and account = %s"
_OWN: Final = """
select pseudonym, since from leaderboard_entrant where bucket = %s and account = %s"""
_NAMES: Final = """
select e.account, e.pseudonym
  from unnest(%s::int2[], %s::int8[]) as k (bucket, account)
  join leaderboard_entrant e on e.bucket = k.bucket and e.account = k.account"""


class Entrant(NamedTuple):
    """A person on the boards, as they called themselves."""

    pseudonym: str
    since: datetime


def enter_boards(session: Session, who: Principal, pseudonym: str, *, at: datetime) -> Entrant:
    """Put a person on the boards under this name, or change the name. Idempotent.

    Raises:
        TokenInvalid: The person was erased.
        PseudonymRefused: The name is too short or long, does not print, or looks like a phone.
    """
    name = plain_name(pseudonym, PSEUDONYM_MAX)
    if name is None:
        raise PseudonymRefused
    lock_citizen(session, who.bucket, who.owner)
    driver(session).execute(_ENTER, (who.bucket, who.owner, name, at))
    found = entrant_of(session, who)
    assert found is not None
    return found


def leave_boards(session: Session, who: Principal) -> None:
    """Take a person off every board, at once. Idempotent."""
    driver(session).execute(_LEAVE, (who.bucket, who.owner))


def entrant_of(session: Session, who: Principal) -> Entrant | None:
    """Give how a person appears on boards; ``None`` for not at all."""
    row = driver(session).execute(_OWN, (who.bucket, who.owner)).fetchone()
    return None if row is None else Entrant(*row)


def names_of(session: Session, owners: Sequence[int]) -> Mapping[int, str]:
    """Give the names of those of these people who are on the boards now."""
    buckets = [bucket_of(owner) for owner in owners]
    return dict(driver(session).execute(_NAMES, (buckets, list(owners))).fetchall())
