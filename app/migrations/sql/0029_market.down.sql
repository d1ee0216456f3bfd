drop table surrender_obligation, surrender_ratio, purpose_passport, proceeds_payout, proceeds,
  batch_share, payment, purchase, quote, listing;
