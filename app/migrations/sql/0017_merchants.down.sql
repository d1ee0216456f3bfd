delete from session where kind = 'merchant';
alter table session
  drop constraint session_kind_check,
  drop constraint session_owner_check,
  add constraint session_kind_check check (kind in ('citizen', 'clerk')),
  add constraint session_check1 check ((kind = 'citizen') = (account > 0));
drop table merchant_credential, merchant_user, merchant_application, till, merchant;
