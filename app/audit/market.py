"""The market, audited (市场审计): purchases held to their transfers, money to whom it was due.

What a listing says is taken is what its purchases hold or have bought. A purchase's units moved
from its seller's hand to hold, and from there back or to its buyer, and only so. A payment is what
was due; it reached, in the proportion of the batch's shares and to the last fen, the budgets and
organisations that its proceeds name, and what was paid out to sellers are the transfers to a bank.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final, NamedTuple
from uuid import UUID

from app.audit.report import Kind, Sheet
from app.audit.streams import stream
from app.kernel.db import Connection
from app.market import BatchShare, Reached, due_fen, reached
from ledger.assets import MG_PER_KG
from ledger.chart import Code

_TAKEN: Final = """
select 'listing ' || l.id, 'says that ' || l.taken_kg || ' kg are taken; its purchases come to '
       || coalesce(sum(p.quantity_kg), 0)
  from listing l
  left join purchase p on p.listing = l.id and p.outcome is distinct from 'expired'
   and p.outcome is distinct from 'cancelled'
 group by l.id having l.taken_kg <> coalesce(sum(p.quantity_kg), 0)"""
_QUOTED: Final = """
select 'purchase ' || p.id, 'is not what was quoted and listed'
  from purchase p
  join quote q on q.id = p.quote
  join listing l on l.id = p.listing
 where (q.listing, q.buyer, q.quantity_kg, q.due_fen, l.seller, l.batch)
       is distinct from (p.listing, p.buyer, p.quantity_kg, p.due_fen, p.seller, p.batch)
    or p.bought_at >= q.expires_at or q.expires_at > l.closes_at"""
_PRICED: Final = """
select q.id, q.quantity_kg, q.due_fen, l.price_fen
  from quote q join listing l on l.id = q.listing"""
_MOVED: Final = """
with due as (
  select p.id, c.code::smallint as code, b.asset, p.quantity_kg as amount,
         case c.place when 'seller' then s.account when 'held' then s.account + 1
                      when 'buyer' then o.account else 21 end as source,
         case c.target when 'seller' then s.account when 'held' then s.account + 1
                       when 'buyer' then o.account else 21 end as target
    from purchase p
    join issue_batch b on b.id = p.batch
    join organisation s on s.id = p.seller
    join organisation o on o.id = p.buyer
    join (values ('any', %s, 'seller', 'held'), ('gone', %s, 'held', 'seller'),
                 ('paid', %s, 'held', 'clearing'), ('paid', %s, 'clearing', 'buyer'))
         as c (outcome, code, place, target)
      on c.outcome = 'any' or c.outcome = 'paid' and p.outcome = 'paid'
      or c.outcome = 'gone' and p.outcome in ('expired', 'cancelled')),
moved as (
  select t.cause as id, t.code, t.asset, t.amount, t.source, t.target
    from transfer t join purchase p on p.id = t.cause where t.asset & 7 = 4)
(select 'purchase ' || id, 'lacks a transfer of ' || amount || ' kg of code ' || code
   from (select * from due except all select * from moved) lacking)
union all
(select 'purchase ' || id, 'has a transfer of ' || amount || ' kg of code ' || code || ' too many'
   from (select * from moved except all select * from due) over)"""
_PAID: Final = """
select 'purchase ' || coalesce(p.id, y.purchase), 'is ' || coalesce(p.outcome, 'reserved')
       || ' and of ' || p.due_fen || ' fen; paid were ' || coalesce(y.fen::text, 'none')
  from purchase p full join payment y on y.purchase = p.id
 where (p.outcome is not distinct from 'paid') <> (y.purchase is not null)
    or y.fen is distinct from p.due_fen and y.purchase is not null
    or p.ended_at is distinct from y.paid_at and y.purchase is not null"""
_RETIRED: Final = """
select 'purchase ' || p.id, 'and its retirement are not of the same units'
  from purchase p
  join organisation o on o.id = p.buyer
  left join retirement r on r.id = p.retirement
 where p.retirement is not null
   and (r.holder, r.batch, r.quantity_kg, r.purpose, r.period)
       is distinct from (o.account, p.batch, p.quantity_kg, p.purpose, p.period)
