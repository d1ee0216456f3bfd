"""Points, audited (积分审计): promises, exchanges, rates, debts and rewards, held to transfers.

A programme's balance is what its slices say, and what it promised is what points out there, points
at the tills that no statement settled, adjustments that were signed for the next one, and returns
under way may claim (R27). An exchange moved what its rows say, at a rate
that held. A person's points all lie somewhere: earned = available + reserved + spent + expired +
corrected (R6).
"""

from collections.abc import Sequence
from typing import Final

from app.audit.headers import Epoch
from app.audit.report import Kind, Sheet
from app.audit.streams import stream
from app.kernel.db import Connection
from ledger.chart import Code
from ledger.extras import DebtTotal, debts_digest

_TWIN: Final = """
select 'asset ' || x.id, 'claims ' || x.fen_per_point || ' fen a point, its programme '
       || coalesce(p.fen_per_point::text, 'is gone')
  from asset x left join programme p on p.code = x.programme
 where x.id & 7 = 3 and x.fen_per_point is distinct from p.fen_per_point
   and exists (select from programme)"""
_FUNDS: Final = """
with held as (
  select b.account, sum(b.credits - b.debits) as fen from balance b
   where b.asset & 7 = 5 group by b.account),
sliced as (
  select programme, sum(unpromised_fen) as unpromised, sum(promised_fen) as promised
    from budget_slice group by programme),
claim as (
  select x.programme, sum((b.credits - b.debits) * x.fen_per_point) as fen
    from balance b join asset x on x.id = b.asset where b.asset & 7 = 3 group by x.programme
  union all
  select x.programme, sum(case when t.target = 18 then t.amount else -t.amount end
                          * x.fen_per_point)
    from transfer t join asset x on x.id = t.asset
   where 18 in (t.source, t.target) and t.asset & 7 = 3 group by x.programme
  union all
  select p.code, -sum(s.claim_fen + s.granted_fen)
    from settlement_share s join programme p on p.id = s.programme group by p.code
  union all
  select p.code, sum(a.fen) from settlement_adjustment a join programme p on p.id = a.programme
   where a.fen > 0 group by p.code
  union all
  select p.code, sum(d.points * p.fen_per_point)
    from earmark_due d join programme p on p.id = d.programme group by p.code)
select 'programme ' || p.code, 'holds ' || coalesce(h.fen, 0) || ' fen; its slices say '
       || coalesce(s.unpromised, 0) || ' unpromised and ' || coalesce(s.promised, 0)
       || ' promised; points may claim ' || coalesce(c.fen, 0)
  from programme p
  left join held h on h.account = p.budget
  left join sliced s on s.programme = p.id
  left join (select programme, sum(fen) as fen from claim group by programme) c
    on c.programme = p.code
 where coalesce(h.fen, 0) <> coalesce(s.unpromised, 0) + coalesce(s.promised, 0)
    or coalesce(s.promised, 0) <> coalesce(c.fen, 0)"""
_GRANTS: Final = """
select 'exchange ' || e.id, 'says ' || e.points || ' points of asset ' || e.asset || ' for '
       || e.reduction_mg || ' mg; granted ' || coalesce(t.amount::text, 'nothing')
       || ', its classes say ' || coalesce(c.points, 0) || ' for ' || coalesce(c.mg, 0)
  from exchange e
  left join transfer t
    on (t.bucket, t.recorded_on, t.id) = (e.bucket, e.recorded_on, e.id)
   and (t.code, t.target, t.asset, t.cause) = (%s, e.account, e.asset, e.id)
  left join (select bucket, account, exchange, sum(points) as points, sum(mg) as mg
               from exchange_class group by 1, 2, 3) c
    on (c.bucket, c.account, c.exchange) = (e.bucket, e.account, e.id)
 where (t.amount, c.points, c.mg) is distinct from (e.points, e.points, e.reduction_mg)"""
_STRAY: Final = """
select 'transfer ' || t.id, 'grants ' || t.amount || ' points for no exchange'
  from transfer t
  left join exchange e on (e.bucket, e.account, e.id) = (t.bucket, t.target, t.id)
 where t.code = %s and e.id is null and exists (select from exchange)"""
_MOVED: Final = """
with moved as (
  select bucket, source as account, cause as exchange, asset, sum(amount) as mg
    from transfer where code in (%s, %s) group by 1, 2, 3, 4)
select 'exchange ' || exchange, 'took ' || coalesce(m.mg, 0) || ' mg of asset ' || asset
       || ', its row says ' || coalesce(c.mg, 0)
  from exchange_class c full join moved m using (bucket, account, exchange, asset)
 where c.mg is distinct from m.mg and exists (select from exchange)"""
