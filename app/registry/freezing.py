"""Freezing a lot (冻结批次池): whose acts its milligrams are of, written down and sealed by a root.

A few buckets a transaction, so that a broken run goes on where it stopped; each person lies in one
bucket, so their acts are attributed from one look. When all are swept, or the lot is as large as
one may be, the leaves are read in the order of their bytes and the root over them is published. No
grams move: what is frozen is which acts a verifier may draw from.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import datetime
from typing import Final, LiteralString, NamedTuple
from uuid import UUID

from sqlmodel import Session

from app.kernel.db import Connection, Database, driver
from app.kernel.secrets import Keys
from app.registry.attribution import attribute
from app.registry.errors import ClassNotPooled, LotOpen
from app.registry.lots import Lot, LotOutcome, LotStep, close_lot, find_lot, freezing, lock_lot
from app.registry.origins import PLACES, Person, persons
from app.registry.pooling import ERASED, Checks
from app.registry.terms import terms_in_force
from app.staff import note_act
from ledger.accounts import BUCKETS
from ledger.assets import Reduction, asset_key, day_number
from ledger.log import Edge
from ledger.lots import LotRow, row_leaf, row_salt
from ledger.tiles import WIDTH, append, edge_tiles

BUCKETS_AT_ONCE: Final = 16
ROWS_MAX: Final = 250_000
"""A lot takes no further buckets once it has so many rows; what is left waits for the next one.

So an issuance, for which corrections that reach into that pool wait, stays a matter of seconds."""
ROWS_AT_ONCE: Final = 4_096
NOTHING: Final = "nothing is pooled that is not issued"
_CLASS: Final = """
select id, methodology, version, scenario, grade, vintage from asset
 where key = %s and id & 7 = 1"""
_BEGIN: Final = """
insert into lot (id, asset, begun_at, sample_rows) values (%s, %s, %s, %s)
on conflict (asset) where closed_at is null do nothing"""
_SECRETS: Final = """
select account, sealed from account_secret where bucket between %s and %s and account = any(%s)"""
_COPY: Final = """
copy lot_row (bucket, account, lot, activity, recorded_on, mg, act_mg, evidence, occurred_on,
              excluded, leaf) from stdin (format binary)"""
_ROW_TYPES: Final = (
    *("int2", "int8", "uuid", "uuid", "date", "int8", "int8", "bytea", "date", "text", "bytea"),
)
_SWEPT: Final = "update lot set swept = %s where id = %s"
_COUNT: Final = "select count(*) from lot_row where bucket < %s and lot = %s and leaf is not null"
_LEAVES: Final = """
select leaf, mg, bucket from lot_row where bucket >= 0 and lot = %s and leaf is not null
 order by leaf"""
_COPY_LEAVES: Final = """
copy lot_leaf (lot, position, leaf, mg, bucket) from stdin (format binary)"""
_LEAF_TYPES: Final = ("uuid", "int4", "bytea", "int8", "int2")
_TILE: Final = """
insert into lot_tile (lot, level, number, hashes) values (%s, %s, %s, %s)"""
_SEAL: Final = """
update lot set frozen_at = %s, root = %s, leaves = %s, mg = %s where id = %s"""


class Framed(NamedTuple):
    """What of an act is in a lot, on its way to its row."""

    person: Person
    act: UUID
    mg: int
    act_mg: int


def begin_lot(session: Session, who: str, key: bytes, *, lot: UUID, at: datetime) -> Lot:
    """Begin a lot of the class with this asset key; a job writes its rows.

    Raises:
        ClassNotPooled: It is no grade A class that was ever posted.
        TermsUnset: See its own words.
        LotOpen: A lot of this class is open.
    """
    connection = driver(session)
    row = connection.execute(_CLASS, (key,)).fetchone()
    if row is None:
        raise ClassNotPooled
    asset, *facts = row
    reduction = Reduction(*facts)
    terms = terms_in_force(session)
    if connection.execute(_BEGIN, (lot, asset, at, terms.sample_rows)).rowcount == 0:
        raise LotOpen
    found = find_lot(session, lot)
    note_act(session, who, "lots.begin", found.public, at=at, methodology=reduction.methodology)
    return found


def freeze_lots(
    db: Database, keys: Keys, *, clock: Callable[[], datetime], rows_max: int = ROWS_MAX
) -> int:
    """Freeze what was begun; gives how many lots that were. Resumable.

    A lot is frozen at the instant of its seal, by ``clock``, and not when its sweep began.
    """
    waiting = db.read(freezing)
    for lot in waiting:
        swept = lot.swept
        while swept < BUCKETS:
            swept = db.transact(sweep, keys, lot.id, rows_max)
        db.transact(seal, lot.id, at=clock())
    return len(waiting)


def sweep(session: Session, keys: Keys, lot: UUID, rows_max: int = ROWS_MAX) -> int:
    """Write the rows of a few more buckets; gives how many buckets are done."""
    found = lock_lot(session, lot, LotStep.FREEZING)
    if found.swept == BUCKETS:
        return BUCKETS
    connection = driver(session)
    first, last = found.swept, min(found.swept + BUCKETS_AT_ONCE, BUCKETS) - 1
    checks = Checks(connection, found.series)
    with closing(persons(connection, found.series, first, last)) as people:
        batch: list[Framed] = []
        for each in _framed(people):
            batch.append(each)
            if len(batch) == ROWS_AT_ONCE:
                _write(connection, keys, found, checks, batch)
                batch = []
        _write(connection, keys, found, checks, batch)
    (rows,) = connection.execute(_COUNT, (last + 1, lot)).fetchall()[0]
    swept = BUCKETS if rows >= rows_max else last + 1
    connection.execute(_SWEPT, (swept, lot))
    return swept


def seal(session: Session, lot: UUID, *, at: datetime) -> None:
    """Publish the root over a lot's leaves, or close it if there is none."""
    found = lock_lot(session, lot, LotStep.FREEZING)
    assert found.swept == BUCKETS, found
    connection = driver(session)
    edge, total = Edge(), 0
    with connection.cursor(name="leaves", binary=True) as cursor:
        cursor.itersize = ROWS_AT_ONCE
        cursor.execute(_LEAVES, (lot,))
        while rows := cursor.fetchmany(ROWS_AT_ONCE):
            numbered = ((lot, at_, *row) for at_, row in enumerate(rows, edge.size))
            _copy(connection, _COPY_LEAVES, _LEAF_TYPES, numbered)
            edge, tiles = append(edge, [bytes(leaf) for leaf, _, _ in rows])
            total += sum(mg for _, mg, _ in rows)
            for tile, hashes in tiles:
                if tile.width == WIDTH:
                    connection.execute(_TILE, (lot, tile.level, tile.number, hashes))
    for tile, hashes in edge_tiles(edge):
        connection.execute(_TILE, (lot, tile.level, tile.number, hashes))
    if edge.size == 0:
        close_lot(connection, lot, LotOutcome.THAWED, NOTHING, at=at)
    else:
        connection.execute(_SEAL, (at, edge.root(), edge.size, total, lot))


