"""What a correction takes back in points, and what stays owing (更正与欠分): none below zero (R6).

Milligrams that are taken back from where an exchange put them took points with them. Those are
taken from what the owner can spend; the rest is a debt, opened by the correction's cause with a
note in the log, and paid by later earnings in the same transaction that grants them.

A debt is to one programme, whose sponsor paid for points that should not have been; the points of
another sponsor do not pay it.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import date
from typing import Final, NamedTuple
from uuid import UUID

from app.books import Note, Row, erased_among, write_notes
from app.kernel.db import Connection
from app.points.earmarks import set_due
from app.points.rules import Line, Lot, Recovered, recovered, taken_from
from ledger.accounts import SYSTEM_ACCOUNTS, bucket_of
from ledger.chart import Code

EXCHANGED: Final = tuple(SYSTEM_ACCOUNTS[name] for name in ("pool", "issued", "absorbed"))
CORRECTION: Final = SYSTEM_ACCOUNTS["correction"]

_LINES: Final = """
select c.account, c.asset, c.exchange, e.recorded_on, e.programme, e.asset, c.mg_per_point,
       c.mg - coalesce(r.mg, 0)
  from unnest(%s::int2[], %s::int8[], %s::int4[]) as k (bucket, account, asset)
  join exchange_class c
    on c.bucket = k.bucket and c.account = k.account and c.asset = k.asset
  join exchange e on e.bucket = c.bucket and e.account = c.account and e.id = c.exchange
  left join lateral (
    select sum(x.mg)::int8 as mg from exchange_recovery x
     where x.bucket = c.bucket and x.account = c.account and x.exchange = c.exchange
       and x.asset = c.asset) r on true
 where c.mg > coalesce(r.mg, 0)"""
_LOTS: Final = """
select b.account, p.id, b.asset, x.expires, b.credits - b.debits
  from balance b
  join unnest(%s::int2[], %s::int8[]) as k (bucket, account)
    on b.bucket = k.bucket and b.account = k.account
  join asset x on x.id = b.asset
  join programme p on p.code = x.programme
 where b.asset & 7 = 3 and x.expires >= %s and b.credits > b.debits
 order by b.bucket, b.account, b.asset for update of b"""
_RECORD: Final = """
insert into exchange_recovery (bucket, account, id, exchange, asset, cause, mg, points, recorded_on)
select * from unnest(%s::int2[], %s::int8[], %s::uuid[], %s::uuid[], %s::int4[], %s::uuid[],
                     %s::int8[], %s::int8[], %s::date[])"""
_OPEN: Final = """
insert into points_debt (bucket, id, account, programme, cause, points, opened_on)
select * from unnest(%s::int2[], %s::uuid[], %s::int8[], %s::int2[], %s::uuid[], %s::int8[],
                     %s::date[])"""
_OWING: Final = """
select d.bucket, d.id, d.account, d.points - d.paid - d.forgiven
  from points_debt d
  join unnest(%s::int2[], %s::int8[]) as k (bucket, account)
    on d.bucket = k.bucket and d.account = k.account
 where d.programme = %s and d.paid + d.forgiven < d.points
 order by d.bucket, d.id for update of d"""
_PAY: Final = """
update points_debt d set paid = d.paid + t.points
  from unnest(%s::int2[], %s::uuid[], %s::int8[]) as t (bucket, id, points)
 where d.bucket = t.bucket and d.id = t.id"""
_OPEN_OF: Final = """
select id, points - paid - forgiven from points_debt
 where bucket = %s and account = %s and paid + forgiven < points order by id for update"""
_FORGIVE: Final = """
update points_debt d set forgiven = d.points - d.paid, forgiven_note = t.note
  from unnest(%s::uuid[], %s::uuid[]) as t (id, note)
 where d.bucket = %s and d.id = t.id"""

NewId = Callable[[], UUID]


class Taken(NamedTuple):
    """Milligrams that a correction takes back from one place."""

    owner: int
    asset: int
    """The class of reductions."""
    mg: int
    place: int
    """The account that the books take them from: the owner's, or one they had left to."""
    cause: UUID
    """The same as of the correcting transfer."""


class Owed(NamedTuple):
    """Points that an owner was granted and should not have been."""

    owner: int
    programme: int
    asset: int | None
    """The class that was granted, where it is known."""
    points: int
    cause: UUID
    corrects: UUID | None
    """The transfer that granted them."""
    corrects_on: date | None


def recover(
    connection: Connection, taken: Iterable[Taken], *, today: date, new_id: NewId
) -> list[Row]:
    """Take back the points of milligrams that are taken back from an exchange.

    Call it once for all that one transaction takes back, people locked as for the correction, and
    post what it returns beside the correcting transfers. What was taken from elsewhere than the
    pool, what was issued of it, or ``absorbed`` granted no points and is passed over.
    """
    exchanged = [each for each in taken if each.place in EXCHANGED]
    if not exchanged:
        return []
    lines = _lines(connection, {(each.owner, each.asset) for each in exchanged})
    parts: list[tuple[Taken, Recovered]] = []
    for each in exchanged:
        own = lines.get((each.owner, each.asset), {})
        for part in recovered(list(own.values()), each.mg):
            left = part.line.left_mg - part.mg
            own[part.line.exchange] = part.line._replace(left_mg=left)
            parts.append((each, part))
    _record(connection, parts, today, new_id)
    owed = [
        Owed(
            each.owner, line.programme, line.asset, points, each.cause, line.exchange,
            line.recorded_on,
        )
        for each, (line, _, points) in parts
        if points
    ]  # fmt: skip
    return take_points(connection, owed, today=today, new_id=new_id)


