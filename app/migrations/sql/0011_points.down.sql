drop index balance_points;
drop table behaviour_day, behaviour_act, earmark_due, points_debt, exchange_recovery, exchange_class,
  exchange, debt_total, points_outstanding, budget_day, budget_slice, behaviour_reward, exchange_rate, programme;
