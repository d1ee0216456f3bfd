"""What a chain can do to anchoring, and what a restored database must not do to the chain."""

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest

from app.anchoring import Guard, Notary
from app.anchoring.errors import (
    AnchorRefused,
    ChainUnavailable,
    DatabaseRolledBack,
    Equivocation,
    GuardMissing,
    WrongChain,
)
from app.anchoring.finality import Finality
from app.embedded.chain import Chain as Anvil
from app.embedded.postgres import Postgres
from app.kernel.db import Database
from app.kernel.secrets import Keys
from tests.support.anchoring import ORIGIN, accruals, at, notary_over, receipt, rows_of, verify
from tests.support.anvil import AnvilChain
from tests.support.auditing import assert_clean
from tests.support.chain import Levers, MemoryChain, anvil, until
from tests.support.postgres import MIGRATED, create, drop


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Anvil]:
    with anvil(tmp_path_factory.mktemp("anvil")) as started:
        yield started


@pytest.fixture(params=["memory", "anvil"])
def chain(request: pytest.FixtureRequest) -> Levers:
    if request.param == "memory":
        return MemoryChain()
    return AnvilChain(request.getfixturevalue("node"), ORIGIN)


@pytest.fixture
def notary(worker_db: Database, keys: Keys, tmp_path: Path) -> Notary:
    return notary_over(worker_db, keys, tmp_path)


def close_some(db: Database, keys: Keys, notary: Notary, hours: range) -> int:
    """Close an epoch an hour; give the last owner."""
    owner = 0
    for hour in hours:
        (owner,) = accruals(db, keys, 1)
        assert notary.close(at=at(hour)) is not None
    notary.publish()
    return owner


def drained(notary: Notary, chain: Levers, hour: int) -> None:
    """Tick until nothing waits, and then once more to see where it lies."""
    until(lambda: notary.submit(chain, at=at(hour)).waiting == 0)
    notary.submit(chain, at=at(hour))


def test_it_drains_what_closed_while_the_chain_was_down(
    chain: Levers, notary: Notary, db: Database, keys: Keys
) -> None:
    owner = close_some(db, keys, notary, range(3))
    assert notary.status().anchored == 0
    assert receipt(notary, db, owner)["chain"] is None
    drained(notary, chain, 4)
    assert (chain.tip(), notary.status().final) == (3, 3)
    assert verify(notary, receipt(notary, db, owner)).startswith("true")
    assert_clean(db.url, keys, ORIGIN, chain)


@pytest.mark.parametrize("depth", [1, 3, 12])
def test_it_sends_again_what_a_reorganisation_took(
    chain: Levers, notary: Notary, db: Database, keys: Keys, depth: int
) -> None:
    close_some(db, keys, notary, range(4))
    chain.mine_empty(12)
    drained(notary, chain, 4)
    before = rows_of(db, "select epoch, block_hash from anchored order by 1")
    chain.reorganise(depth)
    assert chain.tip() == max(0, 4 - depth)
    drained(notary, chain, 5)
    after = rows_of(db, "select epoch, block_hash from anchored order by 1")
    assert (chain.tip(), len(after)) == (4, 4)
    assert [one for one in after if one in before] == before[: max(0, 4 - depth)]
    assert_clean(db.url, keys, ORIGIN, chain)


def test_it_anchors_everything_again_when_the_chain_lost_its_state(
    chain: Levers, notary: Notary, db: Database, keys: Keys
) -> None:
    close_some(db, keys, notary, range(3))
    drained(notary, chain, 4)
    chain.lose_everything()
    close_some(db, keys, notary, range(5, 6))
    drained(notary, chain, 6)
    assert (chain.tip(), notary.status().final) == (4, 4)
    assert_clean(db.url, keys, ORIGIN, chain)


def test_it_sends_the_stored_bytes_again_when_the_pool_forgot_them(
    chain: Levers, notary: Notary, db: Database, keys: Keys
) -> None:
    chain.mine_only_when_told()
    close_some(db, keys, notary, range(1))
    assert notary.submit(chain, at=at(1)).waiting == 1
    chain.drop_waiting()
    assert notary.submit(chain, at=at(1)).waiting == 1
    chain.mine()
    assert notary.submit(chain, at=at(1)).waiting == 0
    assert rows_of(notary.db, "select count(*) from submission") == [(1,)]


def test_it_offers_more_for_a_transaction_that_waits_too_long(
    chain: Levers, notary: Notary, db: Database, keys: Keys
) -> None:
    chain.mine_only_when_told()
    close_some(db, keys, notary, range(1))
    notary.submit(chain, at=at(1))
    notary.submit(chain, at=at(2))
    chain.mine()
    assert notary.submit(chain, at=at(2)).waiting == 0
    found = rows_of(notary.db, "select nonce, fee_wei, tx_hash from submission order by fee_wei")
    (nonce, fee, _), (same, higher, sent) = found
    assert (nonce, higher > fee) == (same, True)
    place = chain.place_of(1)
    assert place is not None
    assert place.tx_hash == sent


