-- Points (碳积分): programmes with their rates, rewards and budgets; what was exchanged for points,
-- what a correction left owing, and what a behaviour earned (ADR 0022).
--
-- Intervals of days are half-open: [valid_from, valid_to). What is a record is append-only; a rate
-- or a reward can only be ended.

-- reference ---------------------------------------------------------------------------------
create table programme (
  id smallint generated always as identity primary key,
  code text not null unique check (code ~ '^[a-z0-9][a-z0-9-]{1,39}$'),
  name_zh text not null check (length(name_zh) between 1 and 200),
  name_en text not null check (length(name_en) between 1 and 200),
  note text not null default '' check (length(note) <= 500),
  budget bigint not null unique check (budget >= 65536),
  fen_per_point int not null check (fen_per_point between 0 and 10000),
  expiry_years smallint not null check (expiry_years between 0 and 10),
  pause_below_permille int not null check (pause_below_permille between 0 and 100000),
  refuse_below_permille int not null check (refuse_below_permille between 0 and pause_below_permille),
  opened_at timestamptz not null
);
comment on column programme.note is 'Shown beside the name; a demonstration says so here';
comment on column programme.budget is 'The owner in the books that holds its funds';
comment on column programme.fen_per_point is 'Fixed in every class of its points (R27); 0: they claim no money';
comment on column programme.expiry_years is 'Points expire on 31 December, so many years after they were earned';
comment on column programme.pause_below_permille is 'Funds per 1,000 fen of promises below which automatic exchange pauses';
comment on column programme.refuse_below_permille is 'Likewise, below which exchange by hand is refused';

create table exchange_rate (
  programme smallint not null references programme (id),
  grade text not null check (grade in ('A', 'B')),
  field text check (length(field) between 1 and 40),
  mg_per_point bigint not null check (mg_per_point between 1 and 1000000000),
  valid_from date not null,
  valid_to date check (valid_to >= valid_from),
  constraint exchange_rate_one_at_a_time exclude using gist
    (programme with =, grade with =, coalesce(field, '') with =, daterange(valid_from, valid_to) with &&)
);
comment on column exchange_rate.field is 'Of the methodology; null: any field that has no rate of its own';

create table behaviour_reward (
  id int generated always as identity primary key,
  programme smallint not null references programme (id),
  methodology text not null check (length(methodology) between 1 and 100),
  points int not null check (points between 1 and 100000),
  person_day_points int check (person_day_points >= 0),
  budget_day_points bigint check (budget_day_points >= 0),
  valid_from date not null,
  valid_to date check (valid_to >= valid_from),
  constraint behaviour_reward_one_at_a_time exclude using gist
    (methodology with =, daterange(valid_from, valid_to) with &&)
);

-- on the co-location law's allow-list: a citizen's transaction takes from them ------------------
create table budget_slice (
  programme smallint not null references programme (id),
  slice smallint not null check (slice >= 0),
  unpromised_fen bigint not null constraint budget_slice_not_overdrawn check (unpromised_fen >= 0),
  promised_fen bigint not null,
  primary key (programme, slice)
) with (fillfactor = 50);
comment on column budget_slice.promised_fen is 'What points taken from this slice may claim; returns may fall on another slice, so only the sum is at least zero';
create table budget_day (
  reward int not null references behaviour_reward (id),
  day date not null,
  points bigint not null check (points >= 0),
  primary key (reward, day)
) with (fillfactor = 50);
comment on table budget_day is 'What a reward gave on a day of recording, against its cap for the budget';

-- central: a cache, counted anew from balances by a job
create table points_outstanding (
  programme smallint not null references programme (id),
  expires date not null,
  points bigint not null check (points >= 0),
  counted_at timestamptz not null,
  primary key (programme, expires)
);

-- central: what every epoch's entries say was owed in all, since the beginning
create table debt_total (
  epoch bigint primary key,
  opened bigint not null check (opened >= 0),
  paid bigint not null check (paid >= 0),
  forgiven bigint not null check (forgiven >= 0),
  constraint debt_total_not_overpaid check (paid + forgiven <= opened)
);

-- owned -------------------------------------------------------------------------------------
create table exchange (
  bucket smallint not null,
  account bigint not null,
  id uuid not null,
  programme smallint not null references programme (id),
  night date,
  recorded_on date not null,
  recorded_at timestamptz not null,
  asset int not null references asset (id),
  reduction_mg bigint not null check (reduction_mg > 0),
  points bigint not null check (points > 0),
  primary key (bucket, account, id),
  foreign key (bucket, account) references account (bucket, id)
);
comment on column exchange.id is 'Also of the transfer that grants its points, and the cause of all its transfers';
comment on column exchange.night is 'Of an automatic exchange; null: by hand';
comment on column exchange.asset is 'The class of the points';
create unique index exchange_once_a_night on exchange (bucket, account, night) where night is not null;

