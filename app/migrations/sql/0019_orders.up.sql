-- Orders (订单), their vouchers (券) and what tills did with them (核销、冲正).
--
-- An order reserves: its points lie on the citizen's held account, class by class, until the voucher
-- is redeemed (held -> redeemed), or the order is cancelled or expires (held -> citizen). A reversal
-- gives the same classes back (redeemed -> citizen). One order has one voucher; they are one row, and
-- the voucher's one redemption has the voucher's id, so that one look-up finds all three.
--
-- Each deed over these tables is one function (0019_deeds).

-- owned -------------------------------------------------------------------------------------
create table mall_order (
  bucket smallint not null,
  account bigint not null,
  id uuid not null,
  voucher uuid not null,
  offer uuid not null,
  offer_version int not null,
  merchant uuid not null,
  quantity smallint not null check (quantity between 1 and 20),
  points bigint not null check (points > 0),
  fen bigint not null check (fen >= 0),
  state text not null check (state in ('reserved', 'redeemed', 'cancelled', 'expired', 'reversed')),
  placed_on date not null,
  placed_at timestamptz not null,
  ends_at timestamptz not null check (ends_at > placed_at),
  ended_at timestamptz,
  offline_until timestamptz,
  primary key (bucket, account, id),
  unique (bucket, account, voucher),
  check ((state = 'reserved') = (ended_at is null)),
  foreign key (bucket, account) references account (bucket, id)
) with (fillfactor = 80);
comment on column mall_order.fen is 'Paid besides at the till, for the whole order';
comment on column mall_order.ends_at is 'The voucher may be redeemed before it; the points are released after it';
comment on column mall_order.offline_until is 'Till when a till without a network may take it; it is held a day longer, for that till to tell';
create index mall_order_ends on mall_order (bucket, ends_at) where state = 'reserved';

create table order_part (
  bucket smallint not null,
  account bigint not null,
  mall_order uuid not null,
  asset int not null references asset (id),
  points bigint not null check (points > 0),
  primary key (bucket, account, mall_order, asset)
);
comment on table order_part is 'Which classes of points an order holds: earliest expiry first';

create table redemption (
  bucket smallint not null,
  account bigint not null,
  id uuid not null,
  mall_order uuid not null,
  merchant uuid not null,
  till uuid,
  keeper uuid,
  points bigint not null check (points > 0),
  claim_fen bigint not null check (claim_fen >= 0),
  recorded_on date not null,
  redeemed_at timestamptz not null,
  offline_at timestamptz,
  primary key (bucket, account, id),
  unique (bucket, account, mall_order),
  check ((till is null) = (keeper is null))
);
comment on column redemption.id is 'The voucher''s, and the cause of its transfers';
comment on column redemption.till is 'Null: a donation, which is redeemed as it is ordered';
comment on column redemption.claim_fen is 'What the merchant may claim of the programmes: points x fen_per_point of each class';
comment on column redemption.offline_at is 'When a till took it without a network; null: seen as it happened';
create index redemption_of_merchant on redemption (bucket, merchant, recorded_on);

create table reversal (
  bucket smallint not null,
  account bigint not null,
  redemption uuid not null,
  id uuid not null,
  merchant uuid not null,
  till uuid,
  asked_by uuid not null,
  confirmed_by uuid,
  recorded_on date not null,
  reversed_at timestamptz not null,
  primary key (bucket, account, redemption),
  check (till is not null or (confirmed_by is not null and confirmed_by <> asked_by))
);
comment on table reversal is 'Within 15 minutes, by the same till or by two people of the merchant (R30, B.5)';
comment on column reversal.id is 'Also the cause of its transfers';
create index reversal_of_merchant on reversal (bucket, merchant, recorded_on);

create table reversal_request (
  bucket smallint not null,
  account bigint not null,
  redemption uuid not null,
  asked_by uuid not null,
  asked_at timestamptz not null,
  primary key (bucket, account, redemption)
);
comment on table reversal_request is 'By somebody at another till than the one that redeemed: a second person confirms it';

-- on the co-location law's allow-list: looked up before the owner, and so the bucket, is known ----
create table voucher_place (
  voucher uuid primary key,
  code bytea not null unique check (length(code) = 32),
  bucket smallint not null,
  account bigint not null,
  mall_order uuid not null
);
comment on column voucher_place.code is 'Keyed hash of the printed code: a dump redeems nothing';
create index voucher_place_of on voucher_place (bucket, account);
create table offline_outstanding (
  merchant uuid primary key references merchant (id),
  points bigint not null check (points >= 0)
) with (fillfactor = 50);
comment on table offline_outstanding is 'Points of open orders that a merchant''s tills may take unseen; its cap bounds them';

select make_append_only(t) from unnest(array['order_part', 'redemption', 'reversal', 'reversal_request']::regclass[]) t;

grant select, insert on mall_order, order_part, redemption, reversal, reversal_request, voucher_place,
  offline_outstanding to tanpu_app;
grant update (state, ended_at, offline_until) on mall_order to tanpu_app;
grant update (points) on offline_outstanding to tanpu_app;
grant delete on voucher_place to tanpu_worker;
grant select on mall_order, order_part, redemption, reversal, reversal_request, voucher_place,
  offline_outstanding to tanpu_audit;
