"""Corrections (更正): what is taken, from where, what the cap keeps, and who stands in for whom."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

import pytest
from sqlmodel import Session

from app.activities.choice import chosen
from app.activities.corrections import Corrected, Correction, correct
from app.books import Row, post
from app.kernel.clock import day_of, now
from app.kernel.db import Database, driver
from app.kernel.ids import new_id
from app.kernel.secrets import Keys
from app.providers import Provider
from ledger.accounts import SYSTEM_ACCOUNTS
from ledger.chart import Code
from methodologies import Evidence
from tests.support.acts import (
    RIDE,
    balances,
    document,
    item,
    one,
    people,
    provider,
    rows,
    same_person,
    send,
)
from tests.support.auditing import assert_acts_hold

KG = 1_000_000
FREE = chosen(document("TEST-FREE", cap=None))
ACT = "select bucket, account, recorded_on, id from activity where external_hash = %s"


@pytest.fixture
def metro(db: Database, keys: Keys) -> Provider:
    made = provider(db)
    people(db, keys, made, ["card-1", "card-2"])
    return made


@pytest.fixture(autouse=True)
def acts_hold_afterwards(db: Database) -> Iterator[None]:
    """Hold every act, change, day and correction to its transfers."""
    yield
    assert_acts_hold(db.url)


def said(
    db: Database, external_id: str, worth_mg: int, *, is_withdrawn: bool = False
) -> Correction:
    bucket, owner, recorded_on, act = one(db, ACT, sha256(external_id.encode()).digest()[:16])
    reason = "provider.withdrawn" if is_withdrawn else "provider.corrected"
    return Correction(bucket, owner, recorded_on, act, worth_mg, reason, is_withdrawn)


def withdrawn(db: Database, external_id: str) -> Correction:
    return said(db, external_id, 0, is_withdrawn=True)


def run(
    db: Database, *corrections: Correction, cause: UUID | None = None, at: datetime | None = None
) -> Sequence[Corrected]:
    def command(session: Session) -> list[Corrected]:
        return correct(
            driver(session),
            corrections,
            cause=cause or new_id(),
            at=at or now(),
            window_days=400,
            new_id=new_id,
        )

    return db.transact(command)


def held(db: Database) -> int:
    return sum(balances(db).values())


def test_it_takes_what_an_act_is_worth_less_and_keeps_its_history(
    db: Database, keys: Keys, metro: Provider
) -> None:
    send(db, keys, metro, [item(1)])
    made = run(db, said(db, "r1", KG // 4))
    assert [(each.change_mg, each.reason) for each in made] == [(-3 * KG // 4, "")]
    assert held(db) == KG // 4
    assert one(db, "select amount from transfer where id = (select id from activity)") == (KG,)
    assert one(db, "select raw_mg, change_mg, lost_mg from act_correction") == (
        KG // 4,
        -3 * KG // 4,
        3 * KG // 4,
    )


def test_it_adds_what_an_act_is_worth_more_up_to_the_cap(
    db: Database, keys: Keys, metro: Provider
) -> None:
    send(db, keys, metro, [item(1), item(2)])
    made = run(db, said(db, "r1", 5 * KG))
    assert [(each.change_mg, each.reason) for each in made] == [(KG, "cap.day")]
    assert held(db) == 3 * KG


def test_a_withdrawal_never_opens_the_cap_to_another_act(
    db: Database, keys: Keys, metro: Provider
) -> None:
    send(db, keys, metro, [item(1, distance=20), item(2, distance=20)])
    assert held(db) == 3 * KG
    run(db, withdrawn(db, "r1"))
    left = held(db)
    assert left == KG
    run(db, said(db, "r2", 5 * KG))
    assert held(db) == left


def test_an_act_regains_what_a_mistaken_correction_took(
    db: Database, keys: Keys, metro: Provider
) -> None:
    send(db, keys, metro, [item(1, distance=50)])
    run(db, said(db, "r1", KG))
    run(db, said(db, "r1", 5 * KG))
    assert held(db) == 3 * KG
    assert one(db, "select sum(lost_mg)::int8 from act_correction") == (0,)


def test_the_same_cause_corrects_once_and_a_withdrawal_is_final(
    db: Database, keys: Keys, metro: Provider
) -> None:
    send(db, keys, metro, [item(1)])
    cause = new_id()
    run(db, said(db, "r1", KG // 2), cause=cause)
    again = run(db, said(db, "r1", KG // 4), cause=cause)
    assert [(each.reason, each.is_recorded) for each in again] == [("correction.repeated", False)]
    run(db, withdrawn(db, "r1"))
    late = run(db, said(db, "r1", KG))
    assert [each.reason for each in late] == ["act.withdrawn"]
    assert held(db) == 0


def test_it_takes_from_the_holder_first_and_then_from_where_it_went(
    db: Database, keys: Keys, metro: Provider
) -> None:
    send(db, keys, metro, [item(1, distance=10)])
    bucket, owner, asset = one(db, "select bucket, account, asset from balance")
    exits = (("absorbed", Code.EXCHANGE_ABSORB, 300_000), ("cancelled", Code.CANCEL, 500_000))

    def spend(session: Session) -> None:
        post(
            driver(session),
            [
                Row(
                    bucket, day_of(now()), new_id(), owner, SYSTEM_ACCOUNTS[name], asset, mg,
                    code, new_id(), day_of(now()),
                )
                for name, code, mg in exits
            ],
        )  # fmt: skip

    db.transact(spend)
    run(db, said(db, "r1", 350_000))
    taken = dict(rows(db, "select source, amount from transfer where code = 2"))
    assert taken == {
        owner: 200_000,
        SYSTEM_ACCOUNTS["absorbed"]: 300_000,
        SYSTEM_ACCOUNTS["cancelled"]: 150_000,
    }


def test_the_record_that_was_merged_stands_in_for_a_withdrawn_one_with_its_room(
    db: Database, keys: Keys, metro: Provider
) -> None:
    bike = provider(db, "bike")
    same_person(db, keys, metro, bike, {"card-1": "b-1"})
    send(db, keys, metro, [item(1, distance=50)])
    send(db, keys, bike, [item(2, subject="b-1", distance=40, evidence=Evidence.DOCUMENT_PROVED)])
    assert held(db) == 3 * KG
    made = run(db, withdrawn(db, "r1"))
    assert [(each.change_mg, each.is_recorded) for each in made] == [(-3 * KG, True)]
    assert held(db) == 3 * KG
    assert run(db, withdrawn(db, "r2"))[0].change_mg == -3 * KG
    assert held(db) == 0


def test_a_record_that_comes_after_the_withdrawal_counts(
    db: Database, keys: Keys, metro: Provider
) -> None:
    bike = provider(db, "bike")
    same_person(db, keys, metro, bike, {"card-1": "b-1"}, choice=RIDE)
    send(db, keys, metro, [item(1)])
    run(db, withdrawn(db, "r1"))
    send(db, keys, bike, [item(2, subject="b-1", evidence=Evidence.DOCUMENT_PROVED)])
    assert held(db) == KG


def test_an_act_that_does_not_count_is_worth_its_correction_once_it_does(
    db: Database, keys: Keys, metro: Provider
) -> None:
    bike = provider(db, "bike")
    same_person(db, keys, metro, bike, {"card-1": "b-1"})
    send(db, keys, metro, [item(1)])
    send(db, keys, bike, [item(2, subject="b-1", evidence=Evidence.DOCUMENT_PROVED)])
    made = run(db, said(db, "r2", KG // 2))
    assert [(each.change_mg, each.reason) for each in made] == [(0, "merge.same_act")]
    run(db, withdrawn(db, "r1"))
    assert held(db) == KG // 2


def test_past_the_acceptance_window_an_act_is_lowered_and_never_raised(
    db: Database, keys: Keys, metro: Provider
) -> None:
    send(db, keys, metro, [item(1)])
    later = now() + timedelta(days=402)
    made = run(db, said(db, "r1", 2 * KG), at=later)
    assert [(each.reason, each.is_recorded) for each in made] == [("act.too_old", False)]
    assert held(db) == KG


def test_an_uncapped_methodology_is_corrected_both_ways(
    db: Database, keys: Keys, metro: Provider
) -> None:
    people(db, keys, metro, ["card-9"], choice=FREE)
    send(db, keys, metro, [item(1, subject="card-9")], FREE)
    for worth in (KG // 2, 4 * KG, 2 * KG):
        run(db, said(db, "r1", worth))
        assert held(db) == worth
