-- Who takes part (参与方): providers with their keys, citizens, consents, and the links from a
-- card, meter or account number, kept as a keyed hash, to the one citizen it belongs to.

-- reference
create table provider (
  id smallint generated always as identity primary key,
  code text not null unique check (code ~ '^[a-z0-9][a-z0-9-]{1,39}$'),
  name_zh text not null,
  name_en text not null,
  opened_at timestamptz not null,
  suspended_at timestamptz
);
create table provider_key (
  keyid text primary key check (length(keyid) between 1 and 200),
  provider smallint not null references provider (id),
  public_key bytea not null check (length(public_key) = 32),
  valid_from timestamptz not null,
  valid_to timestamptz
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
  scene text not null,
  valid_from timestamptz not null,
  valid_to timestamptz,
  basis text not null check (basis in ('self', 'operator-import', 'simulated')),
  primary key (bucket, account, provider, scene, valid_from),
  foreign key (bucket, account) references account (bucket, id),
  check (valid_to is null or valid_to > valid_from)
);

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

grant select on provider, provider_key, subject, consent, instrument to tanpu_app, tanpu_audit;
grant insert, update on provider, provider_key, subject, consent, instrument to tanpu_app;
