drop table merchant_credential, merchant_user, till, merchant;
