drop table claim_side, gathering_gift, side_ticket, share_total, share_ticket, share_issue, neutrality_statement,
  true_up, reservation;
drop function claim_share();
