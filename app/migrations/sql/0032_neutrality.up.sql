-- What makes a gathering neutral (碳中和): reservations, statements, shares, gifts, sides (ADR 0039).
--
-- Units lie where the books have them, on the gathering's held account: what is left of its
-- reservations, and what waits for its serials in `retirement`.

-- central -----------------------------------------------------------------------------------
create table reservation (
  gathering uuid not null references gathering (id),
  id uuid not null,
  batch uuid not null references issue_batch (id),
  quantity_kg bigint not null check (quantity_kg > 0),
  left_kg bigint not null,
  until date not null,
  reserved_at timestamptz not null,
  primary key (gathering, id),
  constraint reservation_not_overdrawn check (left_kg between 0 and quantity_kg)
);
comment on table reservation is 'Units that an organisation set aside for its gathering (预留)';
comment on column reservation.left_kg is 'Neither given back nor asked to be retired';
comment on column reservation.until is 'The last day on which they stay there unless they are retired';
create index reservation_due on reservation (until, gathering) where left_kg > 0;

create table true_up (
  gathering uuid not null,
  id uuid not null,
  stage text not null default 'actual' check (stage = 'actual'),
  inventory int not null,
  needed_kg bigint not null check (needed_kg >= 0),
  added_kg bigint not null check (added_kg >= 0),
  released_kg bigint not null check (released_kg >= 0),
  trued_at timestamptz not null,
  primary key (gathering, id),
  foreign key (gathering, stage, inventory) references inventory (gathering, stage, version),
  check (added_kg = 0 or released_kg = 0)
);
comment on table true_up is 'What is reserved was made equal to what is still to be retired (轧差)';

create table neutrality_statement (
  gathering uuid not null,
  version int not null check (version >= 1),
  stage text not null default 'actual' check (stage = 'actual'),
  inventory int not null,
  footprint_mg bigint not null check (footprint_mg >= 0),
  retired_kg bigint not null check (retired_kg >= 0),
  given_kg bigint not null check (given_kg >= 0),
  document bytea not null,
  digest bytea not null check (digest = sha256(document)),
  issued_at timestamptz not null,
  primary key (gathering, version),
  foreign key (gathering, stage, inventory) references inventory (gathering, stage, version),
  constraint statement_is_covered check ((retired_kg + given_kg) * 1000000 >= footprint_mg)
);
comment on table neutrality_statement is 'A neutrality statement as it was issued (碳中和声明); the latest version counts';
comment on column neutrality_statement.footprint_mg is 'What had to be balanced: the inventory, and the trips whose reductions stayed with attendees';
comment on column neutrality_statement.given_kg is 'Whole kilograms of gifts, rounded down: no figure shows one person''s';
comment on column neutrality_statement.document is 'Canonical JSON';

create table share_issue (
  gathering uuid not null references gathering (id),
  id uuid not null,
  tickets int not null check (tickets between 1 and 10000),
  share_mg bigint not null check (share_mg > 0),
  issued_at timestamptz not null,
  primary key (gathering, id)
);
comment on table share_issue is 'Tickets that each may claim as much of what the gathering retired; number and share are sealed';

create table share_ticket (
  gathering uuid not null,
  ticket bytea not null check (length(ticket) = 32),
  issue uuid not null,
  claimed_at timestamptz,
  primary key (gathering, ticket),
  foreign key (gathering, issue) references share_issue (gathering, id)
);
comment on column share_ticket.ticket is 'SHA-256 of the words on the ticket: they open it, and stand nowhere here';

create table share_total (
  gathering uuid primary key references gathering (id),
  claimed_mg bigint not null check (claimed_mg > 0)
);
comment on table share_total is 'Kept by claim_share alone';

-- Whoever claims waits for whoever claims before them, so the sum is what it says; a retirement
-- that was taken is never undone, so what it allowed stays allowed.
create function claim_share() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  claimed bigint;
  retired bigint;
begin
  if old.claimed_at is not null or new.claimed_at is null then
    raise exception 'a share is claimed once and for ever'
      using errcode = 'check_violation', constraint = 'share_once';
  end if;
  insert into share_total as t (gathering, claimed_mg)
  select i.gathering, i.share_mg from share_issue i where i.gathering = new.gathering and i.id = new.issue
  on conflict (gathering) do update set claimed_mg = t.claimed_mg + excluded.claimed_mg
  returning claimed_mg into claimed;
  select coalesce(sum(r.quantity_kg), 0) into retired
    from gathering g join retirement r on r.holder = g.account
   where g.id = new.gathering and r.purpose = 2 and r.taken_at is not null;
  if claimed > retired * 1000000 then
    raise exception 'shares of gathering % would exceed what it retired', new.gathering
      using errcode = 'check_violation', constraint = 'shares_within_retirement';
  end if;
  return new;
end $$;
create trigger claim_share before update on share_ticket for each row execute function claim_share();

create table side_ticket (
  gathering uuid not null references gathering (id),
  ticket bytea not null check (length(ticket) = 32),
  holder bytea not null check (length(holder) = 32),
  primary key (gathering, ticket)
);
comment on table side_ticket is 'Tickets by which somebody chose whose a trip is: each serves one citizen';
comment on column side_ticket.ticket is 'Keyed hash of its number, of another kind than survey_ticket has';
comment on column side_ticket.holder is 'Keyed hash of gathering and citizen: it leads to neither';

-- owned -------------------------------------------------------------------------------------
create table gathering_gift (
  bucket smallint not null,
  account bigint not null,
  id uuid not null,
  asset int not null references asset (id),
  gathering uuid not null references gathering (id),
  mg bigint not null check (mg > 0),
  transfer uuid not null,
  given_on date not null,
  counts boolean not null,
  primary key (bucket, account, id, asset),
  foreign key (bucket, account) references account (bucket, id)
);
comment on table gathering_gift is 'What a citizen gave to a gathering of one class; id is the cause of its transfers';
comment on column gathering_gift.counts is 'Against the inventory: grade A, and not of a trip that the inventory counts low already';
create index gathering_gift_of on gathering_gift (gathering, bucket, account);

create table claim_side (
  bucket smallint not null,
  account bigint not null,
  activity uuid not null,
  gathering uuid not null references gathering (id),
  side text not null check (side in ('gathering', 'attendee')),
  mg bigint not null check (mg > 0),
  chosen_on date not null,
  primary key (bucket, account, activity),
  foreign key (bucket, account) references account (bucket, id)
);
comment on table claim_side is 'Whether a trip to a gathering lowers its footprint or earns who made it: chosen once, at one gathering';
comment on column claim_side.mg is 'What the trip was worth when it was chosen';
create index claim_side_of on claim_side (gathering, bucket, account);

select make_append_only(t) from unnest(array['true_up', 'neutrality_statement', 'share_issue',
  'side_ticket', 'gathering_gift', 'claim_side']::regclass[]) t;

-- grants ------------------------------------------------------------------------------------
revoke all on function claim_share() from public;
grant select, insert on reservation, true_up, neutrality_statement, share_issue, share_ticket,
  side_ticket, gathering_gift, claim_side to tanpu_app;
grant update (left_kg) on reservation to tanpu_app;
grant update (claimed_at) on share_ticket to tanpu_app;
grant select on share_total to tanpu_app;
grant select on gathering_gift, claim_side to tanpu_worker;
grant select on reservation, true_up, neutrality_statement, share_issue, share_ticket, share_total,
  gathering_gift, claim_side to tanpu_audit;
