-- The registry (登记簿): lots, their verification, and issued batches (ADR 0034).
--
-- A lot is of one class of grade A reductions. Freezing it says which acts its milligrams are of;
-- what is issued of them gets a place in the series of that class: milligrams counted through from
-- the first batch on, so that a unit opens to its acts by arithmetic.

-- reference ---------------------------------------------------------------------------------
create table issuance_terms (
  id int generated always as identity primary key,
  buffer_permille int not null check (buffer_permille between 0 and 1000),
  sample_rows int not null check (sample_rows between 1 and 100000),
  asked_by text not null,
  signed_by text not null check (signed_by <> asked_by),
  set_at timestamptz not null
);
comment on table issuance_terms is 'Two signatures, no default: the newest row counts, and without one nothing is frozen or issued';

create table buffer_owner (
  is_it boolean primary key default true check (is_it),
  account bigint not null unique check (account >= 65536),
  opened_at timestamptz not null
);
comment on table buffer_owner is 'The one owner in the books that holds the buffer''s units';

-- central -----------------------------------------------------------------------------------
create table lot (
  id uuid primary key,
  asset int not null references asset (id) check (asset & 7 = 1),
  begun_at timestamptz not null,
  sample_rows int not null check (sample_rows > 0),
  swept smallint not null default 0 check (swept between 0 and 1024),
  frozen_at timestamptz,
  root bytea check (length(root) = 32),
  leaves int check (leaves > 0),
  mg bigint check (mg > 0),
  closed_at timestamptz,
  outcome text check (outcome in ('issued', 'rejected', 'thawed')),
  reason text check (length(reason) between 1 and 2000),
  check (num_nulls(frozen_at, root, leaves, mg) in (0, 4)),
  check (num_nulls(closed_at, outcome, reason) in (0, 3)),
  check (frozen_at is not null or outcome is null or outcome = 'thawed')
);
comment on column lot.swept is 'Buckets whose rows are written';
comment on column lot.root is 'RFC 6962 root over the leaves of its rows, in the order of their bytes';
comment on column lot.mg is 'Of the rows that have a leaf';
create unique index lot_one_open on lot (asset) where closed_at is null;
create index lot_newest on lot (begun_at, id);

-- The published frame: no person is in it. `bucket` only says where the row lies.
create table lot_leaf (
  lot uuid not null references lot (id),
  position int not null check (position >= 0),
  leaf bytea not null check (length(leaf) = 32),
  mg bigint not null check (mg > 0),
  bucket smallint not null,
  primary key (lot, position)
);
create unique index lot_leaf_once on lot_leaf (lot, leaf);
create table lot_tile (
  lot uuid not null references lot (id),
  level smallint not null,
  number int not null,
  hashes bytea not null,
  primary key (lot, level, number)
);
comment on table lot_tile is 'The tree over the leaves as C2SP tiles: a proof reads a few of them';

create table lot_report (
  lot uuid primary key references lot (id),
  body bytea not null,
  sha256 bytea not null check (sha256 = sha256(body)),
  made_at timestamptz not null
);

create table lot_nonce (
  lot uuid not null references lot (id),
  party text not null check (party in ('verifier', 'regulator')),
  commitment bytea not null check (length(commitment) = 32),
  committed_by text not null,
  committed_at timestamptz not null,
  nonce bytea check (length(nonce) = 32),
  revealed_at timestamptz,
  primary key (lot, party),
  unique (lot, commitment),
  check ((nonce is null) = (revealed_at is null))
);

create table lot_sample (
  lot uuid primary key references lot (id),
  epoch bigint not null references epoch (epoch),
  block_hash bytea not null check (length(block_hash) = 32),
  seed bytea not null check (length(seed) = 32),
  drawn_at timestamptz not null
);
create table sampled_row (
  lot uuid not null references lot_sample (lot),
  draw int not null check (draw > 0),
  position int not null,
  primary key (lot, draw),
  unique (lot, position),
  foreign key (lot, position) references lot_leaf (lot, position)
);
create table lot_finding (
  lot uuid not null,
  draw int not null,
  verdict text not null check (verdict in ('confirmed', 'overstated', 'void')),
  overstated_mg bigint check (overstated_mg > 0),
  record_sha256 bytea check (length(record_sha256) = 32),
  opens boolean not null,
  statement text not null check (length(statement) <= 2000),
  found_by text not null,
  found_at timestamptz not null,
  primary key (lot, draw),
  foreign key (lot, draw) references sampled_row (lot, draw),
  check ((verdict = 'overstated') = (overstated_mg is not null))
);
comment on column lot_finding.record_sha256 is 'Of the raw record that the provider produced (R17)';
comment on column lot_finding.opens is 'Whether that record opens the act''s evidence commitment';

create table lot_decision (
  lot uuid primary key references lot_sample (lot),
  is_confirmed boolean not null,
  statement text not null check (length(statement) between 1 and 4000),
  decided_by text not null,
  decided_at timestamptz not null
);