create table exchange_class (
  bucket smallint not null,
  account bigint not null,
  exchange uuid not null,
  asset int not null,
  mg bigint not null check (mg > 0),
  mg_per_point bigint not null check (mg_per_point > 0),
  points bigint not null check (points > 0),
  primary key (bucket, account, exchange, asset),
  check (mg = points * mg_per_point)
);
comment on table exchange_class is 'What an exchange took of each class of reductions: whole points'' worth';

create table exchange_recovery (
  bucket smallint not null,
  account bigint not null,
  id uuid not null,
  exchange uuid not null,
  asset int not null,
  cause uuid not null,
  mg bigint not null check (mg > 0),
  points bigint not null check (points >= 0),
  recorded_on date not null,
  primary key (bucket, account, id)
);
create index exchange_recovery_of on exchange_recovery (bucket, account, exchange, asset);
comment on table exchange_recovery is 'What a correction took back of an exchange, and the points that it then owed (R6)';

create table points_debt (
  bucket smallint not null,
  id uuid not null,
  account bigint not null,
  programme smallint not null references programme (id),
  cause uuid not null,
  points bigint not null check (points > 0),
  paid bigint not null default 0 check (paid >= 0),
  forgiven bigint not null default 0 check (forgiven >= 0),
  forgiven_note uuid,
  opened_on date not null,
  primary key (bucket, id),
  constraint points_debt_not_overpaid check (paid + forgiven <= points),
  check ((forgiven > 0) = (forgiven_note is not null)),
  foreign key (bucket, account) references account (bucket, id)
);
comment on column points_debt.id is 'Also of the note that opens it, and the cause of the transfers that pay it';
create index points_debt_open on points_debt (bucket, account) where paid + forgiven < points;
create unique index points_debt_forgiven on points_debt (bucket, forgiven_note) where forgiven_note is not null;

-- A queue: points that left their owner unspent; a job returns what was promised for them.
create table earmark_due (
  bucket smallint not null,
  programme smallint not null,
  points bigint not null check (points > 0)
);
create index earmark_due_of on earmark_due (bucket);

create table behaviour_act (
  bucket smallint not null,
  account bigint not null,
  activity uuid not null,
  reward int not null,
  day date not null,
  points int not null check (points > 0),
  recorded_on date not null,
  transfer uuid,
  primary key (bucket, account, activity)
);
comment on table behaviour_act is 'What an act of grade C is worth before the cap of the day';
comment on column behaviour_act.transfer is 'The first that it was granted; null where the cap left nothing';

create table behaviour_day (
  bucket smallint not null,
  account bigint not null,
  day date not null,
  reward int not null,
  worth bigint not null check (worth >= 0),
  granted bigint not null check (granted >= 0),
  primary key (bucket, account, day, reward)
) with (fillfactor = 80);
comment on table behaviour_day is 'The acts of a day that count, before the cap, and what they were granted';

-- Points alone, few beside the reductions: found by class when they expire.
create index balance_points on balance (bucket, asset) where asset & 7 = 3;

select make_append_only(t) from unnest(array['exchange', 'exchange_class', 'exchange_recovery',
  'behaviour_act', 'debt_total']::regclass[]) t;

-- grants ------------------------------------------------------------------------------------
grant select on programme, exchange_rate, behaviour_reward, budget_slice, budget_day,
  points_outstanding, exchange, exchange_class, exchange_recovery, points_debt, earmark_due,
  behaviour_act, behaviour_day to tanpu_app, tanpu_audit;
grant insert on programme, exchange_rate, behaviour_reward, budget_slice, budget_day, exchange,
  exchange_class, exchange_recovery, points_debt, earmark_due, behaviour_act, behaviour_day to tanpu_app;
grant update (valid_to) on exchange_rate, behaviour_reward to tanpu_app;
grant update (unpromised_fen, promised_fen) on budget_slice to tanpu_app;
grant update (points) on budget_day to tanpu_app;
grant update (paid, forgiven, forgiven_note) on points_debt to tanpu_app;
grant update (worth, granted) on behaviour_day to tanpu_app;
grant select, insert on debt_total to tanpu_worker;
grant select on debt_total to tanpu_audit;
grant delete on earmark_due to tanpu_worker;
grant insert, update, delete on points_outstanding to tanpu_worker;
