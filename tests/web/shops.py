"""A firm over HTTP in tests (单位): it applies, is approved, takes people in, has tills."""

from base64 import b32decode, b64encode
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from httpx2 import Response
from starlette.testclient import TestClient

from app.kernel.clock import now
from app.kernel.ids import new_id, parse_public_id
from app.merchants import Till
from app.staff.credentials import commitment, new_enrolment
from tests.support.clerks import PASSWORD, code_of
from tests.support.desk import Person
from tests.support.mall import TestTill, registration

Json = dict[str, Any]
TERMS = {"fee_permille": 20, "offline_cap_points": 500, "reason": "Visited"}
BANK_NUMBER = "6222000000000000017"


@dataclass
class Worker:
    """Somebody of a merchant or an organisation, with a password and an authenticator."""

    client: TestClient
    login: str
    totp: bytes
    token: str = ""
    kind: str = "merchant"

    def code(self, *, steps: int = 0) -> str:
        return code_of(self.totp, now(), steps=steps)

    def log_in(self, *, steps: int = 0, password: str = PASSWORD) -> Response:
        body = {"login": self.login, "password": password, "code": self.code(steps=steps)}
        return self.client.post(f"/v1/{self.kind}/tokens", json=body)

    def logged_in(self, *, steps: int = 0) -> "Worker":
        answer = self.log_in(steps=steps)
        assert answer.status_code == 200, answer.text
        self.token = answer.json()["access_token"]
        return self

    def ask(self, method: str, path: str, body: Any = None, *, key: str | None = None) -> Response:  # noqa: ANN401 -- JSON
        headers = {"Authorization": f"Bearer {self.token}", "Idempotency-Key": key or new_id().hex}
        return self.client.request(method, path, json=body, headers=headers)

    def shift_at(self, till: TestTill, *, steps: int = 0) -> Response:
        body = {"login": self.login, "password": PASSWORD, "code": self.code(steps=steps)}
        return sent(self.client, till, "POST", "/v1/merchant/shifts", body)


def sent(client: TestClient, till: TestTill, method: str, path: str, body: Any = None) -> Response:  # noqa: ANN401 -- JSON
    request = client.build_request(method, path, json=body)
    headers = till.sign(method, path, body=request.content)
    return client.request(method, path, content=request.content, headers=headers)


def application(number: int, secret: str, **changes: object) -> Json:
    owner = {
        "login": f"owner.{number}",
        "name": "李安",
        "enrolment_sha256": commitment(secret).hex(),
    }
    return {
        "kind": "business",
        "name_zh": f"咖啡{number}",
        "name_en": f"Coffee {number}",
        "registration": registration(number),
        "contact": {"name": "李安", "phone": "+86 755 8888 0000", "email": "an@coffee.example"},
        "bank": {"holder": "咖啡有限公司", "bank": "某某银行", "number": BANK_NUMBER},
        "owner": owner,
        **changes,
    }


def applied(client: TestClient, number: int) -> tuple[str, str]:
    """Apply; gives the id and the owner's secret."""
    secret = new_enrolment()
    answer = client.post("/v1/merchant-applications", json=application(number, secret))
    assert answer.status_code == 201, answer.text
    return answer.json()["id"], secret


def enrolled(client: TestClient, login: str, secret: str, kind: str = "merchant") -> Worker:
    body = {"login": login, "secret": secret, "password": PASSWORD}
    answer = client.post(f"/v1/{kind}/enrolments", json=body)
    assert answer.status_code == 201, answer.text
    uri: str = answer.json()["otpauth_uri"]
    told = parse_qs(urlsplit(uri).query)["secret"][0]
    return Worker(client, login, b32decode(told), kind=kind)


def decided(operators: tuple[Person, Person], path: str, body: Json) -> Response:
    """Ask as one, sign as the other."""
    first, second = operators
    asked = first.post(path, body)
    assert asked.status_code == 201, asked.text
    own = first.sign(asked.json()["id"])
    assert own.json()["code"] == "approvals.own"
    return second.sign(asked.json()["id"])


@dataclass
class Shop:
    """A merchant that applied and was approved, and its owner, logged in."""

    id: str
    owner: Worker

    def take_in(self, login: str, role: str = "keeper") -> tuple[str, Worker]:
        secret = new_enrolment()
        body = {
            "login": login,
            "name": "王波",
            "role": role,
            "enrolment_sha256": commitment(secret).hex(),
        }
        made = self.owner.ask("POST", "/v1/merchant/users", body)
        assert made.status_code == 201, made.text
        return made.json()["id"], enrolled(self.owner.client, login, secret)

    def till(self) -> TestTill:
        key = Ed25519PrivateKey.generate()
        public = key.public_key().public_bytes_raw()
        body = {"label": "前台", "public_key": b64encode(public).decode()}
        made = self.owner.ask("POST", "/v1/merchant/tills", body)
        assert made.status_code == 201, made.text
        id_ = parse_public_id("til", made.json()["id"])
        assert id_ is not None
        return TestTill(Till(id_, new_id(), "前台", public, now()), key)


def opened(client: TestClient, operators: tuple[Person, Person], number: int) -> Shop:
    id_, secret = applied(client, number)
    path = f"/v1/admin/merchant-applications/{id_}/approval"
    assert decided(operators, path, TERMS).status_code == 200
    return Shop(id_, enrolled(client, f"owner.{number}", secret).logged_in(steps=-1))
