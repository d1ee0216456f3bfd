drop index activity_upload;
drop index upload_of_provider;
drop table sandbox_advance, correction_batch, corrected_input, act_correction;
alter table upload_chunk drop column late;
alter table act_window drop column is_withdrawn;
