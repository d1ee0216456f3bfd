"""Closing an epoch on PostgreSQL: which rows are in it, and that the roots are the pure core's."""

from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from sqlmodel import Session

from app.anchoring import Notary
from app.anchoring.claiming import claim_chunk, queue_blocks, take_cut
from app.anchoring.closing import is_due
from app.anchoring.errors import PendingIncomplete
from app.anchoring.leaves import Fact, Opening, entry_of
from app.anchoring.notary import no_digests
from app.anchoring.sealing import Contents, seal
from app.books import Row, post
from app.kernel.db import Database, driver
from app.kernel.ids import new_id
from app.kernel.secrets import Keys
from ledger.account_map import Leaf, SumTree, bits_for, cells
from ledger.accounts import SYSTEM_ACCOUNTS
from ledger.assets import Points, asset_key
from ledger.chart import Code
from ledger.encoding import entry_body
from ledger.header import Header
from ledger.log import tree_hash
from ledger.numbering import Unnumbered, number
from tests.support.anchoring import ORIGIN, accruals, at, notary_over, post_all, rows_of
from tests.support.owners import BUS, DAY, accrual, asset_number, owners, row


def test_it_closes_what_is_pending_and_leaves_nothing(
    db: Database, worker_db: Database, keys: Keys, tmp_path: Path
) -> None:
    notary = notary_over(worker_db, keys, tmp_path)
    accruals(db, keys, 2)
    header = notary.close(at=at(0))
    assert header is not None
    assert (header.epoch, header.log_size, header.account_count) == (1, 2, 2)
    assert header.sums == (201, 0, 0, 0)
    assert rows_of(worker_db, "select * from log_pending") == []
    assert rows_of(worker_db, "select * from epoch_staging") == []


def test_it_closes_no_epoch_when_nothing_is_pending(
    db: Database, worker_db: Database, keys: Keys, tmp_path: Path
) -> None:
    notary = notary_over(worker_db, keys, tmp_path)
    assert notary.close(at=at(0)) is None
    accruals(db, keys, 1)
    assert notary.close(at=at(1)) is not None
    assert notary.close(at=at(2)) is None
    assert rows_of(worker_db, "select epoch from epoch_cut") == [(1,)]


def test_it_leaves_a_transaction_that_commits_during_the_close_to_the_next_epoch(
    db: Database, worker_db: Database, keys: Keys, tmp_path: Path, database_url: str
) -> None:
    """The late one was written before the cut and commits after it, rows on both sides."""
    notary = notary_over(worker_db, keys, tmp_path)
    one, two = owners(db, keys, 2)
    bus = asset_number(db, BUS)
    post_all(db, [accrual(one, bus, 1)])
    with psycopg.connect(database_url) as late:
        post(late, [accrual(two, bus, 10)])
        cut = worker_db.transact(take_cut, at=at(0))
        assert cut is not None
        post(late, [accrual(two, bus, 20)])
        late.commit()
    first = notary.close(at=at(0))
    assert first is not None
    assert (first.log_size, first.sums[0]) == (1, 1)
    second = notary.close(at=at(1))
    assert second is not None
    assert (second.log_size, second.sums[0]) == (3, 31)


