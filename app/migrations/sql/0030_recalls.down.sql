drop index balance_units;
drop table recall_given, recall_told, recall_void, recall_used, recall_sweep, recall_batch, recall, conservation;
