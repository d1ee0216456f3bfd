drop table voucher_place, reversal, redemption, order_part, mall_order;
