"""Providers, keys, citizens, consents and links on PostgreSQL."""

from datetime import UTC, datetime, timedelta
from typing import LiteralString

import psycopg
import pytest
from psycopg import errors, sql

from app.citizens import (
    Citizen,
    EnrolmentRefused,
    enrol_unknown,
    give_consent,
    link_instrument,
    open_citizens,
    unlink_instrument,
    withdraw_consent,
)
from app.citizens.errors import CitizenUnknown, InstrumentTaken, IntervalTaken
from app.kernel.db import Database, driver
from app.kernel.secrets import Keys
from app.providers import (
    Provider,
    ProviderUnknown,
    add_provider,
    find_key,
    find_provider,
    register_key,
    revoke_key,
    rotate_key,
    suspend_provider,
)
from app.providers.errors import KeyMalformed, KeyTaken, ProviderCodeTaken, ProviderMalformed

NOW = datetime(2026, 6, 1, 8, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
KEY = bytes(range(32))
OTHER_KEY = bytes(reversed(range(32)))


@pytest.fixture
def metro(db: Database) -> Provider:
    return db.transact(add_provider, "sz-metro", name_zh="深圳地铁", name_en="Metro", at=NOW)


def _citizens(db: Database, keys: Keys, count: int) -> list[Citizen]:
    return list(db.transact(open_citizens, keys, count, at=NOW, basis="self"))


def _enrol(
    db: Database, keys: Keys, metro: Provider, numbers: list[bytes], scene: str = "TP-TRIP"
) -> int:
    return db.transact(
        enrol_unknown,
        keys,
        metro.id,
        numbers,
        scene,
        since=NOW - HOUR,
        at=NOW,
        is_production=False,
    )


def _counts(database_url: str) -> dict[str, int]:
    with psycopg.connect(database_url) as connection:
        return {
            name: connection.execute(
                sql.SQL("select count(*) from {}").format(sql.Identifier(name))
            ).fetchall()[0][0]
            for name in ("account", "subject", "consent", "instrument")
        }


def test_a_provider_is_found_by_its_code(db: Database, metro: Provider) -> None:
    assert db.read(find_provider, "sz-metro") == metro
    with pytest.raises(ProviderUnknown):
        db.read(find_provider, "sz-metro\0")
    with pytest.raises(ProviderCodeTaken):
        db.transact(add_provider, "sz-metro", name_zh="别家", name_en="Other", at=NOW)


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("", "X"),
        ("A", "X"),
        ("a", "X"),
        ("ok-code", ""),
        ("ok-code", "nul\0"),
        ("a" * 41, "X"),
        ("ok-code", "x" * 201),
    ],
)
def test_a_malformed_provider_is_refused_before_the_database(
    db: Database, code: str, name: str
) -> None:
    with pytest.raises(ProviderMalformed):
        db.transact(add_provider, code, name_zh=name, name_en="X", at=NOW)


def test_a_key_holds_from_its_registration_to_its_end(db: Database, metro: Provider) -> None:
    db.transact(register_key, metro, "k1", KEY, at=NOW)
    assert db.read(find_key, "k1", NOW - HOUR) is None
    found = db.read(find_key, "k1", NOW)
    assert found is not None
    assert (found.public_key, found.provider) == (KEY, metro)

    assert db.transact(revoke_key, metro, "k1", at=NOW + HOUR)
    assert not db.transact(revoke_key, metro, "k1", at=NOW + 2 * HOUR)
    assert db.read(find_key, "k1", NOW + HOUR) is None
    assert db.read(find_key, "k1", NOW + HOUR - timedelta(seconds=1)) is not None


def test_rotation_leaves_both_keys_for_a_while(db: Database, metro: Provider) -> None:
    db.transact(register_key, metro, "k1", KEY, at=NOW)
    db.transact(rotate_key, metro, "k2", OTHER_KEY, at=NOW + HOUR, old_until=NOW + 2 * HOUR)
    both = [db.read(find_key, name, NOW + HOUR) for name in ("k1", "k2")]
    assert all(both)
    assert db.read(find_key, "k1", NOW + 2 * HOUR) is None
    assert db.read(find_key, "k2", NOW + 2 * HOUR) is not None


def test_a_key_id_is_never_used_again_by_anybody(db: Database, metro: Provider) -> None:
    bus = db.transact(add_provider, "sz-bus", name_zh="公交", name_en="Bus", at=NOW)
    db.transact(register_key, metro, "k1", KEY, at=NOW)
    db.transact(revoke_key, metro, "k1", at=NOW + HOUR)
    with pytest.raises(KeyTaken):
        db.transact(register_key, bus, "k1", OTHER_KEY, at=NOW + HOUR)
    assert not db.transact(revoke_key, bus, "k1", at=NOW)


@pytest.mark.parametrize(("keyid", "key"), [("", KEY), ("a b", KEY), ("k", KEY[:31]), ("k\0", KEY)])
def test_a_malformed_key_is_refused(db: Database, metro: Provider, keyid: str, key: bytes) -> None:
    with pytest.raises(KeyMalformed):
        db.transact(register_key, metro, keyid, key, at=NOW)
    assert db.read(find_key, keyid, NOW) is None


