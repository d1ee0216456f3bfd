-- What is done to orders and vouchers (下单、核销、冲正): each deed is one function.
--
-- What it checks, takes, writes and posts is one statement of its caller; docs/decisions/0029 has the
-- contracts. SQLSTATE TP100 is a refusal, whose code is the message. Numbers of accounts and codes
-- are those of ledger.accounts and ledger.chart; the chart's check on transfer holds them to it.
-- Lock order: the person, orders, balances by class, offer_person, offer_day, offer_stock,
-- offline_outstanding.

-- The caller makes one UUIDv7; the parts of one movement end in its number.
create function part_id(_first uuid, _part int) returns uuid
language sql immutable strict parallel safe as $$
  select overlay(_first::text placing lpad(to_hex(_part), 4, '0') from 33)::uuid
$$;

-- Posts one movement of some classes, as app.books.post does: balances, transfers, pending entries.
create function move_points(
  _bucket smallint, _source bigint, _target bigint, _assets int[], _points bigint[],
  _code smallint, _cause uuid, _first uuid, _today date) returns void
language plpgsql as $$
declare
  _changed int;
begin
  if _source >= 65536 then
    update balance b set debits = b.debits + p.points
      from unnest(_assets, _points) as p (asset, points)
     where b.bucket = _bucket and b.account = _source and b.asset = p.asset;
    get diagnostics _changed = row_count;
    if _changed is distinct from cardinality(_assets) then
      raise exception 'account % lacks a class of %', _source, _cause using errcode = 'TP003';
    end if;
  end if;
  if _target >= 65536 then
    insert into balance as b (bucket, account, asset, credits, debits)
    select _bucket, _target, p.asset, p.points, 0
      from unnest(_assets, _points) as p (asset, points) order by p.asset
    on conflict (bucket, account, asset) do update set credits = b.credits + excluded.credits;
    -- An erasure waits until nothing can come back (app.privacy); this would be a defect.
    perform from account a where a.bucket = _bucket and a.id = _target & ~1::bigint and a.akey is not null;
    if not found then
      raise exception 'account % was erased', _target using errcode = 'TP003';
    end if;
  end if;
  with written as (
    insert into transfer (bucket, recorded_on, id, source, target, asset, amount, code, cause, occurred_on)
    select _bucket, _today, part_id(_first, p.part::int), _source, _target, p.asset, p.points, _code, _cause, _today
      from unnest(_assets, _points) with ordinality as p (asset, points, part)
    returning bucket, recorded_on, id)
  insert into log_pending (bucket, recorded_on, id) select bucket, recorded_on, id from written;
end $$;

-- Takes the points of an order from held to redeemed, and writes what the merchant may claim.
create function capture_order(
  _bucket smallint, _account bigint, _order uuid, _redemption uuid, _merchant uuid, _till uuid, _keeper uuid,
  _first uuid, _at timestamptz, _today date, _offline_at timestamptz, out claim_fen bigint)
language plpgsql as $$
declare
  _assets int[];
  _points bigint[];
begin
  select array_agg(p.asset order by p.asset), array_agg(p.points order by p.asset), sum(p.points * x.fen_per_point)
    into _assets, _points, claim_fen
    from order_part p join asset x on x.id = p.asset
   where p.bucket = _bucket and p.account = _account and p.mall_order = _order;
  insert into redemption (bucket, account, id, mall_order, merchant, till, keeper, points, claim_fen,
                          recorded_on, redeemed_at, offline_at)
  select _bucket, _account, _redemption, _order, _merchant, _till, _keeper, sum(points), claim_fen,
         _today, _at, _offline_at
    from unnest(_points) as p (points);
  perform move_points(_bucket, _account + 1, 18, _assets, _points, 9::smallint, _redemption, _first, _today);
end $$;

-- Gives an order's units back to the offer, and its limits to the person and the day.
create function give_units_back(_order mall_order) returns void
language plpgsql as $$
begin
  update offer_person set taken = taken - _order.quantity
   where bucket = _order.bucket and account = _order.account and offer = _order.offer;
  update offer_day set taken = taken - _order.quantity
   where offer = _order.offer and day = _order.placed_on;
  update offer_stock set taken = taken - _order.quantity where offer = _order.offer;
end $$;

-- Lets a merchant's tills take as much more unseen as an order that is over had bound.
create function give_cap_back(_order mall_order) returns void
language sql as $$
  update offline_outstanding set points = points - _order.points
   where merchant = _order.merchant and _order.offline_until is not null
$$;

