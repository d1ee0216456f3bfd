-- Fails where a record was told again since, since nothing of what was told may be deleted.
create unique index act_correction_content on act_correction (bucket, account, activity, content)
  where content is not null;
