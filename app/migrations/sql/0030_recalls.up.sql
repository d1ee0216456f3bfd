-- Conservation (守恒): what the registry, the ledger and the chain say of every unit, once a day and
-- signed; and recalls (撤回): units that turn out to stand for nothing (ADR 0040).

-- central -----------------------------------------------------------------------------------
create table conservation (
  day date primary key,
  body bytea not null,
  sha256 bytea not null check (sha256 = sha256(body)),
  signature bytea not null check (length(signature) = 64),
  is_kept boolean not null,
  closed_at timestamptz not null
);
comment on column conservation.body is 'What is signed; app.registry.conservation writes it';
comment on column conservation.is_kept is 'Whether every equation in it holds';

create table recall (
  id uuid primary key,
  reason text not null check (length(reason) between 1 and 2000),
  reduction int references asset (id) check (reduction & 7 = 1),
  first_on date,
  last_on date check (last_on >= first_on),
  asked_by text not null,
  signed_by text not null check (signed_by <> asked_by),
  opened_at timestamptz not null,
  check (num_nulls(reduction, first_on, last_on) in (0, 3))
);
comment on column recall.reduction is 'With its days: which acts stand for nothing; without them batches were named';
create table recall_batch (
  recall uuid not null references recall (id),
  batch uuid not null references issue_batch (id),
  void_kg bigint not null check (void_kg > 0),
  primary key (recall, batch)
);
create index recall_batch_of on recall_batch (batch);

-- A batch of a recall is looked at once. What it names is then void, used, or still held for somebody:
-- of that, what is given back becomes void, and what gets serials is used.
create table recall_sweep (
  recall uuid not null,
  batch uuid not null,
  swept_at timestamptz not null,
  primary key (recall, batch),
  foreign key (recall, batch) references recall_batch (recall, batch)
);
create index recall_sweep_of on recall_sweep (batch);
create table recall_used (
  recall uuid not null,
  batch uuid not null,
  cursor_kg bigint not null check (cursor_kg > 0),
  quantity_kg bigint not null check (quantity_kg > 0),
  noted_at timestamptz not null,
  primary key (recall, batch, cursor_kg),
  foreign key (recall, batch) references recall_sweep (recall, batch)
);
create index recall_used_of on recall_used (batch);
comment on table recall_used is 'Units that stand for nothing and have serials: the buffer replaces them';
comment on column recall_used.cursor_kg is 'Where the batch stood: they are the last ones used up to there';
create table recall_void (
  id uuid primary key,
  recall uuid not null,
  batch uuid not null,
  holder bigint not null check (holder >= 65536 and holder % 2 = 0),
  quantity_kg bigint not null check (quantity_kg > 0),
  owed_to bigint check (owed_to >= 65536 and owed_to % 2 = 0),
  voided_at timestamptz not null,
  foreign key (recall, batch) references recall_sweep (recall, batch)
);
create index recall_void_of on recall_void (batch, recall);
comment on table recall_void is 'Units that were invalidated: free ones, and what was given back later; id also of the transfer';
comment on column recall_void.owed_to is 'Who bought them, and is to have others; null: nobody did';
create table recall_told (
  recall uuid not null,
  batch uuid not null,
  told_at timestamptz not null,
  primary key (recall, batch),
  foreign key (recall, batch) references recall_sweep (recall, batch)
);
comment on table recall_told is 'Every citizen whose acts are in it has a notice';
create table recall_given (
  id uuid primary key,
  void uuid not null references recall_void (id),
  taken_from uuid not null references issue_batch (id),
  quantity_kg bigint not null check (quantity_kg > 0),
  given_at timestamptz not null
);
create index recall_given_for on recall_given (void);
comment on table recall_given is 'Units of the buffer in place of void ones; id also the cause of both legs';

select make_append_only(t) from unnest(array['conservation', 'recall', 'recall_batch', 'recall_sweep',
  'recall_used', 'recall_void', 'recall_told', 'recall_given']::regclass[]) t;

-- Few owners hold units, among millions who hold reductions and points.
create index balance_units on balance (asset) where asset & 7 = 4;

-- grants ------------------------------------------------------------------------------------
grant select, insert on conservation, recall, recall_batch, recall_sweep, recall_used, recall_void,
  recall_told, recall_given to tanpu_app;
grant select on conservation to tanpu_worker;
grant select on conservation, recall, recall_batch, recall_sweep, recall_used, recall_void,
  recall_told, recall_given to tanpu_audit;
