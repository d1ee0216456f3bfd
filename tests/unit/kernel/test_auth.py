"""The guard of the doors (接口设防): an endpoint that asks nobody who they are does not start."""

import re
from typing import Annotated

import pytest
from fastapi import APIRouter, Depends, FastAPI, Security
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.kernel.auth import EndpointOpen, Me, desk, principal, refuse_open_endpoints
from app.kernel.scopes import Scope
from app.kernel.settings import Settings
from app.kernel.tokens import Principal
from app.main import PUBLIC, create_app
from app.merchants.tills import signed_till
from app.providers.senders import signed_request


def guard(app: FastAPI, *public: str) -> None:
    refuse_open_endpoints(app.routes, below="/v1", public=public, signatures={signed_request})


def citizen(_me: Me) -> None: ...
def clerk(_who: Annotated[Principal, desk(Scope.AUDIT_READ)]) -> None: ...
def signed(_who: Annotated[object, Depends(signed_request)]) -> None: ...
def nested(_who: Annotated[None, Depends(clerk)]) -> None: ...
def nobody() -> None: ...
def unscoped(_who: Annotated[Principal, Security(principal)]) -> None: ...


@pytest.mark.parametrize("endpoint", [citizen, clerk, signed, nested])
def test_who_asks_for_a_scope_or_a_signature_may_stand(endpoint: object) -> None:
    app = FastAPI()
    app.add_api_route("/v1/things", endpoint)  # pyright: ignore[reportArgumentType] -- any of them
    guard(app)


@pytest.mark.parametrize("endpoint", [nobody, unscoped])
def test_an_open_endpoint_is_refused(endpoint: object) -> None:
    app = FastAPI()
    app.add_api_route("/v1/things", endpoint, methods=["POST"])  # pyright: ignore[reportArgumentType] -- any of them
    with pytest.raises(EndpointOpen, match="POST /v1/things"):
        guard(app)
    guard(app, "POST /v1/things")


def test_one_method_that_is_public_opens_no_other() -> None:
    app = FastAPI()
    app.add_api_route("/v1/things", nobody, methods=["GET", "DELETE"])
    with pytest.raises(EndpointOpen, match="DELETE /v1/things"):
        guard(app, "GET /v1/things")


def test_a_router_in_a_router_is_looked_into() -> None:
    app, outer, inner = FastAPI(), APIRouter(prefix="/v1"), APIRouter(prefix="/things")
    inner.add_api_route("/{id}", nobody)
    outer.include_router(inner)
    app.include_router(outer)
    with pytest.raises(EndpointOpen, match=r"GET /v1/things/\{id\}"):
        guard(app)


def plain(_request: Request) -> Response:
    return Response()


def test_what_is_mounted_asks_nobody_either() -> None:
    app = FastAPI(routes=[Route("/v1/plain", plain)])
    with pytest.raises(EndpointOpen):
        guard(app)
    app = FastAPI()
    app.mount("/v1/files", FastAPI())
    with pytest.raises(EndpointOpen, match="ANY /v1/files"):
        guard(app)


def test_a_door_that_is_forgotten_keeps_the_city_from_starting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("app.main.PUBLIC", PUBLIC - {"POST /v1/staff/tokens"})
    with pytest.raises(EndpointOpen, match="POST /v1/staff/tokens"):
        create_app(Settings())


def test_the_list_of_public_ones_names_none_that_is_not_there() -> None:
    routes = create_app(Settings()).routes
    for name in PUBLIC:
        with pytest.raises(EndpointOpen, match=re.escape(name)):
            refuse_open_endpoints(
                routes,
                below="/v1",
                public=PUBLIC - {name},
                signatures={signed_request, signed_till},
            )
