-- Carbon-neutral gatherings (大型活动碳中和): plan, inventory, travel survey, actions.
--
-- A gathering is an owner in the books, opened with it; what 0032 reserves and retires lies there.
-- Footprint and reductions are different books: nothing here is an asset, nothing is posted.
-- Lines are worked on until an inventory is closed over them; a closed inventory is a document of
-- its own, with every line, factor and assumption in it, and a later one stands beside it.

-- reference ---------------------------------------------------------------------------------
create table gathering (
  id uuid primary key,
  account bigint not null unique check (account >= 65536),
  organisation uuid not null references organisation (id),
  title_zh text not null check (length(title_zh) between 1 and 200),
  title_en text not null check (length(title_en) between 1 and 200),
  kind text not null check (kind in ('performance', 'competition', 'conference', 'exhibition', 'other')),
  people int not null check (people between 1 and 10000000),
  visits int check (visits between 1 and 100000000),
  area_m2 int check (area_m2 between 1 and 100000000),
  starts_on date not null,
  ends_on date not null,
  district text not null check (district ~ '^[1-9][0-9]{5}$'),
  place text not null check (length(place) between 1 and 200),
  policy text not null check (length(policy) between 1 and 40),
  is_voluntary boolean not null,
  opened_at timestamptz not null,
  check (ends_on >= starts_on and ends_on <= starts_on + 366)
);
comment on column gathering.account is 'The owner in the books that holds its units';
comment on column gathering.people is 'Expected on the spot at once, performers and staff among them';
comment on column gathering.visits is 'Expected, a person counted each time (人次); exhibitions are classified by it';
comment on column gathering.district is 'GB/T 2260 code; its first two digits are the province, whose grid factor applies';
comment on column gathering.policy is 'The table of thresholds that classified it';
comment on column gathering.is_voluntary is 'Below every threshold of the policy: nobody asks for it';
create index gathering_of on gathering (organisation, id);

-- central -----------------------------------------------------------------------------------
create table gathering_line (
  gathering uuid not null references gathering (id),
  id uuid not null,
  stage text not null check (stage in ('expected', 'actual')),
  origin text not null check (origin in ('entered', 'table', 'survey')),
  category text not null check (category in
    ('fuel', 'energy', 'transport', 'rooms_meals', 'materials', 'waste')),
  label text not null check (length(label) between 1 and 200),
  quantity numeric(24, 6) not null check (quantity > 0),
  unit text not null check (length(unit) between 1 and 40),
  source text not null check (length(source) between 1 and 40),
  factor text not null check (length(factor) between 1 and 80),
  tier text not null check (tier in ('measured', 'estimated', 'default')),
  evidence bytea check (length(evidence) = 32),
  note text not null check (length(note) <= 500),
  added_at timestamptz not null,
  primary key (gathering, id),
  check (stage = 'actual' or tier <> 'measured')
);
comment on table gathering_line is 'A draft of the next inventory; the documents of closed ones keep their own lines. What a line emits follows from it';
comment on column gathering_line.source is 'The published table of factors, as methodologies.published names it';
comment on column gathering_line.factor is 'The row of it, by the table''s own identity';
comment on column gathering_line.evidence is 'SHA-256 of what the organiser keeps and shows to whoever verifies';
create index gathering_line_of on gathering_line (gathering, stage, id);

create table inventory (
  gathering uuid not null references gathering (id),
  stage text not null check (stage in ('expected', 'actual')),
  version int not null check (version >= 1),
  total_mg bigint not null check (total_mg >= 0),
  lines int not null check (lines >= 1),
  document bytea not null,
  digest bytea not null check (length(digest) = 32),
  closed_at timestamptz not null,
  primary key (gathering, stage, version)
);
comment on table inventory is 'An inventory as it was closed (排放清单); the latest version of a stage counts';
comment on column inventory.document is 'Canonical JSON: every line with its factor''s row, value and source, every assumption and exclusion';
comment on column inventory.digest is 'SHA-256 of the document';

create table gathering_plan (
  gathering uuid not null references gathering (id),
  version int not null check (version >= 1),
  inventory int not null,
  boundary text not null check (length(boundary) between 1 and 2000),
  measures text[] not null check (cardinality(measures) between 1 and 30),
  offset_way text not null check (offset_way in ('units', 'units_and_gifts')),
  deadline date not null,
  is_public boolean not null,
  made_at timestamptz not null,
  primary key (gathering, version),
  stage text not null default 'expected' check (stage = 'expected'),
  foreign key (gathering, stage, inventory) references inventory (gathering, stage, version)
);
comment on table gathering_plan is 'What an organiser means to do (碳中和实施计划); the latest version says whether it is public';
comment on column gathering_plan.inventory is 'Version of the expected inventory: what is expected to be emitted';

create table gathering_action (
  gathering uuid not null references gathering (id),
  id uuid not null,
  category text not null check (category in
    ('fuel', 'energy', 'transport', 'rooms_meals', 'materials', 'waste')),
  text text not null check (length(text) between 1 and 1000),
  taken_on date not null,
  evidence bytea not null check (length(evidence) = 32),
  recorded_at timestamptz not null,
  primary key (gathering, id)
);
comment on table gathering_action is 'What was done to emit less (减排行动); it lowers the inventory and is no reduction in the books';

create table travel_survey (
  gathering uuid primary key references gathering (id),
  link bytea not null unique check (length(link) = 32),
  closes_at timestamptz not null
);
comment on column travel_survey.link is 'SHA-256 of the key in the address on the QR code';

create table survey_ticket (
  gathering uuid not null references travel_survey (gathering),
  ticket bytea not null check (length(ticket) = 32),
  primary key (gathering, ticket)
);
comment on table survey_ticket is 'Keyed hashes of tickets that have answered: no answer, no time, no order';

create table survey_tally (
  gathering uuid not null references travel_survey (gathering),
  mode text not null check (length(mode) between 1 and 20),
  band text not null check (length(band) between 1 and 20),
  persons smallint not null check (persons between 1 and 9),
  answers bigint not null check (answers >= 1),
  primary key (gathering, mode, band, persons)
) with (fillfactor = 50);
comment on table survey_tally is 'How often each answer was given; who gave it is nowhere';

select make_append_only(t)
  from unnest(array['inventory', 'gathering_plan', 'gathering_action', 'survey_ticket']::regclass[]) t;

grant select, insert on gathering, gathering_line, inventory, gathering_plan, gathering_action, travel_survey,
  survey_ticket, survey_tally to tanpu_app;
grant update (title_zh, title_en, people, visits, area_m2, starts_on, ends_on, district, place, policy, is_voluntary)
  on gathering to tanpu_app;
grant delete on gathering_line to tanpu_app;
grant update (closes_at) on travel_survey to tanpu_app;
grant update (answers) on survey_tally to tanpu_app;
grant select on gathering, gathering_line, inventory, gathering_plan, gathering_action, travel_survey, survey_tally
  to tanpu_audit;
