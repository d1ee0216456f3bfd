"""Corrections as a provider tells them (更正的再告知): each stands until another is told."""

import json

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlmodel import Session
from starlette.testclient import TestClient

from app.activities import FACTOR, Correction, correct
from app.activities.correction_batches import CorrectionOutcome
from app.kernel.clock import now
from app.kernel.db import Database, driver
from app.kernel.ids import new_id
from tests.support.acts import balances, one
from tests.support.auditing import assert_acts_hold
from tests.support.batches import PATH, Town, enrol, ride, sender
from tests.support.postgres import empty

KM_MG = 46_800
LONGEST_KM = 20
"""Under the cap of the day, which other tests are about."""
OPERATOR = 7 * KM_MG
"""What the operator says that the ride is worth, by a corrected factor."""


def line(km: int | None) -> bytes:
    """Say that the ride was so long; None withdraws it."""
    told: dict[str, object] = {"external_id": "ride-1", "reason": "trip.refunded"}
    told |= {"withdrawn": True} if km is None else {"inputs": {"distance": str(km)}}
    return json.dumps(told).encode()


def operator_corrects(db: Database) -> None:
    """Correct the one act by another cause than its provider's word."""
    bucket, owner, on, act = one(db, "select bucket, account, recorded_on, id from activity")
    said = Correction(bucket, owner, on, act, OPERATOR, FACTOR)

    def command(session: Session) -> None:
        correct(driver(session), [said], cause=new_id(), at=now(), window_days=400, new_id=new_id)

    db.transact(command)


@given(
    story=st.lists(
        st.one_of(st.none(), st.integers(1, LONGEST_KM), st.just("operator")), max_size=7
    )
)
@example(story=[5, 10, 5])
@example(story=[5, 5])
@example(story=[5, "operator", 5])
@example(story=[5, None, 5, None])
@settings(
    max_examples=20,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_the_newest_word_stands_and_only_its_repetition_is_a_duplicate(
    database_url: str,
    db: Database,
    town: Town,
    client: TestClient,
    story: list[int | str | None],
) -> None:
    empty(database_url)
    metro = sender(town, client)
    enrol(town, metro.provider, ["CARD-1"])
    path = f"{PATH}/{metro.send(ride(1)).json()['id']}/corrections"
    newest: int | str | None = "as it was told"
    worth_mg, is_withdrawn, recorded = 10 * KM_MG, False, 0
    for number, word in enumerate(story):
        if word == "operator":
            operator_corrects(db)
            if not is_withdrawn:
                newest, worth_mg, recorded = word, OPERATOR, recorded + 1
            continue
        assert not isinstance(word, str)
        answer = metro.send(line(word), key=f"c-{number}", path=path)
        outcome, change_mg = "duplicate", 0
        if word != newest and is_withdrawn:
            outcome = "refused"
        elif word != newest:
            said_mg = 0 if word is None else word * KM_MG
            outcome = "withdrawn" if word is None else "corrected"
            change_mg, newest, recorded = said_mg - worth_mg, word, recorded + 1
            worth_mg, is_withdrawn = said_mg, word is None
        (told,) = answer.json()["outcomes"]
        assert (told["outcome"], told["co2e_mg"]) == (CorrectionOutcome(outcome), change_mg)
        assert sum(balances(db).values()) == worth_mg
    assert one(db, "select count(*) from act_correction") == (recorded,)
    assert_acts_hold(database_url)
