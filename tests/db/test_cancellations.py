"""Voluntary cancellations: asked for, reverted, posted once, final with the chain (自愿注销)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path

import pytest

from app.cancellations import State, is_final, post_due, release_cancellations
from app.cancellations.errors import (
    CancellationPosted,
    ClassesTooMany,
    OwnCancellationUnknown,
    ReductionsLacking,
)
from app.cancellations.posting import post_cancellation
from app.cancellations.queries import cancellations_of, find_cancellation
from app.cancellations.requesting import revert_cancellation
from app.cancellations.rules import CLASSES_MAX, COOL_DOWN
from app.citizens import Citizen
from app.kernel.clock import now
from app.kernel.db import Database
from app.kernel.ids import new_id
from app.kernel.secrets import Keys
from app.kernel.tokens import TokenInvalid
from app.privacy.erasing import OTHERS
from ledger.accounts import SYSTEM_ACCOUNTS, AccountKind, bucket_of
from ledger.assets import Reduction, asset_key
from ledger.chart import Code
from tests.support.acts import one, rows
from tests.support.cancelling import DUE, Registrar, wish
from tests.support.owners import BUS, BUS_B, accrual, asset_number, owners, post_all, row
from tests.support.points import citizens

OLDER = Reduction("TEST-BUS", 1, "bus", "A", date(2025, 12, 1))


@pytest.fixture
def registrar(db: Database, worker_db: Database, keys: Keys, tmp_path: Path) -> Registrar:
    return Registrar(db, worker_db, keys, tmp_path)


@pytest.fixture
def ann(db: Database, keys: Keys) -> int:
    """Somebody with three classes: 900 mg of an older month, 1,000 of A, 500 of B."""
    (owner,) = citizens(db, keys, 1)
    amounts = {OLDER: 900, BUS: 1_000, BUS_B: 500}
    post_all(db, [accrual(owner, asset_number(db, of), mg) for of, mg in amounts.items()])
    return owner


def held(db: Database, owner: int) -> int:
    query = "select coalesce(sum(credits - debits), 0)::int8 from balance where account = %s"
    return one(db, query, owner)[0]


def test_the_oldest_months_go_first_and_nothing_moves_before_it_is_due(
    db: Database, registrar: Registrar, ann: int
) -> None:
    made = registrar.request(ann, wish(1_200))
    assert [(part.of, part.mg) for part in made.parts] == [(OLDER, 900), (BUS, 300)]
    assert (made.row.state, made.row.due_at - made.row.requested_at) == ("requested", COOL_DOWN)
    assert post_due(registrar.worker_db, at=made.row.due_at - timedelta(seconds=1)) == 0
    assert held(db, ann) == 2_400
    assert post_due(registrar.worker_db, at=made.row.due_at) == 1
    assert held(db, ann) == 1_200
    assert registrar.state(ann, made.row.id) is State.POSTED
    posted = "select source, target, code, cause, amount from transfer where code = 12 order by 5"
    fixed = (ann, SYSTEM_ACCOUNTS["cancelled"], int(Code.CANCEL), made.row.id)
    assert rows(db, posted) == [(*fixed, 300), (*fixed, 900)]


def test_named_classes_and_grade_b_are_cancelled_as_well(registrar: Registrar, ann: int) -> None:
    made = registrar.request(ann, wish(classes={asset_key(BUS_B): None, asset_key(BUS): 1}))
    assert {(part.of, part.mg) for part in made.parts} == {(BUS_B, 500), (BUS, 1)}


@pytest.mark.parametrize(
    "more",
    [
        wish(2_401),
        wish(classes={asset_key(BUS): 1_001}),
        wish(classes={bytes(32): None}),
        wish(classes={asset_key(BUS): None, bytes(32): 1}),
    ],
    ids=["amount", "of a class", "class", "one of two classes"],
)
def test_nobody_cancels_what_they_do_not_hold(registrar: Registrar, ann: int, more: object) -> None:
    with pytest.raises(ReductionsLacking):
        registrar.request(ann, more)  # pyright: ignore[reportArgumentType] -- of the parameters
    assert rows(registrar.db, "select id from cancellation") == []


def test_a_second_request_sees_what_the_first_takes(registrar: Registrar, ann: int) -> None:
    first = registrar.request(ann, wish(2_000))
    with pytest.raises(ReductionsLacking):
        registrar.request(ann, wish(401))
    registrar.request(ann, wish(400))
    registrar.db.transact(revert_cancellation, ann, first.row.id, at=now())
    registrar.request(ann, wish(2_000))


def test_of_32_requests_at_once_only_what_is_held_is_taken(registrar: Registrar, ann: int) -> None:
    """Each asks for a fifth of what there is."""

    def ask(_: int) -> bool:
        try:
            registrar.request(ann, wish(480))
        except ReductionsLacking:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(ask, range(32))) == 5
    assert registrar.post() == 5
    assert held(registrar.db, ann) == 0


def test_what_went_elsewhere_meanwhile_reverts_it_whole(
    db: Database, registrar: Registrar, ann: int
) -> None:
    """Nothing is held back: an exchange in the cool-down counts, and no gram leaves twice."""
    made = registrar.request(ann, wish(2_400))
    pool = row(Code.EXCHANGE_POOL, ann, SYSTEM_ACCOUNTS["pool"], asset_number(db, BUS), 1)
    post_all(db, [pool])
    assert registrar.post() == 1
    found = db.read(find_cancellation, ann, made.row.id)
    assert (found.row.state, found.row.reason) == (State.REVERTED, "balance")
    assert rows(db, "select kind, subject from notice") == [
        ("cancellation.reverted", made.row.public)
    ]
    assert held(db, ann) == 2_399
    assert rows(db, "select 1 from transfer where code = 12") == []


def test_it_is_reverted_or_posted_and_never_both(registrar: Registrar, ann: int) -> None:
    for _ in range(6):
        made = registrar.request(ann, wish(100)).row.id

        def revert(cancellation: object = made) -> bool:
            try:
                registrar.db.transact(revert_cancellation, ann, cancellation, at=now())  # pyright: ignore[reportArgumentType] -- bound above
            except CancellationPosted:
                return False
            return True

        def post(cancellation: object = made) -> bool:
            late = now() + DUE
            facts = {"notice": new_id(), "at": late}
            return registrar.worker_db.transact(post_cancellation, ann, cancellation, **facts)  # pyright: ignore[reportArgumentType] -- bound above

        with ThreadPoolExecutor(4) as pool:
            tries = [pool.submit(deed) for deed in (post, revert, post, revert)]
        posted = sum(each.result() for each in tries[::2])
        reverted = sum(each.result() for each in tries[1::2])
        assert posted + reverted == 1
        state = State.POSTED if posted else State.REVERTED
        assert registrar.state(ann, made) is state


def test_what_ended_cannot_be_reverted(registrar: Registrar, ann: int) -> None:
    made = registrar.request(ann, wish(100)).row.id
    assert registrar.post() == 1
    with pytest.raises(CancellationPosted):
        registrar.db.transact(revert_cancellation, ann, made, at=now())
    other = registrar.request(ann, wish(100)).row.id
    registrar.db.transact(revert_cancellation, ann, other, at=now())
    with pytest.raises(CancellationPosted):
        registrar.db.transact(revert_cancellation, ann, other, at=now())
    assert registrar.post() == 0


def test_it_is_final_once_the_chain_has_its_epoch(registrar: Registrar, ann: int) -> None:
    made = registrar.request(ann, wish(1_200)).row.id
    registrar.post()
    assert registrar.issue() == 0, "no epoch has it"
    registrar.notary.close(at=now())
    registrar.notary.publish()
    assert registrar.issue() == 0, "the chain has not"
    registrar.notary.submit(registrar.chain, at=now())
    assert registrar.issue() == 1
    assert registrar.state(ann, made) is State.FINALIZED
    assert rows(registrar.db, "select kind from notice") == [("cancellation.final",)]
    assert registrar.issue() == 0


def test_two_citizens_never_meet(registrar: Registrar, ann: int, keys: Keys) -> None:
    db = registrar.db
    (bob,) = citizens(db, keys, 1)
    post_all(db, [accrual(bob, asset_number(db, BUS), 50)])
    own, theirs = registrar.request(ann, wish(10)).row, registrar.request(bob, wish(50)).row
    for foreign in (theirs.id, new_id(), None):
        with pytest.raises(OwnCancellationUnknown):
            db.read(find_cancellation, ann, foreign)
        with pytest.raises(OwnCancellationUnknown):
            db.transact(revert_cancellation, ann, foreign, at=now())
    listed = db.read(cancellations_of, ann, before=new_id(), limit=9)
    assert [each.row.id for each in listed] == [own.id]
    assert registrar.state(bob, theirs.id) is State.REQUESTED


def test_an_organisation_cancels_reductions_of_its_own(db: Database, registrar: Registrar) -> None:
    (firm,) = owners(db, registrar.keys, 1, AccountKind.ORGANISATION)
    post_all(db, [accrual(firm, asset_number(db, BUS), 70)])
    made = registrar.request(firm, wish(70))
    assert registrar.post() == 1
    assert registrar.state(firm, made.row.id) is State.POSTED


def test_more_classes_than_a_certificate_holds_are_refused(
    db: Database, registrar: Registrar, ann: int
) -> None:
    months = [date(2000 + at // 12, at % 12 + 1, 1) for at in range(CLASSES_MAX)]
    older = [Reduction("TEST-BUS", 1, "bus", "A", month) for month in months]
    post_all(db, [accrual(ann, asset_number(db, of), 1) for of in older])
    with pytest.raises(ClassesTooMany):
        registrar.request(ann, wish(CLASSES_MAX + 1))
    assert len(registrar.request(ann, wish(CLASSES_MAX)).parts) == CLASSES_MAX


def test_a_leaver_reverts_what_waits_and_waits_for_what_was_posted(
    registrar: Registrar, ann: int
) -> None:
    db, who = registrar.db, Citizen(bucket_of(ann), ann)
    posted = registrar.request(ann, wish(100, name="某某", shown=("beneficiary",))).row.id
    registrar.post()
    waiting = registrar.request(ann, wish(100)).row.id
    assert release_cancellations in OTHERS.release
    assert is_final in OTHERS.is_quiet
    assert not db.read(is_final, who, now())
    registrar.worker_db.transact(release_cancellations, who, now())
    assert registrar.state(ann, waiting) is State.REVERTED
    assert rows(db, "select 1 from claim_opening") == []
    assert not db.read(is_final, who, now()), "its certificate is to come"
    registrar.close()
    assert registrar.issue() == 1
    assert registrar.state(ann, posted) is State.FINALIZED
    assert db.read(is_final, who, now())


def test_who_was_erased_asks_for_nothing(registrar: Registrar) -> None:
    (nobody,) = owners(registrar.db, registrar.keys, 1)
    with pytest.raises(TokenInvalid):
        registrar.request(nobody, wish(1))