def test_it_waits_for_the_depth_that_the_policy_asks_for(
    chain: Levers, worker_db: Database, db: Database, keys: Keys, tmp_path: Path
) -> None:
    notary = notary_over(worker_db, keys, tmp_path, Finality.parse("depth:3"))
    close_some(db, keys, notary, range(2))
    drained(notary, chain, 3)
    assert (notary.status().anchored, notary.status().final) == (2, 0)
    chain.mine_empty(2)
    notary.submit(chain, at=at(3))
    assert notary.status().final == 1
    chain.mine_empty(5)
    notary.submit(chain, at=at(3))
    assert notary.status().final == 2


def test_a_paused_contract_costs_no_nonce(
    chain: Levers, notary: Notary, db: Database, keys: Keys
) -> None:
    close_some(db, keys, notary, range(1))
    chain.pause()
    nonce = chain.next_nonce()
    for _ in range(2):
        with pytest.raises(AnchorRefused):
            notary.submit(chain, at=at(1))
    assert chain.next_nonce() == nonce
    assert rows_of(notary.db, "select count(*) from submission") == [(0,)]


def test_two_submitters_at_once_anchor_each_epoch_once(
    chain: Levers, notary: Notary, db: Database, keys: Keys
) -> None:
    close_some(db, keys, notary, range(4))
    both = [Thread(target=drained, args=(notary, chain.again(), 5)) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    drained(notary, chain, 6)
    assert (chain.tip(), notary.status().final) == (4, 4)
    assert rows_of(db, "select count(distinct block_hash) from anchored") == [(4,)]
    assert_clean(db.url, keys, ORIGIN, chain)


def old_copy(postgres: Postgres, db: Database, worker_db: Database) -> Database:
    """Take a backup of the database as it is now."""
    db.dispose()
    worker_db.dispose()
    drop(postgres, "old_backup")
    return Database(create(postgres, "old_backup", MIGRATED), role="tanpu_worker")


@pytest.fixture
def backup(postgres: Postgres) -> Iterator[str]:
    yield "old_backup"
    drop(postgres, "old_backup")


@pytest.mark.usefixtures("backup")
@pytest.mark.parametrize("guard_too", [False, True], ids=["by-guard", "by-chain"])
def test_an_old_backup_halts_and_so_does_one_that_closed_another_epoch(
    chain: Levers,
    notary: Notary,
    db: Database,
    keys: Keys,
    tmp_path: Path,
    postgres: Postgres,
    *,
    guard_too: bool,
) -> None:
    """With the guard restored as well, as it never should be, the chain still says no."""
    close_some(db, keys, notary, range(1))
    drained(notary, chain, 1)
    restored_db = old_copy(postgres, db, notary.db)
    guard = tmp_path / "guard" / "signer.guard"
    if guard_too:
        shutil.copytree(guard.parent, tmp_path / "old")
        guard = tmp_path / "old" / "signer.guard"
    close_some(db, keys, notary, range(2, 3))
    drained(notary, chain, 3)

    restored = Notary(restored_db, keys, Guard(guard), tmp_path / "p", ORIGIN, {}, Finality(0))
    with pytest.raises(DatabaseRolledBack) as halted:
        restored.submit(chain, at=at(4))
    assert halted.value.facts["by"] == ("chain" if guard_too else "guard")
    app_db = Database(restored_db.url)
    accruals(app_db, keys, 2)
    app_db.dispose()
    assert restored.close(at=at(5)) is not None
    for step in (lambda: restored.submit(chain, at=at(6)),) + (
        () if guard_too else (restored.publish,)
    ):
        with pytest.raises(Equivocation):
            step()
    assert (chain.tip(), notary.submit(chain, at=at(7)).waiting) == (2, 0)
    restored_db.dispose()


def test_a_lost_guard_halts_once_anything_was_signed(
    notary: Notary, db: Database, keys: Keys, tmp_path: Path
) -> None:
    chain = MemoryChain()
    close_some(db, keys, notary, range(1))
    drained(notary, chain, 1)
    (tmp_path / "guard" / "signer.guard").unlink()
    with pytest.raises(GuardMissing):
        notary.submit(chain, at=at(2))


def test_another_chain_is_refused_until_somebody_says_so(
    notary: Notary, db: Database, keys: Keys
) -> None:
    close_some(db, keys, notary, range(2))
    drained(notary, MemoryChain(), 1)
    elsewhere = MemoryChain(MemoryChain().identity._replace(chain_id=7))
    with pytest.raises(WrongChain):
        notary.submit(elsewhere, at=at(2))
    assert notary.submit(elsewhere, at=at(2), new_chain=True).waiting == 0
    assert rows_of(db, "select distinct chain_id from anchored") == [(7,)]


def test_a_hung_chain_delays_nothing_else(
    node: Anvil, notary: Notary, db: Database, keys: Keys
) -> None:
    chain = AnvilChain(node, ORIGIN)
    assert node.pid is not None
    os.kill(node.pid, signal.SIGSTOP)
    try:
        close_some(db, keys, notary, range(2))
        with pytest.raises(ChainUnavailable):
            notary.submit(chain, at=at(3))
    finally:
        os.kill(node.pid, signal.SIGCONT)
    drained(notary, chain, 4)
    assert (chain.tip(), notary.status().final) == (2, 2)
