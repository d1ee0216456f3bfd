-- The market (市场): listings, quotes, purchases, payments, proceeds; which units serve which purpose.
--
-- One market, and few deeds: everything here lives once. What is for sale stays its seller's until
-- a purchase holds it; who changes a listing's or a purchase's fate locks its row first, the
-- purchase before the listing. docs/decisions/0037 has the laws.

create function normal_reference(reference text) returns text
language sql immutable strict parallel safe as $$
  select upper(regexp_replace(normalize(reference, nfkc), '[[:space:]‐-―−-]', '', 'g'))
$$;
comment on function normal_reference is 'A bank''s reference as it is the same however somebody spells it';

-- central -----------------------------------------------------------------------------------
create table listing (
  id uuid primary key,
  seller uuid not null references organisation (id),
  batch uuid not null references issue_batch (id),
  quantity_kg bigint not null check (quantity_kg between 1 and 1000000000000),
  taken_kg bigint not null default 0,
  minimum_kg bigint not null check (minimum_kg between 1 and quantity_kg),
  price_fen bigint not null check (price_fen between 1 and 100000000),
  opens_at timestamptz not null,
  closes_at timestamptz not null check (closes_at > opens_at),
  listed_by text not null,
  listed_at timestamptz not null,
  withdrawn_at timestamptz,
  constraint listing_not_oversold check (taken_kg between 0 and quantity_kg)
);
comment on column listing.taken_kg is 'What purchases hold or have paid for';
comment on column listing.price_fen is 'For a tonne; terms are never edited, other terms are another listing';
create index listing_of on listing (seller, id);

create table quote (
  id uuid primary key,
  listing uuid not null references listing (id),
  buyer uuid not null references organisation (id),
  quantity_kg bigint not null check (quantity_kg > 0),
  due_fen bigint not null check (due_fen > 0),
  quoted_by text not null,
  quoted_at timestamptz not null,
  expires_at timestamptz not null check (expires_at > quoted_at)
);
create index quote_of on quote (buyer, expires_at);
comment on table quote is 'What a quantity costs one buyer until an instant; it reserves nothing';

create table purchase (
  id uuid primary key,
  quote uuid not null unique references quote (id),
  listing uuid not null references listing (id),
  seller uuid not null references organisation (id),
  buyer uuid not null references organisation (id),
  batch uuid not null references issue_batch (id),
  quantity_kg bigint not null check (quantity_kg > 0),
  due_fen bigint not null check (due_fen > 0),
  purpose smallint,
  period text check (length(period) between 4 and 21),
  beneficiary text check (length(beneficiary) between 1 and 200),
  message text check (length(message) between 1 and 500),
  shows text[] not null default '{}' check (shows <@ '{holder,beneficiary,message}'),
  bought_by text not null,
  bought_at timestamptz not null,
  expires_at timestamptz not null check (expires_at > bought_at),
  ended_at timestamptz,
  outcome text check (outcome in ('paid', 'expired', 'cancelled')),
  retirement uuid unique,
  unretired text check (length(unretired) between 1 and 100),
  check (seller <> buyer),
  check ((ended_at is null) = (outcome is null)),
  check (purpose is not null or shows = '{}' and num_nonnulls(period, beneficiary, message) = 0),
  check (ended_at is null or num_nonnulls(beneficiary, message) = 0),
  check ((num_nonnulls(retirement, unretired) = 1)
         = (outcome is not distinct from 'paid' and purpose is not null))
);
comment on table purchase is 'A quantity held for its buyer until it is paid for, or until an instant';
comment on column purchase.purpose is 'Retired at once for it, in the buyer''s name; none: the units are the buyer''s';
comment on column purchase.beneficiary is 'Waits here until the purchase ends, and then goes: to the certificate, or to nowhere';
comment on column purchase.shows is 'What of names and words the certificate shows to anybody, each as the buyer chose';
comment on column purchase.unretired is 'The code of the refusal, where it was paid for and could not be retired after all';
create index purchase_of_buyer on purchase (buyer, id);
create index purchase_of_seller on purchase (seller, id);
create index purchase_due on purchase (expires_at) where ended_at is null;
create index purchase_open on purchase (buyer) where ended_at is null;

