"""Partners' machines (合作机构): a token for a fresh assertion by a key in force, and no other."""

from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import FastAPI
from httpx2 import Response
from starlette.testclient import TestClient

from app.city import City
from app.kernel.clock import now
from app.kernel.ids import new_id, public_id
from app.kernel.scopes import Role
from app.kernel.tokens import LEEWAY
from app.partners import sweep_assertions
from tests.support.anchoring import ORIGIN
from tests.support.clerks import known

Json = dict[str, Any]
BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def b64(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


@dataclass
class Machine:
    """A partner's machine with its key."""

    client: TestClient
    key: Ed25519PrivateKey | EllipticCurvePrivateKey = field(
        default_factory=Ed25519PrivateKey.generate
    )
    kid: str = "2026-06"
    id: str = ""

    def jwk(self) -> Json:
        if isinstance(self.key, Ed25519PrivateKey):
            x = self.key.public_key().public_bytes_raw()
            return {"kty": "OKP", "crv": "Ed25519", "x": b64(x), "kid": self.kid}
        numbers = self.key.public_key().public_numbers()
        x, y = (b64(each.to_bytes(32, "big")) for each in (numbers.x, numbers.y))
        return {"kty": "EC", "crv": "P-256", "x": x, "y": y, "kid": self.kid}

    def assertion(self, without: str = "", kid: str | None = None, **claims: object) -> str:
        made: Json = {
            "iss": self.id,
            "sub": self.id,
            "aud": ORIGIN,
            "exp": now() + timedelta(minutes=4),
            "jti": new_id().hex,
        }
        made = {name: value for name, value in (made | claims).items() if name != without}
        algorithm = "EdDSA" if isinstance(self.key, Ed25519PrivateKey) else "ES256"
        return jwt.encode(made, self.key, algorithm, {"kid": kid or self.kid})

    def ask(self, assertion: str | None = None, **changes: str) -> Response:
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": BEARER,
            "client_assertion": assertion or self.assertion(),
        }
        return self.client.post("/v1/oauth/token", data=form | changes)

    def error(self, assertion: str) -> str:
        answer = self.ask(assertion)
        assert answer.status_code == 401, answer.text
        assert answer.headers["content-type"] == "application/json"
        assert answer.json()["code"] == "oauth.client_invalid"
        return answer.json()["error"]


@dataclass
class Desk:
    """Clerks who admit partners, by tokens."""

    app: FastAPI
    client: TestClient

    def headers(self, role: Role) -> Mapping[str, str]:
        token = self.app.state.tokens.issue(known(self.app.state.city.db, role), at=now())
        return {"Authorization": f"Bearer {token}", "Idempotency-Key": new_id().hex}

    def post(self, role: Role, path: str, body: Json | None = None) -> Response:
        return self.client.post(f"/v1/admin{path}", json=body, headers=dict(self.headers(role)))

    def admit(self, machine: Machine, **changes: object) -> Json:
        body = {
            "name": "某会计师事务所",
            "scopes": ["audit.read"],
            "key": machine.jwk(),
            "reason": "Yearly audit",
        }
        asked = self.post(Role.OPERATOR, "/partners", body | changes).json()
        machine.id = asked["payload"]["partner"]
        return asked

    def sign(self, asked: Json, role: Role = Role.REGULATOR) -> Response:
        return self.post(role, f"/approvals/{asked['id']}/signature")


@pytest.fixture
def clerks(app: FastAPI, client: TestClient) -> Desk:
    return Desk(app, client)


@pytest.fixture
def machine(client: TestClient, clerks: Desk) -> Machine:
    made = Machine(client)
    assert clerks.sign(clerks.admit(made)).status_code == 200
    return made


def test_the_regulator_admits_a_partner_whose_machine_reads_the_log(
    client: TestClient, clerks: Desk
) -> None:
    machine = Machine(client)
    asked = clerks.admit(machine)
    assert machine.error(machine.assertion()) == "invalid_client"
    assert clerks.sign(asked, Role.OPERATOR).json()["code"] == "approvals.unknown"
    assert clerks.sign(asked).json()["state"] == "signed"
    given = machine.ask()
    assert given.headers["cache-control"] == "no-store"
    token = given.json()
    assert (token["token_type"], token["expires_in"], token["scope"]) == (
        "Bearer",
        600,
        "audit.read",
    )
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    newest = client.get("/v1/admin/audit-log", headers=headers).json()["data"][0]
    assert (newest["actor"], newest["act"]) == (machine.id, "partners.log_in")
    assert client.get("/v1/admin/clerks", headers=headers).status_code == 403
    assert client.get("/v1/me/wallet", headers=headers).status_code == 403


