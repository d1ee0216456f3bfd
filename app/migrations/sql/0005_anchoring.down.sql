revoke select on account_secret from tanpu_audit;
drop table anchored, submission, supply, cell, account_anchor, account_leaf, log_edge, log_entry,
  epoch, epoch_staging, epoch_cut;
