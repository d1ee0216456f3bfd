-- Offers (商品): what merchants sell for points, what is left of it, and the pictures of it.

-- reference ---------------------------------------------------------------------------------
create table offer (
  id uuid primary key,
  merchant uuid not null references merchant (id),
  kind text not null check (kind in ('goods', 'coupon', 'ticket', 'donation')),
  category text not null check (category ~ '^[a-z][a-z-]{1,39}$'),
  title_zh text not null check (length(title_zh) between 1 and 100),
  title_en text not null check (length(title_en) between 1 and 100),
  text_zh text not null default '' check (length(text_zh) <= 2000),
  text_en text not null default '' check (length(text_en) <= 2000),
  price_points bigint not null check (price_points between 1 and 100000000),
  price_fen bigint not null default 0 check (price_fen between 0 and 100000000),
  per_person int check (per_person > 0),
  per_day int check (per_day > 0),
  sale_from timestamptz not null,
  sale_to timestamptz not null check (sale_to > sale_from),
  voucher_days smallint not null check (voucher_days between 1 and 366),
  state text not null check (state in ('draft', 'submitted', 'published', 'refused', 'withdrawn')),
  version int not null default 1 check (version > 0),
  images text[] not null default '{}' check (cardinality(images) <= 8),
  reason text check (length(reason) between 1 and 500),
  created_at timestamptz not null,
  published_at timestamptz,
  check (kind <> 'donation' or price_fen = 0),
  check (state <> 'published' or published_at is not null),
  check ((state = 'refused') = (reason is not null))
);
comment on column offer.price_fen is 'Paid besides, at the till and not through us';
comment on column offer.per_person is 'Of this offer by one citizen, ever; null: no limit';
comment on column offer.per_day is 'Of this offer by all, on a day of Asia/Shanghai; null: no limit';
comment on column offer.voucher_days is 'How long points stay held and the voucher may be redeemed';
comment on column offer.version is 'Of its content: an order names the one that it was shown';
comment on column offer.images is 'SHA-256 of each picture as it is served, in hex; the object store has them';
comment on column offer.reason is 'Why the desk refused it or took it down';
create index offer_of_merchant on offer (merchant, id);
create index offer_on_sale on offer (published_at desc, id desc) where state = 'published';
create index offer_of_image on offer using gin (images);

-- on the co-location law's allow-list: a citizen's order takes from them --------------------------
create table offer_stock (
  offer uuid primary key references offer (id),
  stocked bigint not null check (stocked >= 0),
  taken bigint not null default 0 check (taken >= 0),
  constraint offer_stock_not_oversold check (taken <= stocked)
) with (fillfactor = 50);
comment on column offer_stock.taken is 'Reserved or redeemed; what is cancelled, expires or is reversed comes back';
comment on column offer_stock.stocked is 'All that there ever were of it; a restock changes this';
create table offer_day (
  offer uuid not null references offer (id),
  day date not null,
  taken bigint not null check (taken >= 0),
  primary key (offer, day)
) with (fillfactor = 50);

-- owned -------------------------------------------------------------------------------------
create table offer_person (
  bucket smallint not null,
  account bigint not null,
  offer uuid not null,
  taken int not null check (taken >= 0),
  primary key (bucket, account, offer),
  foreign key (bucket, account) references account (bucket, id)
);

grant select, insert on offer, offer_stock, offer_day, offer_person to tanpu_app;
grant update on offer to tanpu_app;
grant update (stocked, taken) on offer_stock to tanpu_app;
grant update (taken) on offer_day, offer_person to tanpu_app;
grant delete on offer_person to tanpu_app;
grant select on offer, offer_stock, offer_day, offer_person to tanpu_audit;
