drop table bank_payment;
delete from voucher_place where code is null;
alter table voucher_place alter column code set not null;
update offline_outstanding o
   set points = coalesce((select sum(points) from mall_order m
                           where m.merchant = o.merchant and m.state = 'reserved' and m.offline_until is not null), 0);
create or replace function give_cap_back(_order mall_order) returns void
language sql as $$
  update offline_outstanding set points = points - _order.points
   where merchant = _order.merchant and _order.offline_until is not null
$$;
create or replace function release_order(
  _bucket smallint, _account bigint, _order uuid, _first uuid, _at timestamptz, _today date,
  out was text, out is_now text)
language plpgsql as $$
declare
  _found mall_order;
  _assets int[];
  _points bigint[];
begin
  -- Held first and then the citizen's, the other way round than an order takes them: one at a time.
  perform from subject where bucket = _bucket and account = _account for no key update;
  update mall_order set state = case when ends_at > _at then 'cancelled' else 'expired' end, ended_at = _at
   where bucket = _bucket and account = _account and id = _order and state = 'reserved'
     and (offline_until is null or offline_until + interval '1 day' <= _at)
  returning * into _found;
  if not found then
    select o.state, o.state into was, is_now from mall_order o
     where o.bucket = _bucket and o.account = _account and o.id = _order;
    return;
  end if;
  was := 'reserved';
  is_now := _found.state;
  select array_agg(asset order by asset), array_agg(points order by asset) into _assets, _points
    from order_part where bucket = _bucket and account = _account and mall_order = _order;
  perform move_points(_bucket, _account + 1, _account, _assets, _points, 8::smallint, _order, _first, _today);
  perform give_units_back(_found);
  perform give_cap_back(_found);
end $$;
create or replace function open_offline(
  _bucket smallint, _account bigint, _order uuid, _until timestamptz, _at timestamptz) returns timestamptz
language plpgsql as $$
declare
  _found mall_order;
  _cap bigint;
begin
  select * into _found from mall_order
   where bucket = _bucket and account = _account and id = _order for update;
  if not found then
    raise exception 'order.unknown' using errcode = 'TP100';
  elsif _found.state <> 'reserved' or _found.ends_at <= _at or _found.offline_until <= _at then
    raise exception 'order.ended' using errcode = 'TP100';
  elsif _found.offline_until is not null then
    return _found.offline_until;
  end if;
  select offline_cap_points into _cap from merchant
   where id = _found.merchant and suspended_at is null;
  insert into offline_outstanding as o (merchant, points) values (_found.merchant, _found.points)
  on conflict (merchant) do update set points = o.points + excluded.points;
  perform from offline_outstanding where merchant = _found.merchant and points <= _cap;
  if not found then
    raise exception 'order.offline_cap' using errcode = 'TP100';
  end if;
  update mall_order set offline_until = least(_until, ends_at)
   where bucket = _bucket and account = _account and id = _order;
  return least(_until, _found.ends_at);
end $$;
create or replace function redeem_voucher(
  _voucher uuid, _code bytea, _is_fresh boolean, _till uuid, _actor text, _key text, _request bytea,
  _first uuid, _at timestamptz, _today date, _kept_until timestamptz, _offline_at timestamptz,
  out outcome text, out voucher uuid, out offer uuid, out title_zh text, out title_en text,
  out quantity smallint, out points bigint, out fen bigint, out claim_fen bigint,
  out redeemed_at timestamptz, out till uuid)
language plpgsql as $$
#variable_conflict use_column
declare
  _open record;
  _place voucher_place;
  _found mall_order;
  _said bytea;
