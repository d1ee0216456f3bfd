-- The books on disk (账簿): owners' accounts and balances, transfers, and what awaits the log.
--
-- Three kinds of table (the co-location law, docs/decisions/0014): *owned* tables lead every key
-- with `bucket`; *reference* tables are replicated; *central* tables live once. Ids carry what a
-- check must know, so that the chart of accounts is a constraint on the row and needs no join:
--   account id  = sequence << 5 | kind << 1 | held;  below 65,536 it is a system account
--   asset id    = sequence << 3 | class   (1 reduction A, 2 reduction B, 3 points, 4 unit, 5 money)

create schema if not exists public;

do $$ begin
  if not exists (select from pg_roles where rolname = 'tanpu_app') then create role tanpu_app nologin; end if;
  if not exists (select from pg_roles where rolname = 'tanpu_worker') then create role tanpu_worker nologin; end if;
  if not exists (select from pg_roles where rolname = 'tanpu_audit') then create role tanpu_audit nologin; end if;
end $$;
grant tanpu_app to tanpu_worker;
do $$ begin
  execute format('grant temporary on database %I to tanpu_app, tanpu_audit', current_database());
end $$;
grant usage on schema public to tanpu_app, tanpu_worker, tanpu_audit;

-- Append-only by role first (grants below), and by trigger for whoever owns the tables.
create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% on % is refused: it is append-only', tg_op, tg_table_name
    using errcode = 'TP001';
end $$;

create function make_append_only(target regclass) returns void language plpgsql as $$
begin
  execute format('create trigger append_only before update or delete or truncate on %s'
                 ' for each statement execute function refuse_change()', target);
end $$;

-- reference ---------------------------------------------------------------------------------
create table system_account (
  id int primary key check (id between 1 and 65535),
  name text not null unique
);

create sequence asset_sequence;
create table asset (
  id int primary key,
  key bytea not null unique check (length(key) = 32),
  methodology text,
  version int,
  scenario text,
  grade text,
  vintage date,
  programme text,
  expires date,
  fen_per_point int,
  batch text,
  currency text,
  check (case id & 7
    when 1 then grade = 'A' and num_nulls(methodology, version, scenario, vintage) = 0
    when 2 then grade = 'B' and num_nulls(methodology, version, scenario, vintage) = 0
    when 3 then num_nulls(programme, expires, fen_per_point) = 0
    when 4 then batch is not null
    when 5 then currency is not null
    else false end)
);

-- owned -------------------------------------------------------------------------------------
create sequence account_sequence minvalue 2048;
create table account (
  bucket smallint not null check (bucket between 0 and 1023),
  id bigint not null check (id >= 65536),
  akey bytea check (length(akey) = 32),
  opened_at timestamptz not null,
  primary key (bucket, id),
  check ((id & 1 = 1) = (akey is null))
);

create table account_secret (
  bucket smallint not null,
  account bigint not null,
  sealed bytea not null,
  primary key (bucket, account),
  foreign key (bucket, account) references account (bucket, id)
);

create table balance (
  bucket smallint not null,
  account bigint not null,
  asset int not null references asset (id),
  credits bigint not null check (credits >= 0),
  debits bigint not null check (debits >= 0),
  primary key (bucket, account, asset),
  constraint balance_not_overdrawn check (credits >= debits),
  foreign key (bucket, account) references account (bucket, id)
) with (fillfactor = 70);

create table transfer (
  bucket smallint not null,
  recorded_on date not null,
  id uuid not null,
  source bigint not null,
  target bigint not null,
  asset int not null,
  amount bigint not null check (amount > 0),
  code smallint not null,
  cause uuid not null,
  occurred_on date not null,
  recorded_at timestamptz not null default now(),
  corrects uuid,
  corrects_on date,
  evidence bytea check (length(evidence) = 32),
  primary key (bucket, recorded_on, id),
  check (source <> target),
  check ((corrects is null) = (corrects_on is null)),
  constraint transfer_one_owner check (source < 65536 or target < 65536 or source | 1 = target | 1)
  -- transfer_in_chart is added by the migration from ledger.chart
) partition by range (recorded_on);

create table log_note (
  bucket smallint not null,
  recorded_on date not null,
  id uuid not null,
  account bigint not null,
  code smallint not null,
  cause uuid not null,
  recorded_at timestamptz not null default now(),
  primary key (bucket, recorded_on, id),
  foreign key (bucket, account) references account (bucket, id)
);

-- A queue, claimed by the close: no index to maintain, it is read from end to end.
create table log_pending (
  bucket smallint not null,
  recorded_on date not null,
  id uuid not null,
  xid xid8 not null default pg_current_xact_id()
);

select make_append_only(t) from unnest(array['system_account', 'asset', 'transfer', 'log_note']::regclass[]) t;

-- Monthly partitions, created ahead by the ticker; the application role may call this and
-- nothing else that makes tables.
create function ensure_partitions(months_ahead int) returns int
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  made int := 0;
  first date := date_trunc('month', now() at time zone 'Asia/Shanghai')::date;
  part text;
begin
  if months_ahead not between 0 and 36 then
    raise exception 'months_ahead is 0 to 36' using errcode = 'TP002';
  end if;
  perform pg_advisory_xact_lock(hashtext('ensure_partitions'));
  for month in -1..months_ahead loop
    part := to_char(first + make_interval(months => month), '"transfer_"YYYYMM');
    if to_regclass(part) is null then
      execute format('create table %I partition of transfer for values from (%L) to (%L)', part,
        (first + make_interval(months => month))::date, (first + make_interval(months => month + 1))::date);
      perform make_append_only(part::regclass);
      made := made + 1;
    end if;
  end loop;
  return made;
end $$;
select ensure_partitions(3);

-- grants ------------------------------------------------------------------------------------
revoke all on all functions in schema public from public;
grant execute on function ensure_partitions(int) to tanpu_app;
grant select on system_account to tanpu_app, tanpu_audit;
grant select, insert on asset, account, transfer, log_note to tanpu_app;
grant usage on sequence asset_sequence, account_sequence to tanpu_app;
grant select, insert, update, delete on balance, account_secret to tanpu_app;
grant insert on log_pending to tanpu_app;
grant select, delete on log_pending to tanpu_worker;
grant update (akey) on account to tanpu_worker;
grant select on asset, account, balance, transfer, log_note, log_pending to tanpu_audit;
