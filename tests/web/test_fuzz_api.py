"""The API under schemathesis (接口模糊测试): every operation, every check, as whoever may call it.

Requests of the documented form and of every wrong one; answers are held to the document: status,
media type, headers, schema; nothing answers 500; and what needs a token is refused without one.
"""

from collections.abc import Iterator

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance
from starlette.testclient import TestClient

from app.city import City
from app.kernel.clock import now
from app.kernel.ids import new_id
from app.kernel.scopes import SCOPES, Role
from app.kernel.settings import Settings
from app.kernel.tokens import Principal
from app.main import create_app
from tests.support.owners import owners

JUDGED_BELOW = [positive_data_acceptance, negative_data_rejection]
"""A well-formed request may be refused by the state of the world; unknown queries are ignored."""
EXAMPLES = 20
LIVE = "/v1/me/live"
"""A stream that stays open; its own tests read it."""


@pytest.fixture
def api(app: FastAPI) -> Iterator[BaseSchema]:
    with TestClient(app, raise_server_exceptions=False):
        yield schemathesis.openapi.from_asgi("/openapi.json", app)


@pytest.fixture
def tokens(app: FastAPI, city: City, api: object) -> dict[Role, str]:
    """A token of each role."""
    assert api is not None, "the city is open"
    (owner,) = owners(city.db, city.keys, 1)
    issue = app.state.tokens.issue
    return {
        role: issue(
            Principal("citizen", new_id(), SCOPES[role], owner)
            if role is Role.CITIZEN
            else Principal("clerk", new_id(), SCOPES[role]),
            at=now(),
        )
        for role in Role
    }


def label_of(path: str, method: str) -> str:
    return f"{method.upper()} {path}"


OPERATIONS = sorted(
    label_of(path, method)
    for path, methods in create_app(Settings()).openapi()["paths"].items()
    for method in methods
    if path != LIVE
)


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize("label", OPERATIONS)
def test_an_operation_keeps_to_its_document(
    label: str, mode: GenerationMode, api: BaseSchema, tokens: dict[Role, str]
) -> None:
    method, _, path = label.partition(" ")
    operation = api[path][method]
    asked = {
        scope
        for each in operation.definition.raw.get("security", [])
        for scope in each.get("accessToken", [])
    }
    role = next((role for role in Role if asked and asked <= SCOPES[role]), None)
    headers = {} if role is None else {"Authorization": f"Bearer {tokens[role]}"}

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    def answers_as_documented(case: Case) -> None:
        case.headers["Idempotency-Key"] = new_id().hex  # a key is used for one request
        (case.query or {}).pop("cursor", None)  # opaque: whatever nobody gave is refused
        answer = case.call_and_validate(headers=headers, excluded_checks=JUDGED_BELOW)
        code = answer.json().get("code") if answer.status_code >= 400 else None
        if mode is GenerationMode.POSITIVE:
            assert code not in {"request.malformed", "request.refused"}, answer.text
        elif not ignored(case):
            assert code is not None, (case.as_curl_command(), answer.text)

    answers_as_documented()


def ignored(case: Case) -> bool:
    """Say whether a case is wrong only in what no endpoint reads: its unknown query or headers."""
    wrong = [kind.value for kind, each in case.meta.components.items() if each.mode.is_negative]
    known = {each.name for each in case.operation.query}
    return wrong in (["header"], ["cookie"]) or set(case.query or {}) - known != set()
