-- What an order was for, kept with it (订单所购): an offer that is edited later changes no order.

alter table mall_order add column kind text, add column title_zh text, add column title_en text;
update mall_order o set kind = f.kind, title_zh = f.title_zh, title_en = f.title_en
  from offer f where f.id = o.offer;
alter table mall_order
  alter column kind set not null, alter column title_zh set not null, alter column title_en set not null,
  add constraint mall_order_kind check (kind in ('goods', 'coupon', 'ticket', 'donation'));
comment on column mall_order.kind is 'As it was sold, and its titles; of orders older than 0033, as the offer was then';

-- A rate may ask how much somebody exchanged in the month before.
alter table exchange_rate
  add column from_mg bigint not null default 0 check (from_mg >= 0),
  drop constraint exchange_rate_one_at_a_time,
  add constraint exchange_rate_one_at_a_time exclude using gist
    (programme with =, grade with =, coalesce(field, '') with =, from_mg with =,
     daterange(valid_from, valid_to) with &&);
comment on column exchange_rate.from_mg is 'Holds for whoever exchanged so much of this programme in the month before';

-- Contact and bank account that a firm is to have instead, until two of the desk agreed.
alter table merchant_application add column wished bytea check (wished is null or approved_at is not null);
alter table organisation_application add column wished bytea check (wished is null or approved_at is not null);
comment on column merchant_application.wished is 'As contact, sealed; in its place once two agreed';
comment on column organisation_application.wished is 'As contact, sealed; in its place once two agreed';
grant update (wished) on merchant_application, organisation_application to tanpu_app;

-- Which merchants' caps may have points back: tills have a day to tell of what they took unseen.
create index mall_order_offline on mall_order (bucket, offline_until) where state = 'reserved' and offline_until is not null;

-- What was published, for good: an order is held to it by the audit.
create table offer_published (
  offer uuid not null references offer (id),
  version int not null,
  kind text not null check (kind in ('goods', 'coupon', 'ticket', 'donation')),
  title_zh text not null,
  title_en text not null,
  price_points bigint not null,
  price_fen bigint not null,
  published_at timestamptz not null,
  primary key (offer, version)
);
comment on table offer_published is 'Each version of an offer that was ever on sale, as the desk approved it first';
insert into offer_published
select id, version, kind, title_zh, title_en, price_points, price_fen, published_at
  from offer where state in ('published', 'withdrawn') and published_at is not null;
-- What was sold of versions that are gone: their orders are all that tells of it.
insert into offer_published
select distinct on (o.offer, o.offer_version)
       o.offer, o.offer_version, o.kind, o.title_zh, o.title_en, o.points / o.quantity, o.fen / o.quantity, o.placed_at
  from mall_order o
  left join benefit_order g on (g.bucket, g.account, g.mall_order) = (o.bucket, o.account, o.id)
 order by o.offer, o.offer_version, g.night nulls first, o.placed_at
    on conflict do nothing;
select make_append_only('offer_published');
grant select, insert on offer_published to tanpu_app;
grant select on offer_published to tanpu_audit;
