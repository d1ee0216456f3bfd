-- Growth (成长): teams, challenges, who wants to be on a board, and statements that a person holds.
--
-- Levels, badges, streaks, scores and ranks are stored nowhere: they are read from acts and
-- transfers. What stands here is what people decided: to join, to be shown, to state something.

-- owned -------------------------------------------------------------------------------------
create table team_member (
  bucket smallint not null,
  account bigint not null,
  joined_at timestamptz not null,
  team uuid not null,
  left_at timestamptz,
  primary key (bucket, account, joined_at),
  foreign key (bucket, account) references account (bucket, id),
  check (left_at is null or left_at > joined_at)
);
create unique index team_member_one_team on team_member (bucket, account) where left_at is null;
create index team_member_of_team on team_member (team);

create table challenge_entry (
  bucket smallint not null,
  account bigint not null,
  challenge uuid not null,
  joined_at timestamptz not null,
  primary key (bucket, account, challenge),
  foreign key (bucket, account) references account (bucket, id)
);

create table leaderboard_entrant (
  bucket smallint not null,
  account bigint not null,
  pseudonym text not null check (length(pseudonym) between 2 and 20),
  since timestamptz not null,
  primary key (bucket, account),
  foreign key (bucket, account) references account (bucket, id)
);

create table statement_check (
  bucket smallint not null,
  account bigint not null,
  statement uuid not null,
  minute timestamptz not null,
  verifier text not null check (length(verifier) between 1 and 200),
  outcome text not null check (outcome in ('valid', 'expired', 'revoked', 'other_audience')),
  times int not null default 1 check (times > 0),
  primary key (bucket, account, statement, minute, verifier, outcome)
);
comment on table statement_check is 'Each check of a statement, which its holder sees; one row a minute and verifier';

-- on the co-location law's allow-list: a verifier has the id and not the owner
create sequence statement_place minvalue 0 start 0;
create table statement (
  id uuid primary key,
  bucket smallint not null,
  account bigint not null,
  place bigint not null unique check (place >= 0),
  purpose text not null check (length(purpose) <= 200),
  audience text not null check (length(audience) <= 200),
  kg_at_least int check (kg_at_least > 0),
  score_at_least int check (score_at_least > 0),
  issued_at timestamptz not null,
  expires_at timestamptz not null,
  revoked_at timestamptz,
  is_revoked boolean generated always as (revoked_at is not null or audience = '') stored,
  check (expires_at > issued_at),
  check (num_nulls(kg_at_least, score_at_least) < 2)
);
comment on column statement.place is 'In the status lists: list = place >> 17, index = place & 131071';
create index statement_of_owner on statement (bucket, account, id);
comment on column statement.is_revoked is 'Taken back by its holder, or its words were erased with them';
create index statement_revoked on statement (place) where is_revoked;

-- central -----------------------------------------------------------------------------------
create table team (
  id uuid primary key,
  code text not null unique check (code ~ '^[0-9a-hjkmnp-tv-z]{10}$'),
  name text not null check (length(name) between 2 and 40),
  opened_at timestamptz not null
);
comment on column team.code is 'Whoever knows it may join';

create table challenge (
  id uuid primary key,
  title_zh text not null check (length(title_zh) between 1 and 100),
  title_en text not null check (length(title_en) between 1 and 100),
  field text check (field ~ '^[a-z_]{1,40}$'),
  goal_days int check (goal_days between 1 and 366),
  goal_mg bigint check (goal_mg > 0),
  starts_on date not null,
  ends_on date not null,
  opened_at timestamptz not null,
  check (ends_on between starts_on and starts_on + 365),
  check (num_nulls(goal_days, goal_mg) = 1)
);
create index challenge_by_end on challenge (ends_on, id);
select make_append_only(t) from unnest(array['team', 'challenge']::regclass[]) t;

-- A person's gifts and cancellations are few among their transfers; without this, finding them
-- reads a bucket. Rows of other codes do not enter the index.
create index transfer_contributed on transfer (bucket, source, recorded_on) where code in (12, 13);

grant select, insert on team_member, challenge_entry, leaderboard_entrant, statement_check,
  statement, team, challenge to tanpu_app;
grant update (left_at) on team_member to tanpu_app;
grant update (pseudonym) on leaderboard_entrant to tanpu_app;
grant update (times) on statement_check to tanpu_app;
grant update (revoked_at) on statement to tanpu_app;
grant delete on challenge_entry, leaderboard_entrant to tanpu_app;
grant delete on team_member, statement_check to tanpu_worker;
grant update (purpose, audience) on statement to tanpu_worker;
grant usage, select on sequence statement_place to tanpu_app;
grant select on team_member, challenge_entry, leaderboard_entrant, statement_check, statement,
  team, challenge to tanpu_audit;
