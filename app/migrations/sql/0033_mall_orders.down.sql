drop table offer_published;
drop index mall_order_offline;
alter table mall_order drop column kind, drop column title_zh, drop column title_en;
alter table merchant_application drop column wished;
alter table organisation_application drop column wished;