def test_a_key_on_p256_does_as_well(client: TestClient, clerks: Desk) -> None:
    machine = Machine(client, generate_private_key(SECP256R1()))
    clerks.sign(clerks.admit(machine))
    assert machine.ask().status_code == 200


def test_an_assertion_is_used_once(machine: Machine) -> None:
    text = machine.assertion()
    assert machine.ask(text).status_code == 200
    assert machine.error(text) == "invalid_client"
    assert machine.ask(machine.assertion(jti="1")).status_code == 200
    assert machine.error(machine.assertion(jti="1")) == "invalid_client"


@pytest.mark.parametrize("claim", ["iss", "sub", "aud", "exp", "jti"])
def test_every_claim_is_required(machine: Machine, claim: str) -> None:
    assert machine.error(machine.assertion(without=claim)) == "invalid_client"


WRONG: list[Json] = [
    {"aud": "another.example/ledger/1"},
    {"aud": "http://testserver/v1/oauth/token"},
    {"iss": public_id("par", UUID(int=7))},
    {"sub": public_id("par", UUID(int=8))},
    {"sub": "par_1"},
    {"sub": 7},
    {"exp": -LEEWAY - timedelta(seconds=2)},
    {"exp": timedelta(minutes=6)},
    {"exp": 1e300},
    {"exp": "soon"},
    {"nbf": timedelta(minutes=2)},
    {"iat": timedelta(minutes=2)},
    {"jti": ""},
    {"jti": 7},
    {"jti": "a\0b"},
    {"jti": "x" * 101},
]


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_what_is_of_another_time_or_place_is_refused(machine: Machine, wrong: Json) -> None:
    claims: Json = {
        name: now() + value if isinstance(value, timedelta) else value
        for name, value in wrong.items()
    }
    assert machine.error(machine.assertion(**claims)) == "invalid_client"


def test_another_key_algorithm_or_name_is_refused(machine: Machine, client: TestClient) -> None:
    other = Machine(client, id=machine.id)
    assert machine.error(other.assertion()) == "invalid_client"
    assert machine.error(machine.assertion(kid="unheard-of")) == "invalid_client"
    assert machine.error(machine.assertion(kid="a\0b")) == "invalid_client"
    claims = jwt.decode(machine.assertion(), options={"verify_signature": False})
    assert isinstance(machine.key, Ed25519PrivateKey)
    public, header = machine.key.public_key().public_bytes_raw(), {"kid": machine.kid}
    assert machine.error(jwt.encode(claims, "", "none", header)) == "invalid_client"
    assert machine.error(jwt.encode(claims, public, "HS256", header)) == "invalid_client"
    for text in ("a", "a.b.c", "é", "x" * 5000):
        assert machine.error(text) == "invalid_client"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": ""}, "unsupported_grant_type"),
        ({"client_assertion_type": "secret"}, "unsupported_grant_type"),
        ({"scope": "staff.manage"}, "invalid_scope"),
        ({"scope": "audit.read staff.manage"}, "invalid_scope"),
    ],
)
def test_what_is_not_offered_is_refused_in_oauths_words(
    machine: Machine, changes: dict[str, str], error: str
) -> None:
    answer = machine.ask(**changes)
    assert (answer.status_code, answer.json()["error"]) == (400, error)


def test_a_scope_that_it_has_may_be_named(machine: Machine) -> None:
    assert machine.ask(scope="audit.read").json()["scope"] == "audit.read"


