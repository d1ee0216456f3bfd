drop index balance_units;
drop table conservation;
