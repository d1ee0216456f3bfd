delete from session where kind = 'organisation';
alter table session
  drop constraint session_kind_check,
  add constraint session_kind_check check (kind in ('citizen', 'clerk', 'merchant'));
drop table organisation_credential, organisation_user, organisation_application, organisation;