@pytest.mark.parametrize(
    ("content", "media"),
    [
        (b"grant_type=client_credentials&grant_type=client_credentials", None),
        (b"", None),
        (b"\xff\xfe", None),
        (b"grant_type", None),
        (b"&".join(b"a%d=1" % number for number in range(30)), None),
        (b'{"grant_type": "client_credentials"}', "application/json"),
    ],
)
def test_what_is_no_form_is_refused(client: TestClient, content: bytes, media: str | None) -> None:
    headers = {"content-type": media or "application/x-www-form-urlencoded"}
    answer = client.post("/v1/oauth/token", content=content, headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_a_suspended_partner_is_given_nothing(machine: Machine, clerks: Desk) -> None:
    assert machine.ask().status_code == 200
    path = f"/partners/{machine.id}/suspension"
    assert clerks.post(Role.OPERATOR, path).json()["code"] == "auth.scope_missing"
    first, again = (clerks.post(Role.REGULATOR, path).json() for _ in range(2))
    assert first["suspended_at"] == again["suspended_at"] is not None
    assert machine.error(machine.assertion()) == "invalid_client"
    nobody = f"/partners/{public_id('par', new_id())}/suspension"
    assert clerks.post(Role.REGULATOR, nobody).json()["code"] == "partners.unknown"


def test_a_rotated_key_lives_through_the_overlap(
    machine: Machine, clerks: Desk, client: TestClient
) -> None:
    following = Machine(client, kid="2026-07", id=machine.id)
    body = {"key": following.jwk(), "overlap_hours": 1, "reason": "Yearly rotation"}
    asked = clerks.post(Role.OPERATOR, f"/partners/{machine.id}/keys", body)
    assert clerks.sign(asked.json()).status_code == 200
    assert machine.ask().status_code == following.ask().status_code == 200
    (told,) = listed(clerks)
    assert [each["valid_to"] is None for each in told["keys"]] == [False, True]
    end = datetime.fromisoformat(told["keys"][0]["valid_to"])
    assert timedelta(minutes=59) < end - now() <= timedelta(hours=1)


def test_without_overlap_the_old_key_ends_at_once(
    machine: Machine, clerks: Desk, client: TestClient
) -> None:
    following = Machine(client, kid="2026-07", id=machine.id)
    body = {"key": following.jwk(), "overlap_hours": 0, "reason": "Lost"}
    asked = clerks.post(Role.OPERATOR, f"/partners/{machine.id}/keys", body)
    clerks.sign(asked.json())
    assert machine.error(machine.assertion()) == "invalid_client"
    assert following.ask().status_code == 200


def test_a_key_id_is_never_used_again(machine: Machine, clerks: Desk, client: TestClient) -> None:
    following = Machine(client, kid=machine.kid, id=machine.id)
    body = {"key": following.jwk(), "reason": "Same name"}
    asked = clerks.post(Role.OPERATOR, f"/partners/{machine.id}/keys", body)
    assert clerks.sign(asked.json()).json()["code"] == "partners.key_taken"
    assert machine.ask().status_code == 200


def test_the_regulator_alone_revokes_a_key(
    machine: Machine, clerks: Desk, client: TestClient
) -> None:
    path, headers = f"/v1/admin/partners/{machine.id}/keys", dict(clerks.headers(Role.REGULATOR))
    denied = client.delete(f"{path}/{machine.kid}", headers=dict(clerks.headers(Role.OPERATOR)))
    assert denied.status_code == 403
    assert client.delete(f"{path}/{machine.kid}", headers=headers).status_code == 200
    assert machine.error(machine.assertion()) == "invalid_client"
    for kid in (machine.kid, "unheard-of"):
        answer = client.delete(f"{path}/{kid}", headers=headers)
        assert answer.json()["code"] == "partners.key_unknown"
    assert client.delete(f"{path}/a%00b", headers=headers).status_code == 422


def listed(clerks: Desk) -> list[Json]:
    headers = dict(clerks.headers(Role.OPERATOR))
    return clerks.client.get("/v1/admin/partners", headers=headers).json()["data"]


def test_partners_are_listed_with_their_keys(
    machine: Machine, clerks: Desk, client: TestClient
) -> None:
    other = Machine(client)
    clerks.sign(clerks.admit(other))
    assert [each["id"] for each in listed(clerks)] == [machine.id, other.id]
    headers = dict(clerks.headers(Role.OPERATOR))
    first = client.get("/v1/admin/partners?limit=1", headers=headers).json()
    query = f"cursor={first['next_cursor']}"
    rest = client.get(f"/v1/admin/partners?{query}", headers=headers).json()
    assert first["data"] + rest["data"] == listed(clerks)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"scopes": ["staff.manage"]}, "request.malformed"),
        ({"scopes": []}, "request.malformed"),
        ({"key": {"kty": "oct", "k": "c2VjcmV0", "kid": "1"}}, "request.malformed"),
        ({"key": {"kty": "OKP", "crv": "Ed25519", "x": "A" * 42, "kid": "1"}}, "request.malformed"),
        (
            {"key": {"kty": "OKP", "crv": "Ed25519", "x": "A" * 43, "d": "A" * 43, "kid": "1"}},
            "request.malformed",
        ),
        (
            {"key": {"kty": "EC", "crv": "P-256", "x": "A" * 43, "y": "A" * 43, "kid": "1"}},
            "partners.key_malformed",
        ),
    ],
)
def test_what_no_partner_may_have_is_refused(
    client: TestClient, clerks: Desk, changes: Json, code: str
) -> None:
    body = {
        "name": "x",
        "scopes": ["audit.read"],
        "key": Machine(client).jwk(),
        "reason": "x",
    }
    assert clerks.post(Role.OPERATOR, "/partners", body | changes).json()["code"] == code


def test_used_assertions_are_forgotten_once_they_have_ended(city: City, machine: Machine) -> None:
    machine.ask()
    soon = now() + timedelta(minutes=3)
    assert city.worker_db.transact(sweep_assertions, before=soon) == 0
    later = now() + timedelta(minutes=5)
    assert city.worker_db.transact(sweep_assertions, before=later) == 1
