"""What the desk asks (办事台查询): requests that await a signature, and what was done."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlmodel import Session

from app.kernel.db import driver
from app.kernel.tokens import Principal
from app.staff.approvals import COLUMNS, Approval
from app.staff.audit_log import AuditEntry, LoggedEntry
from app.staff.errors import ApprovalUnknown

_FIND: Final = f"""
select {COLUMNS} from approval where id = %s and (scope = any(%s) or asked_by = %s)"""  # noqa: S608 -- columns of our own
_LIST: Final = f"""
select {COLUMNS} from approval
 where (scope = any(%s) or asked_by = %s)
   and (%s::boolean is null or (decided_at is null) = %s)
   and (%s::uuid is null or id < %s)
 order by id desc limit %s"""  # noqa: S608 -- likewise
_LOG: Final = """
select number, at, actor, act, object, detail, hash from audit_entry
 where (%(actor)s::text is null or actor = %(actor)s)
   and (%(act)s::text is null or act = %(act)s)
   and (%(object)s::text is null or object = %(object)s)
   and (%(as_of)s::timestamptz is null or at <= %(as_of)s)
   and (%(before)s::bigint is null or number < %(before)s)
 order by number desc limit %(limit)s"""


@dataclass(frozen=True, slots=True)
class Sought:
    """Which entries of the audit log somebody wants to see; nothing given is everything."""

    actor: str | None = None
    act: str | None = None
    object: str | None = None
    as_of: datetime | None = None


def approval_for(session: Session, who: Principal, approval: UUID | None) -> Approval:
    """Give a request that somebody asked for, or may sign.

    Raises:
        ApprovalUnknown: There is none such.
    """
    row = driver(session).execute(_FIND, (approval, *_seen_by(who))).fetchone()
    if row is None:
        raise ApprovalUnknown
    return Approval(*row)


def approvals(
    session: Session, who: Principal, *, is_open: bool | None, before: UUID | None, limit: int
) -> list[Approval]:
    """List requests that somebody asked for, or may sign or see signed; the newest first."""
    values = (*_seen_by(who), is_open, is_open, before, before, limit)
    return [Approval(*row) for row in driver(session).execute(_LIST, values).fetchall()]


def entries(
    session: Session, sought: Sought, *, before: int | None, limit: int
) -> list[LoggedEntry]:
    """List what the desk did; the newest first."""
    values = {
        "actor": sought.actor,
        "act": sought.act,
        "object": sought.object,
        "as_of": sought.as_of,
        "before": before,
        "limit": limit,
    }
    rows: Iterable[tuple[object, ...]] = driver(session).execute(_LOG, values).fetchall()
    return [_logged(*row) for row in rows]


def _logged(*columns: object) -> LoggedEntry:
    *told, stored = columns
    return LoggedEntry(AuditEntry(*told), bytes(stored))  # pyright: ignore[reportArgumentType] -- the columns of the statement


def _seen_by(who: Principal) -> tuple[list[str], str]:
    return sorted(who.scopes), who.name
