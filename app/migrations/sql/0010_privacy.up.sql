-- Privacy (隐私): what a person chose, who stands for a child, and erasures under way or done.

-- An owner without a key is one that was erased: nothing leads from it to its leaf any more.
alter table account drop constraint account_check;
alter table account add constraint account_check check (id & 1 = 0 or akey is null);
create index account_erased on account (bucket, id) where akey is null and id & 1 = 0;

-- owned -------------------------------------------------------------------------------------
create table citizen_setting (
  bucket smallint not null,
  account bigint not null,
  automatic_exchange boolean not null default false,
  language text check (language in ('zh', 'en')),
  primary key (bucket, account),
  foreign key (bucket, account) references account (bucket, id)
);
comment on column citizen_setting.automatic_exchange is 'Whether the nightly job exchanges for them; a person without a row has not chosen it';

-- Two rows a pair, one in the bucket of each, so that both read their own.
create table guardianship (
  bucket smallint not null,
  account bigint not null,
  id uuid not null,
  is_guardian boolean not null,
  other bigint not null,
  since timestamptz not null,
  until timestamptz,
  primary key (bucket, account, id),
  foreign key (bucket, account) references account (bucket, id),
  check (until is null or until > since)
);
comment on column guardianship.is_guardian is 'Whether this row''s owner is the guardian of other, or the child';
create unique index guardianship_one on guardianship (bucket, account)
  where until is null and not is_guardian;

create table guardian_code (
  bucket smallint not null,
  account bigint not null,
  code bytea not null check (length(code) = 32),
  ends_at timestamptz not null,
  primary key (bucket, account),
  foreign key (bucket, account) references account (bucket, id)
);
create unique index guardian_code_found on guardian_code (bucket, code);

create table erasure (
  bucket smallint not null,
  account bigint not null,
  id uuid not null,
  token bytea not null check (length(token) = 32),
  asked_at timestamptz not null,
  stage text not null check (stage in
    ('stopped', 'released', 'expired', 'cancelled', 'forgiven', 'noted', 'destroyed')),
  note uuid,
  statement bytea,
  signature bytea check (length(signature) = 64),
  primary key (bucket, account),
  check ((stage in ('noted', 'destroyed')) <= (note is not null)),
  check ((stage = 'destroyed') = (statement is not null)),
  check ((statement is null) = (signature is null))
);
comment on column erasure.token is 'SHA-256 of what the person was given: nobody else can ask for the receipt';
comment on column erasure.stage is 'The last stage that was reached (R20)';
create unique index erasure_found on erasure (bucket, token);
create index erasure_open on erasure (bucket, asked_at) where stage <> 'destroyed';

-- Whoever was enrolled by a file before whereabouts had a consent of their own keeps counting.
insert into consent (bucket, account, provider, scene, valid_from, basis)
select bucket, account, provider, 'whereabouts', min(valid_from), min(basis) from consent
 where basis <> 'self' and valid_to is null group by bucket, account, provider
on conflict do nothing;

-- grants ------------------------------------------------------------------------------------
grant select, insert on citizen_setting, guardianship, guardian_code, erasure to tanpu_app;
grant update (automatic_exchange, language) on citizen_setting to tanpu_app;
grant update (until) on guardianship to tanpu_app;
grant update (code, ends_at) on guardian_code to tanpu_app;
grant delete on guardian_code to tanpu_app;
grant update (stage, note, statement, signature) on erasure to tanpu_worker;
grant delete on citizen_setting, guardianship, subject, consent, instrument to tanpu_worker;
grant select on citizen_setting, guardianship, erasure to tanpu_audit;
