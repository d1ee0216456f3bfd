"""Whereabouts need a consent of their own (行踪单独同意): who has not given it is as unknown."""

from datetime import timedelta
from typing import Any

import pytest

from app.activities.choice import Choice, chosen
from app.citizens import (
    WHEREABOUTS,
    Citizen,
    give_consent,
    link_instrument,
    open_citizens,
    withdraw_consent,
)
from app.kernel.db import Database
from app.kernel.secrets import Keys
from app.providers import Provider
from methodologies import CATALOG
from tests.support.acts import RIDE, TODAY, counts, item, provider, send

RECYCLING = chosen(CATALOG["TP-RECYCLING", 1])
LONG_AGO = TODAY - timedelta(days=300)


@pytest.fixture
def metro(db: Database) -> Provider:
    return provider(db)


def joined(db: Database, keys: Keys, metro: Provider, card: str, *scenes: str) -> Citizen:
    """Open a citizen with a card and these consents, from long ago."""
    (citizen,) = db.transact(open_citizens, keys, 1, at=LONG_AGO, basis="self")
    number = keys.subject_hash(metro.code, card)
    db.transact(link_instrument, citizen, metro.id, number, at=LONG_AGO)
    for scene in scenes:
        db.transact(give_consent, citizen, metro.id, scene, at=LONG_AGO, basis="self")
    return citizen


def outcome(  # a line of its own upload
    db: Database,
    keys: Keys,
    choice: Choice = RIDE,
    **facts: Any,  # noqa: ANN401 -- any field of an item
) -> dict[str, int]:
    return counts(send(db, keys, "metro", [item(**facts)], choice))


def test_a_journey_needs_both_consents(db: Database, keys: Keys, metro: Provider) -> None:
    joined(db, keys, metro, "scene-alone", "test-ride")
    joined(db, keys, metro, "whereabouts-alone", WHEREABOUTS)
    joined(db, keys, metro, "both", "test-ride", WHEREABOUTS)
    for line, card in enumerate(("scene-alone", "whereabouts-alone", "nobody's"), 1):
        assert outcome(db, keys, line=line, subject=card) == {"refused": 1}, card
    assert outcome(db, keys, line=4, subject="both") == {"accepted": 1}


def test_an_act_counts_within_both_intervals(db: Database, keys: Keys, metro: Provider) -> None:
    citizen = joined(db, keys, metro, "card-1", "test-ride", WHEREABOUTS)
    until = TODAY - timedelta(days=2)
    db.transact(withdraw_consent, citizen, metro.id, WHEREABOUTS, at=until)
    assert outcome(db, keys, line=1, occurred_at=until) == {"refused": 1}
    assert outcome(db, keys, line=2, occurred_at=until - timedelta(seconds=1)) == {"accepted": 1}
    db.transact(give_consent, citizen, metro.id, WHEREABOUTS, at=TODAY, basis="self")
    between, after = TODAY - timedelta(seconds=1), TODAY
    assert outcome(db, keys, line=3, occurred_at=between) == {"refused": 1}
    assert outcome(db, keys, line=4, occurred_at=after) == {"accepted": 1}


def test_another_persons_whereabouts_consent_is_nobodys(
    db: Database, keys: Keys, metro: Provider
) -> None:
    joined(db, keys, metro, "card-1", "test-ride")
    joined(db, keys, metro, "card-2", WHEREABOUTS)
    assert outcome(db, keys, subject="card-1") == {"refused": 1}


@pytest.mark.parametrize("where", [{"station": "bin 7"}, {"vehicle": "van 7"}])
def test_under_any_scene_a_named_place_is_whereabouts(
    db: Database, keys: Keys, metro: Provider, where: dict[str, str]
) -> None:
    citizen = joined(db, keys, metro, "card-1", "tp-recycling")
    given = {"inputs": {"material": "paper", "weight": 1}, "subject": "card-1"}
    assert outcome(db, keys, RECYCLING, line=1, **given, **where) == {"refused": 1}
    assert "refused" not in outcome(db, keys, RECYCLING, line=2, **given)
    db.transact(give_consent, citizen, metro.id, WHEREABOUTS, at=LONG_AGO, basis="self")
    assert "refused" not in outcome(db, keys, RECYCLING, line=3, **given, **where)


def test_no_scene_has_the_reserved_name() -> None:
    assert WHEREABOUTS not in {each.scenario for each in CATALOG.values()}
