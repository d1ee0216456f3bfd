-- What a provider makes good (更正与质量): corrections of acts as rows of their own, the requests
-- that carried them, and the sandbox's clock (ADR 0024).

-- owned -------------------------------------------------------------------------------------
create table act_correction (
  bucket smallint not null,
  account bigint not null,
  id uuid not null,
  activity uuid not null,
  recorded_on date not null,
  cause uuid not null,
  reason text not null check (reason ~ '^[a-z][a-z0-9_]*(\.[a-z0-9_]+)+$' and length(reason) <= 64),
  content bytea check (length(content) = 32),
  is_withdrawn boolean not null,
  raw_mg bigint check (raw_mg >= 0),
  change_mg bigint not null,
  lost_mg bigint not null,
  primary key (bucket, account, id)
);
comment on table act_correction is 'What an act is worth from here on; the newest row of an act counts';
comment on column act_correction.cause is 'A provider''s correction batch, a factor correction, an appeal';
comment on column act_correction.content is 'Commitment to the provider''s corrected record; null where nobody told one';
comment on column act_correction.raw_mg is 'Before the cap of the day; null where the act records no reduction';
comment on column act_correction.change_mg is 'What the act''s grant changed by';
comment on column act_correction.lost_mg is 'By how much what it lost, and so keeps of the day''s cap, changed (R9)';
create unique index act_correction_once on act_correction (bucket, account, activity, cause);
create unique index act_correction_content on act_correction (bucket, account, activity, content)
  where content is not null;
create index act_correction_appealed on act_correction (recorded_on) where reason = 'appeal.upheld';

-- Corrected quantities of an act; erasure deletes them, as it forgets those of the act (R20).
create table corrected_input (
  bucket smallint not null,
  account bigint not null,
  correction uuid not null,
  inputs jsonb not null,
  primary key (bucket, account, correction)
);

-- Uploads are in order of time, and so is the table: a summary of each stretch of it is enough.
create index activity_upload on activity using brin (upload) with (pages_per_range = 16);

alter table act_window add column is_withdrawn boolean not null default false;
comment on column act_window.is_withdrawn is 'Any other record of the same act comes before it';

-- central -----------------------------------------------------------------------------------
alter table upload_chunk add column late int not null default 0 check (late >= 0);
comment on column upload_chunk.late is 'Lines that were new, and told after the merge deadline of their day';

create table correction_batch (
  id uuid primary key,
  upload uuid not null references upload (id),
  provider smallint not null references provider (id),
  sha256 bytea not null check (length(sha256) = 32),
  counts int[] not null check (cardinality(counts) = 6),
  change_mg bigint not null,
  outcomes bytea not null,
  statement bytea not null,
  signature bytea not null check (length(signature) = 64),
  recorded_at timestamptz not null
);
create index correction_batch_of on correction_batch (provider, recorded_at);
create index upload_of_provider on upload (provider, opened_at, id);

create table sandbox_advance (
  id uuid primary key,
  by interval not null check (by > interval '0'),
  advanced_at timestamptz not null
);
comment on table sandbox_advance is 'A sandbox''s clock is ahead of the wall''s by their sum (R21); empty in a real city';

select make_append_only(t) from unnest(array['act_correction', 'correction_batch',
  'sandbox_advance']::regclass[]) t;

-- grants ------------------------------------------------------------------------------------
grant select, insert on act_correction, corrected_input, correction_batch, sandbox_advance to tanpu_app;
grant delete on corrected_input to tanpu_worker;
grant select on act_correction, corrected_input, correction_batch, sandbox_advance to tanpu_audit;
