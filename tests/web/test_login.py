"""Logging in: the code and its limits, what is told and what never is."""

import io
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from fastapi import FastAPI
from psycopg import sql
from starlette.testclient import TestClient
from structlog.testing import capture_logs

from app.city import City
from app.kernel import telemetry
from app.main import create_app
from tests.web.conftest import Servers
from tests.web.entering import PHONE, Person, Phones, bearer, pass_time, wrong

MINUTE = timedelta(seconds=61)
EXTRA_S_MAX = 0.25


@pytest.fixture
def without_redis(city: City, elsewhere: City, phones: Phones) -> Iterator[Person]:
    """Alice, in a city whose Redis is gone."""
    nowhere = replace(city.addresses, redis_url=elsewhere.addresses.redis_url)
    app = create_app(city.settings, replace(city, addresses=nowhere))
    with TestClient(app, raise_server_exceptions=False) as client:
        app.state.sms = phones.sms
        yield Person(client, phones)


def code_of(answer: Any) -> str:  # noqa: ANN401 -- whatever the client gives
    return answer.json()["code"]


def test_a_first_login_opens_the_citizen_and_a_second_finds_them(alice: Person, city: City) -> None:
    first = alice.log_in()
    assert first["who"].startswith("cit_")
    pass_time(city.owner_url, MINUTE)
    other = Person(alice.client, alice.phones, "138 0000 0000", "tablet-of-alice-0002")
    other.phone = PHONE
    second = other.log_in(label="tablet")
    assert second["who"] == first["who"]
    assert second["session"] != first["session"]
    logins = alice.client.get("/v1/auth/logins", headers=bearer(first["access_token"]))
    assert [each["way"] for each in logins.json()["data"]] == ["phone"]


def test_two_people_are_two(alice: Person, bob: Person) -> None:
    assert alice.log_in()["who"] != bob.log_in()["who"]


def test_first_logins_at_once_open_one_citizen(alice: Person, city: City) -> None:
    asked: list[tuple[str, str]] = []
    for _ in range(4):
        asked.append(alice.asked())
        pass_time(city.owner_url, MINUTE)
    pass_time(city.owner_url, -4 * MINUTE)
    with ThreadPoolExecutor(4) as pool:
        running = [pool.submit(alice.show, *each) for each in asked]
    told = [each.result() for each in running]
    assert [each.status_code for each in told] == [200] * 4
    assert len({each.json()["who"] for each in told}) == 1
    with psycopg.connect(city.owner_url) as connection:
        assert connection.execute("select count(*) from subject").fetchone() == (1,)


def test_a_code_works_once_for_its_challenge_on_its_device_in_its_time(
    alice: Person, bob: Person, city: City
) -> None:
    challenge, code = alice.asked()
    its, other = bob.asked()
    assert code_of(alice.show(its, other)) == "auth.code_wrong", "another device's"
    assert code_of(alice.show("chl_" + "0" * 26, code)) == "auth.code_wrong"
    assert code_of(alice.show("nonsense", code)) == "auth.code_wrong"
    assert alice.show(challenge, code).status_code == 200
    assert code_of(alice.show(challenge, code)) == "auth.code_wrong", "used"
    pass_time(city.owner_url, timedelta(seconds=295))
    assert bob.show(its, other).status_code == 200
    pass_time(city.owner_url, MINUTE)
    late = alice.asked()
    pass_time(city.owner_url, timedelta(minutes=5))
    assert code_of(alice.show(*late)) == "auth.code_wrong", "too old"


@pytest.mark.parametrize("who", ["alice", "without_redis"])
def test_five_wrong_tries_burn_a_code(request: pytest.FixtureRequest, who: str) -> None:
    person: Person = request.getfixturevalue(who)
    challenge, code = person.asked()
    for _ in range(5):
        assert code_of(person.show(challenge, wrong(code))) == "auth.code_wrong"
    assert code_of(person.show(challenge, code)) == "auth.code_wrong"


