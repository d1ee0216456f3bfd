-- Webhooks (网络回调): what organisations are told over HTTP; and notices (通知), what citizens find
-- in their inbox.
--
-- A message is written once, in the transaction of what it tells of, byte for byte as it is signed
-- and sent. Each endpoint that wants it owes it a delivery; each try of a delivery is a row that is
-- written before anything is sent (ADR 0031).

-- central -----------------------------------------------------------------------------------
create table webhook_endpoint (
  id uuid primary key,
  owner text not null check (owner ~ '^(operator|(merchant|partner):[0-9a-f-]{36})$'),
  url text not null check (length(url) between 8 and 500),
  types text[] not null check (cardinality(types) between 1 and 20),
  scheme text not null check (scheme in ('v1a', 'v1')),
  secret bytea not null,
  old_secret bytea,
  old_until timestamptz,
  created_at timestamptz not null,
  answered_at timestamptz,
  off_at timestamptz,
  off_for text check (off_for in ('owner', 'gone', 'failing')),
  check ((old_secret is null) = (old_until is null)),
  check ((off_at is null) = (off_for is null))
);
comment on column webhook_endpoint.scheme is 'v1a: Ed25519, the secret is a seed; v1: HMAC-SHA256';
comment on column webhook_endpoint.secret is 'Sealed under the KEK, bound to the id';
comment on column webhook_endpoint.answered_at is 'When it last took a message';
comment on column webhook_endpoint.off_for is 'owner: asked so; gone: it answered 410; failing: it took nothing for as long as a message is tried';
create index webhook_endpoint_of on webhook_endpoint (owner, id);

create table webhook_message (
  id uuid primary key,
  owner text not null,
  type text not null,
  cause text not null check (length(cause) between 1 and 100),
  body text not null check (length(body) <= 20000),
  told_at timestamptz not null,
  unique (owner, type, cause)
);
comment on column webhook_message.cause is 'What it tells of: an owner is told of it once';
comment on column webhook_message.body is 'As it is signed, byte for byte';
create index webhook_message_of on webhook_message (owner, told_at);
create index webhook_message_age on webhook_message (told_at);

create table webhook_delivery (
  endpoint uuid not null references webhook_endpoint (id) on delete cascade,
  message uuid not null references webhook_message (id) on delete cascade,
  state text not null default 'waiting' check (state in ('waiting', 'delivered', 'failed')),
  due_at timestamptz not null,
  tries int not null default 0 check (tries >= 0),
  step int not null default 0 check (step >= 0),
  claimed_until timestamptz,
  primary key (endpoint, message)
) with (fillfactor = 80);
comment on column webhook_delivery.step is 'How far in the schedule of retries; a replay begins it anew';
comment on column webhook_delivery.claimed_until is 'While a worker sends it; past that it is anybody''s again';
create index webhook_delivery_due on webhook_delivery (endpoint, due_at) where state = 'waiting';
create index webhook_delivery_claimed on webhook_delivery (claimed_until) where claimed_until is not null;
create index webhook_delivery_of_message on webhook_delivery (message);

create table webhook_attempt (
  endpoint uuid not null,
  message uuid not null,
  number int not null check (number > 0),
  begun_at timestamptz not null,
  ended_at timestamptz,
  status int,
  fault text check (length(fault) between 1 and 40),
  primary key (endpoint, message, number),
  foreign key (endpoint, message) references webhook_delivery (endpoint, message) on delete cascade,
  check (ended_at is null or (status is null) <> (fault is null))
);
comment on table webhook_attempt is 'Written before anything is sent: without an end, whether it arrived is not known';

create table webhook_cursor (
  source text primary key check (source in ('redemption', 'reversal')),
  told_to timestamptz not null
);
comment on table webhook_cursor is 'How far the rows of the mall have become messages';

-- What a till does writes no message, so that its deed stays short; a job reads the rows by time.
create index redemption_when on redemption using brin (redeemed_at) with (pages_per_range = 16);
create index reversal_when on reversal using brin (reversed_at) with (pages_per_range = 16);

-- owned -------------------------------------------------------------------------------------
create table notice (
  bucket smallint not null,
  account bigint not null,
  id uuid not null,
  kind text not null check (kind ~ '^[a-z]+\.[a-z]+$'),
  subject text not null check (length(subject) between 1 and 100),
  facts jsonb not null,
  noted_at timestamptz not null,
  read_at timestamptz,
  primary key (bucket, account, id),
  unique (bucket, account, kind, subject),
  foreign key (bucket, account) references account (bucket, id)
) with (fillfactor = 80);
comment on column notice.subject is 'What it is about: of that, a person is told once';
comment on column notice.facts is 'Numbers, days and ids; words are found as it is read';
create index notice_unread on notice (bucket, account) where read_at is null;
create index notice_age on notice (bucket, noted_at);

-- The worker is a tanpu_app besides.
grant select, insert, delete on webhook_endpoint to tanpu_app;
grant update (url, types, secret, old_secret, old_until, off_at, off_for) on webhook_endpoint to tanpu_app;
grant select, insert on webhook_message, webhook_delivery, notice to tanpu_app;
grant update (state, due_at, step, claimed_until) on webhook_delivery to tanpu_app;
grant select on webhook_attempt to tanpu_app;
grant update (read_at) on notice to tanpu_app;
grant update (answered_at) on webhook_endpoint to tanpu_worker;
grant update (tries) on webhook_delivery to tanpu_worker;
grant insert on webhook_attempt to tanpu_worker;
grant update (ended_at, status, fault) on webhook_attempt to tanpu_worker;
grant select, insert on webhook_cursor to tanpu_worker;
grant update (told_to) on webhook_cursor to tanpu_worker;
grant delete on webhook_message, notice to tanpu_worker;
grant select (endpoint, state, due_at) on webhook_delivery to tanpu_audit;
grant select (id, off_at) on webhook_endpoint to tanpu_audit;
