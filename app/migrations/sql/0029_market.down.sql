delete from webhook_endpoint where owner like 'organisation:%';
alter table webhook_endpoint
  drop constraint webhook_endpoint_owner_check,
  add constraint webhook_endpoint_owner_check
    check (owner ~ '^(operator|(merchant|partner):[0-9a-f-]{36})$');
drop table surrender_obligation, surrender_ratio, purpose_passport, proceeds_payout, proceeds,
  batch_share, payment, purchase, quote, listing;
drop function normal_reference;
