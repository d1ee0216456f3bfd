"""Enrolment by import: people of a file, once, from its first day; never in production."""

from datetime import datetime, timedelta

import pytest

from app.activities import Item, Malformed, enrol
from app.activities.choice import chosen
from app.citizens import EnrolmentRefused
from app.kernel.clock import SHANGHAI
from app.kernel.db import Database
from app.kernel.secrets import Keys
from app.providers import ProviderUnknown
from tests.support.acts import RIDE, TODAY, counts, document, item, provider, rows, send


def take(db: Database, keys: Keys, items: list[Item | Malformed], **more: object) -> int:
    facts = {"at": TODAY, "is_production": False, **more}
    return enrol(db, keys, "metro", RIDE, items, **facts)  # type: ignore[arg-type] -- as told


def people(db: Database) -> int:
    return rows(db, "select count(*)::int from subject")[0][0]


def test_everybody_of_a_file_is_opened_once(db: Database, keys: Keys) -> None:
    provider(db)
    items: list[Item | Malformed] = [item(at, subject=f"card-{at % 3}") for at in range(9)]
    assert take(db, keys, items) == 3
    assert take(db, keys, items) == 0
    assert people(db) == 3
    assert counts(send(db, keys, "metro", items[:3])) == {"accepted": 3}


def test_the_consent_begins_with_the_day_of_the_earliest_act(db: Database, keys: Keys) -> None:
    provider(db)
    early = datetime(2026, 3, 1, 0, 30, tzinfo=SHANGHAI)
    take(db, keys, [item(1), item(2, occurred_at=early), Malformed(3, "line.not_json")])
    (since,) = {since for (since,) in rows(db, "select valid_from from consent")}
    assert since == datetime(2026, 3, 1, tzinfo=SHANGHAI)
    assert since.astimezone(SHANGHAI).hour == 0


def test_an_act_before_that_day_is_refused(db: Database, keys: Keys) -> None:
    provider(db)
    take(db, keys, [item(1)])
    before = item(2, occurred_at=TODAY - timedelta(days=2, hours=1))
    assert counts(send(db, keys, "metro", [before, item(1)])) == {"refused": 1, "accepted": 1}


def test_production_opens_nobody(db: Database, keys: Keys) -> None:
    provider(db)
    with pytest.raises(EnrolmentRefused):
        take(db, keys, [item(1)], is_production=True)
    assert people(db) == 0


def test_a_provider_that_nobody_knows_enrols_nobody(db: Database, keys: Keys) -> None:
    with pytest.raises(ProviderUnknown):
        take(db, keys, [item(1)])


def test_a_file_without_acts_enrols_nobody(db: Database, keys: Keys) -> None:
    provider(db)
    assert take(db, keys, []) == 0
    assert take(db, keys, [Malformed(1, "line.not_json")]) == 0
    assert people(db) == 0


def test_the_basis_says_who_vouches(db: Database, keys: Keys) -> None:
    provider(db)
    take(db, keys, [item(1)], basis="simulated")
    assert rows(db, "select basis from subject") == [("simulated",)]
    assert rows(db, "select distinct basis from consent") == [("simulated",)]


def test_another_scene_asks_for_its_own_consent(db: Database, keys: Keys) -> None:
    provider(db)
    take(db, keys, [item(1)])
    other = chosen(document("TEST-OTHER", mode="other"))
    assert enrol(db, keys, "metro", other, [item(1)], at=TODAY, is_production=False) == 0
    assert people(db) == 1
    scenes = rows(db, "select scene from consent order by scene")
    assert scenes == [("test-other",), ("test-ride",), ("whereabouts",)]


def test_more_people_than_one_transaction_takes(
    db: Database, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider(db)
    monkeypatch.setattr("app.activities.enrolling.AT_ONCE", 7)
    items: list[Item | Malformed] = [item(at, subject=f"card-{at}") for at in range(30)]
    assert take(db, keys, items) == 30
    assert take(db, keys, items) == 0
    assert people(db) == 30
