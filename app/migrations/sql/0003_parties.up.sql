-- Who takes part (参与方): providers with their keys, citizens, consents, and the links from a
-- card, meter or account number, kept as a keyed hash, to the one citizen it belongs to. Beside
-- them what keeps a provider's signed request from counting twice: its nonces and its answers.
--
-- Intervals are half-open: [from, to). Grants are by column, so that what identifies a row, and
-- when it began, cannot be rewritten; an interval can only be closed.

create extension if not exists btree_gist;

-- reference
create table provider (
  id smallint generated always as identity primary key,
  code text not null unique check (code ~ '^[a-z0-9][a-z0-9-]{1,39}$'),
  name_zh text not null check (length(name_zh) between 1 and 200),
  name_en text not null check (length(name_en) between 1 and 200),
  opened_at timestamptz not null,
  suspended_at timestamptz
);
create table provider_key (
  keyid text primary key check (length(keyid) between 1 and 200),
  provider smallint not null references provider (id),
  public_key bytea not null check (length(public_key) = 32),
  valid_from timestamptz not null,
  valid_to timestamptz,
  check (valid_to is null or valid_to >= valid_from)
);

-- owned
create table subject (
  bucket smallint not null,
  account bigint not null,
  public_id uuid not null,
  basis text not null check (basis in ('self', 'operator-import', 'simulated')),
  opened_at timestamptz not null,
  primary key (bucket, account),
  foreign key (bucket, account) references account (bucket, id)
);
create table consent (
  bucket smallint not null,
  account bigint not null,
  provider smallint not null references provider (id),
  scene text not null check (length(scene) between 1 and 100),
  valid_from timestamptz not null,
  valid_to timestamptz,
  basis text not null check (basis in ('self', 'operator-import', 'simulated')),
  primary key (bucket, account, provider, scene, valid_from),
  foreign key (bucket, account) references account (bucket, id),
  check (valid_to is null or valid_to > valid_from)
);
create unique index consent_one_open on consent (bucket, account, provider, scene)
  where valid_to is null;

-- on the co-location law's allow-list: looked up before the owner, and so the bucket, is known
create table instrument (
  provider smallint not null references provider (id),
  number bytea not null check (length(number) = 32),
  linked_from timestamptz not null,
  linked_to timestamptz,
  bucket smallint not null,
  account bigint not null,
  primary key (provider, number, linked_from),
  check (linked_to is null or linked_to > linked_from)
);
create unique index instrument_one_owner on instrument (provider, number) where linked_to is null;
create index instrument_of_owner on instrument (bucket, account);
alter table instrument add constraint instrument_one_owner_at_a_time
  exclude using gist (provider with =, number with =, tstzrange(linked_from, linked_to) with &&);

-- central: what was asked, so that it is answered once
create table provider_nonce (
  provider smallint not null references provider (id),
  nonce text not null check (length(nonce) between 1 and 200),
  kept_until timestamptz not null,
  primary key (provider, nonce)
);
create table provider_answer (
  provider smallint not null references provider (id),
  key text not null check (length(key) between 1 and 200),
  request bytea not null check (length(request) = 32),
  work uuid not null,
  status smallint,
  body bytea,
  kept_until timestamptz not null,
  primary key (provider, key),
  check ((status is null) = (body is null))
);
comment on column provider_answer.work is 'What the first try began; a try after a crash takes it up';
create index provider_answer_age on provider_answer (kept_until);

grant select on provider, provider_key, subject, consent, instrument, provider_nonce, provider_answer
  to tanpu_app, tanpu_audit;
grant insert on provider, provider_key, subject, consent, instrument, provider_nonce, provider_answer
  to tanpu_app;
grant update (suspended_at) on provider to tanpu_app;
grant update (opened_at) on subject to tanpu_app; -- row locks on people need one column to be writable
grant update (valid_to) on provider_key, consent to tanpu_app;
grant update (linked_to) on instrument to tanpu_app;
grant update (status, body) on provider_answer to tanpu_app;
grant delete on provider_nonce, provider_answer to tanpu_app;
