drop index balance_units;
drop table recall_given, recall_void, recall_sweep, recall_batch, recall, conservation;
