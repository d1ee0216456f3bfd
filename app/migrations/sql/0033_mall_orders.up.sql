-- What an order was for, kept with it (订单所购): an offer that is edited later changes no order.

alter table mall_order add column kind text, add column title_zh text, add column title_en text;
update mall_order o set kind = f.kind, title_zh = f.title_zh, title_en = f.title_en
  from offer f where f.id = o.offer;
alter table mall_order
  alter column kind set not null, alter column title_zh set not null, alter column title_en set not null,
  add constraint mall_order_kind check (kind in ('goods', 'coupon', 'ticket', 'donation'));
comment on column mall_order.kind is 'As it was sold, and its titles; of orders older than 0033, as the offer was then';

-- Which merchants' caps may have points back: tills have a day to tell of what they took unseen.
create index mall_order_offline on mall_order (bucket, offline_until) where state = 'reserved' and offline_until is not null;
