drop table offline_outstanding, voucher_place, reversal_request, reversal, redemption, order_part, mall_order;
