"""Personal fields and logins on PostgreSQL: sealed for one person, gone with their secret."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from cryptography.exceptions import InvalidTag
from sqlmodel import Session

from app.citizens import (
    Citizen,
    Subject,
    link_login,
    log_in,
    logins_of,
    open_citizens,
    open_personal,
    rights_of_citizen,
    seal_personal,
    unlink_logins,
)
from app.citizens.errors import CitizenUnknown, LoginHeld, LoginTaken, LoginUnknown
from app.kernel.db import Database, driver
from app.kernel.scopes import SCOPES, Role
from app.kernel.secrets import Keys
from app.kernel.tokens import Principal

NOW = datetime(2026, 6, 1, 8, 0, tzinfo=UTC)
PHONE = Subject("phone", "+8613800000000")
WECHAT = Subject("wechat", "o-alice")
FIELDS = {"name": "张三", "phone": "+8613800000000", "birth": "1990-01-01"}


@pytest.fixture
def people(db: Database, keys: Keys) -> Sequence[Citizen]:
    """Alice and Bob."""
    return db.transact(open_citizens, keys, 2, at=NOW, basis="self")


def seal(db: Database, keys: Keys, citizen: Citizen, fields: Mapping[str, Any]) -> None:
    def command(session: Session) -> None:
        seal_personal(keys, driver(session), citizen, fields)

    db.transact(command)


def opened(db: Database, keys: Keys, citizen: Citizen) -> dict[str, Any]:
    return db.read(lambda session: open_personal(keys, driver(session), citizen))


def entered(db: Database, keys: Keys, subject: Subject) -> Principal:
    return db.transact(log_in, keys, subject, may_open=True, at=NOW)


def test_what_is_sealed_opens(db: Database, keys: Keys, people: Sequence[Citizen]) -> None:
    alice, bob = people
    assert opened(db, keys, alice) == {}
    seal(db, keys, alice, FIELDS)
    assert opened(db, keys, alice) == FIELDS
    seal(db, keys, alice, {"name": "李四"})
    assert opened(db, keys, alice) == {"name": "李四"}
    assert opened(db, keys, bob) == {}


def test_it_opens_for_nobody_else(
    db: Database, database_url: str, keys: Keys, people: Sequence[Citizen]
) -> None:
    """A row that is moved, changed, or met by another deployment's keys."""
    alice, bob = people
    seal(db, keys, alice, FIELDS)
    seal(db, keys, bob, FIELDS)
    with psycopg.connect(database_url) as connection:
        rows = connection.execute("select sealed from profile order by account").fetchall()
        (hers,), (his,) = rows
        assert hers != his
        for plain in FIELDS.values():
            assert plain.encode() not in hers
        connection.execute("update profile set sealed = %s where account = %s", (hers, bob.number))
    with pytest.raises(InvalidTag):
        opened(db, keys, bob)


def test_it_is_gone_with_the_secret(
    db: Database, database_url: str, keys: Keys, people: Sequence[Citizen]
) -> None:
    alice, _ = people
    seal(db, keys, alice, FIELDS)
    with psycopg.connect(database_url) as connection:
        connection.execute("delete from account_secret where account = %s", (alice.number,))
    with pytest.raises(CitizenUnknown):
        opened(db, keys, alice)
    with pytest.raises(CitizenUnknown):
        seal(db, keys, alice, FIELDS)


def test_a_login_is_a_hash_in_the_index_and_sealed_beside_it(
    db: Database, database_url: str, keys: Keys
) -> None:
    alice = entered(db, keys, PHONE)
    assert entered(db, keys, PHONE) == alice
    citizen = Citizen(alice.bucket, alice.owner)
    db.transact(link_login, keys, citizen, WECHAT, at=NOW)
    assert opened(db, keys, citizen) == {"phone": PHONE.id, "wechat": WECHAT.id}
    with psycopg.connect(database_url) as connection:
        rows = connection.execute("select number from login").fetchall()
    assert {bytes(number) for (number,) in rows} == {PHONE.hash(keys), WECHAT.hash(keys)}


def test_an_unknown_login_opens_nobody_unless_asked_to(
    db: Database, database_url: str, keys: Keys
) -> None:
    with pytest.raises(LoginUnknown):
        db.transact(log_in, keys, WECHAT, may_open=False, at=NOW)
    with psycopg.connect(database_url) as connection:
        assert connection.execute("select count(*) from account").fetchone() == (0,)


def test_linking_merges_nobody(db: Database, keys: Keys) -> None:
    alice, bob = entered(db, keys, PHONE), entered(db, keys, WECHAT)
    hers, his = Citizen(alice.bucket, alice.owner), Citizen(bob.bucket, bob.owner)
    assert not db.transact(link_login, keys, hers, PHONE, at=NOW), "it is hers already"
    with pytest.raises(LoginTaken):
        db.transact(link_login, keys, his, PHONE, at=NOW)
    with pytest.raises(LoginHeld):
        db.transact(link_login, keys, hers, Subject("phone", "+8613900000000"), at=NOW)
    assert [each.way for each in db.read(logins_of, hers)] == ["phone"]
    assert [each.way for each in db.read(logins_of, his)] == ["wechat"]


def test_whoever_has_no_way_in_may_do_nothing(db: Database, keys: Keys) -> None:
    alice, bob = entered(db, keys, PHONE), entered(db, keys, WECHAT)
    assert db.read(rights_of_citizen, alice) == SCOPES[Role.CITIZEN]
    assert db.transact(unlink_logins, Citizen(alice.bucket, alice.owner)) == 1
    assert db.read(rights_of_citizen, alice) == frozenset()
    assert db.read(rights_of_citizen, bob) == SCOPES[Role.CITIZEN]
    assert entered(db, keys, PHONE).id != alice.id, "who comes back comes back as somebody new"
