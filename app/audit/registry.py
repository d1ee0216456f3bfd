"""The registry, audited (登记簿审计): every unit held to its grams, every gram to its act.

A batch is what its transfers moved and what its places add up to; the places of a class follow one
another with no gap and no overlap, over all buckets; nobody has more in batches than they pooled;
what corrections took of issued grams is noted to the milligram. A frozen lot is its leaves, each of
which opens with its owner's secret, and its sample is the one that its seed draws.
"""

from collections.abc import Iterator
from datetime import date
from itertools import islice
from typing import Final, NamedTuple
from uuid import UUID

from app.audit.openings import Openings
from app.audit.report import Kind, Sheet
from app.audit.streams import stream
from app.kernel.db import Connection
from ledger.assets import day_number
from ledger.log import Edge
from ledger.lots import (
    WITHHELD,
    LotRow,
    draw,
    nonce_commitment,
    row_leaf,
    row_salt,
    sample_seed,
)
from ledger.tiles import WIDTH, append, edge_tiles

LEAVES_AT_ONCE: Final = 10_000
_MOVED: Final = """
with due as (
  select b.id as cause, b.reduction as asset, 11::int8 as target, b.quantity_kg * 1000000 as amount
    from issue_batch b
  union all
  select b.id, b.asset, o.account, b.quantity_kg - b.buffer_kg
    from issue_batch b cross join organisation o
   where o.kind = 'operator' and b.quantity_kg > b.buffer_kg
  union all
  select b.id, b.asset, o.account, b.buffer_kg
    from issue_batch b cross join buffer_owner o where b.buffer_kg > 0),
moved as (
  select cause, asset, target, sum(amount) as amount from transfer where code in (15, 16)
   group by cause, asset, target)
select 'batch ' || cause,
       'moved ' || coalesce(m.amount, 0) || ' of asset ' || asset || ' to account ' || target
       || ', it says ' || coalesce(d.amount, 0)
  from due d full join moved m using (cause, asset, target)
 where d.amount is distinct from m.amount"""
_SYSTEMS: Final = """
select 'asset ' || asset, s.name || ' has ' || sum(mg) || ' mg'
  from (select asset, target as system, amount as mg from transfer
         where asset & 7 = 1 and target in (10, 11)
        union all
        select asset, source, -amount from transfer where asset & 7 = 1 and source in (10, 11)) m
  join system_account s on s.id = m.system
 group by asset, s.name having sum(mg) < 0"""
_SERIES: Final = """
select 'asset ' || asset, 'its series goes on at ' || lower(place) || ' after ' || before
  from (select asset, place, coalesce(lag(upper(place))
                 over (partition by asset order by lower(place), upper(place)), 0) as before
          from issued_row where bucket >= 0) p
 where lower(place) <> before"""
_BATCHES: Final = """
select 'batch ' || b.id, 'its places are ' || coalesce(p.first::text, 'none') || ' to '
       || coalesce(p.last::text, 'none') || ', it says ' || b.series
  from issue_batch b
  left join (select batch, asset, min(lower(place)) as first, max(upper(place)) as last,
                    sum(upper(place) - lower(place)) as mg
               from issued_row where bucket >= 0 group by batch, asset) p
    on p.batch = b.id and p.asset = b.reduction
 where (p.first, p.last, p.mg) is distinct from
       (lower(b.series), upper(b.series), (upper(b.series) - lower(b.series))::numeric)"""
_ROWS: Final = """
select 'lot ' || i.lot || ', act ' || i.activity, 'has a place that no row of its lot bears out'
  from issued_row i
  left join lot_row w on w.bucket = i.bucket and w.account = i.account and w.lot = i.lot
   and w.activity = i.activity
  left join issue_batch b on b.id = i.batch
 where i.bucket >= 0
   and (w.leaf is null or upper(i.place) - lower(i.place) > w.mg or b.lot is distinct from i.lot)"""
_OWNERS: Final = """
with pooled as (
  select bucket, source as owner, asset, sum(amount) as mg from transfer
   where target = 10 group by bucket, source, asset),
taken as (
  select c.bucket, a.target as owner, c.asset, sum(c.amount) as mg
    from transfer c join transfer a
      on a.bucket = c.bucket and a.recorded_on = c.corrects_on and a.id = c.corrects
   where c.source = 10 group by c.bucket, a.target, c.asset),
placed as (
  select bucket, account as owner, asset, sum(upper(place) - lower(place)) as mg
    from issued_row group by bucket, account, asset)
select 'account ' || owner || ', asset ' || asset,
       'has ' || p.mg || ' mg in batches, pooled ' || coalesce(n.mg, 0) - coalesce(t.mg, 0)
  from placed p left join pooled n using (bucket, owner, asset)
  left join taken t using (bucket, owner, asset)
 where p.mg > coalesce(n.mg, 0) - coalesce(t.mg, 0)"""