def take_points(
    connection: Connection, owed: Sequence[Owed], *, today: date, new_id: NewId
) -> list[Row]:
    """Take points back from what their owners can spend; what is missing becomes their debt."""
    # Who was erased owes nothing: R20 wrote it off, and no note could be about them.
    erased = erased_among(connection, {(bucket_of(each.owner), each.owner) for each in owed})
    owed = [each for each in owed if each.owner not in erased]
    if not owed:
        return []
    lots = _lots(connection, {each.owner for each in owed}, today)
    rows: list[Row] = []
    debts: list[tuple[object, ...]] = []
    notes: list[Note] = []
    for each in owed:
        bucket, missing = bucket_of(each.owner), each.points
        own = lots[each.owner, each.programme]
        for asset, points in taken_from(list(own.values()), missing, each.asset):
            own[asset] = own[asset]._replace(points=own[asset].points - points)
            missing -= points
            rows.append(
                Row(
                    bucket, today, new_id(), each.owner, CORRECTION, asset, points,
                    int(Code.CORRECT), each.cause, today, each.corrects, each.corrects_on,
                )
            )  # fmt: skip
        if missing:
            debt = new_id()
            debts.append((bucket, debt, each.owner, each.programme, each.cause, missing, today))
            notes.append(Note(bucket, today, debt, each.owner, int(Code.DEBT_OPENED), each.cause))
    if debts:
        connection.execute(_OPEN, _columns(debts))
        write_notes(connection, notes)
    set_due(connection, rows)
    return rows


def offset_debts(
    connection: Connection,
    programme: int,
    grants: Sequence[Row],
    *,
    today: date,
    new_id: NewId,
) -> list[Row]:
    """Pay open debts to ``programme`` from points that ``grants`` give, the oldest debt first.

    Post what it returns beside the grants. In every transaction that grants points.
    """
    if not grants:
        return []
    owners = sorted({(row.bucket, row.target) for row in grants})
    owing: dict[int, list[tuple[UUID, int]]] = defaultdict(list)
    for _, debt, owner, points in connection.execute(_OWING, (*_columns(owners), programme)):
        owing[owner].append((debt, points))
    if not owing:
        return []
    rows: list[Row] = []
    for grant in grants:
        left, open_debts = grant.amount, owing[grant.target]
        while left and open_debts:
            debt, points = open_debts.pop(0)
            part = min(left, points)
            left -= part
            if points > part:
                open_debts.insert(0, (debt, points - part))
            rows.append(
                Row(
                    grant.bucket, today, new_id(), grant.target, CORRECTION, grant.asset, part,
                    int(Code.OFFSET_DEBT), debt, today,
                )
            )  # fmt: skip
    paid: dict[tuple[int, UUID], int] = defaultdict(int)
    for row in rows:
        paid[row.bucket, row.cause] += row.amount
    connection.execute(_PAY, _columns([(*debt, points) for debt, points in sorted(paid.items())]))
    set_due(connection, rows)
    return rows


def write_off_debts(
    connection: Connection, owner: int, *, cause: UUID, today: date, new_id: NewId
) -> int:
    """Forgive what an owner still owes, with a note a debt; gives the points forgiven (R20)."""
    bucket = bucket_of(owner)
    found = connection.execute(_OPEN_OF, (bucket, owner)).fetchall()
    if not found:
        return 0
    notes = [Note(bucket, today, new_id(), owner, int(Code.DEBT_WRITTEN_OFF), cause) for _ in found]
    debts = [debt for debt, _ in found]
    connection.execute(_FORGIVE, (debts, [note.id for note in notes], bucket))
    write_notes(connection, notes)
    return sum(points for _, points in found)


def _lines(
    connection: Connection, holdings: Collection[tuple[int, int]]
) -> dict[tuple[int, int], dict[UUID, Line]]:
    keys = sorted((bucket_of(owner), owner, asset) for owner, asset in holdings)
    lines: dict[tuple[int, int], dict[UUID, Line]] = defaultdict(dict)
    for owner, asset, *line in connection.execute(_LINES, _columns(keys)):
        lines[owner, asset][line[0]] = Line(*line)
    return lines


def _lots(
    connection: Connection, owners: Collection[int], today: date
) -> dict[tuple[int, int], dict[int, Lot]]:
    """Lock what owners can spend today, by owner and programme."""
    keys = sorted((bucket_of(owner), owner) for owner in owners)
    lots: dict[tuple[int, int], dict[int, Lot]] = defaultdict(dict)
    for owner, programme, *lot in connection.execute(_LOTS, (*_columns(keys), today)):
        lots[owner, programme][lot[0]] = Lot(*lot)
    return lots


def _record(
    connection: Connection,
    parts: Sequence[tuple[Taken, Recovered]],
    today: date,
    new_id: NewId,
) -> None:
    rows = [
        (
            bucket_of(each.owner), each.owner, new_id(), part.line.exchange, each.asset, each.cause,
            part.mg, part.points, today,
        )
        for each, part in parts
    ]  # fmt: skip
    if rows:
        connection.execute(_RECORD, _columns(rows))


def _columns(rows: Sequence[tuple[object, ...]]) -> list[list[object]]:
    return [list(column) for column in zip(*rows, strict=True)]