_RATES: Final = """
with month as (
  select bucket, account, programme, date_trunc('month', recorded_on) as month,
         sum(reduction_mg) as mg
    from exchange group by 1, 2, 3, 4)
select 'exchange ' || e.id, 'asset ' || c.asset || ' at ' || c.mg_per_point
       || ' mg a point: no such rate held on ' || e.recorded_on || ' for whoever exchanged '
       || coalesce(m.mg, 0) || ' mg in the month before'
  from exchange_class c
  join exchange e on (e.bucket, e.account, e.id) = (c.bucket, c.account, c.exchange)
  left join month m on (m.bucket, m.account, m.programme) = (e.bucket, e.account, e.programme)
   and m.month = date_trunc('month', e.recorded_on) - interval '1 month'
  left join asset x on x.id = c.asset
 where not exists (
   select from exchange_rate r
    where r.programme = e.programme and r.grade = x.grade and r.mg_per_point = c.mg_per_point
      and r.from_mg <= coalesce(m.mg, 0) and r.valid_from <= e.recorded_on
      and (r.valid_to is null or e.recorded_on <= r.valid_to)
      and not exists (
        select from exchange_rate h
         where (h.programme, h.grade) = (r.programme, r.grade)
           and h.field is not distinct from r.field
           and h.from_mg > r.from_mg and h.from_mg <= coalesce(m.mg, 0)
           and h.valid_from < e.recorded_on and (h.valid_to is null or e.recorded_on < h.valid_to)
           and extract(day from e.recorded_on) > 1))"""
_RECOVERED: Final = """
select 'exchange ' || c.exchange, 'asset ' || c.asset || ': ' || r.mg || ' of ' || c.mg
       || ' mg were taken back, and ' || r.points || ' points asked for'
  from exchange_class c
  join (select bucket, account, exchange, asset, sum(mg) as mg, sum(points) as points
          from exchange_recovery group by 1, 2, 3, 4) r
    on (r.bucket, r.account, r.exchange, r.asset) = (c.bucket, c.account, c.exchange, c.asset)
 where r.mg > c.mg or r.points <> c.points - floor((c.mg - r.mg) / c.mg_per_point)"""
_TAKEN: Final = """
with asked as (
  select bucket, account, cause, sum(points) as points from exchange_recovery group by 1, 2, 3),
taken as (
  select bucket, source as account, cause, sum(amount) as points from transfer
   where code = %s and asset & 7 = 3 group by 1, 2, 3
  union all
  select bucket, account, cause, sum(points) from points_debt group by 1, 2, 3),
total as (select bucket, account, cause, sum(points) as points from taken group by 1, 2, 3)
select 'account ' || account || ', cause ' || cause, 'owes ' || a.points
       || ' points for a correction, and ' || coalesce(t.points, 0) || ' were taken or noted'
  from asked a left join total t using (bucket, account, cause)
 where coalesce(t.points, 0) < a.points
   and not exists (select from account o where o.bucket = a.bucket and o.id = a.account
                      and o.akey is null)"""  # who was erased owes nothing (R20)
_DEBTS: Final = """
with paid as (
  select bucket, source as account, cause as id, sum(amount) as points from transfer
   where code = %s group by 1, 2, 3)
select 'debt ' || id, 'says ' || coalesce(d.paid, 0) || ' paid, its payments come to '
       || coalesce(p.points, 0)
  from points_debt d full join paid p using (bucket, account, id)
 where coalesce(d.paid, 0) <> coalesce(p.points, 0)
   and (d.id is not null or exists (select from exchange))"""
_NOTES: Final = """
select 'debt ' || d.id, 'has no note in the log that ' || w.deed || ' it'
  from points_debt d
 cross join lateral (values (d.id, %s::int2, 'opens'), (d.forgiven_note, %s::int2, 'forgives'))
       as w (note, code, deed)
 where w.note is not null and not exists (
   select from log_note n where n.bucket = d.bucket and n.id = w.note and n.code = w.code
      and n.account = d.account)"""
_PEOPLE: Final = """
with moved as (
  select bucket, greatest(source, target) & ~1::int8 as owner,
         sum(case when source = 2 then amount else 0 end) as earned,
         sum(case when target in (17, 18, 19) then amount
                  when source in (17, 18, 19) then -amount else 0 end) as gone
    from transfer where asset & 7 = 3 and greatest(source, target) >= 65536 group by 1, 2),
held as (
  select bucket, account & ~1::int8 as owner, sum(credits - debits) as points
    from balance where asset & 7 = 3 group by 1, 2)
select 'account ' || owner, 'earned ' || coalesce(earned, 0) || ' points, has '
       || coalesce(points, 0) || ' and ' || coalesce(gone, 0) || ' left'
  from moved full join held using (bucket, owner)
 where coalesce(earned, 0) <> coalesce(points, 0) + coalesce(gone, 0)"""