def _framed(people: Iterator[Person]) -> Iterator[Framed]:
    for person in people:
        worth = {act.id: act.mg for act in person.acts}
        for act, mg in attribute(person.acts, person.moves, PLACES):
            yield Framed(person, act, mg, worth[act])


def _write(
    connection: Connection, keys: Keys, lot: Lot, checks: Checks, batch: list[Framed]
) -> None:
    if not batch:
        return
    secrets = _secrets(connection, keys, batch)
    faults = checks.faults([(e.person.bucket, e.person.owner, e.act) for e in batch])
    key = asset_key(lot.reduction)

    def row(each: Framed) -> tuple[object, ...]:
        person, facts = each.person, each.person.facts[each.act]
        secret = secrets.get(person.owner)
        fault = ERASED if secret is None else faults.get((person.owner, each.act))
        fault = fault or checks.recalled(facts.occurred_on)
        leaf = None
        if secret is not None and fault is None:
            told = LotRow(
                lot.id,
                each.act,
                key,
                day_number(facts.occurred_on),
                each.act_mg,
                each.mg,
                facts.evidence,
            )
            leaf = row_leaf(told, row_salt(secret, lot.id, each.act))
        return (
            person.bucket, person.owner, lot.id, each.act, facts.recorded_on, each.mg, each.act_mg,
            facts.evidence, facts.occurred_on, fault, leaf,
        )  # fmt: skip

    _copy(connection, _COPY, _ROW_TYPES, map(row, batch))


def _secrets(connection: Connection, keys: Keys, batch: list[Framed]) -> Mapping[int, bytes]:
    """Open the secrets of everybody in a batch; who was erased has none."""
    buckets = [each.person.bucket for each in batch]
    owners = sorted({each.person.owner for each in batch})
    rows = connection.execute(_SECRETS, (min(buckets), max(buckets), owners)).fetchall()
    return {owner: keys.open(bytes(sealed), owner=owner) for owner, sealed in rows}


def _copy(
    connection: Connection,
    statement: LiteralString,
    types: Sequence[str],
    rows: Iterable[tuple[object, ...]],
) -> None:
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.set_types(types)
        for row in rows:
            copy.write_row(row)
