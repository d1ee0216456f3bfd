"""Sessions over HTTP: refresh in a body or a cookie, devices, logging out, the public keys."""

from datetime import timedelta
from http.cookies import SimpleCookie
from typing import Any

import jwt
import pytest
from starlette.testclient import TestClient

from app.city import City
from app.kernel.tokens import AUDIENCE
from app.sessions.delivery import COOKIE, COOKIE_PATH
from tests.web.entering import Person, bearer, pass_time

REFRESH = "/v1/auth/tokens/refresh"
GRACE = timedelta(seconds=31)


@pytest.fixture
def page(alice: Person) -> str:
    """The refresh token that a page of alice's browser holds, out of the page's reach."""
    answer = alice.show(*alice.asked(), delivery="cookie")
    assert answer.json()["refresh_token"] is None
    return set_cookie(answer).value


def set_cookie(answer: Any) -> Any:  # noqa: ANN401 -- http.cookies' morsels are untyped
    return SimpleCookie(answer.headers["set-cookie"])[COOKIE]


def with_cookie(value: str, **headers: str) -> dict[str, str]:
    return {"Cookie": f"{COOKIE}={value}"} | {k.replace("_", "-"): v for k, v in headers.items()}


def labels(person: Person, token: str) -> list[str]:
    answer = person.client.get("/v1/auth/sessions", headers=bearer(token))
    assert answer.headers["cache-control"] == "no-store"
    return [each["label"] for each in answer.json()["data"]]


def test_a_retry_within_the_grace_gets_the_same_and_later_ends_all(
    alice: Person, city: City
) -> None:
    token = alice.log_in()["refresh_token"]
    first, again = alice.refresh(token).json(), alice.refresh(token).json()
    assert first["refresh_token"] == again["refresh_token"] != token
    assert first["session"] == again["session"]
    pass_time(city.owner_url, GRACE)
    for each in (token, first["refresh_token"]):
        refused = alice.refresh(each)
        assert (refused.status_code, refused.json()["code"]) == (401, "auth.session_ended")


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(page: str, alice: Person) -> None:
    answer = alice.client.post(REFRESH, json={}, headers=with_cookie(page))
    assert answer.status_code == 200, answer.text
    assert answer.json()["refresh_token"] is None
    assert answer.headers["cache-control"] == "no-store"
    cookie = set_cookie(answer)
    assert cookie.value != page
    assert cookie["httponly"] is True
    assert cookie["secure"] is True
    assert cookie["samesite"].lower() == "strict"
    assert cookie["path"] == COOKIE_PATH
    assert cookie["domain"] == ""
    assert 13 * 86_400 < int(cookie["max-age"]) <= 14 * 86_400
    assert COOKIE.startswith("__Secure-")


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://testserver.evil.example"},
        {"Origin": "http://testserver:81", "Sec_Fetch_Site": "same-origin"},
    ],
    ids=str,
)
def test_another_sites_page_moves_nothing(
    page: str, alice: Person, headers: dict[str, str]
) -> None:
    forged = with_cookie(page, **headers)
    for answer in (
        alice.client.post(REFRESH, json={}, headers=forged),
        alice.client.request("DELETE", "/v1/auth/tokens", json={}, headers=forged),
    ):
        assert (answer.status_code, answer.json()["code"]) == (403, "auth.cross_site")
        assert "set-cookie" not in answer.headers
    own = with_cookie(page, Origin="http://testserver", Sec_Fetch_Site="same-origin")
    assert alice.client.post(REFRESH, json={}, headers=own).status_code == 200


def test_logging_out_takes_the_cookie_back(page: str, alice: Person) -> None:
    held = with_cookie(page)
    answer = alice.client.request("DELETE", "/v1/auth/tokens", json={}, headers=held)
    assert answer.status_code == 204
    assert (set_cookie(answer).value, set_cookie(answer)["max-age"]) == ("", "0")
    assert alice.client.post(REFRESH, json={}, headers=held).status_code == 401


def test_logging_out_ends_one_device(alice: Person, city: City) -> None:
    phone = alice.log_in(label="phone")
    pass_time(city.owner_url, timedelta(seconds=61))
    city.redis.ask(lambda client: client.flushall())
    tablet = alice.log_in(label="tablet")
    assert sorted(labels(alice, phone["access_token"])) == ["phone", "tablet"]
    body = {"refresh_token": phone["refresh_token"]}
    for _ in range(2):
        done = alice.client.request("DELETE", "/v1/auth/tokens", json=body)
        assert (done.status_code, done.content) == (204, b"")
    assert alice.refresh(phone["refresh_token"]).status_code == 401
    assert alice.refresh(tablet["refresh_token"]).status_code == 200
    assert labels(alice, tablet["access_token"]) == ["tablet"]


def test_nobody_sees_or_ends_anothers_session(alice: Person, bob: Person) -> None:
    hers, his = alice.log_in(label="hers"), bob.log_in(label="his")
    unknown = "ses_" + "0" * 26
    told = [
        bob.client.delete(f"/v1/auth/sessions/{each}", headers=bearer(his["access_token"]))
        for each in (hers["session"], unknown, "nonsense")
    ]
    assert {each.status_code for each in told} == {404}
    shown = [{**each.json(), "instance": "", "request_id": ""} for each in told]
    assert shown[0] == shown[1] == shown[2], "what is another's and what is not look the same"
    assert labels(bob, his["access_token"]) == ["his"]
    mine = alice.client.delete(
        f"/v1/auth/sessions/{hers['session']}", headers=bearer(hers["access_token"])
    )
    assert mine.status_code == 204
    assert alice.refresh(hers["refresh_token"]).status_code == 401
    assert bob.refresh(his["refresh_token"]).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"refresh_token": None},
        {"refresh_token": ""},
        {"refresh_token": "A" * 88},
        {"refresh_token": "é" * 88},
    ],
    ids=str,
)
def test_what_is_no_token_of_ours(client: TestClient, body: dict[str, object]) -> None:
    for answer in (
        client.post(REFRESH, json=body),
        client.request("DELETE", "/v1/auth/tokens", json=body),
    ):
        assert (answer.status_code, answer.json()["code"]) == (401, "auth.session_ended")


@pytest.mark.parametrize(
    "body", [None, [], {"refresh_token": 7}, {"refresh_token": "x" * 201}, {"token": "x"}], ids=str
)
def test_what_is_no_request_of_ours(client: TestClient, body: object) -> None:
    assert client.post(REFRESH, json=body).status_code == 422


def test_the_public_keys_are_those_that_sign(alice: Person, city: City, client: TestClient) -> None:
    before = alice.log_in()
    kid = city.keys.rotate_access()
    after = alice.refresh(before["refresh_token"]).json()
    answer = client.get("/.well-known/jwks.json")
    assert answer.headers["cache-control"] == "public, max-age=300"
    keys = jwt.PyJWKSet.from_dict(answer.json())
    for told in (before, after):
        token = told["access_token"]
        key = keys[jwt.get_unverified_header(token)["kid"]]
        said = jwt.decode(token, key, ["EdDSA"], audience=AUDIENCE)
        assert said["sub"] == told["who"]
        assert labels(alice, token) == ["?"]
    assert jwt.get_unverified_header(after["access_token"])["kid"] == kid
    assert not any("d" in key for key in answer.json()["keys"])