def test_a_hundred_tries_at_once_are_five(alice: Person, city: City) -> None:
    challenge, code = alice.asked()
    with ThreadPoolExecutor(16) as pool:
        tried = [pool.submit(alice.show, challenge, wrong(code)) for _ in range(100)]
    assert {code_of(each.result()) for each in tried} == {"auth.code_wrong"}
    with psycopg.connect(city.owner_url) as connection:
        assert connection.execute("select tries from login_code").fetchone() == (5,)
    assert alice.show(challenge, code).status_code == 401


@pytest.mark.parametrize("who", ["alice", "without_redis"])
def test_another_code_takes_a_minute(request: pytest.FixtureRequest, who: str, city: City) -> None:
    person: Person = request.getfixturevalue(who)
    first = person.ask()
    assert first.headers["RateLimit"].startswith('"codes.network_hour";r=19;')
    assert first.headers["cache-control"] == "no-store"
    refused = person.ask()
    assert (refused.status_code, code_of(refused)) == (429, "limits.exceeded")
    assert refused.json()["retryable"] is True
    assert 55 <= int(refused.headers["retry-after"]) <= 61
    assert refused.headers["RateLimit-Policy"] == '"codes.resend";q=1;w=60'
    pass_time(city.owner_url, MINUTE)
    city.redis.ask(lambda client: client.flushall())
    assert person.ask().status_code == 202


def test_one_network_gets_twenty_an_hour(alice: Person) -> None:
    told = [
        Person(alice.client, alice.phones, f"+86139000000{n:02d}", f"device-{n:012d}").ask()
        for n in range(21)
    ]
    assert [each.status_code for each in told] == [202] * 20 + [429]
    assert told[-1].headers["RateLimit-Policy"] == '"codes.network_hour";q=20;w=3600'


def test_the_citys_budget_ends_with_an_alarm(alice: Person, app: FastAPI, city: City) -> None:
    fewer = city.settings.model_copy(update={"codes_hourly_max": 5})
    app.state.city = replace(city, settings=fewer)
    with capture_logs() as said:
        told = [
            Person(alice.client, alice.phones, f"+86139000000{n:02d}", f"device-{n:012d}").ask()
            for n in range(6)
        ]
    assert [each.status_code for each in told] == [202] * 5 + [429]
    alarms = [each["event"] for each in said if "the city's codes" in each["event"]]
    assert alarms == [f"the city's codes for this hour {word}" for word in ("run out", "are spent")]


