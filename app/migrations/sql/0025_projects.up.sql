-- Projects (减排项目): applied for in revisions, reviewed, registered by two, monitored by the period,
-- verified and accrued to their owner, a citizen or an organisation. And who operates a scenario.
--
-- A project's own rows lie in its owner's bucket. What may be counted once in the whole city, a
-- meter or vehicle in a crediting period and a project's day in a report, lies in two central
-- tables with exclusion constraints, by keyed hash and id alone.

-- owned -------------------------------------------------------------------------------------
create table project (
  bucket smallint not null,
  account bigint not null,
  id uuid not null,
  owner_kind text not null check (owner_kind in ('citizen', 'organisation')),
  code text not null,
  version int not null check (version > 0),
  applied_at timestamptz not null,
  revision int check (revision > 0),
  crediting daterange check (not isempty(crediting) and not lower_inf(crediting) and not upper_inf(crediting)),
  asked_by text,
  signed_by text check (signed_by <> asked_by),
  registered_at timestamptz,
  last_day date,
  ended_for text check (length(ended_for) between 1 and 2000),
  ended_by text,
  ended_at timestamptz,
  primary key (bucket, account, id),
  foreign key (bucket, account) references account (bucket, id),
  check (num_nulls(revision, crediting, asked_by, signed_by, registered_at) in (0, 5)),
  check ((ended_for is null) = (ended_at is null)),
  check ((ended_by is null) = (ended_at is null)),
  check ((last_day is null) = (ended_at is null or registered_at is null))
);
comment on column project.revision is 'Which of its designs was registered';
comment on column project.crediting is 'Days that may count, [first, last + 1)';
comment on column project.last_day is 'Of one that ended: the last day that may count';
create index project_by_id on project (id);

create table project_revision (
  bucket smallint not null,
  account bigint not null,
  project uuid not null,
  number int not null check (number > 0),
  design jsonb,
  words bytea,
  digest bytea not null check (length(digest) = 32),
  note text not null check (length(note) <= 2000),
  revised_at timestamptz not null,
  primary key (bucket, account, project, number),
  foreign key (bucket, account, project) references project (bucket, account, id)
);
comment on column project_revision.design is 'Boundary and declarations; empty once its citizen was erased, as its words are';
comment on column project_revision.words is 'Title, site and text, sealed under the KEK';
comment on column project_revision.digest is 'SHA-256 of design and words in canonical JSON';

create table project_review (
  bucket smallint not null,
  account bigint not null,
  project uuid not null,
  revision int not null,
  reviewer text not null,
  vote text not null check (vote in ('approve', 'reject', 'abstain')),
  comment text not null check (length(comment) <= 2000),
  reviewed_at timestamptz not null,
  primary key (bucket, account, project, revision, reviewer),
  foreign key (bucket, account, project, revision) references project_revision (bucket, account, project, number)
);
comment on column project_review.comment is 'Empty once its citizen was erased, as all that was written of the project is';

create table project_exclusion (
  bucket smallint not null,
  account bigint not null,
  id uuid not null,
  project uuid not null,
  meter int check (meter >= 0),
  days daterange not null check (not isempty(days) and not lower_inf(days) and not upper_inf(days)),
  reason text not null check (length(reason) <= 2000),
  asked_by text not null,
  signed_by text not null check (signed_by <> asked_by),
  excluded_at timestamptz not null,
  primary key (bucket, account, id),
  foreign key (bucket, account, project) references project (bucket, account, id)
);
comment on column project_exclusion.meter is 'Its place in the registered design; empty for the whole project';

create table monitoring_report (
  bucket smallint not null,
  account bigint not null,
  id uuid not null,
  project uuid not null,
  days daterange not null check (not isempty(days) and not lower_inf(days) and not upper_inf(days)),
  readings jsonb,
  papers jsonb not null,
  salt bytea check (length(salt) = 32),
  commitment bytea not null check (length(commitment) = 32),
  sent_by text not null,
  sent_at timestamptz not null,
  is_accepted boolean,
  decided_by text,
  finding text check (length(finding) <= 2000),
  decided_at timestamptz,
  primary key (bucket, account, id),
  foreign key (bucket, account, project) references project (bucket, account, id),
  check (num_nulls(is_accepted, decided_by, finding, decided_at) in (0, 4))
);
comment on column monitoring_report.readings is 'By day and meter; empty once its citizen was erased, as the salt is';
comment on column monitoring_report.papers is 'Names and SHA-256 of what proves them, which the owner keeps';
comment on column monitoring_report.commitment is 'To the readings under the salt; the evidence of what they accrue';
create index monitoring_report_of on monitoring_report (bucket, account, project, id);
create index monitoring_report_by_id on monitoring_report (id);

