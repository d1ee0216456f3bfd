"""Delays (延误): what waits longer than it should; no breach, and worth a look."""

from typing import Final

from app.audit.report import Kind, Sheet
from app.kernel.db import Connection
from ledger.findings import FindingKind

_PENDING: Final = """
select count(*), min(recorded_on) from log_pending
 where recorded_on < (now() at time zone 'Asia/Shanghai')::date - 1"""
_OPEN: Final = """
select c.epoch from epoch_cut c
 where not exists (select from epoch e where e.epoch = c.epoch)
   and c.closed_at < now() - interval '1 hour'"""
_JOBS: Final = """
select name, count(*) from job
 where done_at is null and begun_at < now() - interval '1 hour' group by name"""
_UNANSWERED: Final = "select count(*) from provider_answer where status is null"


def note_delays(connection: Connection, sheet: Sheet) -> None:
    """Note pending entries past their night, and work begun and not done."""
    count, since = connection.execute(_PENDING).fetchall()[0]
    if count:
        sheet.note(Kind.QUEUE, "log_pending", f"{count} entries wait since {since} or later")
    for (epoch,) in connection.execute(_OPEN):
        sheet.note(FindingKind.HEADER, f"epoch {epoch}", "begun more than an hour ago, not sealed")
    for name, number in connection.execute(_JOBS):
        sheet.note(
            Kind.QUEUE, f"job {name}", f"{number} slots begun more than an hour ago, not done"
        )
    (unanswered,) = connection.execute(_UNANSWERED).fetchall()[0]
    if unanswered:
        sheet.note(Kind.QUEUE, "provider_answer", f"{unanswered} requests without an answer")
