drop function end_offline;
-- As 0022 made it; 0019_deeds.up makes the others anew.
-- Orders a donation of some points, whatever its price, and redeems it at once, as place_order does:
-- the classes were chosen, and their owner is locked. Says whether the offer took them. Lock order
-- as of the other deeds (0019).
create or replace function donate_points(
  _bucket smallint, _account bigint, _night date, _offer uuid, _assets int[], _points bigint[],
  _order uuid, _voucher uuid, _held uuid, _redeemed uuid, _at timestamptz) returns boolean
language plpgsql as $$
declare
  _shown offer;
  _due bigint := (select sum(p) from unnest(_points) as p);
begin
  select o.* into _shown from offer o join merchant m on m.id = o.merchant
   where o.id = _offer and o.kind = 'donation' and o.state = 'published'
     and o.sale_from <= _at and _at < o.sale_to
     and m.kind = 'public_benefit' and m.suspended_at is null;
  if not found then
    return false;
  end if;
  insert into offer_person (bucket, account, offer, taken) values (_bucket, _account, _offer, 0)
  on conflict do nothing;
  perform from offer_person where bucket = _bucket and account = _account and offer = _offer
     and (_shown.per_person is null or taken < _shown.per_person) for update;
  if not found then
    return false;
  end if;
  insert into offer_day (offer, day, taken) values (_offer, _night, 0) on conflict do nothing;
  perform from offer_day where offer = _offer and day = _night
     and (_shown.per_day is null or taken < _shown.per_day) for update;
  if not found then
    return false;
  end if;
  update offer_stock set taken = taken + 1 where offer = _offer and taken < stocked;
  if not found then
    return false;
  end if;
  update offer_day set taken = taken + 1 where offer = _offer and day = _night;
  update offer_person set taken = taken + 1
   where bucket = _bucket and account = _account and offer = _offer;

  insert into mall_order (bucket, account, id, voucher, offer, offer_version, merchant, quantity, points, fen,
                          state, placed_on, placed_at, ends_at, ended_at)
  values (_bucket, _account, _order, _voucher, _offer, _shown.version, _shown.merchant, 1, _due, 0,
          'redeemed', _night, _at, _at + make_interval(days => _shown.voucher_days), _at);
  insert into order_part (bucket, account, mall_order, asset, points)
  select _bucket, _account, _order, p.asset, p.points from unnest(_assets, _points) as p (asset, points);
  perform move_points(_bucket, _account, _account + 1, _assets, _points, 7::smallint, _order, _held, _night);
  perform capture_order(_bucket, _account, _order, _voucher, _shown.merchant, null, null, _redeemed, _at, _night, null);
  insert into benefit_order (bucket, account, night, mall_order) values (_bucket, _account, _night, _order);
  return true;
end $$;
