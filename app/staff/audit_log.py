"""The audit log (审计日志): who of the desk did what to what, chained by hashes.

hash = H(tag("audit-entry") ‖ the hash before ‖ the entry as canonical JSON). An entry names
public ids and counts, never a phone, name, card or secret: the log outlives an erasure.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final, NamedTuple

from sqlmodel import Session

from app.kernel.db import Connection, driver
from ledger.encoding import ZERO_HASH, tag

Detail = Mapping[str, str | int | bool | None]
AUX_NAME: Final = "audit-log"
"""Under which each epoch's header commits to the newest hash; see ``ledger.extras``."""

_LOCK: Final = "select pg_advisory_xact_lock(hashtext('audit_entry'))"
_LAST: Final = "select number, hash from audit_entry order by number desc limit 1"
_NOTE: Final = """
insert into audit_entry (number, at, actor, act, object, detail, hash)
values (%s, %s, %s, %s, %s, %s, %s)"""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One act of the desk."""

    number: int
    at: datetime
    actor: str
    act: str
    object: str
    detail: Detail


class LoggedEntry(NamedTuple):
    """An entry, and the hash that is stored beside it."""

    entry: AuditEntry
    hash: bytes


def hash_of(entry: AuditEntry, previous: bytes) -> bytes:
    """Hash an entry onto the one before it."""
    told = {
        "number": entry.number,
        "at": entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "actor": entry.actor,
        "act": entry.act,
        "object": entry.object,
        "detail": entry.detail,
    }
    text = json.dumps(told, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return sha256(tag("audit-entry") + previous + text.encode()).digest()


def faults(entries: Iterable[LoggedEntry]) -> Iterator[tuple[int, str]]:
    """Name every entry, by its number, at which a log in order of numbers does not hold.

    What was edited and hashed again with all that follows holds here; the heads that epochs
    committed to tell.
    """
    previous, expected = ZERO_HASH, 1
    for entry, stored in entries:
        if entry.number != expected:
            yield expected, f"is gone, and what stood before {entry.number}"
        elif hash_of(entry, previous) != stored:
            yield entry.number, "is not what its hash says, or does not follow the one before"
        previous, expected = stored, entry.number + 1


def note_act(
    session: Session, actor: str, act: str, object_: str, *, at: datetime, **detail: str | int
) -> None:
    """Write that ``actor`` did ``act`` to ``object_``, in the transaction of the deed.

    Entries are numbered without gaps, so writers take turns until they commit: the desk is few.
    """
    connection = driver(session)
    connection.execute(_LOCK)
    number, previous = _last(connection)
    entry = AuditEntry(number + 1, at, actor, act, object_, detail)
    connection.execute(
        _NOTE,
        (
            entry.number,
            at,
            actor,
            act,
            object_,
            json.dumps(detail, ensure_ascii=False),
            hash_of(entry, previous),
        ),
    )


def head_digest(session: Session) -> Mapping[str, bytes]:
    """Give the newest hash by its name in ``aux``; nothing while nobody did anything."""
    number, last = _last(driver(session))
    return {AUX_NAME: last} if number else {}


def _last(connection: Connection) -> tuple[int, bytes]:
    row = connection.execute(_LAST).fetchone()
    return (0, ZERO_HASH) if row is None else (row[0], bytes(row[1]))