_FALLS: Final = """
with taken as (
  select c.bucket, c.id, a.target as account, c.asset, c.amount as mg
    from transfer c left join transfer a
      on a.bucket = c.bucket and a.recorded_on = c.corrects_on and a.id = c.corrects
   where c.source = 11)
select 'transfer ' || coalesce(t.id, h.id), 'took ' || coalesce(t.mg, 0)
       || ' mg of issued grams, noted are ' || coalesce(h.mg, 0)
  from taken t
  full join issued_shortfall h on h.bucket = t.bucket and h.id = t.id
  left join issue_batch b on b.id = h.batch
 where (t.mg, t.account, t.asset) is distinct from (h.mg, h.account, b.reduction)"""
_FRAMES: Final = """
select 'lot ' || coalesce(l.lot, w.lot), 'a leaf is not that of a row'
  from lot_leaf l
  full join (select r.bucket, r.lot, r.leaf, r.mg from lot_row r join lot o on o.id = r.lot
              where r.bucket >= 0 and r.leaf is not null and o.frozen_at is not null) w
    on w.lot = l.lot and w.leaf = l.leaf
 where (l.bucket, l.mg) is distinct from (w.bucket, w.mg)
union all
select 'lot ' || o.id, 'says ' || o.leaves || ' leaves, ' || o.mg || ' mg; it has '
       || coalesce(l.leaves, 0) || ', ' || coalesce(l.mg, 0)
  from lot o
  left join (select lot, count(*) as leaves, sum(mg) as mg from lot_leaf group by lot) l
    on l.lot = o.id
 where o.frozen_at is not null and (o.leaves, o.mg) is distinct from (l.leaves, l.mg)"""
_ENDS: Final = """
select 'lot ' || o.id, 'is ' || coalesce(o.outcome, 'open') || ', and '
       || case when b.id is null then 'was not issued' else 'was issued' end
  from lot o
  left join issue_batch b on b.lot = o.id
  left join lot_decision d on d.lot = o.id
 where (b.id is not null) <> (o.outcome is not distinct from 'issued')
    or b.id is not null and d.is_confirmed is not true
union all
select 'lot ' || d.lot, 'was decided on with rows of its sample that nobody looked at'
  from lot_decision d
 where exists (select from sampled_row s
                where s.lot = d.lot and not exists (
                  select from lot_finding f where f.lot = s.lot and f.draw = s.draw))"""
_REPLACED: Final = """
select 'replacement ' || coalesce(p.id, r.id), 'its retirement is another or none'
  from replacement p
  full join (select id, batch, quantity_kg from retirement where purpose = 8) r on r.id = p.id
 where (p.taken_from, p.quantity_kg) is distinct from (r.batch, r.quantity_kg)"""
_ORDER: Final = """
select 'lot ' || lot, 'leaf ' || position || ' is not in its place'
  from (select lot, position, row_number() over (partition by lot order by leaf) - 1 as place
          from lot_leaf) l
 where position <> place"""
_REPLACED_MORE: Final = """
select 'batch ' || p.batch, 'had ' || p.kg || ' units replaced, it was short of '
       || floor(coalesce(h.mg, 0) / 1000000) + coalesce(r.kg, 0)
  from (select batch, sum(quantity_kg) as kg from replacement group by batch) p
  left join (select batch, sum(mg) as mg from issued_shortfall where bucket >= 0 group by batch) h
    on h.batch = p.batch
  left join (select batch, sum(quantity_kg) as kg from recall_used group by batch) r
    on r.batch = p.batch
 where p.kg > floor(coalesce(h.mg, 0) / 1000000) + coalesce(r.kg, 0)"""
_DECIDED: Final = """
with said as (
  select lot, case count(*) when 2 then max(committed_at) end as committed_at,
         max(revealed_at) as revealed_at, bool_or(nonce is null) as has_hidden
    from lot_nonce group by lot),
due as (
  select s.lot, s.epoch, s.drawn_at, n.revealed_at, coalesce(n.has_hidden, false) as has_hidden,
         (select min(e.epoch) from epoch e
           where e.closed_at > coalesce(n.committed_at, o.frozen_at + interval '7 days')) as first
    from lot_sample s join lot o on o.id = s.lot left join said n on n.lot = s.lot)
select 'sample of lot ' || d.lot,
       'its epoch is not the first that closed after nobody could commit any more'
  from due d where d.epoch is distinct from d.first
union all
select 'sample of lot ' || d.lot, 'a nonce was revealed too late, or not waited for'
  from due d join epoch e on e.epoch = d.epoch
 where d.revealed_at > e.closed_at + interval '7 days'
    or d.has_hidden and d.drawn_at <= e.closed_at + interval '7 days'"""
_CHECKS: Final = (
    _MOVED, _SYSTEMS, _SERIES, _BATCHES, _ROWS, _OWNERS, _FALLS, _FRAMES, _ORDER, _ENDS,
    _REPLACED, _REPLACED_MORE, _DECIDED,
)  # fmt: skip
_LEAVES: Final = """
select r.account, r.lot, r.activity, x.key, r.occurred_on, r.act_mg, r.mg, r.evidence, r.leaf,
       s.sealed
  from lot_row r join lot o on o.id = r.lot join asset x on x.id = o.asset
  join account_secret s on s.bucket = r.bucket and s.account = r.account
 where r.bucket >= 0 and r.leaf is not null"""
