-- Organisations (机构): who buys units, organises gatherings and owns projects, and its people.
--
-- As merchants (0017): an application waits aside until two of the desk have approved it, people
-- have a login of their own, and a suspension stops at the next request. One organisation is the
-- operator's own, which receives the units that are issued; nobody applies for it.

-- reference ---------------------------------------------------------------------------------
create table organisation (
  id uuid primary key,
  account bigint not null unique check (account >= 65536),
  kind text not null check (kind in ('enterprise', 'institution', 'operator')),
  name_zh text not null check (length(name_zh) between 1 and 200),
  name_en text not null check (length(name_en) between 1 and 200),
  registration text not null unique check (registration ~ '^[0-9A-HJ-NPQRTUWXY]{18}$'),
  approved_at timestamptz not null,
  suspended_at timestamptz
);
comment on column organisation.account is 'The owner in the books that holds its reductions, units and fen';
comment on column organisation.registration is 'Unified social credit code (统一社会信用代码), GB 32100';
create unique index organisation_operator on organisation (kind) where kind = 'operator';

-- central -----------------------------------------------------------------------------------
create table organisation_application (
  id uuid primary key,
  kind text not null check (kind in ('enterprise', 'institution')),
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
comment on table organisation_application is 'As a merchant''s; the id of one that is approved is its organisation''s';
comment on column organisation_application.contact is 'Contact and bank account, sealed under the KEK; gone once refused';

create table organisation_user (
  id uuid primary key,
  organisation uuid not null references organisation (id),
  login text not null unique check (login ~ '^[a-z0-9][a-z0-9.-]{1,39}$'),
  name text not null check (length(name) between 1 and 100),
  role text not null check (role in ('owner', 'agent')),
  opened_at timestamptz not null,
  suspended_at timestamptz
);
create index organisation_user_of on organisation_user (organisation, id);

create table organisation_credential (
  organisation_user uuid primary key references organisation_user (id),
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
comment on table organisation_credential is 'As a clerk''s';

-- An organisation's people have sessions in the organisation's bucket.
alter table session
  drop constraint session_kind_check,
  add constraint session_kind_check check (kind in ('citizen', 'clerk', 'merchant', 'organisation'));

grant select, insert on organisation, organisation_application, organisation_user, organisation_credential to tanpu_app;
grant update (suspended_at) on organisation to tanpu_app;
grant update (approved_at, refused_at, contact, person) on organisation_application to tanpu_app;
grant update (suspended_at) on organisation_user to tanpu_app;
grant update (enrolment, enrolment_until, password, totp, step, failures, locked_until)
  on organisation_credential to tanpu_app;
grant select on organisation, organisation_user to tanpu_audit;
