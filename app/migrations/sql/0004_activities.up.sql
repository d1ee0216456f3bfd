-- Acts on disk (低碳行为): uploads with their outcomes and receipts, acts, once-only keys, the
-- cap state of a person's day, and what is kept of an act until its merge deadline.
--
-- No foreign keys from the four hot tables: a check per row of what the same statement has just
-- looked up. They are append-only or swept by a job, and `tanpu audit` recomputes them.

-- reference ---------------------------------------------------------------------------------
create table methodology_version (
  id smallint generated always as identity primary key,
  code text not null check (length(code) between 1 and 100),
  version int not null check (version > 0),
  sha256 bytea not null check (length(sha256) = 32),
  unique (code, version)
);

-- Boundary list: what an ETS entity or another mechanism already counts. `number` is the keyed
-- hash of a subject, vehicle or station; few thousand rows, read with every chunk.
create table exclusion (
  kind text not null check (kind in ('subject', 'vehicle', 'station')),
  number bytea not null check (length(number) = 32),
  reason text not null check (reason ~ '^boundary\.[a-z_]{1,40}$'),
  source text not null,
  valid_from date not null,
  valid_to date check (valid_to >= valid_from),
  primary key (kind, number, valid_from)
);

-- Other names of a vehicle or station, so that two providers who name it differently meet.
create table place_alias (
  kind text not null check (kind in ('vehicle', 'station')),
  alias text not null check (length(alias) between 1 and 64),
  name text not null check (length(name) between 1 and 64),
  primary key (kind, alias)
);

-- Who has ever told of a mode, by the mode's hash in 64 slots. While it is one provider alone,
-- nobody's acts need comparing; a second one enters under the exclusive lock of the slot, so after
-- every chunk that was under way.
create table mode_provider (
  slot smallint not null check (slot between 0 and 63),
  provider smallint not null references provider (id),
  primary key (slot, provider)
);

-- central -----------------------------------------------------------------------------------
create table upload (
  id uuid primary key,
  provider smallint not null references provider (id),
  methodology text not null,
  sha256 bytea not null check (length(sha256) = 32),
  opened_at timestamptz not null
);
create table upload_chunk (
  upload uuid not null references upload (id),
  number int not null check (number >= 0),
  counts int[] not null check (cardinality(counts) = 7),
  reduction_mg bigint not null check (reduction_mg >= 0),
  corrected_mg bigint not null check (corrected_mg >= 0),
  digest bytea not null check (length(digest) = 32),
  outcomes bytea not null,
  primary key (upload, number)
);
create table upload_receipt (
  upload uuid primary key references upload (id),
  statement bytea not null,
  signature bytea not null check (length(signature) = 64)
);

-- on the co-location law's allow-list: looked up before the owner, and so the bucket, is known
create table activity_key (
  provider smallint not null,
  external_hash bytea not null check (length(external_hash) = 16),
  content bytea not null check (length(content) = 32),
  bucket smallint not null,
  account bigint not null,
  recorded_on date not null,
  activity uuid not null,
  primary key (provider, external_hash)
) partition by hash (provider, external_hash);
comment on column activity_key.content is 'The evidence commitment: keyed, so that content cannot be guessed from it';
comment on column activity_key.activity is 'Also the id of the transfer that accrued it';
do $$ begin
  for part in 0..15 loop
    execute format('create table %I partition of activity_key for values with (modulus 16, remainder %s)',
                   'activity_key_' || part, part);
  end loop;
end $$;

-- owned -------------------------------------------------------------------------------------
create table activity (
  bucket smallint not null,
  account bigint not null,
  recorded_on date not null,
  id uuid not null,
  provider smallint not null,
  external_hash bytea not null,
  upload uuid not null,
  methodology smallint not null,
  occurred_on date not null,
  evidence smallint not null check (evidence between 1 and 3),
  mode text not null,
  asset int,
  raw_mg bigint check (raw_mg >= 0),
  reason text,
  inputs jsonb,
  source_occurred_at timestamptz,
  place text,
  primary key (bucket, account, recorded_on, id),
  check (asset is null or raw_mg is not null)
) partition by range (recorded_on);
comment on column activity.raw_mg is 'Before the cap of the day; null where the methodology gave nothing';
comment on column activity.reason is 'Why it adds nothing; an act without a reason counts unless act_merge says otherwise';

-- Which act counts instead, newest row last; null: it stands again.
create table act_merge (
  bucket smallint not null,
  account bigint not null,
  id uuid not null,
  activity uuid not null,
  counted uuid,
  reason text not null,
  recorded_on date not null,
  primary key (bucket, account, id)
);

create table accrual_day (
  bucket smallint not null,
  account bigint not null,
  day date not null,
  asset int not null,
  raw_mg bigint not null,
  cap_mg bigint not null check (cap_mg >= 0),
  primary key (bucket, account, day, asset)
) with (fillfactor = 80);
comment on table accrual_day is 'What counts of a day is least(raw_mg, cap_mg), in any order of arrival';

