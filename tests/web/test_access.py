"""Who may call what (接口权限): role × endpoint, generated from OpenAPI, every cell asserted.

A role that lacks the scope is refused as such, whatever else it sends; a role that has it is
answered in some other way; nothing answers 500. The page docs/access.md shows the same table.
"""

import importlib.util
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Final, NamedTuple

import pytest
from fastapi import FastAPI
from httpx2 import Response
from starlette.testclient import TestClient

from app.citizens.enrolment import open_citizens
from app.city import City
from app.kernel.clock import now
from app.kernel.ids import new_id
from app.kernel.scopes import SCOPES, Role, Scope
from app.kernel.tokens import Kind, Principal

DOCS = Path(__file__).parents[2] / "docs"
LIVE = "/v1/me/live"
"""A stream that stays open for whoever may have it; its own tests read it."""


class Operation(NamedTuple):
    """As docs/describe.py lists them."""

    method: str
    path: str
    summary: str
    schemes: tuple[str, ...]
    scopes: frozenset[str]
    is_public: bool

    def admits(self, role: Role) -> bool:
        return DESCRIBE.TOKEN in self.schemes and self.scopes <= SCOPES[role]


def describe() -> ModuleType:
    found = importlib.util.spec_from_file_location("describe", DOCS / "describe.py")
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    sys.modules[found.name] = module
    found.loader.exec_module(module)
    return module


DESCRIBE = describe()


def path_of(template: str) -> str:
    """Fill a path's parameters with ids of nothing."""
    return re.sub(r"\{[^}]+\}", "1", template)


def ask(client: TestClient, each: "Operation", token: str | None) -> Response:
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    return client.request(each.method, path_of(each.path), headers=headers)


@pytest.fixture
def operations(app: FastAPI) -> "list[Operation]":
    found = [
        Operation(each.method, each.path, each.summary, each.schemes, each.scopes, each.is_public)
        for each in DESCRIBE.operations(app.openapi())
    ]
    assert len(found) > 20
    return found


@pytest.fixture
def citizen(city: City) -> Principal:
    (made,) = city.db.transact(open_citizens, city.keys, 1, at=now(), basis="self")
    return Principal("citizen", new_id(), SCOPES[Role.CITIZEN], made.number)


KINDS: Final[Mapping[Role, Kind]] = {
    Role.MERCHANT_OWNER: "merchant",
    Role.MERCHANT_KEEPER: "merchant",
    Role.ORGANISATION_OWNER: "organisation",
    Role.ORGANISATION_AGENT: "organisation",
}


def holder(role: Role, citizen: Principal) -> Principal:
    if role is Role.CITIZEN:
        return citizen
    return Principal(KINDS.get(role, "clerk"), new_id(), SCOPES[role])


def test_nobody_without_a_token(client: TestClient, operations: "list[Operation]") -> None:
    wrong: list[str] = []
    for each in operations:
        answer = ask(client, each, None)
        code = _code(answer)
        if each.is_public:
            expected = code not in {"auth.token_missing", "auth.scope_missing"}
        elif DESCRIBE.TOKEN in each.schemes:
            expected = (answer.status_code, code) == (401, "auth.token_missing")
        else:
            expected = answer.status_code == 401
        if not expected or answer.status_code >= 500:
            wrong.append(f"{each.method} {each.path}: {answer.status_code} {code}")
    assert not wrong


@pytest.mark.parametrize("role", list(Role))
def test_each_role_is_admitted_where_its_scopes_say_so_and_nowhere_else(
    app: FastAPI, client: TestClient, operations: "list[Operation]", citizen: Principal, role: Role
) -> None:
    token = app.state.tokens.issue(holder(role, citizen), at=now())
    wrong: list[str] = []
    admitted = 0
    for each in operations:
        if DESCRIBE.TOKEN not in each.schemes or (each.path == LIVE and each.admits(role)):
            continue
        answer = ask(client, each, token)
        code = _code(answer)
        admitted += each.admits(role)
        if each.admits(role):
            expected = code not in {
                "auth.scope_missing",
                "auth.token_missing",
                "auth.token_invalid",
            }
        else:
            expected = (answer.status_code, code) == (403, "auth.scope_missing")
        if not expected or answer.status_code >= 500:
            wrong.append(f"{each.method} {each.path}: {answer.status_code} {code}")
    assert not wrong
    assert admitted > 0, "a role that may do nothing is no role"


@pytest.mark.parametrize(
    "token", ["", "x", "a.b.c", "eyJhbGciOiJub25lIn0.e30.", "\u78b3".encode().hex() * 200]
)
def test_what_is_no_token_of_ours_opens_nothing(
    client: TestClient, operations: "list[Operation]", token: str
) -> None:
    for each in operations:
        if DESCRIBE.TOKEN in each.schemes:
            answer = ask(client, each, token)
            assert answer.status_code == 401, each
            assert answer.headers["cache-control"] == "no-store"
            assert answer.headers["www-authenticate"].startswith("Bearer")


def test_nobody_on_the_way_keeps_an_answer_unless_it_is_public(
    app: FastAPI, client: TestClient, operations: "list[Operation]", citizen: Principal
) -> None:
    """As a layer says, not each endpoint: one that forgets is not kept either."""
    tokens = {role: app.state.tokens.issue(holder(role, citizen), at=now()) for role in Role}
    kept: dict[str, set[str]] = {}
    for each in operations:
        if each.path.startswith("/v1/"):
            admitted = [tokens[role] for role in Role if each.admits(role) and each.path != LIVE]
            answers = [ask(client, each, token) for token in (None, *admitted)]
            said = {answer.headers["cache-control"] for answer in answers} - {"no-store"}
            kept |= {f"{each.method} {each.path}": said} if said else {}
    assert kept.keys() <= {f"{e.method} {e.path}" for e in operations if e.is_public}
    assert all(word.startswith("public, max-age=") for said in kept.values() for word in said)
    assert "GET /v1/methodologies" in kept


def test_every_scope_is_asked_for_somewhere_and_held_by_somebody(
    operations: "list[Operation]",
) -> None:
    asked = {scope for each in operations for scope in each.scopes}
    held = {scope.value for scopes in SCOPES.values() for scope in scopes}
    assert asked == held == {scope.value for scope in Scope}


def test_nothing_is_served_that_is_not_documented(app: FastAPI) -> None:
    documented = app.openapi()["paths"]
    served: list[str] = [getattr(route, "path", "") for route in app.routes]
    hidden = {path for path in served if path and path not in documented}
    offline = {path for path in hidden if path.startswith(("/docs", "/openapi", "/static"))}
    assert hidden - offline <= {"/", "/openapi.json"}, hidden


def test_the_pages_are_of_this_application() -> None:
    stale = [
        path.name
        for path, text in DESCRIBE.pages().items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    assert not stale, "run python docs/describe.py"


def _code(answer: Response) -> str:
    media = answer.headers.get("content-type", "")
    return answer.json()["code"] if media.startswith("application/problem+json") else ""
