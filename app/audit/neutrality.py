"""Neutral gatherings, audited (碳中和审计): gifts by their transfers, statements by their lines.

Each transfer to `given` is of a gift, and each gift has its transfer, to `given` or, of grade B,
to `cancelled`; what trips that lower a footprint earned was given up. A closed inventory is its
document, whose lines add up. A statement is its document too: it quotes that inventory, names
retirements that are there, tells what attendees kept, and no more gifts than there were. Shares
that were claimed come to no more than what was retired.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Final, NamedTuple
from uuid import UUID

from app.audit.report import Kind, Sheet
from app.audit.streams import stream
from app.kernel.db import Connection
from app.kernel.ids import public_id
from app.registry.retirements import PREFIX
from ledger.accounts import SYSTEM_ACCOUNTS
from ledger.assets import MG_PER_KG
from ledger.certificate import Purpose
from ledger.chart import Code

_MOVED: Final = """
with due as (
  select g.bucket, g.transfer, g.id, g.account, g.asset, g.mg, g.given_on, g.counts, x.grade,
         case x.grade when 'A' then %(give)s else %(cancel)s end as code,
         case x.grade when 'A' then %(given)s else %(cancelled)s end as target
    from gathering_gift g join asset x on x.id = g.asset),
moved as (
  select t.bucket, t.id as transfer, t.cause, t.source, t.asset, t.amount, t.recorded_on, t.code,
         t.target
    from transfer t
   where t.code = %(give)s
      or exists (select from gathering_gift g where g.bucket = t.bucket and g.transfer = t.id))
select coalesce('gift ' || d.id, 'transfer ' || transfer),
       case when d.id is null then 'gives what no gift tells of'
            when m.transfer is null then 'lacks its transfer'
            when d.counts and d.grade <> 'A' then 'counts, and is of grade ' || d.grade
            else 'and its transfer are not of the same grams, day or owner' end
  from due d full join moved m using (bucket, transfer)
 where (d.id, d.account, d.asset, d.mg, d.given_on, d.code, d.target)
       is distinct from (m.cause, m.source, m.asset, m.amount, m.recorded_on, m.code, m.target)
    or d.counts and d.grade <> 'A'"""
_GIVEN_UP: Final = """
with sided as (
  select bucket, account, gathering, sum(mg) as mg from claim_side
   where side = 'gathering' group by bucket, account, gathering),
gave as (
  select g.bucket, g.account, g.gathering, sum(g.mg) as most,
         coalesce(sum(g.mg) filter (where x.grade = 'A'), 0) as least
    from gathering_gift g join asset x on x.id = g.asset
   where not g.counts group by g.bucket, g.account, g.gathering)
select 'gathering ' || gathering, 'lowered its footprint by ' || coalesce(s.mg, 0)
       || ' mg of account ' || account || ', who gave up ' || coalesce(g.most, 0)
  from sided s full join gave g using (bucket, account, gathering)
 where not coalesce(s.mg, 0) between coalesce(g.least, 0) and coalesce(g.most, 0)"""
_TRIPS: Final = """
select 'activity ' || s.activity, 'has a side, and is no act of account ' || s.account
  from claim_side s
 where not exists (select from activity a
                    where a.bucket = s.bucket and a.account = s.account and a.id = s.activity)"""
_SHARED: Final = """
with claimed as (
  select t.gathering, sum(i.share_mg) as mg
    from share_ticket t join share_issue i on i.gathering = t.gathering and i.id = t.issue
   where t.claimed_at is not null group by t.gathering),
retired as (
  select g.id as gathering, sum(r.quantity_kg) as kg
    from gathering g join retirement r on r.holder = g.account
   where r.purpose = %(purpose)s and r.taken_at is not null group by g.id)
