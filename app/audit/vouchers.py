"""Vouchers and tills, audited (券与终端审计): codes, who redeemed where, who asked for a reversal.

A printed code's hash is made again from the voucher's own key. Whom a redemption names was the last
to open a shift at the till that it names, as the desk's hash-chained log tells; a minute of two
machines' clocks is allowed for. A request for a reversal is by one of the merchant's people, in its
quarter of an hour, and who confirmed it is another.
"""

from collections.abc import Iterator
from typing import Final

from app.audit.report import Kind, Sheet
from app.audit.streams import stream
from app.kernel.db import Connection
from app.kernel.ids import public_id
from app.kernel.secrets import Keys
from app.kernel.tokens import PREFIXES
from app.mall.vouchers import code_hash, key_of, printed_code
from app.merchants.tills import PREFIX as TILL

_CODES: Final = "select voucher, code from voucher_place where code is not null order by voucher"
_PAIRS: Final = "select distinct till, keeper from redemption where till is not null"
_KEPT: Final = """
with pair as (
  select * from unnest(%s::uuid[], %s::uuid[], %s::text[], %s::text[])
                as p (till, keeper, till_name, keeper_name)),
opened as (
  select object as till_name, at,
         case act when 'merchants.open_shift' then actor else detail ->> 'keeper' end
           as keeper_name,
         lead(at) over (partition by object order by number) as next_at
    from audit_entry where act in ('merchants.open_shift', 'merchants.try_till'))
select 'voucher ' || r.id, 'was redeemed by ' || p.keeper_name || ' at ' || p.till_name
       || ', where they had no shift at ' || r.redeemed_at
  from redemption r join pair p using (till, keeper)
 where not exists (
   select from opened o
    where (o.till_name, o.keeper_name) = (p.till_name, p.keeper_name)
      and o.at <= r.redeemed_at + interval '1 minute'
      and (o.next_at is null or o.next_at >= r.redeemed_at - interval '1 minute'))
    or not exists (select from till t where (t.id, t.merchant) = (r.till, r.merchant))"""
_ASKED: Final = """
select 'voucher ' || coalesce(q.redemption, v.redemption),
       case when q.redemption is null then 'was reversed by two, and nobody had asked'
            else 'is not asked back by ' || q.asked_by || ' at ' || q.asked_at end
  from reversal_request q
  full join (select * from reversal where confirmed_by is not null) v
       using (bucket, account, redemption) as k
  left join redemption r on (r.bucket, r.account, r.id) = (k.bucket, k.account, k.redemption)
 where q.redemption is null or r.id is null
    or q.asked_at not between r.redeemed_at and r.redeemed_at + interval '15 minutes'
    or not exists (select from merchant_user u where (u.id, u.merchant) = (q.asked_by, r.merchant))
    or v.id is not null and (q.asked_by <> v.asked_by or q.asked_at > v.reversed_at)"""


def check_vouchers(connection: Connection, keys: Keys, sheet: Sheet) -> None:
    """Hold vouchers to their keys, redemptions to shifts, requests for reversals to people."""
    for where, detail in (
        *_miscoded(connection, keys),
        *_kept(connection),
        *stream(connection, lambda *row: row, _ASKED),
    ):
        sheet.find(Kind.ORDER, where, detail)


def _miscoded(connection: Connection, keys: Keys) -> Iterator[tuple[str, str]]:
    for voucher, code in stream(connection, lambda *row: row, _CODES):
        if code_hash(keys, printed_code(key_of(keys, voucher))) != code:
            yield f"voucher {voucher}", "its printed code is not the one of its key"


def _kept(connection: Connection) -> Iterator[tuple[str, str]]:
    pairs = connection.execute(_PAIRS).fetchall()
    tills, keepers = [till for till, _ in pairs], [keeper for _, keeper in pairs]
    names = [public_id(TILL, till) for till in tills]
    people = [public_id(PREFIXES["merchant"], keeper) for keeper in keepers]
    yield from stream(connection, lambda *row: row, _KEPT, tills, keepers, names, people)
