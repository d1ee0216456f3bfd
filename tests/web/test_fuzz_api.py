"""The API under schemathesis (接口模糊测试): every operation, every check, as whoever may call it.

Requests of the documented form and of every wrong one; answers are held to the document: status,
media type, headers, schema; nothing answers 500; and what needs a token is refused without one.
Providers' requests carry a signature that holds, so that they get as far as everybody else's.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, cast

import pytest
import requests
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi import checks
from starlette.testclient import TestClient

from app.citizens import open_citizens
from app.city import City
from app.kernel.clock import now
from app.kernel.ids import new_id
from app.kernel.scopes import SCOPES, Role
from app.kernel.tokens import Principal, Tokens
from tests.support.acts import rows
from tests.support.batches import HOST, Sender, Town, sender
from tests.support.clerks import known
from tests.support.mall import merchant, till
from tests.support.organisations import organisation
from tests.support.serving import shared_app
from tests.web.test_partners import Desk as Clerks
from tests.web.test_partners import Machine

JUDGED_BELOW: list[Any] = [checks.positive_data_acceptance, checks.negative_data_rejection]  # pyright: ignore[reportUnknownMemberType] -- its generics are untold
"""A well-formed request may be refused by the state of the world; unknown queries are ignored."""
EXAMPLES = 15
LIVE = "/v1/me/live"
"""A stream that stays open; its own tests read it."""
MACHINES = "/v1/oauth/token"
SIGNED = "providerSignature"
TILL = "tillSignature"
TIMEOUT_S = 30

Credentials = Callable[["Case[Any]"], Mapping[str, str]]


@schemathesis.serializer("application/x-ndjson")
def lines(_context: object, body: Any) -> bytes:  # noqa: ANN401 -- whatever was made
    """Write a body as lines, whatever it is."""
    if isinstance(body, bytes):
        return body
    return body.encode() if isinstance(body, str) else json.dumps(body).encode() + b"\n"


class Workshop:
    """One reading of the document for every test here: it takes a second."""

    api: BaseSchema | None = None

    def of(self, app: FastAPI) -> BaseSchema:
        """Give the document of the application."""
        if self.api is None:
            self.api = schemathesis.openapi.from_asgi("/openapi.json", app)
        return self.api


@pytest.fixture(scope="module")
def workshop() -> Workshop:
    return Workshop()


@pytest.fixture
def api(workshop: Workshop, app: FastAPI, client: TestClient) -> BaseSchema:
    del client  # which started the application over the city of this test
    return workshop.of(app)


OPERATIONS = sorted(
    f"{method.upper()} {path}"
    for path, methods in shared_app().openapi()["paths"].items()
    for method in methods
    if path != LIVE
)


@pytest.mark.parametrize("label", OPERATIONS)
def test_an_operation_keeps_to_its_document(label: str, api: BaseSchema, city: City) -> None:
    method, _, path = label.partition(" ")
    operation = cast("Any", api[path])[method]
    asked = dict[str, list[str]]()
    for each in operation.definition.raw.get("security", []):
        asked |= each
    if SIGNED in asked:
        credentials = of_provider(city)
    elif TILL in asked:
        credentials = of_till(city)
    elif path == MACHINES:
        credentials = of_machine(api, city)
    else:
        credentials = of_role(api, city, asked)
    fuzz(operation, GenerationMode.POSITIVE, credentials)
    if operation.body or [*operation.iter_parameters()]:  # else nothing of it can be wrong
        fuzz(operation, GenerationMode.NEGATIVE, credentials)


def fuzz(operation: Any, mode: GenerationMode, credentials: Credentials) -> None:  # noqa: ANN401 -- schemathesis'
    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],  # a failure names its request; making it smaller costs minutes
        suppress_health_check=cast("list[HealthCheck]", [*HealthCheck]),
    )
    def answers_as_documented(case: "Case[Any]") -> None:
        case.headers["Idempotency-Key"] = new_id().hex  # a key is used for one request
        if mode is GenerationMode.POSITIVE:
            (case.query or {}).pop("cursor", None)  # opaque: whatever nobody gave is refused
            case.body = as_ecma_reads(case.body)
        answer = case.call_and_validate(
            headers=dict(credentials(case)), excluded_checks=JUDGED_BELOW, timeout=TIMEOUT_S
        )
        code = answer.json().get("code") if answer.status_code >= 400 else None
        if mode is GenerationMode.POSITIVE:
            assert code not in {"request.malformed", "request.refused"}, answer.text
        elif is_wrong(case):
            assert code is not None, f"{case.as_curl_command()} {answer.text}"

    answers_as_documented()


def as_ecma_reads(made: Any) -> Any:  # noqa: ANN401 -- any JSON
    """Take last newlines off: Python's ``$`` matches before one, JSON Schema's does not.

    Whole numbers lose their point, as in ECMAScript, which writes 1.0 as 1.
    """
    if isinstance(made, float) and made.is_integer():
        return int(made)
    if isinstance(made, str):
        return made.removesuffix("\n")
    if isinstance(made, list):
        return [as_ecma_reads(each) for each in cast("list[Any]", made)]
    if isinstance(made, dict):
        items = cast("dict[str, Any]", made).items()
        return {as_ecma_reads(name): as_ecma_reads(each) for name, each in items}
    return made


def is_wrong(case: "Case[Any]") -> bool:
    """Say whether a case breaks the document in what is read.

    Unknown names in a query are ignored, as are unknown headers; the key is always a good one.
    """
    assert case.meta is not None
    wrong = {kind.value for kind, each in case.meta.components.items() if each.mode.is_negative}
    query = set(case.query or {})
    return bool(wrong & {"path", "body"}) or (
        "query" in wrong and bool(query) and query <= {each.name for each in case.operation.query}
    )


def of_role(api: BaseSchema, city: City, asked: Mapping[str, list[str]]) -> Credentials:
    """Show a token of the first role that may."""
    scopes = {scope for each in asked.values() for scope in each}
    if not scopes:
        return lambda _: {}
    role = next(role for role in Role if scopes <= SCOPES[role])
    who = holder(city, role)
    tokens: Tokens = api.app.state.tokens
    shown = {"Authorization": f"Bearer {tokens.issue(who, at=now())}"}
    return lambda _: shown


def holder(city: City, role: Role) -> Principal:
    """Give somebody of a role whom the city knows."""
    if role is Role.CITIZEN:
        return citizen_in(city)
    if role in {Role.MERCHANT_OWNER, Role.MERCHANT_KEEPER}:
        shop = merchant(city.db, city.keys)
        return shop.principal(shop.owner if role is Role.MERCHANT_OWNER else shop.keeper)
    if role in {Role.ORGANISATION_OWNER, Role.ORGANISATION_AGENT}:
        office = organisation(city.db, city.keys)
        return office.principal(office.owner if role is Role.ORGANISATION_OWNER else office.agent)
    return known(city.db, role)


def citizen_in(city: City) -> Principal:
    """Let somebody join."""
    (made,) = city.db.transact(open_citizens, city.keys, 1, at=now(), basis="self")
    query = "select public_id from subject where bucket = %s and account = %s"
    ((public_id,),) = rows(city.db, query, made.bucket, made.number)
    return Principal("citizen", public_id, SCOPES[Role.CITIZEN], made.number)


def of_provider(city: City) -> Credentials:
    """Sign as a provider would."""
    provider: Sender = sender(Town(city.db, city.keys, city.settings), None)  # pyright: ignore[reportArgumentType] -- it only signs

    return signed_by(provider.headers)


def of_till(city: City) -> Credentials:
    """Sign as a till at which a shift is open would."""
    return signed_by(till(city.db, merchant(city.db, city.keys)).sign)


def signed_by(headers: Callable[..., Mapping[str, str]]) -> Credentials:
    """Sign what is sent, as it is sent."""

    def sign(case: "Case[Any]") -> Mapping[str, str]:
        sent = requests.Request(**case.as_transport_kwargs(base_url=HOST)).prepare()
        made: Any = sent.body or b""
        body = made.encode() if isinstance(made, str) else made
        media = sent.headers.get("content-type", "application/json")
        address, key = (
            str(sent.url).removeprefix(HOST),
            cast("str", case.headers["Idempotency-Key"]),
        )
        return headers(case.method.upper(), address, body=body, key=key, content_type=media)

    return sign


def of_machine(api: BaseSchema, city: City) -> Credentials:
    """Put an assertion into the form that a partner's key signed."""
    assert city is api.app.state.city
    client = TestClient(api.app)
    machine, clerks = Machine(client), Clerks(api.app, client)
    assert clerks.sign(clerks.admit(machine)).status_code == 200

    def sign(case: "Case[Any]") -> Mapping[str, str]:
        if not is_wrong(case):
            form: Any = case.body
            form["client_assertion"] = machine.assertion()
        return {}

    return sign