def test_a_number_with_a_citizen_is_answered_as_one_without(
    alice: Person, bob: Person, city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same statements, so the same time; the same answer but for what is random."""
    alice.log_in()
    pass_time(city.owner_url, MINUTE)
    city.redis.ask(lambda client: client.flushall())
    said: list[str] = []
    plain = psycopg.Connection.execute

    def noted(self: Any, query: Any, *args: Any, **more: Any) -> Any:  # noqa: ANN401 -- as psycopg
        said.append(str(query))
        return plain(self, query, *args, **more)

    monkeypatch.setattr(psycopg.Connection, "execute", noted)
    told = [alice.ask()]
    known, said = said, []
    told.append(bob.ask())
    assert known == said
    assert len(known) > 5
    assert [each.status_code for each in told] == [202, 202]
    assert set(told[0].json()) == set(told[1].json())
    assert len(told[0].text) == len(told[1].text)
    assert set(told[0].headers) == set(told[1].headers)


@pytest.mark.parametrize(
    "body",
    [
        {"phone": "12345", "device": "device-of-alice-0001"},
        {"phone": "+8613800000000\0", "device": "device-of-alice-0001"},
        {"phone": "+8613800000000", "device": "short"},
        {"phone": "+8613800000000", "device": "x" * 65},
        {"phone": "+8613800000000", "device": "device of alice 0001"},
        {"phone": "+8613800000000", "device": "device-of-alice-0001", "admin": True},
        {"phone": 13800000000, "device": "device-of-alice-0001"},
        {"phone": "+8613800000000"},
        [],
    ],
    ids=str,
)
def test_a_request_of_another_form_is_refused_without_its_words(
    client: TestClient, body: object
) -> None:
    told = client.post("/v1/auth/codes", json=body)
    expected = "auth.phone_invalid" if "'12345'" in str(body) else "request.malformed"
    assert (told.status_code, code_of(told)) == (422, expected)
    assert "1380000" not in told.text
    assert "12345" not in told.text


def test_nothing_that_is_secret_or_personal_reaches_logs_or_tables(
    alice: Person, app: FastAPI, city: City
) -> None:
    stream = io.StringIO()
    telemetry.configure("DEBUG", stream=stream, pretty=False)
    told = alice.log_in()
    pass_time(city.owner_url, timedelta(minutes=2))
    city.redis.ask(lambda client: client.flushall())
    challenge, code = alice.asked()
    alice.show(challenge, wrong(code))
    alice.ask()
    fresh = alice.refresh(told["refresh_token"]).json()
    pass_time(city.owner_url, timedelta(seconds=31))
    assert code_of(alice.refresh(told["refresh_token"])) == "auth.session_ended"
    linked = alice.wechat("mallory.1", open=True).json()
    app.state.sms = None  # a defect, with the number and the code on the stack
    pass_time(city.owner_url, MINUTE)
    city.redis.ask(lambda client: client.flushall())
    assert alice.ask().status_code == 500
    said = stream.getvalue()
    assert "refresh token replayed" in said
    assert "defect" in said
    codes = [f'"{each}"' for each in alice.phones.messages(PHONE)]
    secret = [PHONE, PHONE[3:], *codes, alice.device, "offline-"]
    secret += [each[name] for each in (told, fresh, linked) for name in SECRETS]
    assert [each for each in secret if each in said] == []
    dumped = dump(city.owner_url)
    assert len(dumped) > 1000
    assert [each for each in secret if each in dumped] == []
    assert [each for each in secret[:2] if each.encode().hex() in dumped] == []


SECRETS = ("access_token", "refresh_token")


def dump(owner_url: str) -> str:
    """Every row of every table, as text."""
    with psycopg.connect(owner_url) as connection:
        names = connection.execute(
            "select relname from pg_class where relnamespace = 'public'::regnamespace"
            " and relkind in ('r', 'p')"
        ).fetchall()
        texts: list[str] = []
        for (name,) in names:
            rows = connection.execute(
                sql.SQL("select t::text from {} t").format(sql.Identifier(name))
            )
            texts += [text for (text,) in rows]
    return "\n".join(texts)


def test_a_redis_that_hangs_adds_little_to_a_login(
    alice: Person, bob: Person, servers: Servers
) -> None:
    begun = time.monotonic()
    alice.log_in()
    usual = time.monotonic() - begun
    assert servers.redis.pid is not None
    os.kill(servers.redis.pid, signal.SIGSTOP)
    try:
        begun = time.monotonic()
        asked = bob.asked()
        first = time.monotonic() - begun
        begun = time.monotonic()
        assert bob.show(*asked).status_code == 200
        second = time.monotonic() - begun
    finally:
        os.kill(servers.redis.pid, signal.SIGCONT)
    assert first - usual <= EXTRA_S_MAX
    assert second - usual <= EXTRA_S_MAX


def test_a_message_that_cannot_be_sent_is_no_defect(alice: Person, app: FastAPI) -> None:
    from app.citizens.sms import GatewaySms  # noqa: PLC0415 -- this test alone

    app.state.sms = GatewaySms("http://127.0.0.1:1/send", "token")
    told = alice.ask()
    assert (told.status_code, code_of(told)) == (503, "auth.sms_away")
    assert int(told.headers["retry-after"]) > 0
