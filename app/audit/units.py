"""Retirements, audited (注销审计): held to their transfers, their claims and their batches.

A retirement that was taken has one transfer with the commitment to its claim, which its row alone
gives again; the ranges of a batch lie one behind the other up to its cursor; what was reverted was
released. What the chain is told of all this is ``app.audit.registrations``.
"""

from typing import Final

from app.audit.report import Kind, Sheet
from app.audit.streams import stream
from app.kernel.db import Connection
from app.registry.retirements import COLUMNS, FROM, retirement_of
from app.registry.taking import claim_of
from ledger.certificate import claim_commit
from ledger.chart import Code

_MOVED: Final = """
with due as (
  select r.transfer, r.id, r.source, b.asset, r.quantity_kg, r.taken_on, r.claim
    from retirement r join issue_batch b on b.id = r.batch where r.taken_at is not null),
moved as (
  select id as transfer, cause, source, asset, amount, recorded_on, evidence
    from transfer where code = %s)
select coalesce('retirement ' || d.id, 'transfer ' || transfer),
       case when d.id is null then 'retires what nobody asked for'
            when m.cause is null then 'was taken, and has no transfer'
            else 'and its transfer are not of the same units, day or claim' end
  from due d full join moved m using (transfer)
 where (d.id, d.source, d.asset, d.quantity_kg, d.taken_on, d.claim)
       is distinct from (m.cause, m.source, m.asset, m.amount, m.recorded_on, m.evidence)"""
_RELEASED: Final = """
select 'retirement ' || r.id, 'is ' || case when r.reverted_at is null then 'not ' else '' end
       || 'reverted; released were ' || coalesce(sum(t.amount), 0) || ' kg'
  from retirement r
  left join transfer t on t.cause = r.id and t.code = %s and t.source = r.holder + 1
 group by r.id having coalesce(sum(t.amount), 0)
       <> case when r.reverted_at is null then 0 else r.quantity_kg end"""
_HELD: Final = """
select 'retirement ' || r.id, 'is of ' || r.quantity_kg || ' kg; held were ' || sum(t.amount)
  from retirement r join transfer t on t.cause = r.id and t.code = %s
 group by r.id having sum(t.amount) <> r.quantity_kg"""
_RANGES: Final = """
with placed as (
  select batch, id, range,
         coalesce(lag(upper(range)) over (partition by batch order by range), 1) as next
    from retirement where range is not null)
select 'retirement ' || id, 'begins at unit ' || lower(range) || ', behind it is ' || next
  from placed where lower(range) <> next
union all
select 'batch ' || b.id, 'stands at unit ' || b.cursor_kg || '; its retirements end at '
       || coalesce(max(upper(r.range)), 1) - 1
  from issue_batch b left join retirement r on r.batch = b.id
 group by b.id having b.cursor_kg <> coalesce(max(upper(r.range)), 1) - 1"""
_TAKEN: Final = f"select {COLUMNS} {FROM} where r.taken_at is not null order by r.id"


def check_units(connection: Connection, sheet: Sheet) -> None:
    """Hold retirements to their transfers, their places and their claims."""
    for statement, code in (
        (_MOVED, Code.RETIRE),
        (_RELEASED, Code.RELEASE),
        (_HELD, Code.HOLD),
        (_RANGES, None),
    ):
        values = () if code is None else (int(code),)
        for where, detail in stream(connection, lambda *row: row, statement, *values):
            sheet.find(Kind.UNITS, where, detail)
    for taken in sheet.counted("retirements", stream(connection, retirement_of, _TAKEN)):
        if taken.claim != claim_commit(taken.salt, claim_of(taken)):
            sheet.find(Kind.UNITS, f"retirement {taken.id}", "its claim is not what it says")
