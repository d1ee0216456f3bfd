-- Who logs in, and how (登录): one-time codes, the index from a phone or WeChat id to a citizen,
-- sessions, sealed personal fields, and the counters that bound guessing.
--
-- Nothing here can be read back into a number: `who` and `number` are hashes under a key outside
-- the database, and what is sealed opens with that key too.

-- on the co-location law's allow-list: looked up before the owner, and so the bucket, is known
create table login (
  kind text not null check (kind in ('phone', 'wechat')),
  number bytea not null check (length(number) = 32),
  bucket smallint not null,
  account bigint not null,
  linked_at timestamptz not null,
  primary key (kind, number)
);
create unique index login_one_of_a_kind on login (bucket, account, kind);

-- central
create table login_code (
  id uuid primary key,
  sealed bytea not null,
  code bytea not null check (length(code) = 32),
  sent_at timestamptz not null,
  ends_at timestamptz not null check (ends_at > sent_at),
  tries smallint not null default 0 check (tries between 0 and 5),
  used_at timestamptz
);
comment on column login_code.sealed is 'The number, under a key that is not in the database';
comment on column login_code.code is 'HMAC over challenge, device and digits: a dump of this guesses nothing';
create index login_code_age on login_code (ends_at);

create table limit_use (
  name text not null check (length(name) between 1 and 60),
  who bytea not null check (length(who) = 32),
  slot timestamptz not null,
  uses int not null check (uses > 0),
  kept_until timestamptz not null,
  primary key (name, who, slot)
);
create index limit_use_age on limit_use (kept_until);

-- owned; a clerk owns nothing in the books, so clerks' sessions lie in bucket 0 under account 0
create table session (
  bucket smallint not null,
  family uuid not null,
  kind text not null check (kind in ('citizen', 'clerk')),
  holder uuid not null,
  account bigint not null,
  label text not null check (length(label) between 1 and 80),
  opened_at timestamptz not null,
  ends_at timestamptz not null check (ends_at > opened_at),
  current bytea not null check (length(current) = 32),
  previous bytea check (length(previous) = 32),
  rotated_at timestamptz,
  closed_at timestamptz,
  closed_for text check (closed_for in ('logout', 'revoked', 'replay', 'holder')),
  primary key (bucket, family),
  check ((kind = 'citizen') = (account > 0)),
  check ((previous is null) = (rotated_at is null)),
  check ((closed_at is null) = (closed_for is null))
);
comment on column session.current is 'SHA-256 of the refresh token that is in force';
create index session_of_holder on session (bucket, holder);
create index session_age on session (bucket, ends_at);

create table profile (
  bucket smallint not null,
  account bigint not null,
  sealed bytea not null,
  primary key (bucket, account),
  foreign key (bucket, account) references account (bucket, id)
);
comment on column profile.sealed is 'AES-GCM under a key derived from the account''s own secret, which erasure destroys';

grant select, insert on login, login_code, limit_use, session, profile to tanpu_app;
grant delete on login, profile to tanpu_app;
grant update (tries, used_at) on login_code to tanpu_app;
grant update (uses) on limit_use to tanpu_app;
grant update (current, previous, rotated_at, closed_at, closed_for) on session to tanpu_app;
grant update (sealed) on profile to tanpu_app;
grant delete on login_code, limit_use, session to tanpu_worker;

-- staff and partners
-- central: who works at the desk; the office is public, so a clerk's name is plain
create table clerk (
  id uuid primary key,
  login text not null unique check (login ~ '^[a-z0-9][a-z0-9.-]{1,39}$'),
  name text not null check (length(name) between 1 and 100),
  organisation text not null check (length(organisation) between 1 and 200),
  roles text[] not null check (cardinality(roles) > 0),
  opened_at timestamptz not null,
  suspended_at timestamptz,
  constraint clerk_roles check (roles <@ array['operator', 'regulator', 'expert', 'verifier']),
  constraint clerk_overseers check (not (roles && array['operator'] and roles && array['regulator', 'verifier']))
);
comment on constraint clerk_overseers on clerk is 'Nobody oversees the operator that they are';

create table clerk_credential (
  clerk uuid primary key references clerk,
  enrolment bytea check (length(enrolment) = 32),
  enrolment_until timestamptz,
  password text check (password like '$argon2id$%'),
  totp bytea,
  step bigint not null default 0,
  failures int not null default 0 check (failures >= 0),
  locked_until timestamptz,
  check ((enrolment is null) = (enrolment_until is null)),
  check ((password is null) = (totp is null))
);
comment on column clerk_credential.enrolment is 'SHA-256 of a secret that the clerk alone holds; gone at the first login';
comment on column clerk_credential.totp is 'Sealed under the KEK';
comment on column clerk_credential.step is 'The last 30 s step whose code was used: none is used twice';

create table partner (
  id uuid primary key,
  name text not null check (length(name) between 1 and 200),
  scopes text[] not null check (cardinality(scopes) > 0),
  opened_at timestamptz not null,
  suspended_at timestamptz
);
create table partner_key (
  partner uuid not null references partner,
  kid text not null check (length(kid) between 1 and 100),
  algorithm text not null check (algorithm in ('EdDSA', 'ES256')),
  public_key bytea not null check (length(public_key) between 32 and 200),
  valid_from timestamptz not null,
  valid_to timestamptz check (valid_to >= valid_from),
  primary key (partner, kid)
);
create table partner_assertion (
  partner uuid not null references partner,
  jti text not null check (length(jti) between 1 and 200),
  kept_until timestamptz not null,
  primary key (partner, jti)
);
comment on table partner_assertion is 'Assertions that were used, until they end: none is used twice';
create index partner_assertion_age on partner_assertion (kept_until);

create index audit_entry_of_actor on audit_entry (actor, number);
create index audit_entry_of_object on audit_entry (object, number);

grant select, insert on clerk, clerk_credential, partner, partner_key, partner_assertion to tanpu_app;
grant update (roles, suspended_at) on clerk to tanpu_app;
grant update (enrolment, enrolment_until, password, totp, step, failures, locked_until)
  on clerk_credential to tanpu_app;
grant update (suspended_at) on partner to tanpu_app;
grant update (valid_to) on partner_key to tanpu_app;
grant delete on partner_assertion to tanpu_worker;
grant select on clerk, partner, partner_key to tanpu_audit;
