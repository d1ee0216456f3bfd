-- The desk (办事台): answers kept under an idempotency key, the audit log of staff and partners,
-- and requests that await a second signature.

-- owned
create table citizen_answer (
  bucket smallint not null,
  account bigint not null,
  key text not null check (length(key) between 1 and 200),
  request bytea not null check (length(request) = 32),
  status smallint,
  body bytea,
  kept_until timestamptz not null,
  primary key (bucket, account, key),
  check ((status is null) = (body is null))
);
create index citizen_answer_age on citizen_answer (bucket, kept_until);

-- central
create table desk_answer (
  actor text not null,
  key text not null check (length(key) between 1 and 200),
  request bytea not null check (length(request) = 32),
  status smallint,
  body bytea,
  kept_until timestamptz not null,
  primary key (actor, key),
  check ((status is null) = (body is null))
);
create index desk_answer_age on desk_answer (kept_until);

create table audit_entry (
  number bigint primary key check (number > 0),
  at timestamptz not null,
  actor text not null check (length(actor) between 1 and 100),
  act text not null check (act ~ '^[a-z_]+\.[a-z_]+$'),
  object text not null check (length(object) between 1 and 200),
  detail jsonb not null,
  hash bytea not null check (length(hash) = 32)
);
comment on table audit_entry is 'Hash-chained; the newest hash enters each epoch header''s aux';

create table approval (
  id uuid primary key,
  act text not null check (act ~ '^[a-z_]+\.[a-z_]+$'),
  object text not null check (length(object) between 1 and 200),
  scope text not null,
  payload jsonb not null,
  reason text not null check (length(reason) between 1 and 2000),
  asked_by text not null,
  asked_at timestamptz not null,
  decided_by text,
  decided_at timestamptz,
  is_signed boolean,
  check (num_nulls(decided_by, decided_at, is_signed) in (0, 3)),
  constraint approval_four_eyes check (not is_signed or decided_by <> asked_by)
);
create unique index approval_one_open on approval (act, object) where decided_at is null;
select make_append_only('audit_entry');

grant select, insert on citizen_answer, desk_answer, audit_entry, approval to tanpu_app;
grant update (status, body) on citizen_answer, desk_answer to tanpu_app;
grant update (decided_by, decided_at, is_signed) on approval to tanpu_app;
grant delete on citizen_answer, desk_answer to tanpu_worker;
grant select on audit_entry, approval to tanpu_audit;
