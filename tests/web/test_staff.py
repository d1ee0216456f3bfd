"""The desk over HTTP (办事台接口): from the first operator to a clerk who logs in, and back."""

from base64 import b32decode
from datetime import timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest
from httpx2 import Response
from starlette.testclient import TestClient

from app.city import City
from app.kernel.clock import now
from app.kernel.ids import new_id, public_id
from app.kernel.scopes import Role
from app.staff.credentials import STEP_S, code_at, new_enrolment
from app.staff.login import admit, check_login
from tests.support.anchoring import rows_of
from tests.support.clerks import PASSWORD, Enrolled, enrolled

Json = dict[str, Any]
NOBODY = public_id("clk", UUID(int=7))


class Desk:
    """A clerk at a keyboard, who logs in as clerks do."""

    def __init__(self, client: TestClient, clerk: Enrolled) -> None:
        self.client, self.clerk = client, clerk
        answer = log_in(client, clerk.clerk.login, clerk.code(now()))
        assert answer.status_code == 200, answer.text
        self.tokens: Json = answer.json()
        self.headers = {"Authorization": f"Bearer {self.tokens['access_token']}"}

    def get(self, path: str, **query: str | int | bool) -> Response:
        return self.client.get(path, params=query, headers=self.headers)

    def post(self, path: str, body: Json | None = None, *, key: str | None = None) -> Response:
        headers = self.headers | {"Idempotency-Key": key or new_id().hex}
        return self.client.post(path, json=body, headers=headers)

    def ask(self, path: str, body: Json) -> Json:
        answer = self.post(path, body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def decide(self, approval: Json, what: str = "signature") -> Response:
        return self.post(f"/v1/admin/approvals/{approval['id']}/{what}")


def log_in(client: TestClient, login: str, code: str, password: str = PASSWORD) -> Response:
    body = {"login": login, "password": password, "code": code}
    return client.post("/v1/staff/tokens", json=body)


def desk(city: City, client: TestClient, login: str, *roles: Role) -> Desk:
    at = now() - timedelta(minutes=1)
    return Desk(client, enrolled(city.db, city.keys, login, *roles, at=at))


@pytest.fixture
def operator(city: City, client: TestClient) -> Desk:
    return desk(city, client, "an.li", Role.OPERATOR)


@pytest.fixture
def second(city: City, client: TestClient) -> Desk:
    return desk(city, client, "bo.wang", Role.OPERATOR)


@pytest.fixture
def regulator(city: City, client: TestClient) -> Desk:
    return desk(city, client, "chen", Role.REGULATOR)


def admission(secret: str, **changes: object) -> Json:
    return {
        "login": "di.zhao",
        "name": "赵迪",
        "organisation": "某大学",
        "roles": ["expert"],
        "enrolment_sha256": sha256(secret.encode()).hexdigest(),
        "reason": "Reviews methodologies",
    } | changes


def test_two_admit_a_clerk_who_alone_knows_the_secret_and_logs_in(
    client: TestClient, operator: Desk, second: Desk
) -> None:
    secret = new_enrolment()
    asked = operator.ask("/v1/admin/clerks", admission(secret))
    assert (asked["state"], asked["asked_by"]) == ("open", operator.clerk.clerk.public)
    enrolment = {"login": "di.zhao", "secret": secret, "password": PASSWORD}
    assert client.post("/v1/staff/enrolments", json=enrolment).status_code == 401
    listed = second.get("/v1/admin/approvals", open=True).json()
    assert [each["id"] for each in listed["data"]] == [asked["id"]]
    assert listed["data"][0] == second.get(f"/v1/admin/approvals/{asked['id']}").json() == asked

    signed = second.decide(asked)
    assert (signed.status_code, signed.json()["state"]) == (200, "signed")
    opened = client.post("/v1/staff/enrolments", json=enrolment)
    assert (opened.status_code, opened.headers["cache-control"]) == (201, "no-store")
    totp = secret_in(opened.json()["otpauth_uri"])
    logged = log_in(client, "di.zhao", code_at(totp, int(now().timestamp()) // STEP_S))
    assert logged.status_code == 200, logged.text
    assert logged.headers["cache-control"] == "no-store"
    held = {"Authorization": f"Bearer {logged.json()['access_token']}"}
    assert client.get("/v1/admin/clerks", headers=held).status_code == 403
    found = operator.get("/v1/admin/clerks").json()["data"]
    assert [each["login"] for each in found] == ["an.li", "bo.wang", "di.zhao"]


def secret_in(uri: str) -> bytes:
    """Read the secret as an authenticator does."""
    return b32decode(parse_qs(urlsplit(uri).query)["secret"][0])


def test_an_overseer_is_signed_for_by_the_regulator(
    operator: Desk, second: Desk, regulator: Desk
) -> None:
    asked = operator.ask("/v1/admin/clerks", admission(new_enrolment(), roles=["verifier"]))
    assert second.decide(asked).json()["code"] == "approvals.unknown"
    assert second.get(f"/v1/admin/approvals/{asked['id']}").status_code == 404
    assert operator.decide(asked).json()["code"] == "approvals.unknown"
    assert operator.get(f"/v1/admin/approvals/{asked['id']}").json() == asked
    assert regulator.decide(asked).json()["state"] == "signed"


def test_a_decision_is_one_whatever_is_sent_again(operator: Desk, second: Desk) -> None:
    asked = operator.ask("/v1/admin/clerks", admission(new_enrolment()))
    path = f"/v1/admin/approvals/{asked['id']}/signature"
    assert operator.post(path).json()["code"] == "approvals.own"
    first, again = second.post(path, key="k-1"), second.post(path, key="k-1")
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.content == again.content
    assert again.headers["idempotent-replayed"] == "true"
    refusal = second.decide(asked, "refusal")
    assert (refusal.status_code, refusal.json()["code"]) == (409, "approvals.decided")


def test_roles_suspension_and_reset_take_two(operator: Desk, second: Desk) -> None:
    path = f"/v1/admin/clerks/{second.clerk.clerk.public}"
    roles = operator.ask(f"{path}/roles", {"roles": ["expert"], "reason": "Moves"})
    taken = operator.decide(roles, "refusal").json()
    assert (taken["state"], taken["payload"]["was"]) == ("refused", ["operator"])
    stop = operator.ask(f"{path}/suspension", {"reason": "Left"})
    assert second.decide(stop).status_code == 200
    refresh = {"refresh_token": second.tokens["refresh_token"]}
    assert operator.client.post("/v1/auth/tokens/refresh", json=refresh).status_code == 401
    body = {"enrolment_sha256": "0" * 64, "reason": "Back"}
    assert operator.ask(f"{path}/reset", body)["act"] == "staff.reset"


def test_a_refresh_tells_of_roles_that_changed(
    operator: Desk, second: Desk, client: TestClient
) -> None:
    path = f"/v1/admin/clerks/{second.clerk.clerk.public}/roles"
    asked = operator.ask(path, {"roles": ["expert"], "reason": "Moves"})
    assert second.decide(asked).status_code == 200
    refresh = {"refresh_token": second.tokens["refresh_token"]}
    fresh = client.post("/v1/auth/tokens/refresh", json=refresh).json()["access_token"]
    headers = {"Authorization": f"Bearer {fresh}"}
    assert client.get("/v1/admin/clerks", headers=headers).json()["code"] == "auth.scope_missing"


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("", admission("x", roles=["operator", "verifier"]), "staff.roles_conflict"),
        ("", admission("x", roles=["citizen"]), "staff.roles_conflict"),
        ("", admission("x", login="an.li"), "staff.login_taken"),
        ("", admission("x", login="An Li"), "request.malformed"),
        ("", admission("x", roles=[]), "request.malformed"),
        ("", admission("x", name="a\0b"), "request.malformed"),
        ("", admission("x", enrolment="mfrggzdf"), "request.malformed"),
        (f"/{NOBODY}/roles", {"roles": ["expert"], "reason": "x"}, "staff.unknown"),
        ("/1/suspension", {"reason": "x"}, "staff.unknown"),
        (f"/{NOBODY}/reset", {"enrolment_sha256": "0" * 64, "reason": "x"}, "staff.unknown"),
    ],
)
def test_what_cannot_be_asked_for_is_refused(
    operator: Desk, path: str, body: Json, code: str
) -> None:
    assert operator.post(f"/v1/admin/clerks{path}", body).json()["code"] == code


def test_a_wrong_login_tells_nothing(client: TestClient, operator: Desk) -> None:
    wrong = [
        log_in(client, "an.li", "000000"),
        log_in(client, "an.li", operator.clerk.code(now()), "wrong horse battery"),
        log_in(client, "no.one", "000000"),
    ]
    told = [answer.json() for answer in wrong]
    assert {answer.status_code for answer in wrong} == {401}
    assert len({(each["code"], each["title"], each["detail"]) for each in told}) == 1
    again = log_in(client, "an.li", operator.clerk.code(now()))
    assert again.json()["code"] == "staff.login_refused", "its code was used to log in"


def test_a_network_has_so_many_tries(client: TestClient) -> None:
    answers = [log_in(client, "no.one", "000000").status_code for _ in range(61)]
    assert (answers[:60], answers[60]) == ([401] * 60, 429)
    assert int(log_in(client, "no.one", "000000").headers["retry-after"]) > 0


def test_the_log_is_read_by_those_who_oversee_and_nobody_else(
    operator: Desk, regulator: Desk
) -> None:
    asked = operator.ask("/v1/admin/clerks", admission(new_enrolment()))
    assert operator.get("/v1/admin/audit-log").status_code == 403
    page = regulator.get("/v1/admin/audit-log", limit=2).json()
    assert page["data"][0]["object"] == asked["id"]
    assert [each["number"] for each in page["data"]] == [5, 4]
    rest = regulator.get("/v1/admin/audit-log", cursor=page["next_cursor"]).json()
    assert ([each["number"] for each in rest["data"]], rest["next_cursor"]) == ([3, 2, 1], None)
    by = {"actor": operator.clerk.clerk.public, "act": "approvals.ask"}
    (own,) = regulator.get("/v1/admin/audit-log", **by).json()["data"]
    assert own["number"] == 5
    before = {"as_of": (now() - timedelta(seconds=30)).isoformat()}
    found = regulator.get("/v1/admin/audit-log", **before).json()["data"]
    assert {each["act"] for each in found} == {"staff.enrol"}


@pytest.mark.parametrize(
    "query",
    [
        {"cursor": "bm90IG91cnM"},
        {"cursor": "é"},
        {"limit": 0},
        {"limit": 201},
        {"actor": "\0"},
        {"as_of": "2026-06-01T00:00:00"},
        {"as_of": "yesterday"},
    ],
)
def test_a_filter_that_cannot_be_read_is_refused(
    regulator: Desk, query: dict[str, str | int]
) -> None:
    assert regulator.get("/v1/admin/audit-log", **query).status_code == 422


def test_lists_come_page_by_page(operator: Desk, second: Desk) -> None:
    for number in range(3):
        operator.ask("/v1/admin/clerks", admission(new_enrolment(), login=f"di.zhao-{number}"))
    for path in ("/v1/admin/approvals", "/v1/admin/clerks"):
        whole = second.get(path).json()
        first = second.get(path, limit=1).json()
        rest = second.get(path, cursor=first["next_cursor"]).json()
        assert whole["next_cursor"] is None
        assert first["data"] + rest["data"] == whole["data"]
        assert len(whole["data"]) > 1


def test_no_answer_that_is_kept_holds_a_secret(
    city: City, client: TestClient, operator: Desk, second: Desk
) -> None:
    """Answers to an Idempotency-Key lie in the database for days, in plain."""
    secret = new_enrolment()
    second.decide(operator.ask("/v1/admin/clerks", admission(secret)))
    body = {"login": "di.zhao", "secret": secret, "password": PASSWORD}
    opened = client.post("/v1/staff/enrolments", json=body).json()
    kept = repr(rows_of(city.db, "select convert_from(body, 'utf8') from desk_answer"))
    logged = repr(rows_of(city.db, "select audit_entry::text from audit_entry"))
    told = opened["otpauth_uri"].partition("secret=")[2].partition("&")[0]
    for word in (secret, told, PASSWORD, operator.tokens["access_token"]):
        assert word not in kept
        assert word not in logged


def test_a_try_counts_before_it_is_answered(city: City, client: TestClient, operator: Desk) -> None:
    """The domain's promise, from outside: five wrong logins, then the right one waits."""
    for _ in range(5):
        assert log_in(client, "an.li", "000000").status_code == 401
    at = now() + timedelta(seconds=61)
    assert log_in(client, "an.li", operator.clerk.code(now(), steps=1)).status_code == 401
    attempt, step = check_login(
        city.db, city.keys, "an.li", PASSWORD, operator.clerk.code(at), at=at
    )
    assert city.db.transact(admit, attempt, step, at=at).login == "an.li"
