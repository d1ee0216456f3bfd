alter table till drop column keeper cascade;
drop table merchant_credential, merchant_user, till, merchant;