begin
  select t.merchant, t.keeper into _open from till t join merchant m on m.id = t.merchant
   where t.id = _till and t.revoked_at is null and t.shift_ends_at > _at and m.suspended_at is null;
  if not found then
    outcome := 'till.closed';
    return;
  end if;
  select request into _said from desk_answer where actor = _actor and key = _key;
  if _said <> _request then
    outcome := 'idempotency.key_reused';
    return;
  end if;

  if _voucher is not null then
    select * into _place from voucher_place p where p.voucher = _voucher;
  else
    select * into _place from voucher_place p where p.code = _code;
  end if;
  update mall_order o set state = 'redeemed', ended_at = _at
   where o.bucket = _place.bucket and o.account = _place.account and o.id = _place.mall_order
     and o.merchant = _open.merchant and o.state = 'reserved'
     and case when _offline_at is null then _is_fresh and o.ends_at > _at
              else _offline_at between o.placed_at and o.offline_until
                   and _at < o.offline_until + interval '1 day' end
  returning * into _found;
  if found then
    outcome := 'redeemed';
    claim_fen := capture_order(
      _found.bucket, _found.account, _found.id, _found.voucher, _open.merchant, _till, _open.keeper,
      _first, _at, _today, _offline_at);
    redeemed_at := _at;
    till := _till;
    perform give_cap_back(_found) where _found.offline_until is not null;
    insert into desk_answer (actor, key, request, kept_until)
    select _actor, _key, _request, _kept_until where _key is not null;
  else
    select * into _found from mall_order o
     where o.bucket = _place.bucket and o.account = _place.account and o.id = _place.mall_order
       and o.merchant = _open.merchant;
    outcome := case
      when not found then 'voucher.unknown'
      when _found.state = 'redeemed' then 'before'
      when _found.state <> 'reserved' then 'voucher.' || _found.state
      when _offline_at is not null then 'voucher.not_offline'
      when _found.ends_at <= _at then 'voucher.expired'
      else 'voucher.code_stale' end;
    if outcome <> 'before' then
      redeemed_at := _found.ended_at;
      return;
    end if;
    select r.redeemed_at, r.till, r.claim_fen into redeemed_at, till, claim_fen from redemption r
     where r.bucket = _found.bucket and r.account = _found.account and r.id = _found.voucher;
  end if;
  voucher := _found.voucher;
  quantity := _found.quantity;
  points := _found.points;
  fen := _found.fen;
  offer := _found.offer;
  title_zh := _found.title_zh;
  title_en := _found.title_en;
end $$;
create or replace function end_offline(_bucket smallint, _account bigint, _order uuid, _at timestamptz) returns boolean
language plpgsql as $$
declare
  _found mall_order;
begin
  select * into _found from mall_order
   where bucket = _bucket and account = _account and id = _order and state = 'reserved'
     and offline_until + interval '1 day' <= _at for update;
  if not found then
    return false;
  end if;
  update mall_order set offline_until = null where bucket = _bucket and account = _account and id = _order;
  perform give_cap_back(_found);
  return true;
end $$;
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

  insert into mall_order (bucket, account, id, voucher, offer, offer_version, kind, title_zh, title_en, merchant,
                          quantity, points, fen, state, placed_on, placed_at, ends_at, ended_at)
  values (_bucket, _account, _order, _voucher, _offer, _shown.version, _shown.kind, _shown.title_zh, _shown.title_en,
          _shown.merchant, 1, _due, 0, 'redeemed', _night, _at, _at + make_interval(days => _shown.voucher_days), _at);
  insert into order_part (bucket, account, mall_order, asset, points)
  select _bucket, _account, _order, p.asset, p.points from unnest(_assets, _points) as p (asset, points);
  perform move_points(_bucket, _account, _account + 1, _assets, _points, 7::smallint, _order, _held, _night);
  perform capture_order(_bucket, _account, _order, _voucher, _shown.merchant, null, null, _redeemed, _at, _night, null);
  insert into benefit_order (bucket, account, night, mall_order) values (_bucket, _account, _night, _order);
  return true;
end $$;
drop function bound_until;
drop index mall_order_offline;
create index mall_order_offline on mall_order (bucket, offline_until) where state = 'reserved' and offline_until is not null;
alter table mall_order drop column is_bound;