create table act_window (
  bucket smallint not null,
  account bigint not null,
  activity uuid not null,
  recorded_on date not null,
  provider smallint not null,
  external_hash bytea not null,
  mode text not null,
  evidence smallint not null,
  started_at timestamptz not null,
  ended_at timestamptz not null,
  vehicle bytea,
  station bytea,
  day date not null,
  asset int,
  raw_mg bigint not null check (raw_mg >= 0),
  counted uuid,
  primary key (bucket, account, activity)
) with (fillfactor = 90);
comment on table act_window is 'Whereabouts, kept until the merge deadline only (R17)';
comment on column act_window.counted is 'The act that counts instead; null: this one counts';

-- Accruals and corrections of an act beyond its first transfer, which has the id of the act.
create table act_change (
  bucket smallint not null,
  account bigint not null,
  id uuid not null,
  activity uuid not null,
  recorded_on date not null,
  amount_mg bigint not null check (amount_mg <> 0),
  corrects uuid,
  primary key (bucket, account, id)
);
comment on column act_change.id is 'Of the transfer';
comment on column act_change.amount_mg is 'Below zero for a correction, which names the accrual in corrects';

create table month_settlement (
  bucket smallint not null,
  account bigint not null,
  methodology smallint not null,
  month date not null check (extract(day from month) = 1),
  id uuid not null,
  days int not null check (days > 0),
  reduction_mg bigint not null check (reduction_mg >= 0),
  recorded_on date not null,
  primary key (bucket, account, methodology, month)
);

-- append-only, with one hole: erasure forgets the quantities of an act (R20) ------------------
create function forget_only() returns trigger language plpgsql as $$
begin
  new.inputs := null; new.place := null; new.source_occurred_at := null;
  old.inputs := null; old.place := null; old.source_occurred_at := null;
  if new is distinct from old then
    raise exception 'an act may be forgotten, not changed' using errcode = 'TP001';
  end if;
  return new;
end $$;
create function make_forget_only(target regclass) returns void language plpgsql as $$
begin
  execute format('create trigger forget_only before delete or truncate on %s'
                 ' for each statement execute function refuse_change()', target);
end $$;
create trigger forget_only_rows before update on activity
  for each row execute function forget_only();
select make_forget_only('activity');
select make_append_only(t) from unnest(array['methodology_version', 'upload', 'upload_chunk',
  'upload_receipt', 'act_merge', 'act_change', 'month_settlement']::regclass[]) t;

-- Every table partitioned by month gets its partitions here, guarded as its parent is.
create or replace function ensure_partitions(months_ahead int) returns int
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  made int := 0;
  first date := date_trunc('month', now() at time zone 'Asia/Shanghai')::date;
  parent record;
  part text;
begin
  if months_ahead not between 0 and 36 then
    raise exception 'months_ahead is 0 to 36' using errcode = 'TP002';
  end if;
  perform pg_advisory_xact_lock(hashtext('ensure_partitions'));
  for parent in
    select c.relname as name,
           exists (select from pg_trigger t where t.tgrelid = c.oid and t.tgname = 'append_only') as append_only,
           exists (select from pg_trigger t where t.tgrelid = c.oid and t.tgname = 'forget_only') as forget_only
      from pg_partitioned_table p join pg_class c on c.oid = p.partrelid
     where p.partstrat = 'r' and c.relnamespace = 'public'::regnamespace order by 1
  loop
    for month in -1..months_ahead loop
      part := parent.name || to_char(first + make_interval(months => month), '"_"YYYYMM');
      continue when to_regclass(part) is not null;
      execute format('create table %I partition of %I for values from (%L) to (%L)', part, parent.name,
        (first + make_interval(months => month))::date, (first + make_interval(months => month + 1))::date);
      if parent.append_only then perform make_append_only(part::regclass); end if;
      if parent.forget_only then perform make_forget_only(part::regclass); end if;
      made := made + 1;
    end loop;
  end loop;
  return made;
end $$;
select ensure_partitions(3);

-- grants ------------------------------------------------------------------------------------
revoke all on function forget_only(), make_forget_only(regclass) from public;
grant select, insert on methodology_version, exclusion, upload, upload_chunk, upload_receipt,
  activity_key, activity, act_merge, act_change, month_settlement, place_alias,
  mode_provider to tanpu_app;
grant update (name) on place_alias to tanpu_app;
grant update (valid_to) on exclusion to tanpu_app;
grant select, insert, update on accrual_day, act_window to tanpu_app;
grant delete on act_window, accrual_day, activity_key to tanpu_worker;
grant update (inputs, place, source_occurred_at) on activity to tanpu_worker;
grant select on methodology_version, exclusion, upload, upload_chunk, upload_receipt, activity_key,
  activity, act_merge, act_change, place_alias, mode_provider, accrual_day, act_window, month_settlement to tanpu_audit;
