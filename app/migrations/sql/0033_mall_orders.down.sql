drop table offer_published;
drop index mall_order_offline;
alter table mall_order drop column kind, drop column title_zh, drop column title_en;
alter table merchant_application drop column wished;
alter table organisation_application drop column wished;
delete from exchange_rate where from_mg > 0;
alter table exchange_rate
  drop constraint exchange_rate_one_at_a_time,
  drop column from_mg,
  add constraint exchange_rate_one_at_a_time exclude using gist
    (programme with =, grade with =, coalesce(field, '') with =, daterange(valid_from, valid_to) with &&);
