-- The log, the account map and the epochs (存证): what the close writes, and what the submitter
-- keeps of the chain. All central. Everything is append-only but three tables: the staging area,
-- the current state of each owner, and the last sight of an anchor. The latter two are caches: of
-- account_leaf, and of the chain.

-- An epoch is open while it has a cut and no header; its cut says which transactions are in it.
create table epoch_cut (
  epoch bigint primary key check (epoch > 0),
  cut pg_snapshot not null,
  closed_at timestamptz not null
);

-- What the open epoch has claimed from log_pending. `leaf` waits, in a row that corrects another,
-- until that one has its number; `round` says in which round of R7 it gets its own.
create table epoch_staging (
  bucket smallint not null,
  recorded_on date not null,
  id uuid not null,
  code smallint not null,
  source bigint,
  target bigint,
  asset int,
  amount bigint,
  owner bigint,
  round smallint not null default 0,
  leaf bytea check (length(leaf) = 32),
  body bytea check (length(body) = 175),
  corrects uuid,
  check (num_nulls(source, target, asset, amount) in (0, 4)),
  check ((body is null) = (corrects is null)),
  check (leaf is not null or body is not null)
);

create table epoch (
  epoch bigint primary key check (epoch > 0),
  header bytea not null check (length(header) = 324),
  hash bytea not null unique check (hash = sha256(header)),
  log_size bigint not null,
  bits smallint not null check (bits between 0 and 32),
  closed_at timestamptz not null,
  extras jsonb not null
);
comment on column epoch.extras is 'what methodologyRoot and aux were made of: {"methodologies": [[key, content]], "aux": {name: digest}}, in hex';

create table log_entry (
  log_index bigint primary key,
  epoch bigint not null,
  bucket smallint not null,
  recorded_on date not null,
  id uuid not null unique,
  owner bigint,
  leaf bytea not null check (length(leaf) = 32)
);
create index log_entry_of_owner on log_entry (owner, log_index) where owner is not null;

create table log_edge (
  epoch bigint primary key references epoch (epoch),
  size bigint not null,
  rows bytea[] not null
);

-- Every version of every leaf: an owner enters the map with its first entry and never leaves it.
create table account_leaf (
  akey bytea not null check (length(akey) = 32),
  epoch_from bigint not null,
  ver int not null check (ver > 0),
  entries bigint not null,
  mg_credits bigint not null,
  mg_debits bigint not null,
  points_credits bigint not null,
  points_debits bigint not null,
  head bytea not null check (length(head) = 32),
  leaf bytea not null check (length(leaf) = 32),
  primary key (akey, epoch_from),
  check (mg_credits >= mg_debits and mg_debits >= 0),
  check (points_credits >= points_debits and points_debits >= 0)
);

-- The newest of them, and whose it is until erasure. The key carries what a cell is made of, so
-- that hashing a cell reads one stretch of one index: keys are random, and a hundred rows of the
-- table lie on a hundred pages (measured: a fifth of the time).
create table account_anchor (
  akey bytea not null check (length(akey) = 32),
  owner bigint unique,
  epoch_from bigint not null,
  ver int not null,
  entries bigint not null,
  mg_credits bigint not null,
  mg_debits bigint not null,
  points_credits bigint not null,
  points_debits bigint not null,
  head bytea not null check (length(head) = 32),
  leaf bytea not null check (length(leaf) = 32),
  primary key (akey) include (leaf, mg_credits, mg_debits, points_credits, points_debits)
) with (fillfactor = 80);

create table cell (
  bits smallint not null,
  cell int not null,
  epoch_from bigint not null,
  accounts int not null,
  mg_credits bigint not null,
  mg_debits bigint not null,
  points_credits bigint not null,
  points_debits bigint not null,
  leaf_root bytea not null check (length(leaf_root) = 32),
  node bytea not null check (length(node) = 32),
  primary key (bits, cell, epoch_from)
);

-- What each system account gave and took of each class since the beginning, where it changed.
create table supply (
  asset int not null,
  system int not null,
  epoch_from bigint not null,
  debits bigint not null check (debits >= 0),
  credits bigint not null check (credits >= 0),
  primary key (asset, system, epoch_from)
);

-- Signed transactions, stored before they are sent. An epoch may have several: one nonce each, or
-- one nonce at a higher fee.
create table submission (
  epoch bigint not null references epoch (epoch),
  tx_hash bytea not null check (length(tx_hash) = 32),
  chain_id bigint not null,
  contract bytea not null check (length(contract) = 20),
  nonce bigint not null,
  fee_wei bigint not null,
  raw bytea not null,
  signed_at timestamptz not null,
  primary key (epoch, tx_hash)
);

-- Where an anchor was last seen; goes when the chain forgets it.
create table anchored (
  epoch bigint primary key references epoch (epoch),
  chain_id bigint not null,
  contract bytea not null check (length(contract) = 20),
  block_number bigint not null,
  block_hash bytea not null check (length(block_hash) = 32),
  tx_hash bytea not null check (length(tx_hash) = 32),
  final_at timestamptz
);
create index anchored_not_final on anchored (epoch) where final_at is null;

select make_append_only(t) from unnest(array['epoch_cut', 'epoch', 'log_entry', 'log_edge',
  'account_leaf', 'cell', 'supply', 'submission']::regclass[]) t;

grant select, insert on epoch_cut, epoch, log_entry, log_edge, account_leaf, cell, supply, submission to tanpu_worker;
grant select, insert, update, delete on epoch_staging to tanpu_worker;
grant select, insert, update on account_anchor to tanpu_worker;
grant select, insert, update, delete on anchored to tanpu_worker;
grant select on epoch, log_entry, log_edge, account_leaf, account_anchor, cell, supply, anchored to tanpu_app;
grant select on epoch_cut, epoch_staging, epoch, log_entry, log_edge, account_leaf, account_anchor, cell, supply, submission, anchored to tanpu_audit;
-- An auditor recomputes every leaf, salts included; without the KEK these bytes open nothing.
grant select on account_secret to tanpu_audit;