create table issue_batch (
  id uuid primary key,
  number int not null unique check (number between 1 and 99999),
  lot uuid not null unique references lot (id),
  asset int not null unique references asset (id) check (asset & 7 = 4),
  reduction int not null references asset (id) check (reduction & 7 = 1),
  method_code text not null check (method_code ~ '^[A-Z0-9]{2,16}$'),
  vintage date not null check (extract(day from vintage) = 1),
  series int8range not null check (not isempty(series)),
  quantity_kg bigint not null check (quantity_kg between 1 and 9999999999),
  buffer_kg bigint not null check (buffer_kg between 0 and quantity_kg),
  cursor_kg bigint not null default 0,
  end_kg bigint not null,
  issued_at timestamptz not null,
  asked_by text not null,
  signed_by text not null check (signed_by <> asked_by),
  check (0 <= cursor_kg and cursor_kg <= end_kg and end_kg <= quantity_kg),
  check (upper(series) - lower(series) = quantity_kg * 1000000),
  constraint issue_batch_series_once exclude using gist (reduction with =, series with &&)
);
comment on column issue_batch.id is 'Its public id ibt_… names the asset of its units';
comment on column issue_batch.method_code is 'As serials write it: letters and digits only';
comment on column issue_batch.series is 'Which milligrams of its class''s series its units are, [start, end)';
comment on column issue_batch.cursor_kg is 'The last unit that has been retired; units are numbered from 1';

create table replacement (
  id uuid primary key,
  batch uuid not null references issue_batch (id),
  taken_from uuid not null references issue_batch (id),
  quantity_kg bigint not null check (quantity_kg > 0),
  replaced_at timestamptz not null
);
create index replacement_of on replacement (batch);
comment on table replacement is 'Buffer units retired for a batch whose acts were worth less; id also of the retirement';

-- owned -------------------------------------------------------------------------------------
create table lot_row (
  bucket smallint not null,
  account bigint not null,
  lot uuid not null,
  activity uuid not null,
  recorded_on date not null,
  mg bigint not null check (mg > 0),
  act_mg bigint not null check (act_mg >= mg),
  evidence bytea not null check (length(evidence) = 32),
  occurred_on date not null,
  excluded text check (excluded ~ '^[a-z_]+\.[a-z_]{1,40}$'),
  leaf bytea check (length(leaf) = 32),
  primary key (bucket, account, lot, activity),
  check ((excluded is null) = (leaf is not null))
);
create index lot_row_of on lot_row (bucket, lot, leaf);
comment on column lot_row.recorded_on is 'Of the act''s first accrual';
comment on column lot_row.mg is 'Of the act, what is in this lot';
comment on column lot_row.act_mg is 'What the act was worth when the lot was frozen; if it is worth something else at issuance, it leaves';
comment on column lot_row.excluded is 'Why it is not in the lot; its milligrams stay in the pool';

create table issued_row (
  bucket smallint not null,
  account bigint not null,
  lot uuid not null,
  activity uuid not null,
  asset int not null,
  batch uuid not null,
  place int8range not null check (not isempty(place)),
  primary key (bucket, account, lot, activity)
);
create index issued_row_of on issued_row (bucket, account, asset);
create index issued_row_at on issued_row using gist (bucket, asset, place);
comment on column issued_row.place is 'Which milligrams of the series are of this act; that no two overlap the audit sees, since rows of one batch lie in all buckets';

create table issued_shortfall (
  bucket smallint not null,
  account bigint not null,
  id uuid not null,
  batch uuid not null,
  mg bigint not null check (mg > 0),
  recorded_on date not null,
  primary key (bucket, account, id)
);
create index issued_shortfall_of on issued_shortfall (bucket, batch);
comment on table issued_shortfall is 'What a correction took of issued milligrams (R6); id also of its transfer';

select make_append_only(t) from unnest(array['issuance_terms', 'buffer_owner', 'lot_leaf', 'lot_tile',
  'lot_report', 'lot_sample', 'sampled_row', 'lot_finding', 'lot_decision', 'replacement', 'lot_row',
  'issued_row', 'issued_shortfall']::regclass[]) t;

-- grants ------------------------------------------------------------------------------------
grant select, insert on issuance_terms, buffer_owner, lot, lot_leaf, lot_tile, lot_report, lot_nonce,
  lot_sample, sampled_row, lot_finding, lot_decision, issue_batch, replacement, lot_row, issued_row,
  issued_shortfall to tanpu_app;
grant update (swept, frozen_at, root, leaves, mg, closed_at, outcome, reason) on lot to tanpu_app;
grant update (nonce, revealed_at) on lot_nonce to tanpu_app;
grant update (cursor_kg, end_kg) on issue_batch to tanpu_app;
grant select on issuance_terms, buffer_owner, lot, lot_leaf, lot_tile, lot_report, lot_nonce,
  lot_sample, sampled_row, lot_finding, lot_decision, issue_batch, replacement, lot_row, issued_row,
  issued_shortfall to tanpu_audit;
