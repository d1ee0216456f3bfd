"""Orders, audited (订单审计): every order held to its transfers, every counter to the orders.

An order's classes went to held, and on to where its state says they are: held still, back with the
citizen, at the till, or back from there; each on the day that its rows say. Its merchant is its
offer's, it cost what its version of the offer was published at, its voucher leads to it, and it
ended within the times that the rules allow. What offers, days, people and merchants have taken is
the sum of the orders that take it.
"""

from typing import Final

from app.audit.report import Kind, Sheet
from app.audit.streams import stream
from app.kernel.db import Connection
from ledger.chart import Code

_MOVED: Final = """
with due as (
  select o.bucket, o.account, w.code, w.cause, w.day, p.asset, p.points
    from mall_order o
    join order_part p on (p.bucket, p.account, p.mall_order) = (o.bucket, o.account, o.id)
    left join redemption r on (r.bucket, r.account, r.id) = (o.bucket, o.account, o.voucher)
    left join reversal v on (v.bucket, v.account, v.redemption) = (o.bucket, o.account, o.voucher)
   cross join lateral (values
     (%s::int2, o.id, o.placed_on, true),
     (%s::int2, o.id, (o.ended_at at time zone 'Asia/Shanghai')::date,
      o.state in ('cancelled', 'expired')),
     (%s::int2, o.voucher, r.recorded_on, o.state in ('redeemed', 'reversed')),
     (%s::int2, v.id, v.recorded_on, o.state = 'reversed')) as w (code, cause, day, is_due)
   where w.is_due),
moved as (
  select bucket, greatest(source, target) & ~1::int8 as account, code, cause,
         recorded_on as day, asset, sum(amount) as points
    from transfer where code = any(%s::int2[]) and asset & 7 = 3 group by 1, 2, 3, 4, 5, 6)
select 'account ' || account || ', cause ' || coalesce(cause::text, 'unknown'),
       'code ' || code || ' moved ' || coalesce(m.points, 0) || ' of asset ' || asset
       || coalesce(' on ' || day, '') || ', the order says ' || coalesce(d.points, 0)
  from due d full join moved m using (bucket, account, code, cause, day, asset)
 where d.points is distinct from m.points
   and (d.points is not null or exists (select from mall_order))"""
_PARTS: Final = """
select 'order ' || o.id, 'is ' || o.points || ' points, its classes come to '
       || coalesce(sum(p.points), 0)
  from mall_order o
  left join order_part p on (p.bucket, p.account, p.mall_order) = (o.bucket, o.account, o.id)
 group by o.bucket, o.account, o.id having o.points <> coalesce(sum(p.points), 0)"""
_BOUGHT: Final = """
select 'order ' || o.id, 'says ' || o.quantity || ' x ' || o.title_en || ' for ' || o.points
       || ' points and ' || o.fen || ' fen, which is not version ' || o.offer_version
       || ' of its offer as it was published'
  from mall_order o
  left join offer_published p on (p.offer, p.version) = (o.offer, o.offer_version)
  left join benefit_order g on (g.bucket, g.account, g.mall_order) = (o.bucket, o.account, o.id)
 where (o.kind, o.title_zh, o.title_en, o.fen)
       is distinct from (p.kind, p.title_zh, p.title_en, p.price_fen * o.quantity)
    or g.night is null and o.points <> p.price_points * o.quantity"""
_REDEEMED: Final = """
with claim as (
  select p.bucket, p.account, p.mall_order, sum(p.points * x.fen_per_point) as fen
    from order_part p join asset x on x.id = p.asset group by 1, 2, 3)
select 'order ' || coalesce(o.id, r.mall_order), 'is ' || coalesce(o.state, 'gone')
       || case when r.id is null then ', and was never redeemed'
               else ', its redemption says ' || r.points || ' points, ' || r.claim_fen || ' fen' end
  from mall_order o
  full join redemption r on (r.bucket, r.account, r.mall_order) = (o.bucket, o.account, o.id)
  left join claim c on (c.bucket, c.account, c.mall_order) = (o.bucket, o.account, o.id)
 where (o.state in ('redeemed', 'reversed')) is distinct from (r.id is not null)
    or r.id is not null and (r.id, r.merchant, r.points, r.claim_fen)
       is distinct from (o.voucher, o.merchant, o.points, c.fen)"""