union all
select 'purchase ' || p.id, 'was retired, and says that it was not'
  from purchase p
  join organisation o on o.id = p.buyer
  join retirement r on r.holder = o.account and r.batch = p.batch and r.purpose = p.purpose
   and r.quantity_kg = p.quantity_kg and r.requested_at = p.ended_at
 where p.unretired is not null"""
_SHARED: Final = """
select 'batch ' || b.id, 'is of ' || b.quantity_kg || ' kg; its shares come to ' || sum(s.mg)
       || ' mg'
  from batch_share s join issue_batch b on b.id = s.batch
 group by b.id having sum(s.mg) <> b.quantity_kg * %s::int8"""
_REACHED: Final = """
with due as (
  select r.transfer, r.purchase, r.fen, coalesce(g.budget, o.account) as target
    from proceeds r
    left join programme g on g.id = r.programme
    left join organisation o on o.id = r.organisation),
moved as (
  select t.id as transfer, t.amount as fen, t.target
    from transfer t left join proceeds r on r.transfer = t.id
   where t.code = %s and (r.transfer is not null
         or exists (select from organisation o where o.account = t.target)))
select 'proceeds ' || transfer, 'are ' || coalesce(d.fen, 0) || ' fen; brought were '
       || coalesce(m.fen, 0)
  from due d full join moved m using (transfer)
 where (d.fen, d.target) is distinct from (m.fen, m.target)"""
_PAID_OUT: Final = """
with due as (
  select y.transfer, y.fen, o.account as source
    from proceeds_payout y join organisation o on o.id = y.organisation),
moved as (
  select t.id as transfer, t.amount as fen, t.source
    from transfer t join organisation o on o.account = t.source where t.code = %s)
select 'payout ' || transfer, 'says ' || coalesce(d.fen, 0) || ' fen, its transfer moved '
       || coalesce(m.fen, 0)
  from due d full join moved m using (transfer)
 where (d.fen, d.source) is distinct from (m.fen, m.source)"""
_DISTRIBUTED: Final = """
select p.id, p.quantity_kg, y.fen, s.kind = 'operator', r.programme, r.mg, r.fen, p.batch,
       r.organisation is null or r.organisation = p.seller
  from payment y
  join purchase p on p.id = y.purchase
  join organisation s on s.id = p.seller
  left join proceeds r on r.purchase = p.id
 order by p.id, r.programme nulls last"""
_SHARES: Final = """
select batch, programme, mg from batch_share order by batch, programme nulls last"""


class _Part(NamedTuple):
    """A part of what a payment came to, beside the payment."""

    purchase: UUID
    quantity_kg: int
    paid_fen: int
    is_operators: bool
    programme: int | None
    mg: int | None
    fen: int | None
    batch: UUID
    is_sellers: bool


def check_market(connection: Connection, sheet: Sheet) -> None:
    """Hold the market to its terms, its transfers and the shares of what it sold."""
    traded = (Code.HOLD, Code.RELEASE, Code.TRADE, Code.TRADE)
    for statement, values in (
        (_TAKEN, ()),
        (_QUOTED, ()),
        (_MOVED, traded),
        (_PAID, ()),
        (_RETIRED, ()),
        (_SHARED, (MG_PER_KG,)),
        (_REACHED, (Code.FUND,)),
        (_PAID_OUT, (Code.PAY_OUT,)),
    ):
        for where, detail in stream(connection, lambda *row: row, statement, *map(int, values)):
            sheet.find(Kind.MARKET, where, detail)
    for quote, *terms in stream(connection, lambda *row: row, _PRICED):
        quantity_kg, due, price = map(int, terms)
        if due != due_fen(quantity_kg, price):
            sheet.find(Kind.MARKET, f"quote {quote}", f"is {due} fen at {price} fen a tonne")
    shares = {
        batch: [BatchShare(programme, mg) for _, programme, mg in rows]
        for batch, rows in groupby(connection.execute(_SHARES).fetchall(), key=lambda row: row[0])
    }
    paid = groupby(stream(connection, _Part, _DISTRIBUTED), key=lambda part: part.purchase)
    for purchase, parts in sheet.counted("payments", paid):
        for detail in _misled([*parts], shares):
            sheet.find(Kind.MARKET, f"purchase {purchase}", detail)


def _misled(parts: Sequence[_Part], shares: dict[UUID, list[BatchShare]]) -> Iterator[str]:
    """Say where a payment's parts are not what its shares give."""
    first = parts[0]
    due = [Reached(None, first.quantity_kg * MG_PER_KG, first.paid_fen)]
    if first.is_operators:
        due = reached(shares.get(first.batch, []), first.quantity_kg, first.paid_fen)
    told = [(part.programme, part.mg, part.fen) for part in parts]
    if [tuple(each) for each in due if each.fen] != told:
        yield f"its payment of {first.paid_fen} fen did not reach whom it was due"
    if not all(part.is_sellers for part in parts):
        yield "its payment reached another organisation than the seller"
