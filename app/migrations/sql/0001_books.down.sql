drop table log_pending, log_note, transfer, balance, account_secret, account, asset, system_account;
drop sequence account_sequence, asset_sequence;
drop function ensure_partitions(int), make_append_only(regclass), refuse_change();
