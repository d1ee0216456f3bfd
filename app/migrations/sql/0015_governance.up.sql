-- How methodologies are governed (方法学治理): proposals with reviews, documents published at run
-- time, withdrawals, factor corrections with their reports, and shadow runs. All of it is
-- append-only; what state a proposal or a run is in follows from its rows.

-- reference: what ingest, wallet and audit read beside the documents that ship -----------------
create table methodology_document (
  code text not null check (code ~ '^[A-Z0-9][A-Z0-9-]{0,39}$'),
  version int not null check (version > 0),
  sha256 bytea not null check (length(sha256) = 32),
  source bytea not null check (length(source) between 1 and 65536),
  proposal uuid not null,
  revision int not null,
  asked_by text not null,
  signed_by text not null check (signed_by <> asked_by),
  published_at timestamptz not null,
  primary key (code, version)
);
comment on column methodology_document.source is 'Canonical bytes: sha256 is of these';
create table methodology_withdrawal (
  code text not null,
  version int not null,
  last_day date not null,
  reason text not null check (length(reason) between 1 and 2000),
  asked_by text not null,
  signed_by text not null check (signed_by <> asked_by),
  withdrawn_at timestamptz not null,
  primary key (code, version)
);
comment on column methodology_withdrawal.last_day is 'The last day whose acts accrue';
create table methodology_anchor (
  code text not null,
  version int not null,
  sha256 bytea not null check (length(sha256) = 32),
  registry text not null,
  seen_at timestamptz not null,
  primary key (code, version, registry)
);
comment on table methodology_anchor is 'Digests that were seen in the registry on the chain';
create table factor_correction (
  id uuid primary key,
  code text not null,
  version int not null,
  replacement int not null check (replacement > version),
  since date not null,
  until date not null check (until >= since),
  reason text not null check (length(reason) between 1 and 2000),
  asked_by text not null,
  signed_by text not null check (signed_by <> asked_by),
  ordered_at timestamptz not null
);
comment on column factor_correction.replacement is 'The version whose factor holds in its place';

alter table sign_off add column name text not null default '' check (length(name) <= 400);
comment on column sign_off.reviewer is 'Public id of a clerk, or as typed by the operator';
comment on column sign_off.name is 'Name and organisation of the clerk at the signing';

-- central ---------------------------------------------------------------------------------------
create table methodology_proposal (
  id uuid primary key,
  proposed_by text not null,
  summary text not null check (length(summary) between 1 and 2000),
  proposed_at timestamptz not null
);
create table proposal_revision (
  proposal uuid not null references methodology_proposal (id),
  number int not null check (number > 0),
  source bytea not null check (length(source) between 1 and 262144),
  note text not null check (length(note) <= 2000),
  revised_at timestamptz not null,
  primary key (proposal, number)
);
create table proposal_review (
  proposal uuid not null,
  revision int not null,
  reviewer text not null,
  vote text not null check (vote in ('approve', 'reject', 'abstain')),
  comment text not null check (length(comment) between 1 and 2000),
  reviewed_at timestamptz not null,
  primary key (proposal, revision, reviewer),
  foreign key (proposal, revision) references proposal_revision (proposal, number)
);

create table shadow_run (
  id uuid primary key,
  proposal uuid not null,
  revision int not null,
  against int not null check (against > 0),
  since date not null,
  until date not null check (until >= since),
  asked_by text not null,
  asked_at timestamptz not null,
  foreign key (proposal, revision) references proposal_revision (proposal, number),
  unique (proposal, revision, against, since, until)
);
comment on column shadow_run.against is 'The published version that the candidate is held against';
create table shadow_part (
  run uuid not null references shadow_run (id),
  number int not null check (number between 0 and 63),
  rows jsonb not null,
  largest jsonb not null,
  is_cut boolean not null,
  primary key (run, number)
);
comment on column shadow_part.is_cut is 'More acts lay there than a part may hold; the rest was not read';

create table factor_correction_part (
  correction uuid not null references factor_correction (id),
  number int not null check (number between 0 and 63),
  acts bigint not null,
  forgotten bigint not null,
  refused bigint not null,
  done_at timestamptz not null,
  primary key (correction, number)
);
comment on column factor_correction_part.forgotten is 'Their inputs are gone, so they stay as they are';
comment on column factor_correction_part.refused is 'Too old to be raised, or withdrawn by their provider';
create table factor_correction_report (
  correction uuid primary key references factor_correction (id),
  statement bytea not null,
  signature bytea not null check (length(signature) = 64)
);

create index act_correction_of_cause on act_correction (cause, activity);

select make_append_only(t) from unnest(array['methodology_document', 'methodology_withdrawal',
  'methodology_anchor', 'factor_correction', 'methodology_proposal', 'proposal_revision',
  'proposal_review', 'shadow_run', 'shadow_part', 'factor_correction_part',
  'factor_correction_report']::regclass[]) t;

grant select on methodology_document, methodology_withdrawal, methodology_anchor,
  factor_correction, methodology_proposal, proposal_revision, proposal_review, shadow_run,
  shadow_part, factor_correction_part, factor_correction_report
  to tanpu_app, tanpu_audit;
grant insert on methodology_document, methodology_withdrawal, methodology_anchor,
  factor_correction, methodology_proposal, proposal_revision, proposal_review, shadow_run,
  shadow_part, factor_correction_part, factor_correction_report to tanpu_app;
