"""Sessions on PostgreSQL: lost replies, copies, two devices, two people, roles taken away."""

import base64
import random
import secrets
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from app.citizens import Citizen, open_citizens
from app.kernel.db import Database, driver
from app.kernel.ids import new_id
from app.kernel.scopes import SCOPES, Role, Scope
from app.kernel.secrets import Keys
from app.kernel.tokens import Principal
from app.sessions import Granted, Rights, close_all, close_session, open_session, refresh, sweep
from app.sessions.commands import close_own
from app.sessions.queries import devices_of
from app.sessions.refresh_tokens import LENGTH, RefreshToken, read_refresh_token
from app.sessions.rules import GRACE, LIFETIMES, Step

NOW = datetime(2026, 6, 1, 8, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
LATER = timedelta(minutes=9)
RIGHTS: Rights = {
    "citizen": lambda _session, _who: SCOPES[Role.CITIZEN],
    "clerk": lambda _session, _who: SCOPES[Role.VERIFIER],
}
CLERK = Principal("clerk", new_id(), SCOPES[Role.VERIFIER])


@pytest.fixture
def people(db: Database, keys: Keys) -> Sequence[Principal]:
    """Alice and Bob."""

    def principal(citizen: Citizen) -> Principal:
        return Principal("citizen", new_id(), SCOPES[Role.CITIZEN], citizen.number)

    return [principal(each) for each in db.transact(open_citizens, keys, 2, at=NOW, basis="self")]


def logged_in(db: Database, who: Principal, label: str = "phone", at: datetime = NOW) -> Granted:
    secret = secrets.token_bytes(32)
    return db.transact(open_session, who, label=label, family=new_id(), secret=secret, at=at)


def refreshed(db: Database, keys: Keys, token: RefreshToken, at: datetime) -> RefreshToken:
    granted = db.transact(refresh, keys, RIGHTS, token, at=at)
    assert isinstance(granted, Granted), granted
    return granted.token


def stored(db: Database) -> str:
    return str(db.read(lambda s: driver(s).execute("select s::text from session s").fetchall()))


def test_each_refresh_gives_another_token(
    db: Database, keys: Keys, people: Sequence[Principal]
) -> None:
    token, seen = logged_in(db, people[0]).token, set[bytes]()
    for turn in range(1, 20):
        token = refreshed(db, keys, token, NOW + turn * LATER)
        seen.add(token.secret)
    assert len(seen) == 19


def test_a_thousand_lost_replies_log_nobody_out(
    db: Database, keys: Keys, people: Sequence[Principal]
) -> None:
    """The client uses the last token that reached it, and tries again within the grace."""
    chance, at, lost = random.Random(9421), NOW, 0
    held = [logged_in(db, who).token for who in people]
    while lost < 1000:
        at += LATER
        for number, token in enumerate(held):
            first = at
            while chance.random() < 0.75:
                refreshed(db, keys, token, first)
                first = min(first + SECOND, at + GRACE - SECOND)
                lost += 1
            held[number] = refreshed(db, keys, token, first)
        if at > NOW + timedelta(days=29):
            at, held = NOW, [logged_in(db, who).token for who in people]
    assert lost >= 1000


def test_the_same_token_gives_the_same_successor_within_the_grace(
    db: Database, keys: Keys, people: Sequence[Principal]
) -> None:
    token = logged_in(db, people[0]).token
    at = NOW + LATER
    with ThreadPoolExecutor(8) as pool:
        made = [pool.submit(refreshed, db, keys, token, at) for _ in range(16)]
    given = {each.result() for each in made}
    given.add(refreshed(db, keys, token, at + GRACE - SECOND))
    assert len(given) == 1
    refreshed(db, keys, given.pop(), at + LATER)


@pytest.mark.parametrize("late", [GRACE, GRACE + SECOND, timedelta(days=1)])
def test_a_replay_after_the_grace_ends_the_family(
    db: Database, keys: Keys, people: Sequence[Principal], late: timedelta
) -> None:
    """Whoever shows it, thief or owner: the newest token is worth nothing either."""
    token = logged_in(db, people[0]).token
    newest = refreshed(db, keys, token, NOW + LATER)
    assert db.transact(refresh, keys, RIGHTS, token, at=NOW + LATER + late) is Step.REPLAYED
    assert db.transact(refresh, keys, RIGHTS, newest, at=NOW + LATER + late) is Step.ENDED
    assert devices(db, people[0]) == []


def test_an_older_one_ends_the_family_even_within_the_grace(
    db: Database, keys: Keys, people: Sequence[Principal]
) -> None:
    first = logged_in(db, people[0]).token
    second = refreshed(db, keys, first, NOW + SECOND)
    third = refreshed(db, keys, second, NOW + 2 * SECOND)
    assert db.transact(refresh, keys, RIGHTS, first, at=NOW + 3 * SECOND) is Step.REPLAYED
    assert db.transact(refresh, keys, RIGHTS, third, at=NOW + 3 * SECOND) is Step.ENDED


def test_one_device_ends_and_the_other_goes_on(
    db: Database, keys: Keys, people: Sequence[Principal]
) -> None:
    alice, bob = people
    phone, tablet = logged_in(db, alice, "phone").token, logged_in(db, alice, "tablet").token
    his = logged_in(db, bob).token
    refreshed(db, keys, phone, NOW + LATER)
    db.transact(refresh, keys, RIGHTS, phone, at=NOW + LATER + GRACE)
    assert devices(db, alice) == ["tablet"]
    refreshed(db, keys, tablet, NOW + LATER)
    refreshed(db, keys, his, NOW + LATER)


def devices(db: Database, who: Principal, at: datetime = NOW + LATER) -> list[str]:
    return [each.label for each in db.read(devices_of, who, at=at)]


def test_logging_out_twice_is_no_error(
    db: Database, keys: Keys, people: Sequence[Principal]
) -> None:
    token = logged_in(db, people[0]).token
    assert db.transact(close_session, token, at=NOW)
    assert not db.transact(close_session, token, at=NOW)
    assert db.transact(refresh, keys, RIGHTS, token, at=NOW) is Step.ENDED


def test_nobody_ends_or_sees_what_is_anothers(
    db: Database, keys: Keys, people: Sequence[Principal]
) -> None:
    alice, bob = people
    hers = logged_in(db, alice, "hers").token
    logged_in(db, bob, "his")
    posing = [
        replace(bob, id=alice.id),
        replace(alice, id=bob.id),
        CLERK,
        replace(CLERK, id=alice.id),
    ]
    for who in [bob, *posing]:
        assert not db.transact(close_own, who, hers.family, at=NOW)
        assert "hers" not in devices(db, who)
    assert db.transact(close_all, bob, at=NOW) == 1
    refreshed(db, keys, hers, NOW + LATER)
    assert db.transact(close_own, alice, hers.family, at=NOW)
    assert not db.transact(close_own, alice, hers.family, at=NOW)


@pytest.mark.parametrize("who", ["citizen", "clerk"])
def test_it_ends_unused_and_at_all(
    db: Database, keys: Keys, people: Sequence[Principal], who: str
) -> None:
    holder = people[0] if who == "citizen" else CLERK
    lives, at = LIFETIMES[who], NOW
    unused = logged_in(db, holder, "unused").token
    assert db.transact(refresh, keys, RIGHTS, unused, at=NOW + lives.idle) is Step.ENDED
    token = logged_in(db, holder, "used").token
    while at + lives.idle - SECOND < NOW + lives.whole:
        at += lives.idle - SECOND
        granted = db.transact(refresh, keys, RIGHTS, token, at=at)
        assert isinstance(granted, Granted)
        assert granted.ends_at == min(at + lives.idle, NOW + lives.whole)
        token = granted.token
    assert devices(db, holder, at) == ["used"]
    assert db.transact(refresh, keys, RIGHTS, token, at=NOW + lives.whole) is Step.ENDED
    assert devices(db, holder, NOW + lives.whole) == []


def test_what_a_holder_may_do_is_asked_each_time(db: Database, keys: Keys) -> None:
    token = logged_in(db, CLERK).token
    fewer: Rights = {"clerk": lambda _s, _w: frozenset({Scope.AUDIT_READ})}
    granted = db.transact(refresh, keys, fewer, token, at=NOW + SECOND)
    assert isinstance(granted, Granted)
    assert granted.who == replace(CLERK, scopes=frozenset({Scope.AUDIT_READ}))
    none: Rights = {"clerk": lambda _s, _w: frozenset()}
    assert db.transact(refresh, keys, none, granted.token, at=NOW + 2 * SECOND) is Step.ENDED
    assert db.transact(refresh, keys, RIGHTS, granted.token, at=NOW + 2 * SECOND) is Step.ENDED


def test_the_database_holds_no_token(db: Database, keys: Keys, people: Sequence[Principal]) -> None:
    token = logged_in(db, people[0]).token
    following = refreshed(db, keys, token, NOW + LATER)
    rows = stored(db)
    assert following.hash.hex() in rows
    for each in (token, following):
        for form in (each.secret.hex(), each.text(keys), repr(each.secret)):
            assert form not in rows
        assert each.secret.hex() not in repr(each)
        assert str(each.secret) not in repr(each)


def test_a_token_that_was_never_given_out_ends_nothing(
    db: Database, keys: Keys, people: Sequence[Principal]
) -> None:
    token = logged_in(db, people[0]).token
    text = token.text(keys)
    assert len(text) == LENGTH
    assert read_refresh_token(keys, text) == token
    raw = bytearray(base64.urlsafe_b64decode(text))
    for at in range(len(raw)):
        raw[at] ^= 1
        assert read_refresh_token(keys, base64.urlsafe_b64encode(raw).decode()) is None
        raw[at] ^= 1
    for other in ("", text[:-1], text + "A", "é" * LENGTH, "=" * LENGTH, "!" * LENGTH):
        assert read_refresh_token(keys, other) is None
    refreshed(db, keys, token, NOW + LATER)


def test_what_ended_is_forgotten(
    db: Database, worker_db: Database, people: Sequence[Principal]
) -> None:
    logged_in(db, people[0])
    ends_at = NOW + LIFETIMES["citizen"].whole
    assert worker_db.transact(sweep, before=ends_at) == 0
    assert worker_db.transact(sweep, before=ends_at + SECOND) == 1