create table project_day (
  bucket smallint not null,
  account bigint not null,
  report uuid not null,
  day date not null,
  inputs jsonb,
  asset int references asset (id),
  mg bigint not null check (mg >= 0),
  reason text not null check (length(reason) <= 100),
  primary key (bucket, account, report, day),
  foreign key (bucket, account, report) references monitoring_report (bucket, account, id),
  check ((mg > 0) = (reason = '')),
  check ((mg > 0) = (asset is not null))
);
comment on table project_day is 'The working: what each day of an accepted report came to, and from what';

create table project_accrual (
  bucket smallint not null,
  account bigint not null,
  recorded_on date not null,
  id uuid not null,
  report uuid not null,
  month date not null check (extract(day from month) = 1),
  asset int not null references asset (id),
  mg bigint not null check (mg > 0),
  primary key (bucket, account, recorded_on, id),
  unique (bucket, account, report, month, asset),
  foreign key (bucket, account, report) references monitoring_report (bucket, account, id)
);
comment on column project_accrual.id is 'Of the transfer, whose cause is the report';

-- central -----------------------------------------------------------------------------------
create table project_meter (
  mark bytea not null check (length(mark) = 32),
  project uuid not null,
  days daterange not null check (not isempty(days)),
  primary key (project, mark),
  constraint project_meter_counted_once exclude using gist (mark with =, days with &&)
);
comment on table project_meter is 'A meter or vehicle is in one project at a time; the mark is its keyed hash';

create table monitored_period (
  project uuid not null,
  report uuid primary key,
  days daterange not null check (not isempty(days)),
  constraint monitored_period_told_once exclude using gist (project with =, days with &&)
);
comment on table monitored_period is 'A project''s day is in one report, but for rejected ones';

create table scenario_application (
  id uuid primary key,
  organisation uuid not null references organisation (id),
  scenario text not null check (scenario ~ '^[a-z0-9][a-z0-9._-]{0,63}$'),
  valid_from date not null,
  valid_until date not null check (valid_until >= valid_from),
  plan text not null check (length(plan) between 1 and 100000),
  applied_by text not null,
  applied_at timestamptz not null,
  asked_by text,
  signed_by text check (signed_by <> asked_by),
  is_appointed boolean,
  decided_at timestamptz,
  check (num_nulls(asked_by, signed_by, is_appointed, decided_at) in (0, 4))
);
comment on column scenario_application.valid_from is 'Of the approval that its operator works under, once appointed';
create unique index scenario_application_appointed on scenario_application (scenario, valid_from)
  where is_appointed;
create index scenario_application_of on scenario_application (organisation, id);

select make_append_only('project_accrual');

grant select, insert on project, project_revision, project_review, project_exclusion,
  monitoring_report, project_day, project_accrual, project_meter, monitored_period,
  scenario_application to tanpu_app;
grant update (revision, crediting, asked_by, signed_by, registered_at, last_day, ended_for, ended_by,
  ended_at) on project to tanpu_app;
grant update (is_accepted, decided_by, finding, decided_at) on monitoring_report to tanpu_app;
grant update (days) on project_meter to tanpu_app;
grant delete on project_meter, monitored_period to tanpu_app;
grant update (asked_by, signed_by, is_appointed, decided_at) on scenario_application to tanpu_app;
grant update (design, words, note) on project_revision to tanpu_worker;
grant update (comment) on project_review to tanpu_worker;
grant update (reason) on project_exclusion to tanpu_worker;
grant update (readings, papers, salt, sent_by) on monitoring_report to tanpu_worker;
grant update (inputs) on project_day to tanpu_worker;
-- What the desk wrote of a person who was erased, in its requests for a second signature.
grant update (reason, payload) on approval to tanpu_worker;
grant select on project, project_revision, project_review, project_exclusion, monitoring_report,
  project_day, project_accrual, project_meter, monitored_period, scenario_application to tanpu_audit;
