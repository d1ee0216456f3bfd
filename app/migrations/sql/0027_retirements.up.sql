-- Retirements (注销使用): held, given their serials, told to the chain in one order (ADR 0035).

-- central -----------------------------------------------------------------------------------
-- One order for everything that RetirementRegistry is told. A row comes with the deed that it tells,
-- in the same transaction; a batch's rows follow one another under the lock on their batch. The
-- columns after the rule are a cache of the chain: where it was last seen.
create table registry_message (
  seq bigint generated always as identity primary key,
  kind text not null check (kind in ('issue', 'retire', 'invalidate', 'cancel_epoch')),
  batch uuid references issue_batch (id),
  subject bytea not null check (length(subject) = 32),
  payload jsonb not null,
  created_at timestamptz not null,
  -- -----------------------------------------------------------------------------------------
  chain_id bigint,
  contract bytea check (length(contract) = 20),
  block_number bigint,
  block_hash bytea check (length(block_hash) = 32),
  tx_hash bytea check (length(tx_hash) = 32),
  final_at timestamptz,
  unique (kind, subject),
  check ((batch is null) = (kind = 'cancel_epoch')),
  check (num_nulls(chain_id, contract, block_number, block_hash, tx_hash) in (0, 5)),
  check (final_at is null or block_number is not null)
);
comment on column registry_message.subject is 'What the contract knows it by, and the first topic of its log entry';
comment on column registry_message.payload is 'What the contract is told: ledger.registry writes and reads it';
create index registry_message_not_final on registry_message (seq) where final_at is null;
create index registry_message_unseen on registry_message (seq) where block_number is null;
create index registry_message_newest on registry_message (block_number) where final_at is not null;

-- Signed transactions, stored before they are sent, as `submission` has them of headers.
create table registry_submission (
  seq bigint not null references registry_message (seq),
  tx_hash bytea not null check (length(tx_hash) = 32),
  chain_id bigint not null,
  contract bytea not null check (length(contract) = 20),
  nonce bigint not null,
  fee_wei bigint not null,
  raw bytea not null,
  signed_at timestamptz not null,
  primary key (seq, tx_hash)
);

-- Its state follows from its columns: requested, then reverted or taken, then final.
create table retirement (
  id uuid primary key,
  holder bigint not null check (holder >= 65536 and holder % 2 = 0),
  source bigint not null check (source in (holder, holder + 1)),
  batch uuid not null references issue_batch (id),
  quantity_kg bigint not null check (quantity_kg > 0),
  purpose smallint not null check (purpose in (1, 2, 3, 6, 7, 8)),
  period text check (length(period) between 1 and 100),
  holder_commit bytea not null check (length(holder_commit) = 32),
  beneficiary_commit bytea not null check (length(beneficiary_commit) = 32),
  message_commit bytea not null check (length(message_commit) = 32),
  salt bytea not null check (length(salt) = 32),
  transfer uuid not null unique,
  requested_at timestamptz not null,
  due_at timestamptz not null check (due_at >= requested_at),
  reverted_at timestamptz,
  taken_at timestamptz,
  taken_on date,
  range int8range check (not isempty(range) and upper(range) - lower(range) = quantity_kg),
  claim bytea check (length(claim) = 32),
  final_at timestamptz,
  check (num_nulls(taken_at, taken_on, range, claim) in (0, 4)),
  constraint retirement_one_end check (num_nonnulls(reverted_at, taken_at) <= 1),
  check (final_at is null or taken_at is not null),
  constraint retirement_serial_once exclude using gist (batch with =, range with &&)
    where (range is not null)
);
comment on column retirement.source is 'Where its units lie until it is taken: what its holder holds reserved, or the buffer';
comment on column retirement.salt is 'Of the claim, in the evidence of its transfer';
comment on column retirement.transfer is 'The id that its RETIRE has, or will have';
comment on column retirement.due_at is 'Taken from then on; until it is taken its holder may revert it';
comment on column retirement.range is 'Its units, [first, last + 1); they are numbered from 1 within their batch';
comment on column retirement.claim is 'The commitment to its claim: evidence of its transfer, and on the chain';
create index retirement_of on retirement (holder, id);
create index retirement_due on retirement (due_at, id) where reverted_at is null and taken_at is null;

select make_append_only('registry_submission'::regclass);

-- grants ------------------------------------------------------------------------------------
grant select, insert on registry_message, retirement to tanpu_app;
grant update (reverted_at, taken_at, taken_on, range, claim) on retirement to tanpu_app;
grant select, insert on registry_message, registry_submission to tanpu_worker;
grant select on retirement to tanpu_worker;
grant update (chain_id, contract, block_number, block_hash, tx_hash, final_at)
  on registry_message to tanpu_worker;
grant update (final_at) on retirement to tanpu_worker;
grant select on registry_message, registry_submission, retirement to tanpu_audit;