_FROZEN: Final = "select id, root from lot where frozen_at is not null order by id"
_TREE: Final = "select leaf from lot_leaf where lot = %s order by position"
_TILES: Final = "select level, number, hashes from lot_tile where lot = %s"
_SAMPLES: Final = """
select s.lot, s.seed, s.block_hash, a.block_hash, v.nonce, v.commitment, r.nonce, r.commitment,
       (select array_agg(d.position order by d.draw) from sampled_row d where d.lot = s.lot),
       l.sample_rows
  from lot_sample s
  join lot l on l.id = s.lot
  left join anchored a on a.epoch = s.epoch
  left join lot_nonce v on v.lot = s.lot and v.party = 'verifier'
  left join lot_nonce r on r.lot = s.lot and r.party = 'regulator'
 order by s.lot"""


class _Row(NamedTuple):
    owner: int
    lot: UUID
    activity: UUID
    key: bytes
    occurred_on: date
    act_mg: int
    mg: int
    evidence: bytes
    leaf: bytes
    sealed: bytes


class _Sample(NamedTuple):
    lot: UUID
    seed: bytes
    block_hash: bytes
    anchored: bytes | None
    verifier: bytes | None
    verifier_commitment: bytes | None
    regulator: bytes | None
    regulator_commitment: bytes | None
    positions: list[int] | None
    rows: int


def check_registry(connection: Connection, openings: Openings, sheet: Sheet) -> None:
    """Hold lots, batches and places to the books, and lots to their published roots."""
    check_units(connection, sheet)
    for row in sheet.counted("lot_rows", stream(connection, _Row, _LEAVES)):
        secret = openings.secret(row.owner, row.sealed)
        if secret is not None and _leaf(row, secret) != bytes(row.leaf):
            where = f"lot {row.lot}, act {row.activity}"
            sheet.find(Kind.REGISTRY, where, "its leaf does not open to what its row says")
    for lot, root in connection.execute(_FROZEN).fetchall():
        _check_tree(connection, lot, bytes(root), sheet)
    for sample in [_Sample(*row) for row in connection.execute(_SAMPLES).fetchall()]:
        _check_sample(connection, sample, sheet)


def check_units(connection: Connection, sheet: Sheet) -> None:
    """Do what of it needs no keys."""
    for check in _CHECKS:
        for where, detail in connection.execute(check):
            sheet.find(Kind.REGISTRY, where, detail)


def _leaf(row: _Row, secret: bytes) -> bytes:
    told = LotRow(
        row.lot,
        row.activity,
        bytes(row.key),
        day_number(row.occurred_on),
        row.act_mg,
        row.mg,
        bytes(row.evidence),
    )
    return row_leaf(told, row_salt(secret, row.lot, row.activity))


def _leaves(connection: Connection, lot: UUID) -> Iterator[bytes]:
    return stream(connection, bytes, _TREE, lot)


def _check_tree(connection: Connection, lot: UUID, root: bytes, sheet: Sheet) -> None:
    edge, tiles, leaves = Edge(), dict[tuple[int, int], bytes](), _leaves(connection, lot)
    while chunk := list(islice(leaves, LEAVES_AT_ONCE)):
        edge, made = append(edge, chunk)
        tiles |= {(t.level, t.number): data for t, data in made if t.width == WIDTH}
    tiles |= {(t.level, t.number): data for t, data in edge_tiles(edge)}
    if edge.root() != root:
        sheet.find(Kind.REGISTRY, f"lot {lot}", "its root is not that of its leaves")
    rows = connection.execute(_TILES, (lot,)).fetchall()
    if {(level, number): bytes(data) for level, number, data in rows} != tiles:
        sheet.find(Kind.REGISTRY, f"lot {lot}", "its tiles are not those of its leaves")


def _check_sample(connection: Connection, its: _Sample, sheet: Sheet) -> None:
    where = f"sample of lot {its.lot}"
    if its.verifier is None and its.regulator is None:
        sheet.find(Kind.REGISTRY, where, "was drawn though nobody revealed a nonce")
    for party, nonce, commitment in (
        ("verifier", its.verifier, its.verifier_commitment),
        ("regulator", its.regulator, its.regulator_commitment),
    ):
        if nonce is not None and commitment != nonce_commitment(its.lot, party, nonce):
            sheet.find(Kind.REGISTRY, where, "a nonce is not the one that was committed to")
    if its.anchored not in {None, its.block_hash}:
        sheet.find(Kind.REGISTRY, where, "the block is not that of its epoch")
    nonces = (its.verifier or WITHHELD, its.regulator or WITHHELD)
    if its.seed != sample_seed(its.block_hash, *nonces):
        sheet.find(Kind.REGISTRY, where, "its seed is not made of its parts")
    drawn = draw(its.seed, _leaves(connection, its.lot), its.rows)
    if its.positions != [position for position, _ in drawn]:
        sheet.find(Kind.REGISTRY, where, "its rows are not those that its seed draws")
