"""Closed classes: empty balances go; audit, receipts and late credits do not mind (R8)."""

from datetime import date, timedelta
from pathlib import Path
from threading import Event, Thread

import pytest
from sqlmodel import Session

from app.anchoring import Notary
from app.books import Row, post, sweep_balances
from app.kernel.db import Database, driver
from app.kernel.ids import new_id
from app.kernel.secrets import Keys
from ledger.accounts import SYSTEM_ACCOUNTS
from ledger.assets import Asset, Points, Reduction
from ledger.chart import Code
from tests.support.anchoring import ORIGIN, at, notary_over, receipt, rows_of, verify
from tests.support.auditing import assert_clean
from tests.support.chain import MemoryChain
from tests.support.owners import accrual, asset_number, owners, post_all, row
from tests.support.tripwire import Crash, Tripwire

TODAY = date(2027, 6, 10)
BEFORE = date(2026, 2, 1)
OLD = Reduction("TEST-BUS", 1, "bus", "A", date(2026, 1, 1))
YOUNG = Reduction("TEST-BUS", 1, "bus", "A", date(2026, 2, 1))
PAST = Points("green", date(2026, 1, 31), 1)
SPENDABLE = Points("green", date(2026, 2, 1), 1)
POOL = SYSTEM_ACCOUNTS["pool"]
CROWD = 12


def sweep(db: Database) -> int:
    return sweep_balances(db, before=BEFORE, today=TODAY)


def emptied(db: Database, owner: int, asset: Asset) -> list[Row]:
    """What comes to somebody and goes again."""
    number = asset_number(db, asset)
    if isinstance(asset, Reduction):
        return [accrual(owner, number, 70), row(Code.EXCHANGE_POOL, owner, POOL, number, 70)]
    granted = row(Code.GRANT_EXCHANGE, SYSTEM_ACCOUNTS["issuance/points"], owner, number, 70)
    return [granted, row(Code.EXPIRE, owner, SYSTEM_ACCOUNTS["expired"], number, 70)]


def held(db: Database) -> set[tuple[int, int, int, int]]:
    return set(rows_of(db, "select account, asset, credits, debits from balance"))


@pytest.fixture
def notary(worker_db: Database, keys: Keys, tmp_path: Path) -> Notary:
    return notary_over(worker_db, keys, tmp_path)


def test_only_empty_balances_of_closed_classes_go_and_nothing_else_changes(
    db: Database, keys: Keys, notary: Notary
) -> None:
    ann, bo = owners(db, keys, 2)
    for asset in (OLD, YOUNG, PAST, SPENDABLE):
        post_all(db, emptied(db, ann, asset))
        post_all(db, emptied(db, bo, asset))
    old, past = asset_number(db, OLD), asset_number(db, PAST)
    post_all(db, [accrual(bo, old, 5)])
    chain = MemoryChain()
    notary.tick(lambda: chain, at=at(24))
    before = held(db)
    assert sweep(db) == 3, "bo still has 5 of one"
    assert before - held(db) == {(ann, old, 70, 70), (ann, past, 70, 70), (bo, past, 70, 70)}
    assert held(db) <= before
    assert sweep(db) == 0
    closed = rows_of(db, "select asset, closed_on from closed_asset order by asset")
    assert closed == sorted([(old, TODAY), (past, TODAY)])
    assert_clean(db.url, keys, ORIGIN, chain)
    assert verify(notary, receipt(notary, db, ann)).startswith("true")


def test_a_late_credit_makes_the_row_anew_and_the_audit_holds_its_net(
    db: Database, keys: Keys, notary: Notary
) -> None:
    (ann,) = owners(db, keys, 1)
    post_all(db, emptied(db, ann, OLD))
    number = asset_number(db, OLD)
    assert sweep(db) == 1
    post_all(db, [accrual(ann, number, 9)])
    assert held(db) == {(ann, number, 9, 0)}
    chain = MemoryChain()
    notary.tick(lambda: chain, at=at(24))
    assert_clean(db.url, keys, ORIGIN, chain)
    post_all(db, [row(Code.EXCHANGE_POOL, ann, POOL, number, 9)])
    assert sweep(db) == 1
    notary.tick(lambda: chain, at=at(48))
    assert_clean(db.url, keys, ORIGIN, chain)


@pytest.mark.parametrize("landed", [False, True], ids=["lost", "landed"])
def test_a_sweep_that_is_broken_off_is_gone_on_with(
    db: Database, keys: Keys, *, landed: bool
) -> None:
    people = owners(db, keys, CROWD)
    for owner in people:
        post_all(db, emptied(db, owner, OLD))
    buckets = sorted({bucket for (bucket,) in rows_of(db, "select bucket from balance")})
    wire = Tripwire(buckets[CROWD // 2] + 2, landed=landed)  # the first commit closes the classes
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(db, "transact", wire.wrap(db.transact))
        with pytest.raises(Crash):
            sweep(db)
    left = len(held(db))
    assert 0 < left < CROWD
    assert sweep(db) == left
    assert held(db) == set()


def test_a_row_that_a_posting_holds_is_looked_at_after_it(db: Database, keys: Keys) -> None:
    (ann,) = owners(db, keys, 1)
    post_all(db, emptied(db, ann, OLD))
    number, posted, go_on = asset_number(db, OLD), Event(), Event()

    def slowly(session: Session) -> None:
        post(driver(session), [accrual(ann, number, 4, new_id())])
        posted.set()
        assert go_on.wait(20)

    posting = Thread(target=db.transact, args=(slowly,))
    found: list[int] = []
    sweeping = Thread(target=lambda: found.append(sweep(db)))
    posting.start()
    assert posted.wait(20)
    sweeping.start()
    sweeping.join(timedelta(seconds=1).total_seconds())
    assert not found, "it waits for the posting"
    go_on.set()
    posting.join(20)
    sweeping.join(20)
    assert found == [0]
    assert held(db) == {(ann, number, 74, 70)}
