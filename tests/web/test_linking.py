"""Ways in beside the first (绑定与解绑): WeChat, linking, unlinking, another phone."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from fastapi import FastAPI
from sqlmodel import Session

from app.citizens import Citizen
from app.citizens.personal import open_personal
from app.city import City
from app.kernel.db import driver
from tests.web.entering import PHONE, Person, bearer, pass_time, wrong

MINUTE = timedelta(seconds=61)
EXTRA_S_MAX = 0.25


def code_of(answer: Any) -> str:  # noqa: ANN401 -- whatever the client gives
    return answer.json()["code"]


def test_wechat_asks_before_it_opens_a_second_self(alice: Person) -> None:
    assert code_of(alice.wechat("alice.1")) == "auth.login_unknown"
    told = alice.wechat("alice.2", open=True)
    assert told.status_code == 200
    again = alice.wechat("alice.3")
    assert again.json()["who"] == told.json()["who"]
    assert code_of(alice.wechat("alice.3")) == "auth.identity_refused", "a code works once"
    assert "session_key" not in told.text


def test_a_phone_is_linked_to_a_wechat_login(alice: Person, city: City) -> None:
    wechat = alice.wechat("alice.1", open=True).json()
    challenge, code = alice.asked()
    shown = {"grant": "code", "challenge": challenge, "device": alice.device}
    assert code_of(alice.link(wechat["access_token"], **shown, code=wrong(code))) == (
        "auth.code_wrong"
    )
    linked = alice.link(wechat["access_token"], **shown, code=code)
    assert linked.status_code == 200, linked.text
    assert {each["way"] for each in linked.json()["data"]} == {"phone", "wechat"}
    pass_time(city.owner_url, MINUTE)
    city.redis.ask(lambda client: client.flushall())
    assert alice.log_in()["who"] == wechat["who"]
    other = alice.wechat("somebody.1", open=True).json()["access_token"]
    assert code_of(alice.link(other, grant="wechat", code="alice.9")) == "auth.login_taken"
    assert code_of(alice.link(wechat["access_token"], grant="wechat", code="more.1")) == (
        "auth.login_held"
    )


def test_a_phone_that_is_anothers_is_never_merged(alice: Person, bob: Person, city: City) -> None:
    bobs = bob.log_in()
    pass_time(city.owner_url, MINUTE)
    city.redis.ask(lambda client: client.flushall())
    wechat = alice.wechat("alice.1", open=True).json()
    challenge, code = bob.asked()
    shown = {"grant": "code", "challenge": challenge, "code": code, "device": bob.device}
    refused = alice.link(wechat["access_token"], **shown)
    assert (refused.status_code, code_of(refused)) == (409, "auth.login_taken")
    entered = bob.show(challenge, code)
    assert entered.json()["who"] == bobs["who"] != wechat["who"], "the code stayed good for that"
    logins = alice.client.get("/v1/auth/logins", headers=bearer(wechat["access_token"]))
    assert [each["way"] for each in logins.json()["data"]] == ["wechat"]


def both_ways(alice: Person) -> dict[str, str]:
    """Log in by WeChat, with a phone linked."""
    told = alice.wechat("alice.1", open=True).json()
    challenge, code = alice.asked()
    shown = {"grant": "code", "challenge": challenge, "code": code, "device": alice.device}
    assert alice.link(told["access_token"], **shown).status_code == 200
    return told


def ways_of(person: Person, token: str) -> list[str]:
    told = person.client.get("/v1/auth/logins", headers=bearer(token))
    return [each["way"] for each in told.json()["data"]]


def sealed_of(city: City) -> dict[str, Any]:
    """Give the sealed fields of the one citizen that there is."""

    def read(session: Session) -> dict[str, Any]:
        connection = driver(session)
        (owner,) = connection.execute("select bucket, account from subject").fetchall()
        return open_personal(city.keys, connection, Citizen(*owner))

    return city.db.read(read)


@pytest.mark.parametrize("passed", [timedelta(), timedelta(minutes=6)], ids=["at once", "later"])
def test_linking_and_unlinking_want_a_login_of_just_now(
    alice: Person, city: City, passed: timedelta
) -> None:
    """A token that was copied, or refreshed for days, gives nobody a way in that stays."""
    told = both_ways(alice)
    pass_time(city.owner_url, passed)
    city.redis.ask(lambda client: client.flushall())
    stale = alice.refresh(told["refresh_token"]).json()["access_token"]
    answers = (
        alice.link(stale, grant="wechat", code="alice.7"),
        alice.unlink(stale, "wechat"),
    )
    if not passed:
        assert [each.status_code for each in answers] == [200, 204]
        return
    for answer in answers:
        assert (answer.status_code, code_of(answer)) == (401, "auth.proof_stale")
        assert 'max_age="300"' in answer.headers["www-authenticate"]
    assert ways_of(alice, stale) == ["wechat", "phone"]
    fresh = alice.log_in()["access_token"]
    assert alice.unlink(fresh, "wechat").status_code == 204


def test_whoever_logged_in_by_what_is_unlinked_is_out(alice: Person, city: City) -> None:
    told = both_ways(alice)
    assert alice.unlink(told["access_token"], "wechat").status_code == 204
    assert code_of(alice.refresh(told["refresh_token"])) == "auth.session_ended"
    assert code_of(alice.wechat("alice.5")) == "auth.login_unknown"
    assert code_of(alice.unlink(told["access_token"], "wechat")) == "auth.login_not_linked"
    pass_time(city.owner_url, MINUTE)
    city.redis.ask(lambda client: client.flushall())
    again = alice.log_in()
    assert again["who"] == told["who"]
    assert ways_of(alice, again["access_token"]) == ["phone"]
    assert sealed_of(city) == {"phone": PHONE}


def test_the_only_login_stays_and_another_phone_takes_two_steps(
    alice: Person, bob: Person, city: City
) -> None:
    told = both_ways(alice)
    assert alice.unlink(told["access_token"], "phone").status_code == 204
    only = alice.unlink(told["access_token"], "wechat")
    assert (only.status_code, code_of(only)) == (409, "auth.login_only")
    challenge, code = bob.asked()
    shown = {"grant": "code", "challenge": challenge, "code": code, "device": bob.device}
    again = alice.wechat("alice.6").json()
    assert alice.link(again["access_token"], **shown).status_code == 200
    pass_time(city.owner_url, MINUTE)
    city.redis.ask(lambda client: client.flushall())
    assert bob.log_in()["who"] == told["who"], "the number that was linked last"
    assert alice.log_in()["who"] != told["who"], "the number that was given up is nobody's"


def test_nobody_unlinks_what_is_anothers(alice: Person, bob: Person) -> None:
    told, bobs = both_ways(alice), bob.log_in()
    foreign = bob.unlink(bobs["access_token"], "wechat")
    assert (foreign.status_code, code_of(foreign)) == (404, "auth.login_not_linked")
    assert code_of(bob.unlink(bobs["access_token"], "phone")) == "auth.login_only"
    assert bob.unlink(bobs["access_token"], "carrier-pigeon").status_code == 422
    assert ways_of(alice, told["access_token"]) == ["wechat", "phone"]
    assert alice.refresh(told["refresh_token"]).status_code == 200


def test_two_that_are_unlinked_at_once_leave_one(alice: Person) -> None:
    token = both_ways(alice)["access_token"]
    with ThreadPoolExecutor(2) as pool:
        answers = pool.map(partial(alice.unlink, token), ("phone", "wechat"))
        assert sorted(each.status_code for each in answers) == [204, 409]
    assert len(ways_of(alice, token)) == 1


def test_a_city_may_have_no_wechat(alice: Person, app: FastAPI) -> None:
    app.state.wechat = None
    told = alice.wechat("alice.1", open=True)
    assert (told.status_code, code_of(told)) == (404, "auth.identity_off")
