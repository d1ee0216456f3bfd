"""Held units and recalls, audited (预留与撤回审计): whoever holds units holds them for something.

What an organisation or a gathering holds is what open purchases, reservations and retirements in
their cool-down say, to the unit. What a recall voided are its transfers; what it still waits for is
held, and while it waits nobody has a free unit of that batch.
"""

from typing import Final

from app.audit.report import Kind, Sheet
from app.audit.streams import stream
from app.kernel.db import Connection
from ledger.chart import Code

_HELD: Final = """
with due as (
  select owner, asset, sum(kg)::int8 as kg
    from (select s.account as owner, p.batch, p.quantity_kg as kg
            from purchase p join organisation s on s.id = p.seller where p.outcome is null
          union all
          select g.account, r.batch, r.left_kg
            from reservation r join gathering g on g.id = r.gathering where r.left_kg > 0
          union all
          select holder, batch, quantity_kg from retirement
           where source = holder + 1 and reverted_at is null and taken_at is null) h
    join issue_batch b on b.id = h.batch
   group by owner, asset),
held as (
  select account - 1 as owner, asset, credits - debits as kg from balance
   where asset & 7 = 4 and account & 1 = 1 and credits > debits)
select 'account ' || owner || ', asset ' || asset,
       'holds ' || coalesce(h.kg, 0) || ' units; promised are ' || coalesce(d.kg, 0)
  from due d full join held h using (owner, asset)
 where d.kg is distinct from h.kg"""
_VOIDED: Final = f"""
with due as (
  select v.id, v.recall as cause, v.holder as source, b.asset, v.quantity_kg as kg
    from recall_void v join issue_batch b on b.id = v.batch),
moved as (
  select id, cause, source, asset, amount as kg from transfer where code = {int(Code.INVALIDATE)})
select 'recall ' || coalesce(d.cause, m.cause),
       'voided ' || coalesce(d.kg, 0) || ' units; its transfer moved ' || coalesce(m.kg, 0)
  from due d full join moved m using (id)
 where (d.cause, d.source, d.asset, d.kg) is distinct from (m.cause, m.source, m.asset, m.kg)"""  # noqa: S608 -- a number of our own
_WAITED_FOR: Final = """
with said as (
  select s.batch, sum(r.void_kg - coalesce(v.kg, 0) - coalesce(u.kg, 0))::int8 as kg
    from recall_sweep s
    join recall_batch r on r.recall = s.recall and r.batch = s.batch
    left join (select recall, batch, sum(quantity_kg) as kg from recall_void
                group by recall, batch) v on v.recall = s.recall and v.batch = s.batch
    left join (select recall, batch, sum(quantity_kg) as kg from recall_used
                group by recall, batch) u on u.recall = s.recall and u.batch = s.batch
   group by s.batch),
has as (
  select asset, coalesce(sum(credits - debits) filter (where account & 1 = 1), 0) as held,
         coalesce(sum(credits - debits) filter (where account & 1 = 0), 0) as free
    from balance where asset & 7 = 4 group by asset)
select 'batch ' || b.id, 'recalls wait for ' || w.kg || ' of its units; held are '
       || coalesce(h.held, 0) || ', free ' || coalesce(h.free, 0)
  from said w join issue_batch b on b.id = w.batch left join has h on h.asset = b.asset
 where w.kg < 0 or w.kg > coalesce(h.held, 0) or w.kg > 0 and h.free > 0"""
_MARKED: Final = """
select 'batch ' || b.id, 'stands at unit ' || b.cursor_kg || '; recalled as used were '
       || sum(u.quantity_kg) || ' up to unit ' || max(u.cursor_kg)
  from recall_used u join issue_batch b on b.id = u.batch
 group by b.id having max(u.cursor_kg) > b.cursor_kg or sum(u.quantity_kg) > max(u.cursor_kg)"""
_GIVEN: Final = f"""
with given as (
  select g.id, v.owed_to as owner, b.asset, g.quantity_kg as kg, v.id as void
    from recall_given g
    join recall_void v on v.id = g.void
    join issue_batch b on b.id = g.taken_from),
moved as (
  select cause as id, target as owner, asset, amount as kg from transfer
   where code = {int(Code.REPLACE)} and source < 65536)
select 'recall gift ' || id,
       'gave ' || coalesce(g.kg, 0) || ' units; its transfer moved ' || coalesce(m.kg, 0)
  from given g full join moved m using (id)
 where (g.owner, g.asset, g.kg) is distinct from (m.owner, m.asset, m.kg)
union all
select 'recall void ' || v.id, 'is of ' || v.quantity_kg || ' units; given were ' || sum(g.kg)
  from given g join recall_void v on v.id = g.void
 group by v.id having sum(g.kg) > v.quantity_kg"""  # noqa: S608 -- likewise


def check_holds(connection: Connection, sheet: Sheet) -> None:
    """Hold what is held to what it is held for, and recalls to what they moved."""
    for statement in (_HELD, _VOIDED, _WAITED_FOR, _MARKED, _GIVEN):
        for where, detail in stream(connection, lambda *row: row, statement):
            sheet.find(Kind.UNITS, where, detail)
