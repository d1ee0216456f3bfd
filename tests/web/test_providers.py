"""Providers at the desk over HTTP: one opens and suspends, two put a key in force or resume."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.city import City
from app.kernel.clock import now
from app.kernel.scopes import Role
from app.kernel.signing import sign
from app.providers import find_provider
from tests.support.acts import rows
from tests.support.desk import Person, clerk

PATH = "/v1/admin/providers"
METRO = {"code": "sz-metro", "name_zh": "深圳地铁", "name_en": "Shenzhen Metro"}


@pytest.fixture
def operator(app: FastAPI, client: TestClient, city: City) -> Person:
    return clerk(app, client, city, Role.OPERATOR, "o1")


@pytest.fixture
def second(app: FastAPI, client: TestClient, city: City) -> Person:
    return clerk(app, client, city, Role.OPERATOR, "o2")


def test_a_provider_is_opened_given_a_key_suspended_and_let_back_in(
    city: City, client: TestClient, operator: Person, second: Person
) -> None:
    assert operator.post(PATH, METRO).status_code == 201
    private_key = Ed25519PrivateKey.generate()
    public = base64.b64encode(private_key.public_key().public_bytes_raw()).decode()

    def reads() -> str:
        url = "http://testserver/v1/provider/keys"
        headers = sign(private_key, "first", "GET", url, at=now())
        answer = client.get(url, headers=headers)
        return "ok" if answer.status_code == 200 else answer.json()["code"]

    key = {"key_id": "first", "public_key": public, "reason": "handed over in person"}
    asked = operator.post(f"{PATH}/sz-metro/keys", key)
    assert (asked.status_code, asked.json()["state"]) == (201, "open")
    assert reads() == "signature.key_unknown"
    assert operator.sign(asked.json()["id"]).json()["code"] == "approvals.own"
    assert second.sign(asked.json()["id"]).status_code == 200
    assert reads() == "ok"

    why = {"reason": "readings do not match"}
    early = operator.post(f"{PATH}/sz-metro/resumption", why)
    assert early.json()["code"] == "providers.not_suspended"
    assert operator.post(f"{PATH}/sz-metro/suspension", why).json()["suspended_at"] is not None
    assert operator.post(f"{PATH}/sz-metro/suspension", why).status_code == 201
    assert reads() == "providers.suspended"
    back = operator.post(f"{PATH}/sz-metro/resumption", why)
    assert reads() == "providers.suspended"
    assert second.sign(back.json()["id"]).status_code == 200
    assert reads() == "ok"
    assert city.db.read(find_provider, "sz-metro").suspended_at is None
    logged = [act for (act,) in rows(city.db, "select act from audit_entry order by number")]
    assert logged == [
        "providers.add",
        "approvals.ask",
        "approvals.sign",
        "providers.suspend",
        "approvals.ask",
        "approvals.sign",
    ]


def test_what_is_taken_unknown_or_not_one_s_own_is_refused(
    app: FastAPI, client: TestClient, city: City, operator: Person
) -> None:
    operator.post(PATH, METRO)
    assert operator.post(PATH, METRO).json()["code"] == "providers.code_taken"
    why = {"reason": "why"}
    for code in ("nobody", "NOT-A-CODE"):
        answer = operator.post(f"{PATH}/{code}/suspension", why)
        assert (answer.status_code, answer.json()["code"]) == (404, "providers.unknown")
    regulator = clerk(app, client, city, Role.REGULATOR, "r1")
    assert regulator.post(PATH, METRO).json()["code"] == "auth.scope_missing"
    assert regulator.get(PATH).status_code == 403
    assert client.get(PATH).status_code == 401


def test_providers_are_listed_by_code_in_pages(operator: Person) -> None:
    for code in ("b-one", "a-one", "c-one"):
        operator.post(PATH, {**METRO, "code": code})
    first = operator.get(f"{PATH}?limit=2").json()
    assert [each["code"] for each in first["data"]] == ["a-one", "b-one"]
    rest = operator.get(f"{PATH}?limit=2&cursor={first['next_cursor']}").json()
    assert ([each["code"] for each in rest["data"]], rest["next_cursor"]) == (["c-one"], None)


def test_every_signed_endpoint_says_so_in_openapi(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    signed = {
        f"{method.upper()} {path}"
        for path, methods in paths.items()
        for method, operation in methods.items()
        if {"providerSignature": []} in operation.get("security", [])
    }
    assert signed >= {
        "POST /v1/activity-batches",
        "GET /v1/activity-batches/{batch_id}",
        "POST /v1/activity-batches/{batch_id}/corrections",
        "GET /v1/provider/batches",
        "GET /v1/provider/scorecard",
        "GET /v1/provider/keys",
        "POST /v1/provider/keys",
        "DELETE /v1/provider/keys/{key_id}",
        "GET /v1/provider/evidence-secret",
    }
