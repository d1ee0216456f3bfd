drop table offer_person, offer_day, offer_stock, offer;