def test_it_goes_on_where_another_worker_stopped_in_the_middle_of_the_queue(
    db: Database, worker_db: Database, keys: Keys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.anchoring.claiming.BLOCKS_PER_CHUNK", 1)
    monkeypatch.setattr("app.anchoring.closing.BLOCKS_PER_CHUNK", 1)
    notary = notary_over(worker_db, keys, tmp_path)
    (one,) = owners(db, keys, 1)
    bus = asset_number(db, BUS)
    post_all(db, [accrual(one, bus, 1) for _ in range(400)])
    cut = worker_db.transact(take_cut, at=at(0))
    assert cut is not None
    blocks = iter(range(worker_db.read(queue_blocks)))
    claimed = 0
    while not claimed:
        claimed = worker_db.transact(claim_chunk, keys, epoch=cut.epoch, block=next(blocks))
    assert claimed < 400
    post_all(db, [accrual(one, bus, 1000)])
    header = notary.close(at=at(5))
    assert header is not None
    assert (header.log_size, header.sums[0]) == (400, 400)
    assert header.closed_at == int(at(0).timestamp())


def test_it_seals_nothing_while_rows_of_the_cut_are_in_the_queue(
    db: Database, worker_db: Database, keys: Keys
) -> None:
    """As after a rewrite of the queue's table, which moves rows behind what was read."""
    accruals(db, keys, 2)
    cut = worker_db.transact(take_cut, at=at(0))
    assert cut is not None
    contents = Contents(ORIGIN, {}, no_digests)
    assert worker_db.transact(seal, keys, contents, epoch=cut.epoch) is None
    assert rows_of(db, "select * from epoch") == []


def test_its_order_and_roots_are_those_of_the_pure_core(
    db: Database, worker_db: Database, keys: Keys, tmp_path: Path
) -> None:
    """Corrections of corrections within one epoch, two equal system entries, then a later one."""
    notary = notary_over(worker_db, keys, tmp_path)
    (one, two) = owners(db, keys, 2)
    bus = asset_number(db, BUS)
    base = accrual(one, bus, 70)
    pooled = row(Code.EXCHANGE_POOL, one, SYSTEM_ACCOUNTS["pool"], bus, 70)
    back = correcting(pooled, SYSTEM_ACCOUNTS["pool"], bus, 30)
    again = correcting(back, SYSTEM_ACCOUNTS["pool"], bus, 5)
    same = correcting(back, SYSTEM_ACCOUNTS["pool"], bus, 5)
    rows = [base, accrual(two, bus, 9), pooled, back, again, same]
    post_all(db, rows)
    assert_numbered_as_in_memory(notary_close(notary, 0), rows, {}, db, keys)
    known = dict(rows_of(db, "select id, log_index from log_entry"))
    later = [accrual(two, bus, 4), correcting(same, SYSTEM_ACCOUNTS["pool"], bus, 1)]
    post_all(db, later)
    assert_numbered_as_in_memory(notary_close(notary, 1), later, known, db, keys)


def correcting(what: Row, source: int, asset: int, amount: int) -> Row:
    made = row(Code.CORRECT, source, SYSTEM_ACCOUNTS["correction"], asset, amount)
    return made._replace(bucket=what.bucket, corrects=what.id, corrects_on=what.recorded_on)


def notary_close(notary: Notary, hour: int) -> Header:
    header = notary.close(at=at(hour))
    assert header is not None
    return header


def assert_numbered_as_in_memory(
    header: Header, rows: list[Row], known: dict[UUID, int], db: Database, keys: Keys
) -> None:
    secrets = {
        owner: Opening(akey, keys.open(sealed, owner=owner))
        for owner, akey, sealed in rows_of(
            db, "select id, akey, sealed from account join account_secret on account = id"
        )
    }
    waiting = [
        Unnumbered(
            one.id,
            entry_body(entry_of(fact_of(one), secrets.get(owner_of(one)))),
            one.corrects,
        )
        for one in rows
    ]
    first = header.log_size - len(rows)
    expected = [(n.log_index, n.id, n.leaf) for n in number(waiting, first, known)]
    stored = rows_of(
        db, f"select log_index, id, leaf from log_entry where log_index >= {first} order by 1"
    )
    assert stored == expected
    leaves = [leaf for (leaf,) in rows_of(db, "select leaf from log_entry order by log_index")]
    assert header.log_root == tree_hash(leaves)
    assert header.account_root == map_root(db, header.bits)


def owner_of(one: Row) -> int | None:
    owner = max(one.source, one.target) & ~1
    return owner if owner >= 65536 else None


def fact_of(one: Row) -> Fact:
    return Fact(
        *one[:3],
        one.code,
        one.source,
        one.target,
        one.asset,
        one.amount,
        asset_key(BUS),
        one.occurred_on,
        one.corrects,
        one.evidence,
        owner_of(one),
        None,
        None,
    )


def map_root(db: Database, bits: int) -> bytes:
    rows = rows_of(
        db,
        "select akey, leaf, mg_credits, mg_debits, points_credits, points_debits"
        " from account_anchor order by akey",
    )
    leaves = [Leaf(akey, leaf, tuple(sums)) for akey, leaf, *sums in rows]
    return SumTree.of(cell.packed() for cell in cells(leaves, bits)).root.hash


def test_its_cells_divide_as_owners_come_and_only_touched_ones_are_written(
    db: Database, worker_db: Database, keys: Keys, tmp_path: Path
) -> None:
    notary = notary_over(worker_db, keys, tmp_path)
    many = accruals(db, keys, 150)
    assert notary_close(notary, 0).bits == bits_for(150) == 1
    post_all(db, [accrual(many[0], asset_number(db, BUS), 5)])
    header = notary_close(notary, 1)
    assert header.account_root == map_root(db, 1)
    assert rows_of(db, "select count(*) from cell where epoch_from = 2") == [(1,)]
    accruals(db, keys, 150)
    header = notary_close(notary, 2)
    assert (header.bits, header.account_count) == (2, 300)
    assert header.account_root == map_root(db, 2)
    assert rows_of(db, "select count(*) from cell where epoch_from = 3") == [(4,)]


def test_held_and_back_changes_the_history_and_no_counter(
    db: Database, worker_db: Database, keys: Keys, tmp_path: Path
) -> None:
    notary = notary_over(worker_db, keys, tmp_path)
    (one,) = owners(db, keys, 1)
    points = asset_number(db, Points("green", DAY, 1))
    grant = row(Code.GRANT_EXCHANGE, SYSTEM_ACCOUNTS["issuance/points"], one, points, 50)
    post_all(db, [grant, row(Code.HOLD, one, one + 1, points, 20)])
    header = notary_close(notary, 0)
    assert header.sums == (0, 0, 50, 0)
    found = rows_of(db, "select entries, points_credits, points_debits from account_anchor")
    assert found == [(2, 50, 0)]


def test_a_note_is_logged_and_folded_into_nobody(
    db: Database, worker_db: Database, keys: Keys, tmp_path: Path
) -> None:
    notary = notary_over(worker_db, keys, tmp_path)
    (one,) = accruals(db, keys, 1)
    db.transact(
        lambda session: (
            driver(session).execute(
                "with n as (insert into log_note (bucket, recorded_on, id, account, code, cause)"
                " select bucket, current_date, %s, id, %s, %s from account where id = %s"
                " returning bucket, recorded_on, id)"
                " insert into log_pending (bucket, recorded_on, id) select * from n",
                (new_id(), Code.DEBT_OPENED, new_id(), one),
            )
            and None
        )
    )
    header = notary_close(notary, 0)
    assert header.log_size == 2
    assert rows_of(db, "select entries from account_anchor") == [(1,)]
    assert rows_of(db, "select count(*) from log_entry where owner is null") == [(1,)]


@pytest.mark.usefixtures("books_left_broken")
def test_it_refuses_to_close_over_a_transfer_that_is_gone(
    db: Database, worker_db: Database, keys: Keys, tmp_path: Path, database_url: str
) -> None:
    notary = notary_over(worker_db, keys, tmp_path)
    accruals(db, keys, 2)
    with psycopg.connect(database_url) as thief:
        thief.execute("set session_replication_role = replica")
        thief.execute("delete from transfer where ctid in (select ctid from transfer limit 1)")
    with pytest.raises(PendingIncomplete):
        notary.close(at=at(0))
    assert rows_of(worker_db, "select count(*) from log_pending") == [(2,)]


def test_it_refuses_to_begin_again_an_owner_whose_anchored_row_is_gone(
    db: Database, worker_db: Database, keys: Keys, tmp_path: Path, database_url: str
) -> None:
    notary = notary_over(worker_db, keys, tmp_path)
    (one, _) = accruals(db, keys, 2)
    notary_close(notary, 0)
    with psycopg.connect(database_url) as thief:
        thief.execute("delete from account_anchor where owner = %s", (one,))
    post_all(db, [accrual(one, asset_number(db, BUS), 5)])
    with pytest.raises(PendingIncomplete):
        notary.close(at=at(1))


def test_it_is_due_at_two_in_the_morning_and_when_half_done(
    db: Database, worker_db: Database, keys: Keys, tmp_path: Path
) -> None:
    notary = notary_over(worker_db, keys, tmp_path)
    assert not worker_db.read(is_due, at=at(0))
    accruals(db, keys, 1)
    assert worker_db.read(is_due, at=at(0))
    notary_close(notary, 0)  # 18:00 UTC is 02:00 in Shanghai
    accruals(db, keys, 1)
    assert not worker_db.read(is_due, at=at(23))
    assert worker_db.read(is_due, at=at(24))
    assert worker_db.transact(take_cut, at=at(1)) is not None
    assert worker_db.read(is_due, at=at(1))


def test_the_supply_is_the_opposite_of_what_owners_hold(
    db: Database, worker_db: Database, keys: Keys, tmp_path: Path
) -> None:
    notary = notary_over(worker_db, keys, tmp_path)
    (one, _) = accruals(db, keys, 2)
    notary_close(notary, 0)
    post_all(db, [row(Code.CANCEL, one, SYSTEM_ACCOUNTS["cancelled"], asset_number(db, BUS), 40)])
    header = notary_close(notary, 1)
    found = rows_of(
        db,
        "select distinct on (system) system, debits, credits from supply"
        " order by system, epoch_from desc",
    )
    assert found == [(1, 201, 0), (13, 0, 40)]
    assert header.sums[0] - header.sums[1] == 201 - 40


def run(session: Session, statement: str) -> None:
    driver(session).execute(statement.encode())


@pytest.mark.parametrize(
    "table", ["epoch", "epoch_cut", "log_entry", "account_leaf", "cell", "supply", "submission"]
)
def test_the_worker_cannot_change_what_was_anchored(worker_db: Database, table: str) -> None:
    for statement in (f"delete from {table}", f"truncate {table}"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            worker_db.transact(run, statement)
