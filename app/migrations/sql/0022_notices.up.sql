-- Giving to the public benefit (公益), what programmes are funded by, and simulations of campaigns
-- (活动推演).

-- reference ---------------------------------------------------------------------------------
create table public_cancellation (
  id uuid primary key,
  title_zh text not null check (length(title_zh) between 1 and 100),
  title_en text not null check (length(title_en) between 1 and 100),
  purpose_zh text not null check (length(purpose_zh) between 1 and 2000),
  purpose_en text not null check (length(purpose_en) between 1 and 2000),
  organiser text not null check (length(organiser) between 1 and 200),
  starts_on date not null,
  ends_on date not null check (ends_on >= starts_on),
  opened_at timestamptz not null
);
comment on column public_cancellation.id is 'Also the cause of every transfer that joins it';

-- central -----------------------------------------------------------------------------------
create table cancellation_total (
  cancellation uuid not null references public_cancellation (id),
  grade text not null check (grade in ('A', 'B')),
  persons bigint not null check (persons > 0),
  mg bigint not null check (mg >= 0),
  counted_on date not null,
  primary key (cancellation, grade)
);
comment on table cancellation_total is 'What anybody is told: counted anew from rows, and replaced when a crowd has joined since, or when there is less than it says (R6, R19)';

create table programme_sponsor (
  funding uuid primary key,
  programme smallint not null references programme (id),
  name text check (length(name) between 1 and 200),
  fen bigint not null check (fen > 0),
  funded_at timestamptz not null
);
comment on column programme_sponsor.funding is 'The transfer of this money, which is its own cause';
comment on column programme_sponsor.name is 'Null: a sponsor that wishes not to be named';
create index programme_sponsor_of on programme_sponsor (programme, funded_at, funding);
-- What was paid in before was by nobody in particular.
insert into programme_sponsor (funding, programme, name, fen, funded_at)
select t.id, p.id, null, t.amount, t.recorded_at
  from transfer t join programme p on p.budget = t.target where t.code = 21;

create table campaign_simulation (
  id uuid primary key,
  programme smallint not null references programme (id),
  since date not null,
  until date not null check (until > since),
  candidate text not null,
  asked_by text not null,
  asked_at timestamptz not null
);
comment on column campaign_simulation.until is 'The day after the last that is replayed';
comment on column campaign_simulation.candidate is 'The terms that are tried, as JSON';
create index campaign_simulation_of on campaign_simulation (programme, id);

create table campaign_outcome (
  simulation uuid primary key references campaign_simulation (id),
  outcome text not null,
  digest bytea not null check (length(digest) = 32),
  ran_at timestamptz not null
);
comment on column campaign_outcome.outcome is 'What the candidate came to, as JSON; counts of few people are left out';
comment on column campaign_outcome.digest is 'SHA-256 of candidate and outcome as written, a line each: what a request for a signature names';

-- owned -------------------------------------------------------------------------------------
create table benefit_choice (
  bucket smallint not null,
  account bigint not null,
  cancellation uuid,
  offer uuid,
  chosen_at timestamptz not null,
  primary key (bucket, account),
  foreign key (bucket, account) references account (bucket, id),
  check (num_nonnulls(cancellation, offer) > 0)
);
comment on table benefit_choice is 'Of those who opted in; withdrawn, it is gone';
comment on column benefit_choice.cancellation is 'Which public cancellation residual milligrams join';
comment on column benefit_choice.offer is 'Which donation takes points on their last day';

create table benefit_gift (
  bucket smallint not null,
  account bigint not null,
  night date not null,
  asset int not null references asset (id),
  id uuid not null,
  cancellation uuid not null,
  mg bigint not null check (mg > 0),
  primary key (bucket, account, night, asset)
);
comment on table benefit_gift is 'Residual milligrams of a class that joined a public cancellation: once a night';
comment on column benefit_gift.id is 'Also of the transfer';

create table benefit_order (
  bucket smallint not null,
  account bigint not null,
  night date not null,
  mall_order uuid not null,
  primary key (bucket, account, night)
);
comment on table benefit_order is 'The donation of a night: points on their last day';

select make_append_only(t) from unnest(array['public_cancellation', 'programme_sponsor',
  'campaign_simulation', 'campaign_outcome', 'benefit_gift', 'benefit_order']::regclass[]) t;

grant select on public_cancellation, cancellation_total, programme_sponsor, campaign_simulation,
  campaign_outcome, benefit_choice, benefit_gift, benefit_order to tanpu_app, tanpu_audit;
grant insert on public_cancellation, programme_sponsor, campaign_simulation, campaign_outcome,
  benefit_choice, benefit_gift, benefit_order to tanpu_app;
grant update (cancellation, offer, chosen_at) on benefit_choice to tanpu_app;
grant delete on benefit_choice to tanpu_app, tanpu_worker;
grant insert, update, delete on cancellation_total to tanpu_worker;

-- deeds -------------------------------------------------------------------------------------
-- Orders a donation of some points, whatever its price, and redeems it at once, as place_order does:
-- the classes were chosen, and their owner is locked. Says whether the offer took them. Lock order
-- as of the other deeds (0019).
create function donate_points(
  _bucket smallint, _account bigint, _night date, _offer uuid, _assets int[], _points bigint[],
  _order uuid, _voucher uuid, _held uuid, _redeemed uuid, _at timestamptz) returns boolean
language plpgsql as $$
declare
  _shown offer;
  _due bigint := (select sum(p) from unnest(_points) as p);
begin
  select o.* into _shown from offer o join merchant m on m.id = o.merchant
   where o.id = _offer and o.kind = 'donation' and o.state = 'published'
     and o.sale_from <= _at and _at < o.sale_to
     and m.kind = 'public_benefit' and m.suspended_at is null;
  if not found then
    return false;
  end if;
  insert into offer_person (bucket, account, offer, taken) values (_bucket, _account, _offer, 0)
  on conflict do nothing;
  perform from offer_person where bucket = _bucket and account = _account and offer = _offer
     and (_shown.per_person is null or taken < _shown.per_person) for update;
  if not found then
    return false;
  end if;
  insert into offer_day (offer, day, taken) values (_offer, _night, 0) on conflict do nothing;
  perform from offer_day where offer = _offer and day = _night
     and (_shown.per_day is null or taken < _shown.per_day) for update;
  if not found then
    return false;
  end if;
  update offer_stock set taken = taken + 1 where offer = _offer and taken < stocked;
  if not found then
    return false;
  end if;
  update offer_day set taken = taken + 1 where offer = _offer and day = _night;
  update offer_person set taken = taken + 1
   where bucket = _bucket and account = _account and offer = _offer;

  insert into mall_order (bucket, account, id, voucher, offer, offer_version, merchant, quantity, points, fen,
                          state, placed_on, placed_at, ends_at, ended_at)
  values (_bucket, _account, _order, _voucher, _offer, _shown.version, _shown.merchant, 1, _due, 0,
          'redeemed', _night, _at, _at + make_interval(days => _shown.voucher_days), _at);
  insert into order_part (bucket, account, mall_order, asset, points)
  select _bucket, _account, _order, p.asset, p.points from unnest(_assets, _points) as p (asset, points);
  perform move_points(_bucket, _account, _account + 1, _assets, _points, 7::smallint, _order, _held, _night);
  perform capture_order(_bucket, _account, _order, _voucher, _shown.merchant, null, null, _redeemed, _at, _night, null);
  insert into benefit_order (bucket, account, night, mall_order) values (_bucket, _account, _night, _order);
  return true;
end $$;

revoke all on function donate_points from public;
grant execute on function donate_points to tanpu_app;
