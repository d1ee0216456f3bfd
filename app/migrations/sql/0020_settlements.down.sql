drop table settlement_day, settlement_payout, settlement_final, settlement_adjustment,
  settlement_dispute, settlement_share, settlement_line, settlement;