_BEHAVED: Final = """
with fate as (
  select distinct on (bucket, account, activity) bucket, account, activity, counted
    from act_merge order by bucket, account, activity, id desc),
worth as (
  select b.bucket, b.account, b.day, b.reward,
         coalesce(sum(b.points) filter (where f.counted is null and w.activity is null), 0)
           as points
    from behaviour_act b
    left join (select distinct bucket, account, activity from act_correction where is_withdrawn) w
      on (w.bucket, w.account, w.activity) = (b.bucket, b.account, b.activity)
    left join fate f on (f.bucket, f.account, f.activity) = (b.bucket, b.account, b.activity)
   group by 1, 2, 3, 4)
select 'account ' || account || ', day ' || day || ', reward ' || reward, 'its acts come to '
       || coalesce(w.points, 0) || ' points; its row says ' || coalesce(d.worth::text, 'nothing')
       || ', granted ' || coalesce(d.granted::text, 'nothing')
  from worth w full join behaviour_day d using (bucket, account, day, reward)
  left join behaviour_reward r on r.id = reward
 where coalesce(w.points, 0) <> coalesce(d.worth, 0)
    or d.granted > least(d.worth, r.person_day_points)"""
_REWARDED: Final = """
select 'transfer ' || t.id, 'grants ' || t.amount || ' points for no act of account ' || t.target
  from transfer t
  left join behaviour_act b
    on (b.bucket, b.account, b.activity) = (t.bucket, t.target, t.cause)
 where t.code = %s and b.activity is null"""


_OWED: Final = """
with said as (
  select e.epoch, coalesce(sum(d.points), 0)::int8 as opened,
         coalesce(sum(t.amount), 0)::int8 as paid, coalesce(sum(f.forgiven), 0)::int8 as forgiven
    from log_entry e
    left join log_note n
      on (n.bucket, n.recorded_on, n.id) = (e.bucket, e.recorded_on, e.id)
     and n.code in (%s, %s)
    left join points_debt d on n.code = %s and d.bucket = e.bucket and d.id = e.id
    left join points_debt f on n.code = %s and f.bucket = e.bucket and f.forgiven_note = e.id
    left join transfer t
      on (t.bucket, t.recorded_on, t.id) = (e.bucket, e.recorded_on, e.id) and t.code = %s
   group by e.epoch)
select epoch, sum(opened) over w, sum(paid) over w, sum(forgiven) over w,
       (select array[o.opened, o.paid, o.forgiven] from debt_total o
         where o.epoch <= said.epoch order by o.epoch desc limit 1)
  from said window w as (order by epoch) order by epoch"""


def check_the_debts(connection: Connection, rows: Sequence[Epoch], sheet: Sheet) -> None:
    """Hold what every epoch says is owed to the debts and payments in the log."""
    told = {row.number: row for row in rows}
    opened, forgiven = int(Code.DEBT_OPENED), int(Code.DEBT_WRITTEN_OFF)
    codes = (opened, forgiven, opened, forgiven, int(Code.OFFSET_DEBT))
    for epoch, *sums, stored in stream(connection, lambda *row: row, _OWED, *codes):
        total = DebtTotal(*map(int, sums))
        where = f"debts of epoch {epoch}"
        if list(stored or (0, 0, 0)) != list(total):
            sheet.find(Kind.POINTS, where, f"stored {stored}, its entries give {[*total]}")
        digest = debts_digest(total).hex() if any(total) else None
        if epoch in told and told[epoch].digest("debts") != digest:
            sheet.find(Kind.POINTS, where, "its entries give another digest in aux")


def check_points(connection: Connection, sheet: Sheet) -> None:
    """Hold promises, exchanges, debts and rewards to the transfers."""
    for statement, values in (
        (_TWIN, ()),
        (_FUNDS, ()),
        (_GRANTS, (Code.GRANT_EXCHANGE,)),
        (_STRAY, (Code.GRANT_EXCHANGE,)),
        (_MOVED, (Code.EXCHANGE_POOL, Code.EXCHANGE_ABSORB)),
        (_RATES, ()),
        (_RECOVERED, ()),
        (_TAKEN, (Code.CORRECT,)),
        (_DEBTS, (Code.OFFSET_DEBT,)),
        (_NOTES, (Code.DEBT_OPENED, Code.DEBT_WRITTEN_OFF)),
        (_PEOPLE, ()),
        (_BEHAVED, ()),
        (_REWARDED, (Code.GRANT_BEHAVIOUR,)),
    ):
        numbers = [int(value) for value in values]
        for where, detail in stream(connection, lambda *row: row, statement, *numbers):
            sheet.find(Kind.POINTS, where, detail)
    sheet.checked["exchanges"] = connection.execute("select count(*) from exchange").fetchall()[0][
        0
    ]
