"""A crash at every commit of a correction, lost and landed: each act is corrected once."""

import json
from datetime import timedelta

import pytest

from app.activities import decided
from app.catalogue import FactorCorrection
from app.governance import correcting, scanning
from app.governance.corrections import find_correction
from app.kernel.clock import day_of, now
from app.kernel.db import Database
from app.kernel.secrets import Keys
from tests.support.acts import balances, item, one, people, provider, send
from tests.support.desk import order, put_in_library, text
from tests.support.tripwire import crossing

TODAY = day_of(now())
COMMITS = 5
"""Three pages of four acts, the part, the report."""


@pytest.fixture
def ordered(db: Database, keys: Keys, monkeypatch: pytest.MonkeyPatch) -> FactorCorrection:
    """Ten rides of ten people, all in one part of three pages, and an order to correct them."""
    monkeypatch.setattr(scanning, "BUCKETS_A_PART", 1024)
    for module in (scanning, correcting):
        monkeypatch.setattr(module, "PAGE_ROWS", 4)
    monkeypatch.setattr(correcting, "PARTS", 1)
    put_in_library(db, text())
    choice = db.read(decided, "TEST-RIDE")
    cards = [f"card-{n}" for n in range(10)]
    people(db, keys, metro := provider(db), cards, choice=choice)
    rides = [item(n, subject=card) for n, card in enumerate(cards, 1)]
    send(db, keys, metro, rides, choice=choice)
    put_in_library(db, text(version=2, saving="80", effective=str(TODAY + timedelta(days=1))))
    return order(db, TODAY - timedelta(days=30), TODAY)


def carry_out(db: Database, keys: Keys, which: FactorCorrection) -> None:
    correcting.carry_out(db, keys.receipt, which, at=now(), window_days=400, goes_on=lambda: True)


def crash(url: str, keys: Keys, which: FactorCorrection, at: int, *, landed: bool) -> int:
    return crossing(url, at, lambda db: carry_out(db, keys, which), landed=landed)


def corrected_once(db: Database, keys: Keys, which: FactorCorrection) -> None:
    assert sorted(balances(db).values()) == [800_000] * 10
    assert one(db, "select count(*) from transfer where code = 2") == (10,)
    assert one(db, "select count(*), count(distinct activity) from act_correction") == (10, 10)
    found = db.read(find_correction, which.id)
    assert found.statement is not None
    assert found.signature is not None
    keys.receipt.public_key().verify(bytes(found.signature), bytes(found.statement))
    told = json.loads(found.statement)
    assert (told["acts"], told["corrected"], told["refused"]) == (10, 10, 0)
    assert told["net_co2e_mg"] == -2_000_000


@pytest.mark.parametrize("landed", [False, True], ids=["lost", "landed"])
@pytest.mark.parametrize("crash_at", range(1, COMMITS + 1))
def test_it_corrects_each_act_once_through_a_crash(
    database_url: str,
    db: Database,
    keys: Keys,
    ordered: FactorCorrection,
    crash_at: int,
    *,
    landed: bool,
) -> None:
    crash(database_url, keys, ordered, crash_at, landed=landed)
    carry_out(db, keys, ordered)
    corrected_once(db, keys, ordered)


def test_it_commits_as_often_as_the_crashes_are_counted(
    database_url: str, db: Database, keys: Keys, ordered: FactorCorrection
) -> None:
    assert crash(database_url, keys, ordered, 0, landed=False) == COMMITS
    corrected_once(db, keys, ordered)
