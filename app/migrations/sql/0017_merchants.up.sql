-- Merchants (商户): who sells for points, the people who work there, and the tills that redeem.
--
-- An application waits aside until the desk has approved it: what anybody may send becomes no
-- merchant, takes no login and no registration. A till holds an Ed25519 key of its own and is
-- opened for a shift by a person's password and TOTP; what it signs afterwards is checked against
-- the row below, so that a revoked till, a closed shift and a suspended merchant stop at the next
-- request.

-- reference ---------------------------------------------------------------------------------
create table merchant (
  id uuid primary key,
  account bigint not null unique check (account >= 65536),
  kind text not null check (kind in ('business', 'public_benefit')),
  name_zh text not null check (length(name_zh) between 1 and 200),
  name_en text not null check (length(name_en) between 1 and 200),
  registration text not null unique check (registration ~ '^[0-9A-HJ-NPQRTUWXY]{18}$'),
  fee_permille int not null default 0 check (fee_permille between 0 and 500),
  offline_cap_points bigint not null default 0 check (offline_cap_points >= 0),
  approved_at timestamptz not null,
  suspended_at timestamptz
);
comment on column merchant.account is 'The owner in the books that holds its fen';
comment on column merchant.registration is 'Unified social credit code (统一社会信用代码), GB 32100';
comment on column merchant.offline_cap_points is 'What its tills may redeem unseen at a time';

create table till (
  id uuid primary key,
  merchant uuid not null references merchant (id),
  label text not null check (length(label) between 1 and 80),
  public_key bytea not null unique check (length(public_key) = 32),
  opened_at timestamptz not null,
  revoked_at timestamptz,
  shift uuid,
  keeper uuid,
  shift_ends_at timestamptz,
  check ((keeper is null) = (shift_ends_at is null)),
  check ((keeper is null) = (shift is null)),
  check (keeper is null or revoked_at is null)
);
comment on column till.public_key is 'Ed25519; never changes for an id, so that a process may remember it';
comment on column till.shift is 'The shift that is open; a request to end an earlier one ends nothing';
comment on column till.keeper is 'Who opened the shift by password and TOTP';
create index till_of_merchant on till (merchant, id);
create index till_of_keeper on till (keeper) where keeper is not null;

-- central -----------------------------------------------------------------------------------
create table merchant_application (
  id uuid primary key,
  kind text not null check (kind in ('business', 'public_benefit')),
  name_zh text not null check (length(name_zh) between 1 and 200),
  name_en text not null check (length(name_en) between 1 and 200),
  registration text not null check (registration ~ '^[0-9A-HJ-NPQRTUWXY]{18}$'),
  contact bytea,
  login text not null check (login ~ '^[a-z0-9][a-z0-9.-]{1,39}$'),
  person text check (length(person) between 1 and 100),
  enrolment bytea not null unique check (length(enrolment) = 32),
  applied_at timestamptz not null,
  approved_at timestamptz,
  refused_at timestamptz,
  check (approved_at is null or refused_at is null),
  check ((refused_at is null) = (contact is not null)),
  check ((refused_at is null) = (person is not null))
);
comment on table merchant_application is 'By anybody; the id of one that is approved is its merchant''s';
comment on column merchant_application.contact is 'Contact and bank account, sealed under the KEK; gone once refused';
comment on column merchant_application.login is 'What the first owner wishes to be called; theirs once approved';
comment on column merchant_application.enrolment is 'SHA-256 of a secret that the first owner alone holds; names the application if it is sent again';

create table merchant_user (
  id uuid primary key,
  merchant uuid not null references merchant (id),
  login text not null unique check (login ~ '^[a-z0-9][a-z0-9.-]{1,39}$'),
  name text not null check (length(name) between 1 and 100),
  role text not null check (role in ('owner', 'keeper')),
  opened_at timestamptz not null,
  suspended_at timestamptz
);
create index merchant_user_of on merchant_user (merchant, id);

create table merchant_credential (
  merchant_user uuid primary key references merchant_user (id),
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
comment on table merchant_credential is 'As a clerk''s';

-- A merchant's people have sessions in the merchant's bucket.
alter table session
  drop constraint session_kind_check,
  drop constraint session_check1,
  add constraint session_kind_check check (kind in ('citizen', 'clerk', 'merchant')),
  add constraint session_owner_check check ((kind = 'clerk') = (account = 0));

grant select, insert on merchant, till, merchant_application, merchant_user, merchant_credential to tanpu_app;
grant update (fee_permille, offline_cap_points, suspended_at) on merchant to tanpu_app;
grant update (revoked_at, shift, keeper, shift_ends_at) on till to tanpu_app;
grant update (approved_at, refused_at, contact, person) on merchant_application to tanpu_app;
grant update (suspended_at) on merchant_user to tanpu_app;
grant update (enrolment, enrolment_until, password, totp, step, failures, locked_until)
  on merchant_credential to tanpu_app;
grant select on merchant, till, merchant_user to tanpu_audit;