create function place_order(
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

  insert into mall_order (bucket, account, id, voucher, offer, offer_version, merchant, quantity, points, fen,
                          state, placed_on, placed_at, ends_at, ended_at)
  values (_bucket, _account, _order, _voucher, _offer, _version, _shown.merchant, _quantity, _due,
          _price_fen * _quantity, case _shown.kind when 'donation' then 'redeemed' else 'reserved' end,
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

-- Gives a reserved order's points back: cancelled before its end, expired after it. Says what it was
-- before and what it is now; nothing where there is no such order, the same twice where it stays.
create function release_order(
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

-- Lets tills without a network take a reserved order for a while, if its merchant's cap has room.
create function open_offline(
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

-- Redeems a voucher, named by its id or by the hash of its printed code. Says what came of it: redeemed,
-- before (the same voucher, here: the first redemption again), or the code of a refusal.
create function redeem_voucher(
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
              else _offline_at between o.placed_at and o.offline_until end
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
  select f.id, f.title_zh, f.title_en into offer, title_zh, title_en from offer f where f.id = _found.offer;
end $$;

-- Reverses a redemption within 15 minutes: at once by the till that redeemed; else the first person
-- asks and another confirms. Says reversed, before, asked, or the code of a refusal.
create function reverse_redemption(
  _redemption uuid, _till uuid, _person uuid, _actor text, _key text, _request bytea,
  _reversal uuid, _first uuid, _at timestamptz, _today date, _kept_until timestamptz,
  out outcome text, out reversal uuid, out reversed_at timestamptz, out points bigint)
language plpgsql as $$
#variable_conflict use_column
declare
  _place voucher_place;
  _found mall_order;
  _taken redemption;
  _merchant uuid;
  _asked_by uuid;
  _said bytea;
  _assets int[];
  _points bigint[];
begin
  if _till is not null then
    select t.merchant, t.keeper into _merchant, _person from till t
     where t.id = _till and t.revoked_at is null and t.shift_ends_at > _at;
  else
    select u.merchant into _merchant from merchant_user u where u.id = _person and u.suspended_at is null;
  end if;
  _asked_by := _person;
  perform from merchant m where m.id = _merchant and m.suspended_at is null;
  if not found then
    outcome := 'till.closed';
    return;
  end if;
  select request into _said from desk_answer where actor = _actor and key = _key;
  if _said <> _request then
    outcome := 'idempotency.key_reused';
    return;
  end if;

  select * into _place from voucher_place p where p.voucher = _redemption;
  select * into _found from mall_order o
   where o.bucket = _place.bucket and o.account = _place.account and o.id = _place.mall_order
     and o.merchant = _merchant for update;
  select * into _taken from redemption r
   where r.bucket = _found.bucket and r.account = _found.account and r.id = _redemption;
  if not found then
    outcome := 'redemption.unknown';
    return;
  end if;
  points := _found.points;
  if _found.state = 'reversed' then
    outcome := 'before';
    select r.id, r.reversed_at into reversal, reversed_at from reversal r
     where r.bucket = _found.bucket and r.account = _found.account and r.redemption = _redemption;
    return;
  elsif _at > _taken.redeemed_at + interval '15 minutes' then
    outcome := 'reversal.too_late';
    return;
  end if;

  if _said is not null then
    outcome := 'asked'; -- what was asked before, sent again, is no second person's word
    return;
  end if;
  insert into desk_answer (actor, key, request, kept_until) values (_actor, _key, _request, _kept_until);
  if _till is null or _taken.till is distinct from _till then
    insert into reversal_request (bucket, account, redemption, asked_by, asked_at)
    values (_found.bucket, _found.account, _redemption, _person, _at) on conflict do nothing;
    select q.asked_by into _asked_by from reversal_request q
     where q.bucket = _found.bucket and q.account = _found.account and q.redemption = _redemption;
    if _asked_by = _person then
      outcome := 'asked';
      return;
    end if;
    _till := null;
  end if;

  outcome := 'reversed';
  reversal := _reversal;
  reversed_at := _at;
  update mall_order o set state = 'reversed', ended_at = _at
   where o.bucket = _found.bucket and o.account = _found.account and o.id = _found.id;
  insert into reversal (bucket, account, redemption, id, merchant, till, asked_by, confirmed_by, recorded_on, reversed_at)
  values (_found.bucket, _found.account, _redemption, _reversal, _merchant, _till, _asked_by,
          case when _till is null then _person end, _today, _at);
  select array_agg(p.asset order by p.asset), array_agg(p.points order by p.asset) into _assets, _points
    from order_part p
   where p.bucket = _found.bucket and p.account = _found.account and p.mall_order = _found.id;
  perform move_points(_found.bucket, 18, _found.account, _assets, _points, 10::smallint, _reversal, _first, _today);
  perform give_units_back(_found);
end $$;

do $$ begin
  execute (
    select string_agg(format('revoke all on function %s from public; grant execute on function %s to tanpu_app;',
                             f, f), ' ')
      from unnest(array['part_id', 'move_points', 'capture_order', 'give_units_back', 'give_cap_back',
                        'place_order', 'release_order', 'open_offline', 'redeem_voucher',
                        'reverse_redemption']::regproc[]) as t (f0),
           lateral (select f0::regprocedure) as g (f));
end $$;