create table payment (
  purchase uuid primary key references purchase (id),
  method text not null check (length(method) between 1 and 40),
  reference text not null check (length(reference) between 1 and 100),
  known_as text not null generated always as (normal_reference(reference)) stored,
  fen bigint not null check (fen > 0),
  received_on date not null,
  confirmed_by text not null,
  asked_by text check (asked_by <> confirmed_by),
  paid_at timestamptz not null,
  unique (method, known_as),
  check (known_as <> '')
);
comment on column payment.reference is 'The bank''s or the gateway''s, of this payment';
comment on column payment.asked_by is 'Who asked for the second signature; none: confirmed by one alone';
create index payment_alone on payment (paid_at) where asked_by is null;

create table batch_share (
  batch uuid not null references issue_batch (id),
  programme smallint references programme (id),
  mg bigint not null check (mg > 0),
  unique nulls not distinct (batch, programme)
);
comment on table batch_share is 'Through which programmes the milligrams of a batch were exchanged; none: through no funded one. Written once, before the first sale';

create table proceeds (
  transfer uuid primary key,
  purchase uuid not null references payment (purchase),
  programme smallint references programme (id),
  organisation uuid references organisation (id),
  mg bigint not null check (mg >= 0),
  fen bigint not null check (fen > 0),
  recorded_on date not null,
  unique nulls not distinct (purchase, programme, organisation),
  check (num_nonnulls(programme, organisation) = 1)
);
comment on table proceeds is 'Whom a payment reached, and for how much of what was sold';
create index proceeds_of on proceeds (organisation) where organisation is not null;

create table proceeds_payout (
  transfer uuid primary key,
  organisation uuid not null references organisation (id),
  fen bigint not null check (fen > 0),
  reference text not null check (length(reference) between 1 and 100),
  known_as text not null unique generated always as (normal_reference(reference)) stored,
  recorded_on date not null,
  paid_at timestamptz not null
);
comment on table proceeds_payout is 'What a reseller earned, paid out to its bank account';
create index proceeds_payout_of on proceeds_payout (organisation);

-- reference: which units may serve which purpose ---------------------------------------------
create table purpose_passport (
  id uuid primary key,
  purpose smallint not null check (purpose in (1, 2, 3, 6, 7)),
  year int not null check (year between 2020 and 2100),
  units jsonb not null check (jsonb_typeof(units) = 'array' and jsonb_array_length(units) <= 100),
  set_at timestamptz not null
);
comment on table purpose_passport is 'Of a purpose and year, the sorts of units that may serve it; the latest holds';
create index purpose_passport_of on purpose_passport (purpose, year, id);

create table surrender_ratio (
  id uuid primary key,
  year int not null check (year between 2020 and 2100),
  ratio_permille int not null check (ratio_permille between 0 and 1000),
  set_at timestamptz not null
);
comment on table surrender_ratio is 'How much of a compliance year''s obligation units may meet; the latest holds, none is none';
create index surrender_ratio_of on surrender_ratio (year, id);

create table surrender_obligation (
  id uuid primary key,
  year int not null check (year between 2020 and 2100),
  organisation uuid not null references organisation (id),
  obligation_kg bigint not null check (obligation_kg between 0 and 1000000000000000),
  set_at timestamptz not null
);
comment on table surrender_obligation is 'What an organisation has to surrender for a compliance year; the latest holds';
create index surrender_obligation_of on surrender_obligation (organisation, year, id);

-- Organisations are told of their purchases.
alter table webhook_endpoint
  drop constraint webhook_endpoint_owner_check,
  add constraint webhook_endpoint_owner_check
    check (owner ~ '^(operator|(merchant|organisation|partner):[0-9a-f-]{36})$');

select make_append_only(t) from unnest(array[
  'quote', 'payment', 'batch_share', 'proceeds', 'proceeds_payout', 'purpose_passport',
  'surrender_ratio', 'surrender_obligation']::regclass[]) t;

grant select, insert on listing, quote, purchase, payment, batch_share, proceeds, proceeds_payout,
  purpose_passport, surrender_ratio, surrender_obligation to tanpu_app;
grant update (taken_kg, withdrawn_at) on listing to tanpu_app;
grant update (expires_at, ended_at, outcome, retirement, unretired, beneficiary, message) on purchase to tanpu_app;
grant select on listing, quote, payment, batch_share, proceeds, proceeds_payout, purpose_passport,
  surrender_ratio, surrender_obligation to tanpu_audit;
grant select (id, quote, listing, seller, buyer, batch, quantity_kg, due_fen, purpose, period, shows,
              bought_by, bought_at, expires_at, ended_at, outcome, retirement, unretired)
  on purchase to tanpu_audit;
