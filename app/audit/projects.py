"""Projects, audited (减排项目审计): every day worked out again, every accrual held to its days.

A day's amount is a pure function of its inputs and the version in its class; an accrual is the sum
of its days of one class, and its transfer commits to the readings as they were sent. Meters and
days that count once are held to it by the database's own constraints. What was erased cannot be
worked out; it is counted.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any, Final, NamedTuple
from uuid import UUID

from app.audit.report import Kind, Sheet
from app.audit.streams import stream
from app.catalogue import library_over
from app.kernel.db import Connection
from app.projects import EVIDENCE, reading_of, written_readings
from ledger.accounts import SYSTEM_ACCOUNTS
from ledger.chart import Code
from ledger.encoding import evidence_commit
from methodologies import Document, Ineligible, quantify

_SUMS: Final = """
with told as (
  select bucket, account, report, asset, sum(mg) as mg from project_day
   where asset is not null group by 1, 2, 3, 4)
select 'report ' || report || ', asset ' || asset,
       'its days come to ' || coalesce(d.mg, 0) || ' mg, accrued are ' || coalesce(c.mg, 0)
  from told d full join project_accrual c using (bucket, account, report, asset)
 where d.mg is distinct from c.mg"""
_MOVED: Final = f"""
select 'report ' || c.report, 'its accrual ' || c.id || ' of ' || c.mg || ' mg '
       || coalesce('moved ' || t.amount || ' of asset ' || t.asset, 'has no transfer')
  from project_accrual c
  join monitoring_report r
    on (r.bucket, r.account, r.id) = (c.bucket, c.account, c.report)
  left join transfer t
    on (t.bucket, t.recorded_on, t.id) = (c.bucket, c.recorded_on, c.id)
 where t.id is null or (t.amount, t.asset, t.cause) <> (c.mg, c.asset, c.report)
    or t.evidence is distinct from r.commitment or r.is_accepted is not true
    or not (t.code = {int(Code.ACCRUE)} and t.target = c.account
         or t.code = {int(Code.LAPSE)} and t.target = {SYSTEM_ACCOUNTS["cancelled"]}
            and exists (select from account o where o.bucket = c.bucket and o.id = c.account
                           and o.akey is null))"""  # noqa: S608 -- constants of the ledger
_DAYS: Final = """
select d.report, d.day, d.inputs, d.mg, d.reason, x.methodology, x.version
  from project_day d left join asset x on x.id = d.asset where d.mg > 0"""
_READINGS: Final = "select id, readings, salt, commitment from monitoring_report"


class _Day(NamedTuple):
    report: UUID
    day: date
    inputs: Mapping[str, str] | None
    mg: int
    reason: str
    methodology: str
    version: int


def check_projects(connection: Connection, sheet: Sheet) -> None:
    """Hold projects' days, accruals, transfers and readings to one another."""
    for statement in (_SUMS, _MOVED):
        for where, detail in stream(connection, lambda *row: row, statement):
            sheet.find(Kind.PROJECT, where, detail)
    documents = {
        # That it was in force was decided when it accrued; a withdrawal changes nothing before.
        key: replace(document, effective=date.min, until=None)
        for key, document in library_over(connection).items()
    }
    for each in stream(connection, _Day, _DAYS):
        _work_out(each, documents, sheet)
    for id_, readings, salt, commitment in stream(connection, lambda *row: row, _READINGS):
        _open(id_, readings, salt, bytes(commitment), sheet)


def _work_out(each: _Day, documents: Mapping[tuple[str, int], Document], sheet: Sheet) -> None:
    document = documents.get((each.methodology, each.version))
    if each.inputs is None or document is None:
        sheet.checked["project_days_unknown"] += 1
        return
    sheet.checked["project_days"] += 1
    answer = quantify(document, each.inputs, evidence=EVIDENCE, occurred_on=each.day)
    gives = answer.reason if isinstance(answer, Ineligible) else f"{answer.mg} mg"
    if gives != f"{each.mg} mg":
        where = f"report {each.report}, day {each.day}"
        sheet.find(Kind.PROJECT, where, f"gives {gives}, recorded is {each.mg} mg")


def _open(
    id_: UUID, readings: list[Any] | None, salt: bytes | None, commitment: bytes, sheet: Sheet
) -> None:
    if readings is None or salt is None:
        return
    written = written_readings([reading_of(row) for row in readings]).encode()
    if evidence_commit(bytes(salt), written) != commitment:
        told = "its readings are not those that it was sent with"
        sheet.find(Kind.PROJECT, f"report {id_}", told)
