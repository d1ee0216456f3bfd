"""Four eyes (双人复核): what one person asks for and another signs.

The request carries everything that the deed needs, so that what is signed is what is done; the
signature and the deed are one transaction. One request for the same act on the same object may
be open at a time. The database refuses a signature by the person who asked.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from psycopg import errors as db_errors
from sqlmodel import Session

from app.kernel.db import driver
from app.kernel.ids import public_id
from app.kernel.scopes import Scope
from app.kernel.secrets import Keys
from app.kernel.tokens import Principal
from app.staff.audit_log import note_act
from app.staff.errors import ApprovalDecided, ApprovalOpen, ApprovalOwn, ApprovalUnknown

Payload = Mapping[str, Any]


class Asking(NamedTuple):
    """Who asks, why and when; ``id`` will be the request's."""

    who: Principal
    reason: str
    id: UUID
    at: datetime


@dataclass(frozen=True, slots=True)
class Signing:
    """Who asked, who signed and when: what a deed may want to record."""

    approval: UUID
    asked_by: str
    signed_by: str
    at: datetime
    keys: Keys | None = field(default=None, repr=False)
    """For a deed that opens an owner in the books; the desk over HTTP has them."""


Deed = Callable[[Session, Payload, Signing], None]
"""What a signature sets in motion; domains name theirs as ``DEEDS``, by act."""


@dataclass(frozen=True, slots=True)
class Approval:
    """A request for a second signature, and what became of it."""

    id: UUID
    act: str
    object: str
    scope: str
    payload: Payload
    reason: str
    asked_by: str
    asked_at: datetime
    decided_by: str | None = None
    decided_at: datetime | None = None
    is_signed: bool | None = None


_ASK: Final = """
insert into approval (id, act, object, scope, payload, reason, asked_by, asked_at)
values (%s, %s, %s, %s, %s, %s, %s, %s)"""
COLUMNS: Final = """
id, act, object, scope, payload, reason, asked_by, asked_at, decided_by, decided_at, is_signed"""
_LOCK: Final = f"select {COLUMNS} from approval where id = %s for update"  # noqa: S608 -- columns of our own
_DECIDE: Final = """
update approval set decided_by = %s, decided_at = %s, is_signed = %s where id = %s"""


def ask(
    session: Session, asking: Asking, act: str, object_: str, payload: Payload, *, scope: Scope
) -> Approval:
    """Ask for a second signature under ``act``; the signer needs ``scope`` too.

    Raises:
        ApprovalOpen: The same act on the same object awaits its signature already.
    """
    who, reason, approval, at = asking
    written = json.dumps(payload)
    try:
        driver(session).execute(
            _ASK, (approval, act, object_, scope.value, written, reason, who.name, at)
        )
    except db_errors.UniqueViolation as error:
        raise ApprovalOpen(act=act, object=object_) from error
    note_act(session, who.name, "approvals.ask", public_id("apr", approval), at=at, of=act)
    return Approval(approval, act, object_, scope.value, payload, reason, who.name, at)


def sign(
    session: Session,
    who: Principal,
    approval: UUID,
    deeds: Mapping[str, Deed],
    *,
    agrees: bool,
    at: datetime,
    keys: Keys | None = None,
) -> Approval:
    """Sign a request and do what it asks for, or refuse it.

    Raises:
        ApprovalUnknown: There is none, or not for somebody with these scopes.
        ApprovalOwn: Nobody signs their own; whoever asked may still take it back.
        ApprovalDecided: It was signed or refused before.
    """
    connection = driver(session)
    row = connection.execute(_LOCK, (approval,)).fetchone()
    if row is None or row[3] not in who.scopes:
        raise ApprovalUnknown
    found = Approval(*row)
    if found.decided_by is not None:
        raise ApprovalDecided(decided_by=found.decided_by)
    if agrees and found.asked_by == who.name:
        raise ApprovalOwn
    connection.execute(_DECIDE, (who.name, at, agrees, approval))
    if agrees:
        signing = Signing(approval, found.asked_by, who.name, at, keys)
        deeds[found.act](session, found.payload, signing)
    # Noted last: the log is locked until the commit, and a deed may take long.
    act = "approvals.sign" if agrees else "approvals.refuse"
    note_act(session, who.name, act, public_id("apr", approval), at=at, of=found.act)
    return replace(found, decided_by=who.name, decided_at=at, is_signed=agrees)
