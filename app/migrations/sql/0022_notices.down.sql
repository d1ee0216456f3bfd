drop function donate_points;
drop table benefit_order, benefit_gift, benefit_choice, campaign_outcome, campaign_simulation, programme_sponsor,
  cancellation_total, public_cancellation;
