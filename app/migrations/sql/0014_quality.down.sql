drop index upload_of_provider;
drop table correction_batch, corrected_input, act_correction;
alter table act_window drop column is_withdrawn;
