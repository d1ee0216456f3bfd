alter table transfer drop constraint transfer_in_chart;
alter table system_account disable trigger append_only;
delete from system_account;
alter table system_account enable trigger append_only;