select 'gathering ' || gathering, 'shared ' || coalesce(c.mg, 0) || ' mg, noted are '
       || coalesce(s.claimed_mg, 0) || ', and retired ' || coalesce(r.kg, 0) || ' kg'
  from claimed c full join share_total s using (gathering) left join retired r using (gathering)
 where c.mg is distinct from s.claimed_mg or c.mg > coalesce(r.kg, 0) * 1000000"""
_SEALED: Final = """
select 'share issue ' || i.id, 'is of ' || i.tickets || ' tickets, and has ' || count(t.ticket)
  from share_issue i left join share_ticket t on t.gathering = i.gathering and t.issue = i.id
 group by i.gathering, i.id having i.tickets <> count(t.ticket)"""
_INVENTORIES: Final = """
select gathering, stage, version, total_mg, lines, document, digest from inventory"""
_RETIRED: Final = """
select g.id, r.id, r.quantity_kg from gathering g join retirement r on r.holder = g.account
 where r.purpose = %s and r.taken_at is not null"""
_STATEMENTS: Final = """
select s.gathering, s.version, s.footprint_mg, s.retired_kg, s.given_kg, s.document, i.total_mg,
       i.document,
       (select coalesce(sum(c.mg), 0)::int8 from claim_side c
         where c.gathering = s.gathering and c.side = 'attendee'),
       (select coalesce(sum(f.mg), 0)::int8 from gathering_gift f
         where f.gathering = s.gathering and f.counts
           and f.given_on <= (s.issued_at at time zone 'Asia/Shanghai')::date)
  from neutrality_statement s
  join inventory i
    on i.gathering = s.gathering and i.stage = s.stage and i.version = s.inventory"""

Retired = Mapping[str, int]
"""What a gathering retired [kg], by public id."""


class _Inventory(NamedTuple):
    """An inventory, as its row has it."""

    gathering: UUID
    stage: str
    version: int
    total_mg: int
    lines: int
    document: bytes
    digest: bytes


class _Statement(NamedTuple):
    """A statement, as its row and those that it rests on have it."""

    gathering: UUID
    version: int
    footprint_mg: int
    retired_kg: int
    given_kg: int
    document: bytes
    total_mg: int
    inventory: bytes
    kept_mg: int
    given_mg: int
    """On the day that it was issued, before corrections."""


def check_neutrality(connection: Connection, sheet: Sheet) -> None:
    """Hold gifts, sides, shares, inventories and statements to what they rest on."""
    facts = {
        "give": int(Code.GIVE),
        "cancel": int(Code.CANCEL),
        "given": SYSTEM_ACCOUNTS["given"],
        "cancelled": SYSTEM_ACCOUNTS["cancelled"],
        "purpose": int(Purpose.GATHERING),
    }
    for statement in (_MOVED, _GIVEN_UP, _TRIPS, _SHARED, _SEALED):
        for where, detail in connection.execute(statement, facts):
            sheet.find(Kind.NEUTRALITY, where, detail)
    inventories = stream(connection, _Inventory, _INVENTORIES)
    for inventory in sheet.counted("inventories", inventories):
        if not _is_whole(inventory):
            named = f"inventory {inventory.gathering} {inventory.stage} {inventory.version}"
            sheet.find(Kind.NEUTRALITY, named, "is not the document that was closed")
    retired: dict[UUID, dict[str, int]] = defaultdict(dict)
    for gathering, id_, kg in connection.execute(_RETIRED, (int(Purpose.GATHERING),)):
        retired[gathering][public_id(PREFIX, id_)] = kg
    stated = stream(connection, _Statement, _STATEMENTS)
    for statement in sheet.counted("neutrality statements", stated):
        for detail in _misstated(statement, retired[statement.gathering]):
            named = f"statement {statement.gathering} {statement.version}"
            sheet.find(Kind.NEUTRALITY, named, detail)


def _is_whole(inventory: _Inventory) -> bool:
    try:
        told = json.loads(inventory.document)
        sums = {told["total_mg"], sum(each["co2e_mg"] for each in told["lines"])}
        return (
            sha256(inventory.document).digest() == inventory.digest
            and sums | {sum(told["categories"].values())} == {inventory.total_mg}
            and len(told["lines"]) == inventory.lines
        )
    except (ValueError, LookupError, TypeError, AttributeError):
        return False


def _misstated(of: _Statement, retired: Retired) -> Iterator[str]:
    """Say what of a statement is not what it rests on."""
    try:
        said = json.loads(of.document)
        balance, is_quoted = said["balance"], said["inventory"] == json.loads(of.inventory)
        named = {each["retirement"]: each["quantity_kg"] for each in said["retirements"]}
        void_kg, way = balance["void_kg"], said["plan"]["offset_way"]
    except (ValueError, LookupError, TypeError, AttributeError):
        yield "its document is none of ours"
        return
    kept_kg = -(-of.kept_mg // MG_PER_KG)
    footprint_mg = of.total_mg + kept_kg * MG_PER_KG
    covered_mg = (of.retired_kg - void_kg + of.given_kg) * MG_PER_KG
    due = {
        "inventory_mg": of.total_mg,
        "kept_by_attendees_kg": kept_kg,
        "footprint_mg": footprint_mg,
        "retired_kg": of.retired_kg,
        "void_kg": void_kg,
        "given_kg": of.given_kg,
        "covered_mg": covered_mg,
    }
    if not is_quoted:
        yield "quotes another inventory"
    if balance != due or of.footprint_mg != footprint_mg:
        yield "its balance is not that of its inventory, its trips and its columns"
    if covered_mg < footprint_mg:
        yield "does not cover what was emitted"
    if sum(named.values()) != of.retired_kg or not named.items() <= retired.items():
        yield "names retirements that are not there"
    if of.given_kg * MG_PER_KG > of.given_mg or (of.given_kg and way == "units"):
        yield "counts more gifts than there were"
