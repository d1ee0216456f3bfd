-- Merchants (商户): who sells for points, the people who work there, and the tills that redeem.
--
-- A till holds an Ed25519 key of its own and is opened for a shift by a person's password and TOTP;
-- what it signs afterwards is checked against the row below, so that a revoked till, a closed shift
-- and a suspended merchant stop at the next request.

-- reference ---------------------------------------------------------------------------------
create table merchant (
  id uuid primary key,
  account bigint unique check (account >= 65536),
  kind text not null check (kind in ('business', 'public_benefit')),
  name_zh text not null check (length(name_zh) between 1 and 200),
  name_en text not null check (length(name_en) between 1 and 200),
  registration text not null check (registration ~ '^[0-9A-HJ-NPQRTUWXY]{18}$'),
  contact bytea not null,
  fee_permille int not null default 0 check (fee_permille between 0 and 500),
  offline_cap_points bigint not null default 0 check (offline_cap_points >= 0),
  applied_at timestamptz not null,
  approved_at timestamptz,
  refused_at timestamptz,
  suspended_at timestamptz,
  check ((approved_at is null) = (account is null)),
  check (approved_at is null or refused_at is null)
);
comment on column merchant.account is 'The owner in the books that holds its fen; from approval on';
comment on column merchant.registration is 'Unified social credit code (统一社会信用代码), GB 32100';
comment on column merchant.contact is 'Contact and bank account, sealed under the KEK';
comment on column merchant.offline_cap_points is 'What its tills may redeem unseen at a time';
create unique index merchant_registration on merchant (registration) where refused_at is null;

create table till (
  id uuid primary key,
  merchant uuid not null references merchant (id),
  label text not null check (length(label) between 1 and 80),
  public_key bytea not null unique check (length(public_key) = 32),
  opened_at timestamptz not null,
  revoked_at timestamptz,
  keeper uuid,
  shift_ends_at timestamptz,
  check ((keeper is null) = (shift_ends_at is null))
);
comment on column till.keeper is 'Who opened the shift by password and TOTP';
create index till_of_merchant on till (merchant, id);

-- central -----------------------------------------------------------------------------------
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

grant select, insert on merchant, till, merchant_user, merchant_credential to tanpu_app;
grant update (account, fee_permille, offline_cap_points, approved_at, refused_at, suspended_at)
  on merchant to tanpu_app;
grant update (revoked_at, keeper, shift_ends_at) on till to tanpu_app;
grant update (suspended_at) on merchant_user to tanpu_app;
grant update (enrolment, enrolment_until, password, totp, step, failures, locked_until)
  on merchant_credential to tanpu_app;
grant select on merchant, till, merchant_user to tanpu_audit;