_REVERSED: Final = """
select 'voucher ' || coalesce(o.voucher, v.redemption), 'is ' || coalesce(o.state, 'gone')
       || case when v.id is null then ', and has no reversal' else ', and was reversed' end
  from mall_order o
  full join reversal v on (v.bucket, v.account, v.redemption) = (o.bucket, o.account, o.voucher)
 where (o.state = 'reversed') is distinct from (v.id is not null)
    or v.id is not null and v.merchant <> o.merchant"""
_ENDED: Final = """
select 'order ' || o.id, 'ended ' || o.ended_at || ', redeemed ' || r.redeemed_at
       || coalesce(', reversed ' || v.reversed_at, '') || ': not by the rules, or not on that day'
  from mall_order o
  join redemption r on (r.bucket, r.account, r.id) = (o.bucket, o.account, o.voucher)
  left join reversal v on (v.bucket, v.account, v.redemption) = (r.bucket, r.account, r.id)
 where o.ended_at is distinct from coalesce(v.reversed_at, r.redeemed_at)
    or r.recorded_on <> (r.redeemed_at at time zone 'Asia/Shanghai')::date
    or v.recorded_on <> (v.reversed_at at time zone 'Asia/Shanghai')::date
    or v.reversed_at > r.redeemed_at + interval '15 minutes'
    or case when r.offline_at is null then r.redeemed_at >= o.ends_at
            else (r.offline_at between o.placed_at - interval '5 minutes'
                                   and o.offline_until) is not true end"""
_LEADS: Final = """
select 'order ' || o.id, 'is of merchant ' || o.merchant || ', its offer of '
       || coalesce(f.merchant::text, 'none')
  from mall_order o left join offer f on f.id = o.offer
 where o.merchant is distinct from f.merchant
union all
select 'order ' || o.id,
       'is reserved, and its voucher leads to ' || coalesce(p.mall_order::text, 'none')
  from mall_order o left join voucher_place p on p.voucher = o.voucher
 where o.state = 'reserved'
   and (p.bucket, p.account, p.mall_order) is distinct from (o.bucket, o.account, o.id)"""
_TAKEN: Final = """
with live as (
  select * from mall_order where state in ('reserved', 'redeemed')),
told as (
  select 'offer ' || offer as place, taken from offer_stock
  union all
  select 'offer ' || offer || ' on ' || day, taken from offer_day
  union all
  select 'offer ' || offer || ' by account ' || account, taken from offer_person
   where exists (select from account a
                  where (a.bucket, a.id) = (offer_person.bucket, offer_person.account)
                    and a.akey is not null)
  union all
  select 'merchant ' || merchant, points from offline_outstanding),
due as (
  select 'offer ' || offer as place, sum(quantity) as taken from live group by 1
  union all
  select 'offer ' || offer || ' on ' || placed_on, sum(quantity) from live group by 1
  union all
  select 'offer ' || offer || ' by account ' || account, sum(quantity) from live
   where exists (select from account a
                  where (a.bucket, a.id) = (live.bucket, live.account) and a.akey is not null)
   group by 1
  union all
  select 'merchant ' || merchant, sum(points) from mall_order where is_bound group by 1)
select place, 'says ' || coalesce(t.taken, 0) || ' taken, its orders come to '
       || coalesce(d.taken, 0)
  from told t full join due d using (place)
 where coalesce(t.taken, 0) <> coalesce(d.taken, 0)"""


def check_orders(connection: Connection, sheet: Sheet) -> None:
    """Hold orders to transfers, redemptions and reversals to orders, and counters to both."""
    codes = [int(code) for code in (Code.HOLD, Code.RELEASE, Code.REDEEM, Code.REFUND)]
    for statement, values in (
        (_MOVED, (*codes, codes)),
        (_PARTS, ()),
        (_BOUGHT, ()),
        (_REDEEMED, ()),
        (_REVERSED, ()),
        (_ENDED, ()),
        (_LEADS, ()),
        (_TAKEN, ()),
    ):
        for where, detail in stream(connection, lambda *row: row, statement, *values):
            sheet.find(Kind.ORDER, where, detail)
    counted = connection.execute("select count(*) from mall_order").fetchall()
    sheet.checked["orders"] = counted[0][0]
