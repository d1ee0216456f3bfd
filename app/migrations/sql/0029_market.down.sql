drop table surrender_obligation, surrender_ratio, purpose_passport, proceeds_payout, proceeds,
  payment, purchase, quote, listing;
