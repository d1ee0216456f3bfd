"""Shares of a retirement (份额): who came takes part in it by their ticket, without an account.

The organiser seals how many tickets there are and how much each may claim; the words on a ticket
are derived under a key of this deployment, and kept as a hash. A claim is once and for ever. That
all shares together never exceed what the gathering retired is decided by the database, where
claims of one gathering take turns (``claim_share``, migration 0032). Where retired units stand for
nothing, and are not replaced yet, each share says first by how much it is less, in proportion.
"""

from base64 import b32encode
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from typing import Final, Literal, NamedTuple
from uuid import UUID

from psycopg import errors as db_errors
from sqlmodel import Session

from app.kernel.clock import day_of
from app.kernel.db import driver
from app.kernel.ids import public_id
from app.kernel.secrets import Keys
from app.neutrality.gatherings import Gathering, find_gathering
from app.neutrality.neutrality_errors import SharesExceed, SharesNotOpen, ShareUnknown
from app.neutrality.reserving import reserved
from app.neutrality.standing import retirements
from app.registry.replacing import owed_kg
from ledger.assets import MG_PER_KG

PREFIX: Final = "shi"
TICKETS_MAX: Final = 10_000
"""Of one issue; an organiser may issue often."""
TICKET_BYTES: Final = 20
_ISSUED: Final = """
select coalesce(sum(tickets * share_mg), 0)::int8 from share_issue where gathering = %s"""
_ISSUE: Final = """
insert into share_issue (gathering, id, tickets, share_mg, issued_at) values (%s, %s, %s, %s, %s)"""
_SEAL: Final = """
insert into share_ticket (gathering, ticket, issue)
select %s, ticket, %s from unnest(%s::bytea[]) as t (ticket)"""
_LOCK: Final = """
select i.share_mg, t.claimed_at
  from share_ticket t join share_issue i on i.gathering = t.gathering and i.id = t.issue
 where t.gathering = %s and t.ticket = %s for update of t"""
_CLAIM: Final = """
update share_ticket set claimed_at = %s where gathering = %s and ticket = %s"""
_ONE: Final = """
select id, tickets, share_mg, issued_at from share_issue where gathering = %s and id = %s"""
_LIST: Final = """
select i.id, i.tickets, i.share_mg, i.issued_at,
       (select count(*) from share_ticket t
         where t.gathering = i.gathering and t.issue = i.id and t.claimed_at is not null)
  from share_issue i
 where i.gathering = %s and (%s::uuid is null or i.id < %s) order by i.id desc limit %s"""


class ShareIssue(NamedTuple):
    """Tickets that may each claim as much (份额票)."""

    id: UUID
    tickets: int
    share_mg: int
    issued_at: datetime
    claimed: int = 0

    @property
    def public(self) -> str:
        """The public id."""
        return public_id(PREFIX, self.id)


class Share(NamedTuple):
    """What a ticket claimed (份额)."""

    gathering: UUID
    share_mg: int
    remaining_mg: int
    """Less where units that the gathering retired stand for nothing now."""
    claimed_at: datetime

    @property
    def state(self) -> Literal["valid", "reduced", "revoked"]:
        """Say whether it stands, as certificates do."""
        if self.remaining_mg == self.share_mg:
            return "valid"
        return "reduced" if self.remaining_mg else "revoked"


def issue_shares(
    session: Session, gathering: Gathering, made: ShareIssue, words: Sequence[str]
) -> None:
    """Seal tickets of a locked gathering by their words.

    Raises:
        SharesExceed: All its tickets together could claim more than is reserved, and retired and
            stands.
    """
    assert len(words) == made.tickets, made
    connection = driver(session)
    row = connection.execute(_ISSUED, (gathering.id,)).fetchone()
    assert row is not None, gathering.id
    has = reserved(session, gathering, today=day_of(made.issued_at))
    kg = sum(
        each.quantity_kg - owed_kg(connection, each) for each in retirements(session, gathering)
    )
    kg += sum(each.left_kg for each in has)
    if row[0] + made.tickets * made.share_mg > kg * MG_PER_KG:
        raise SharesExceed(most_mg=kg * MG_PER_KG - row[0])
    connection.execute(_ISSUE, (gathering.id, *made[:-1]))
    connection.execute(_SEAL, (gathering.id, made.id, [ticket_of(each) for each in words]))


def words_of(keys: Keys, issue: ShareIssue) -> list[str]:
    """Write what is on the tickets of an issue: 160 bits each, which only this server can write."""
    sealed = (
        keys.voucher_hash("share", issue.id.bytes + number.to_bytes(4, "big"))
        for number in range(issue.tickets)
    )
    return [b32encode(each[:TICKET_BYTES]).decode().lower() for each in sealed]


def find_issue(session: Session, gathering: Gathering, issue: UUID | None) -> ShareIssue:
    """Give one issue of a gathering's tickets.

    Raises:
        ShareUnknown: It has none of this id.
    """
    row = driver(session).execute(_ONE, (gathering.id, issue)).fetchone()
    if row is None:
        raise ShareUnknown
    return ShareIssue(*row)


def claim_share(session: Session, gathering: UUID | None, words: str, *, at: datetime) -> Share:
    """Claim the share of a ticket; claiming it again gives the same, and what is left of it now.

    Raises:
        GatheringUnknown: There is none.
        ShareUnknown: The gathering has no ticket of these words.
        SharesNotOpen: Less was retired than would be shared.
    """
    connection, ticket = driver(session), ticket_of(words)
    of = find_gathering(session, gathering, organisation=None)
    row = connection.execute(_LOCK, (of.id, ticket)).fetchone()
    if row is None:
        raise ShareUnknown
    share_mg, claimed_at = row
    if claimed_at is None:
        try:
            connection.execute(_CLAIM, (at, of.id, ticket))
        except db_errors.CheckViolation as error:
            if error.diag.constraint_name != "shares_within_retirement":
                raise
            raise SharesNotOpen from error
    taken = [each for each in retirements(session, of) if each.taken_at is not None]
    retired_kg = sum(each.quantity_kg for each in taken)
    void_kg = sum(owed_kg(connection, each) for each in taken)
    remaining_mg = share_mg * (retired_kg - void_kg) // retired_kg
    return Share(of.id, share_mg, remaining_mg, claimed_at or at)


def share_issues(
    session: Session, gathering: Gathering, *, before: UUID | None, limit: int
) -> list[ShareIssue]:
    """List what tickets were issued, the newest first, and how many have claimed."""
    asked = (gathering.id, before, before, limit)
    return [ShareIssue(*row) for row in driver(session).execute(_LIST, asked)]


def ticket_of(words: str) -> bytes:
    """Hash the words of a ticket: it is known by that alone.

    >>> ticket_of("a").hex()[:8]
    'ca978112'
    """
    return sha256(words.encode()).digest()