def test_suspending_twice_says_so(db: Database, metro: Provider) -> None:
    assert db.transact(suspend_provider, metro, at=NOW)
    assert not db.transact(suspend_provider, metro, at=NOW + HOUR)
    assert db.read(find_provider, "sz-metro").suspended_at == NOW


def test_a_card_belongs_to_one_citizen_at_a_time(db: Database, keys: Keys, metro: Provider) -> None:
    one, other = _citizens(db, keys, 2)
    card = keys.subject_hash("sz-metro", "CARD-1")
    assert db.transact(link_instrument, one, metro.id, card, at=NOW)
    assert not db.transact(link_instrument, one, metro.id, card, at=NOW + HOUR)
    with pytest.raises(InstrumentTaken):
        db.transact(link_instrument, other, metro.id, card, at=NOW + HOUR)

    assert not db.transact(unlink_instrument, other, metro.id, card, at=NOW + HOUR)
    assert db.transact(unlink_instrument, one, metro.id, card, at=NOW + HOUR)
    with pytest.raises(InstrumentTaken):  # back-dated into the first owner's time
        db.transact(link_instrument, other, metro.id, card, at=NOW)
    assert db.transact(link_instrument, other, metro.id, card, at=NOW + HOUR)


def test_consent_opens_and_closes_intervals(db: Database, keys: Keys, metro: Provider) -> None:
    (citizen,) = _citizens(db, keys, 1)
    facts = (citizen, metro.id, "TP-TRIP")
    assert db.transact(give_consent, *facts, at=NOW, basis="self")
    assert not db.transact(give_consent, *facts, at=NOW + HOUR, basis="self")
    assert db.transact(withdraw_consent, *facts, at=NOW + HOUR)
    assert not db.transact(withdraw_consent, *facts, at=NOW + HOUR)
    with pytest.raises(IntervalTaken):
        db.transact(give_consent, *facts, at=NOW, basis="self")
    assert db.transact(give_consent, *facts, at=NOW + 2 * HOUR, basis="self")

    stranger = Citizen(citizen.bucket, citizen.number + 1_000_000)
    with pytest.raises(CitizenUnknown):
        db.transact(give_consent, stranger, metro.id, "TP-TRIP", at=NOW, basis="self")


def test_enrolment_opens_each_unknown_subject_once(
    db: Database, keys: Keys, metro: Provider, database_url: str
) -> None:
    cards = [keys.subject_hash("sz-metro", f"CARD-{n}") for n in range(50)]

    assert _enrol(db, keys, metro, [*cards[:30], *cards[:10]]) == 30
    assert _enrol(db, keys, metro, cards) == 20
    assert _enrol(db, keys, metro, cards) == 0
    assert _counts(database_url) == {
        "account": 100,  # each with its held twin
        "subject": 50,
        "consent": 50,
        "instrument": 50,
    }
    assert (
        _enrol(db, keys, metro, cards, "SZ-METRO") == 0
    )  # nobody new, and consent to one scene more
    assert _counts(database_url)["consent"] == 100


def test_enrolment_never_opens_what_was_withdrawn(
    db: Database, keys: Keys, metro: Provider, database_url: str
) -> None:
    card = keys.subject_hash("sz-metro", "CARD-1")
    _enrol(db, keys, metro, [card])
    with psycopg.connect(database_url) as connection:
        owner = Citizen(*connection.execute("select bucket, account from subject").fetchall()[0])
    db.transact(withdraw_consent, owner, metro.id, "TP-TRIP", at=NOW + HOUR)
    assert _enrol(db, keys, metro, [card]) == 0
    assert _counts(database_url)["consent"] == 1


def test_enrolment_gives_no_consent_for_people_who_joined_themselves(
    db: Database, keys: Keys, metro: Provider, database_url: str
) -> None:
    (citizen,) = _citizens(db, keys, 1)
    card = keys.subject_hash("sz-metro", "CARD-1")
    db.transact(link_instrument, citizen, metro.id, card, at=NOW)
    assert _enrol(db, keys, metro, [card]) == 0
    assert _counts(database_url)["consent"] == 0


def test_production_enrols_nobody(
    db: Database, keys: Keys, metro: Provider, database_url: str
) -> None:
    with pytest.raises(EnrolmentRefused) as refused:
        db.transact(
            enrol_unknown,
            keys,
            metro.id,
            [KEY],
            "TP-TRIP",
            since=NOW,
            at=NOW,
            is_production=True,
        )
    assert refused.value.code == "citizens.enrolment_refused"
    assert set(_counts(database_url).values()) == {0}


@pytest.mark.parametrize(
    "statement",
    [
        "update instrument set account = account + 32",
        "update instrument set number = number",
        "update consent set valid_from = valid_from - interval '1 day'",
        "update consent set basis = 'self'",
        "update subject set basis = 'self'",
        "update provider_key set public_key = public_key",
        "update provider set code = code",
        "delete from consent",
        "delete from instrument",
        "delete from provider_key",
        "delete from subject",
    ],
)
def test_the_application_can_close_intervals_and_rewrite_nothing(
    db: Database, statement: LiteralString
) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        db.transact(lambda session: driver(session).execute(statement))
