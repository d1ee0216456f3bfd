-- Voluntary cancellations (自愿注销) and certificates (注销证书).

-- owned -------------------------------------------------------------------------------------
create table claim_opening (
  bucket smallint not null,
  account bigint not null,
  subject uuid not null,
  name text not null check (name in ('holder', 'beneficiary', 'message')),
  salt bytea not null check (length(salt) = 32),
  words text not null check (length(words) <= 500),
  is_public boolean not null,
  primary key (bucket, account, subject, name),
  foreign key (bucket, account) references account (bucket, id)
);
comment on table claim_opening is 'What opens a text that a cancellation or retirement commits to; withdrawn, it is gone, and nothing but the commitment is left';
comment on column claim_opening.subject is 'The cancellation, or the retirement';
comment on column claim_opening.is_public is 'Its owner chose to show it to anybody';

create table cancellation (
  bucket smallint not null,
  account bigint not null,
  id uuid not null,
  purpose smallint not null check (purpose in (1, 3)),
  period text check (length(period) between 4 and 21),
  holder_commit bytea not null check (length(holder_commit) = 32),
  beneficiary_commit bytea not null check (length(beneficiary_commit) = 32),
  message_commit bytea not null check (length(message_commit) = 32),
  mg bigint not null check (mg > 0),
  requested_at timestamptz not null,
  due_at timestamptz not null check (due_at > requested_at),
  reverted_at timestamptz,
  reason text check (reason in ('owner', 'balance', 'leaving')),
  posted_at timestamptz,
  posted_on date,
  finalized_at timestamptz,
  primary key (bucket, account, id),
  foreign key (bucket, account) references account (bucket, id),
  check ((reverted_at is null) = (reason is null)),
  check ((posted_at is null) = (posted_on is null)),
  constraint cancellation_one_end check (num_nonnulls(reverted_at, posted_at) <= 1),
  check (finalized_at is null or posted_at is not null)
);
comment on column cancellation.due_at is 'Posted from then on; until it is posted its owner may revert it';
comment on column cancellation.posted_on is 'The day of its transfers';
comment on column cancellation.finalized_at is 'Its transfers lie in an epoch whose anchor is final, and its certificate is issued';
create index cancellation_open on cancellation (bucket, due_at)
  where reverted_at is null and posted_at is null;
create index cancellation_not_final on cancellation (bucket, posted_at)
  where posted_at is not null and finalized_at is null;

create table cancellation_part (
  bucket smallint not null,
  account bigint not null,
  cancellation uuid not null,
  asset int not null references asset (id),
  mg bigint not null check (mg > 0),
  transfer uuid not null,
  salt bytea not null check (length(salt) = 32),
  primary key (bucket, account, cancellation, asset)
);
comment on column cancellation_part.transfer is 'The id that its transfer will have, so that a try after a crash posts the same';
comment on column cancellation_part.salt is 'Of the claim, in this transfer''s evidence';

-- central -----------------------------------------------------------------------------------
create table certificate (
  id uuid primary key,
  kind text not null check (kind in ('reduction', 'unit')),
  bucket smallint not null,
  account bigint not null,
  epoch bigint not null references epoch (epoch),
  claim text not null,
  parts text not null,
  issued_at timestamptz not null
);
comment on table certificate is 'The proof as it was when it became final; it holds commitments only, and outlives what opens them';
comment on column certificate.id is 'The same as of its cancellation or retirement';
comment on column certificate.claim is 'Canonical JSON';

create table claim_takedown (
  subject uuid not null references certificate (id),
  name text not null check (name in ('holder', 'beneficiary', 'message')),
  reason text not null check (reason in ('personal', 'offensive', 'false', 'ordered')),
  taken_down_on date not null,
  primary key (subject, name)
);
comment on table claim_takedown is 'Texts that the desk took down: public, so that nothing changes silently';
create index claim_takedown_newest on claim_takedown (taken_down_on, name, reason);

select make_append_only(t)
  from unnest(array['cancellation_part', 'certificate', 'claim_takedown']::regclass[]) t;

grant select on claim_opening, cancellation, cancellation_part, certificate, claim_takedown
  to tanpu_app, tanpu_audit;
grant insert on claim_opening, cancellation, cancellation_part, claim_takedown to tanpu_app;
grant insert on certificate to tanpu_worker;
grant delete on claim_opening to tanpu_app;
grant update (reverted_at, reason) on cancellation to tanpu_app;
grant update (posted_at, posted_on, finalized_at) on cancellation to tanpu_worker;
