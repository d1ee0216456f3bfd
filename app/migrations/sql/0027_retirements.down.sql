drop table retirement, registry_submission, registry_message;
