-- The deeds of 0019 and 0022 over orders that say themselves what was bought. Contracts and lock order
-- are those of 0019 (docs/decisions/0029).

create or replace function place_order(
  _bucket smallint, _account bigint, _order uuid, _voucher uuid, _code bytea,
  _offer uuid, _version int, _price_points bigint, _price_fen bigint, _quantity smallint,
  _held uuid, _redeemed uuid, _at timestamptz, _today date) returns void
language plpgsql as $$
declare
  _shown record;
  _due bigint;
  _found bigint;
  _assets int[];
  _points bigint[];
begin
  perform from subject where bucket = _bucket and account = _account for no key update;
  if not found or exists (select from erasure where bucket = _bucket and account = _account) then
    raise exception 'order.leaving' using errcode = 'TP100';
  end if;

  select o.*, m.suspended_at is null as is_trading into _shown
    from offer o join merchant m on m.id = o.merchant where o.id = _offer;
  if not found or _shown.state not in ('published', 'withdrawn') then
    raise exception 'order.offer_unknown' using errcode = 'TP100';
  elsif _shown.state = 'withdrawn' or not _shown.is_trading
        or not (_shown.sale_from <= _at and _at < _shown.sale_to) then
    raise exception 'order.offer_closed' using errcode = 'TP100';
  elsif (_shown.version, _shown.price_points, _shown.price_fen) <> (_version, _price_points, _price_fen) then
    raise exception 'order.price_changed' using errcode = 'TP100';
  end if;

  _due := _price_points * _quantity;
  with own as materialized (
    select b.asset, b.credits - b.debits as points, x.expires
      from balance b join asset x on x.id = b.asset
     where b.bucket = _bucket and b.account = _account and b.asset & 7 = 3 and b.credits > b.debits
       and x.expires >= _today and x.fen_per_point > 0
     order by b.asset for update of b),
  summed as (
    select asset, points, sum(points) over (order by expires, asset) as upto from own)
  select array_agg(asset order by asset), array_agg(least(points, _due - (upto - points)) order by asset),
         coalesce(sum(least(points, _due - (upto - points))), 0)
    into _assets, _points, _found
    from summed where upto - points < _due;
  if _found < _due then
    raise exception 'order.points_short' using errcode = 'TP100', detail = _due - _found;
  end if;

  insert into mall_order (bucket, account, id, voucher, offer, offer_version, kind, title_zh, title_en, merchant,
                          quantity, points, fen, state, placed_on, placed_at, ends_at, ended_at)
  values (_bucket, _account, _order, _voucher, _offer, _version, _shown.kind, _shown.title_zh, _shown.title_en,
          _shown.merchant, _quantity, _due, _price_fen * _quantity,
          case _shown.kind when 'donation' then 'redeemed' else 'reserved' end,
          _today, _at, _at + make_interval(days => _shown.voucher_days),
          case _shown.kind when 'donation' then _at end);
  insert into order_part (bucket, account, mall_order, asset, points)
  select _bucket, _account, _order, p.asset, p.points from unnest(_assets, _points) as p (asset, points);
  insert into voucher_place (voucher, code, bucket, account, mall_order)
  values (_voucher, _code, _bucket, _account, _order);
  perform move_points(_bucket, _account, _account + 1, _assets, _points, 7::smallint, _order, _held, _today);
  if _shown.kind = 'donation' then
    perform capture_order(_bucket, _account, _order, _voucher, _shown.merchant, null, null, _redeemed, _at, _today, null);
  end if;

  insert into offer_person as p (bucket, account, offer, taken) values (_bucket, _account, _offer, _quantity)
  on conflict (bucket, account, offer) do update set taken = p.taken + excluded.taken;
  perform from offer_person where bucket = _bucket and account = _account and offer = _offer and taken > _shown.per_person;
  if found then
    raise exception 'order.person_limit' using errcode = 'TP100', detail = _shown.per_person;
  end if;
  insert into offer_day as d (offer, day, taken) values (_offer, _today, _quantity)
  on conflict (offer, day) do update set taken = d.taken + excluded.taken;
  perform from offer_day where offer = _offer and day = _today and taken > _shown.per_day;
  if found then
    raise exception 'order.day_limit' using errcode = 'TP100', detail = _shown.per_day;
  end if;
  update offer_stock set taken = taken + _quantity where offer = _offer and taken + _quantity <= stocked;
  if not found then
    raise exception 'order.sold_out' using errcode = 'TP100';
  end if;
end $$;

-- Redeems a voucher, named by its id or by the hash of its printed code. Says what came of it: redeemed,
-- before (the same voucher, here: the first redemption again), or the code of a refusal.
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

-- Gives back what an order bound of its merchant's offline cap, once tills had their day to tell of it. Its
-- voucher goes on, and may be made ready again. Says whether anything was bound.
create function end_offline(_bucket smallint, _account bigint, _order uuid, _at timestamptz) returns boolean
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
revoke all on function end_offline from public;
grant execute on function end_offline to tanpu_app;
