"""A crash at the commit of a correction, its effect lost and landed: it is taken once."""

import json

import pytest

from app.kernel.db import Database
from tests.support.acts import balances, one
from tests.support.auditing import assert_acts_hold
from tests.support.batches import PATH, Sender, ride
from tests.support.tripwire import Gone, Tripwire, unanswered

RIDE_MG = 468_000
COMMITS = 1
"""Nonce, key, corrections, receipt and answer are one."""
BODY = json.dumps({"external_id": "ride-1", "reason": "trip.refunded", "withdrawn": True}).encode()


@pytest.mark.parametrize("landed", [False, True], ids=["lost", "landed"])
@pytest.mark.parametrize("crash_at", range(1, COMMITS + 1))
def test_it_is_taken_once_through_a_crash(
    db: Database, metro: Sender, crash_at: int, *, landed: bool
) -> None:
    path = f"{PATH}/{metro.send(ride(1) + ride(2)).json()['id']}/corrections"
    wire = Tripwire(crash_at, landed=landed)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(db, "transact", unanswered(wire.wrap(db.transact)))
        with pytest.raises(Gone):
            metro.send(BODY, key="c-1", path=path)
    assert wire.passed == crash_at
    assert sum(balances(db).values()) == (RIDE_MG if landed else 2 * RIDE_MG)
    answer = metro.send(BODY, key="c-1", path=path)
    assert answer.status_code == 201, answer.text
    assert answer.json()["counts"]["withdrawn"] == 1
    assert ("idempotent-replayed" in answer.headers) is landed
    assert sum(balances(db).values()) == RIDE_MG
    assert one(db, "select count(*) from act_correction") == (1,)
    assert_acts_hold(db.url)


def test_a_correction_has_no_more_commits(db: Database, metro: Sender) -> None:
    path = f"{PATH}/{metro.send(ride(1)).json()['id']}/corrections"
    wire = Tripwire()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(db, "transact", wire.wrap(db.transact))
        assert metro.send(BODY, key="c-1", path=path).status_code == 201
    assert wire.passed == COMMITS
