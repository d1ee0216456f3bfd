-- What people decided about methodologies (方法学管理): reviewers' signatures and the approvals of
-- scenarios. Reference tables, append-only but for the end of an approval or of a signature.
create table sign_off (
  code text not null,
  version int not null check (version > 0),
  reviewer text not null check (length(reviewer) between 1 and 200),
  sha256 bytea not null check (length(sha256) = 32),
  signed_on date not null,
  withdrawn_on date check (withdrawn_on >= signed_on),
  note text not null default '',
  primary key (code, version, reviewer, signed_on)
);
comment on column sign_off.note is 'Shown beside the signature; a demonstration says so here';
create table scenario_approval (
  scenario text not null check (length(scenario) between 1 and 100),
  valid_from date not null,
  valid_until date not null check (valid_until >= valid_from),
  letter text not null check (length(letter) between 1 and 200),
  primary key (scenario, valid_from)
);
grant select, insert on sign_off, scenario_approval to tanpu_app;
grant update (withdrawn_on) on sign_off to tanpu_app;
grant update (valid_until) on scenario_approval to tanpu_app;
grant select on sign_off, scenario_approval to tanpu_audit;
