drop function reverse_redemption, redeem_voucher, open_offline, release_order, place_order, give_cap_back,
  give_units_back, capture_order, move_points, part_id;
