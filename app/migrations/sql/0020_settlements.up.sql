-- Settlements (结算): what a merchant is owed for a day, line by line; disputes; payouts.
--
-- A statement and its lines never change. What it comes to be is told by rows beside it: a dispute
-- and its answer, the end of its window, the payment. An adjustment is a line of the next statement.
-- Who writes any of them locks the merchant's row first. docs/decisions/0030 has the laws.

-- owned: of the merchant, which holds the fen ------------------------------------------------
create table settlement (
  bucket smallint not null,
  account bigint not null,
  id uuid not null,
  merchant uuid not null references merchant (id),
  day date not null,
  closed_at timestamptz not null,
  lines int not null check (lines > 0),
  root bytea not null check (length(root) = 32),
  fee_permille int not null check (fee_permille between 0 and 500),
  gross_fen bigint not null check (gross_fen >= 0),
  fee_fen bigint not null check (fee_fen between 0 and gross_fen),
  net_fen bigint not null,
  statement bytea not null,
  signature bytea not null check (length(signature) = 64),
  primary key (bucket, account, id),
  unique (bucket, account, day),
  check (net_fen = gross_fen - fee_fen),
  foreign key (bucket, account) references account (bucket, id)
);
comment on table settlement is 'What a merchant is owed for a day, signed';
comment on column settlement.root is 'RFC 6962 root of its lines, in their order';
comment on column settlement.statement is 'The bytes that the signature is under';
create index settlement_by_close on settlement (bucket, closed_at);

create table settlement_line (
  bucket smallint not null,
  account bigint not null,
  settlement uuid not null,
  place int not null check (place >= 0),
  kind text not null check (kind in ('redemption', 'reversal', 'adjustment', 'brought', 'carried')),
  subject uuid not null,
  programme int not null references programme (id),
  offer uuid,
  at timestamptz not null,
  points bigint not null,
  fen bigint not null,
  primary key (bucket, account, settlement, place),
  constraint settlement_line_once unique (bucket, account, kind, subject, programme),
  foreign key (bucket, account, settlement) references settlement (bucket, account, id),
  check ((offer is not null) = (kind in ('redemption', 'reversal'))),
  check (case when kind in ('redemption', 'carried') then fen >= 0
              when kind in ('reversal', 'brought') then fen <= 0 else fen <> 0 end)
);
comment on table settlement_line is 'One claim on one programme';
comment on column settlement_line.subject is
  'The redemption, the dispute whose answer adjusts, or the statement that carried it forward';

create table settlement_share (
  bucket smallint not null,
  account bigint not null,
  settlement uuid not null,
  programme int not null references programme (id),
  claim_fen bigint not null,
  granted_fen bigint not null check (granted_fen >= 0),
  gross_fen bigint not null check (gross_fen >= 0),
  fee_fen bigint not null check (fee_fen between 0 and gross_fen),
  primary key (bucket, account, settlement, programme),
  foreign key (bucket, account, settlement) references settlement (bucket, account, id)
);
comment on column settlement_share.claim_fen is 'Redemptions less reversals';
comment on column settlement_share.granted_fen is 'Adjustments in the merchant''s favour, promised as they were signed';

create table settlement_dispute (
  bucket smallint not null,
  account bigint not null,
  id uuid not null,
  settlement uuid not null,
  places int[] not null check (cardinality(places) <= 200),
  reason text not null check (length(reason) between 1 and 2000),
  opened_by uuid not null,
  opened_at timestamptz not null,
  answered_at timestamptz,
  answer text check (length(answer) between 1 and 2000),
  primary key (bucket, account, id),
  foreign key (bucket, account, settlement) references settlement (bucket, account, id),
  check ((answered_at is null) = (answer is null))
);
create unique index settlement_dispute_open on settlement_dispute (bucket, account, settlement)
  where answered_at is null;
create index settlement_dispute_of on settlement_dispute (bucket, account, settlement);

create table settlement_adjustment (
  bucket smallint not null,
  account bigint not null,
  dispute uuid not null,
  programme int not null references programme (id),
  fen bigint not null check (fen <> 0),
  primary key (bucket, account, dispute, programme),
  foreign key (bucket, account, dispute) references settlement_dispute (bucket, account, id)
);
comment on column settlement_adjustment.fen is 'Before the fee; a line of the next statement';

create table settlement_final (
  bucket smallint not null,
  account bigint not null,
  settlement uuid not null,
  final_at timestamptz not null,
  primary key (bucket, account, settlement),
  foreign key (bucket, account, settlement) references settlement (bucket, account, id)
);

create table settlement_payout (
  bucket smallint not null,
  account bigint not null,
  settlement uuid not null,
  reference text not null check (length(reference) between 1 and 100),
  transfer uuid not null,
  recorded_on date not null,
  paid_at timestamptz not null,
  primary key (bucket, account, settlement),
  unique (bucket, account, reference),
  foreign key (bucket, account, settlement) references settlement_final (bucket, account, settlement)
);
comment on column settlement_payout.reference is 'The bank''s, of this payment';

-- central -----------------------------------------------------------------------------------
create table settlement_day (
  day date primary key,
  closed_at timestamptz not null
);
comment on table settlement_day is 'Days of which every merchant was settled';

select make_append_only(t) from unnest(array[
  'settlement', 'settlement_line', 'settlement_share', 'settlement_adjustment', 'settlement_final',
  'settlement_payout', 'settlement_day']::regclass[]) t;

grant select, insert on settlement, settlement_line, settlement_share, settlement_dispute,
  settlement_adjustment, settlement_final, settlement_payout, settlement_day to tanpu_app;
grant update (answered_at, answer) on settlement_dispute to tanpu_app;
grant select on settlement, settlement_line, settlement_share, settlement_dispute,
  settlement_adjustment, settlement_final, settlement_payout, settlement_day to tanpu_audit;
