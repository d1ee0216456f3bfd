"""The desk's log, audited (办事台日志审计): its chain of hashes, and what epochs committed to.

The chain names an entry that was edited, dropped or moved. Somebody who hashes all that follows
again makes a chain that holds: then the head that a header committed to is in it no more. Entries
after the newest committed head are held by nothing yet.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from app.audit.headers import Epoch
from app.audit.report import Kind, Sheet
from app.audit.streams import stream
from app.kernel.db import Connection
from app.staff.audit_log import AUX_NAME, AuditEntry, LoggedEntry, faults

_ENTRIES: Final = """
select number, at, actor, act, object, detail, hash from audit_entry order by number"""


def check_the_desk(connection: Connection, rows: Sequence[Epoch], sheet: Sheet) -> None:
    """Hold the log to its hashes, and each epoch's head to the log: a prefix of it, ever longer."""
    heads = {row.number: row.digest(AUX_NAME) for row in rows}
    places = dict.fromkeys(heads.values(), 0)
    for number, detail in faults(_placed(connection, places, sheet)):
        sheet.find(Kind.DESK, f"audit entry {number}", detail)
    known = 0
    for epoch, head in heads.items():
        place = places[head]
        if head is None and known == 0:
            continue
        sheet.checked["audit_log_heads"] += 1
        if place < max(known, 1):
            detail = f"what epoch {epoch} committed to is not in the log after this entry"
            sheet.find(Kind.DESK, f"audit entry {known}", detail)
        known = max(known, place)


def _placed(
    connection: Connection, places: dict[str | None, int], sheet: Sheet
) -> Iterator[LoggedEntry]:
    """Give the entries, and note where each committed head stands among them."""

    def made(*columns: object) -> LoggedEntry:
        *told, stored = columns
        return LoggedEntry(AuditEntry(*told), bytes(stored))  # pyright: ignore[reportArgumentType] -- the columns of the statement

    for logged in sheet.counted("audit_entries", stream(connection, made, _ENTRIES)):
        head = logged.hash.hex()
        if head in places:
            places[head] = logged.entry.number
        yield logged
