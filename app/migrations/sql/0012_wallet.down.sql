drop table appeal;
drop view act_fate;
