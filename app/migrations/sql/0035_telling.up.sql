-- A till's clock may be behind by as much as its signature may be old; a token that is over and may still be
-- told of is not the end of its order (离线券的上报). No statement reads reversals by merchant and day.

-- As 0034 has it, likewise.
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
              else _offline_at between o.placed_at - interval '5 minutes' and o.offline_until
                   and _at < o.offline_until + interval '1 day' end
  returning * into _found;
  if found then
    outcome := 'redeemed';
    claim_fen := capture_order(
      _found.bucket, _found.account, _found.id, _found.voucher, _open.merchant, _till, _open.keeper,
      _first, _at, _today, _offline_at);
    redeemed_at := _at;
    till := _till;
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

-- As 0034 has it, but that it says what holds a token up.
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
  elsif _found.state <> 'reserved'
        or greatest(_found.ends_at, _found.offline_until + interval '1 day') <= _at then
    raise exception 'order.ended' using errcode = 'TP100';
  elsif _found.offline_until <= _at then
    raise exception 'order.offline_open' using errcode = 'TP100';
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
  update mall_order set offline_until = least(_until, ends_at), is_bound = true
   where bucket = _bucket and account = _account and id = _order;
  return least(_until, _found.ends_at);
end $$;

drop index reversal_of_merchant;
