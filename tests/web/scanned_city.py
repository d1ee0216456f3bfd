"""A city to be scanned (受扫描的城市): served on loopback, with one of most things in it.

It is the same before each request, whatever the one before it did: payload after payload gets as
far as the first. Whose a request is, is shown by tokens; that a provider signed it is given.
"""

import asyncio
import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import reduce
from http import HTTPStatus
from operator import getitem
from typing import Any, Final, cast

import uvicorn
from fastapi import FastAPI
from httpx2 import Response
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.city import City
from app.kernel.clock import day_of, now
from app.kernel.ids import new_id, public_id
from app.kernel.scopes import SCOPES, Role
from app.kernel.scopes import Scope as Right
from app.kernel.signatures import Signed
from app.kernel.tokens import Principal, Tokens
from app.main import create_app
from app.merchants.tills import signed_till
from app.providers.registry import ProviderKey
from app.providers.senders import signed_request
from tests.support.batches import SCENE, YESTERDAY, Sender, Town, enrol, ride, sender
from tests.support.clerks import known
from tests.support.desk import put_in_library, text
from tests.support.mall import Shop, merchant, till
from tests.support.organisations import organisation
from tests.support.rehearsal import Rehearsal
from tests.support.wallets import acts_of, somebody
from tests.web.free_texts import Draft, drafts
from tests.web.scanned_market import traded

LIVE: Final = "/v1/me/live"
"""A stream that stays open: its first words are enough."""
CARD: Final = "CARD-1"
Show = Callable[[Collection[str]], dict[str, str]]
"""Gives the headers of somebody who has one of some scopes; of nobody where there are none."""
STOP_S: Final = 10


class Door:
    """Takes back what a request did, ends streams, and counts answers by status and code."""

    def __init__(self, app: ASGIApp, db: Rehearsal | None = None) -> None:
        self._app, self._db = app, db
        self._turn = asyncio.Lock()
        self.answers = Counter[str]()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = iter([{"type": "http.request", "body": await _read(receive)}])
        named = [*scope["headers"], (b"x-request-id", b"the-same-each-time")]
        over = asyncio.Event()
        status, said = 0, b""

        async def once() -> Message:
            for message in given:
                return message
            await over.wait()
            return {"type": "http.disconnect"}

        async def noted(sent: Message) -> None:
            nonlocal status, said
            if over.is_set():
                return
            if sent["type"] == "http.response.start":
                status = sent["status"]
            else:
                said += sent.get("body", b"")
                sent = {**sent, "more_body": sent.get("more_body", False) and scope["path"] != LIVE}
                if not sent["more_body"]:
                    over.set()
            await send(sent)

        try:
            # Whoever was answered asks again before what they did is taken back.
            async with self._turn:
                with self._db.undone() if self._db else nullcontext():
                    await self._app({**scope, "headers": named}, once, noted)
        except Exception:
            self.answers["500 raised"] += 1
            raise
        code = json.loads(said)["code"] if status >= HTTPStatus.BAD_REQUEST else "ok"
        self.answers[f"{status} {code}"] += 1


async def _read(receive: Receive) -> bytes:
    body, is_more = b"", True
    while is_more:
        message = await receive()
        body += message.get("body", b"")
        is_more = message.get("more_body", False)
    return body


@contextmanager
def served(app: ASGIApp) -> Generator[str]:
    """Serve on a port of loopback, in a thread; gives host and port."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [taken]}, daemon=True)
        thread.start()
        until = time.monotonic() + STOP_S
        while not server.started and time.monotonic() < until:
            time.sleep(0.01)
        assert server.started
        try:
            yield f"127.0.0.1:{taken.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(STOP_S)
            assert not thread.is_alive()


@dataclass(frozen=True)
class Scanned:
    """What a scan needs to know."""

    host: str
    door: Door
    show: Show
    drafts: Mapping[str, list[Draft]]

    def headers(self, draft: Draft) -> dict[str, str]:
        """Say who asks."""
        return {**draft.headers, **self.show(draft.scopes)}


TODAY: Final = day_of(now())
FACTS: Final[Mapping[str, Any]] = {
    "ets_site": False,
    "green_certificate": False,
    "other_mechanism": False,
    "reduction_kg_at_least": 10,
    "goal_days": 5,
    "roles": [Role.EXPERT.value],
    "board_id": "week.all",
    "path": "0/000",
    "birth_date": "1990-05-01",
    "scenes": [SCENE],
    "against": 1,
    "since": str(TODAY - timedelta(9)),
    "until": str(TODAY),
    "valid_until": str(TODAY + timedelta(90)),
    "/v1/factor-corrections code": "TEST-RIDE",
    "replacement": 2,
    "document": text(version=3),
    "/v1/webhook-endpoints/{endpoint_id}/replays since": now().isoformat(),
    "/v1/merchant/offline-redemptions at": now().isoformat(),
    "/v1/cancellations co2e_mg": 1_000,
    "/v1/gatherings starts_on": str(TODAY + timedelta(30)),
    "/v1/gatherings ends_on": str(TODAY + timedelta(30)),
    "/v1/gatherings/{gathering_id} starts_on": str(TODAY + timedelta(40)),
    "/v1/gatherings/{gathering_id} ends_on": str(TODAY + timedelta(40)),
    "/v1/gatherings/{gathering_id}/inventory/lines category": "energy",
    "/v1/gatherings/{gathering_id}/inventory/lines tier": "estimated",
    "/v1/gatherings/{gathering_id}/inventory exclusions": dict.fromkeys(
        ("fuel", "transport", "rooms_meals", "materials", "waste"), "none"
    ),
    "/v1/gatherings/{gathering_id}/plan deadline": str(TODAY + timedelta(300)),
    "/v1/gatherings/{gathering_id}/actions taken_on": str(TODAY),
    "/v1/gatherings/{gathering_id}/survey closes_at": (now() + timedelta(9)).isoformat(),
}
"""What the document's examples do not say, by field, or by path and field."""
GROWN: Final[Sequence[tuple[str, Mapping[str, tuple[str, ...]]]]] = (
    ("PATCH /v1/me", {}),
    ("POST /v1/methodology-proposals", {"proposal_id": ("id",)}),
    ("POST /v1/methodology-proposals/{proposal_id}/shadow-runs", {"run_id": ("id",)}),
    ("POST /v1/factor-corrections", {}),
    ("POST /v1/scenario-approvals", {}),
    ("POST /v1/admin/challenges", {"challenge_id": ("id",)}),
    ("POST /v1/admin/programmes", {}),
    ("POST /v1/admin/partners", {"partner_id": ("payload", "partner")}),
    ("POST /v1/me/statements", {"statement_id": ("id",)}),
    ("POST /v1/me/appeals", {"appeal_id": ("id",)}),
    ("POST /v1/projects", {"project_id": ("id",)}),
    ("POST /v1/organisation/scenario-applications", {"application_id": ("id",)}),
    ("POST /v1/cancellations", {"cancellation_id": ("id",)}),
    ("POST /v1/gatherings", {"gathering_id": ("id",)}),
    ("POST /v1/gatherings/{gathering_id}/inventory/lines", {}),
    ("POST /v1/gatherings/{gathering_id}/inventory", {}),
    ("POST /v1/gatherings/{gathering_id}/plan", {}),
    ("POST /v1/gatherings/{gathering_id}/survey", {}),
)
"""Requests that make what later ones name, and where their answers have its id."""
NEW: Final[Mapping[str, Any]] = {
    "/v1/admin/clerks login": "second",
    "/v1/admin/programmes code": "second",
    "/v1/admin/providers code": "second",
    "/v1/provider/keys key_id": "second",
    "/v1/scenario-approvals valid_from": str(TODAY + timedelta(100)),
    "/v1/scenario-approvals valid_until": str(TODAY + timedelta(190)),
}
"""Names of what a request is to make, once there is one of the documented name."""
NEWER: Final = {"/v1/admin/clerks login": "third"}


@contextmanager
def scanned(city: City) -> Generator[Scanned]:
    """Serve a city in which there is one of most things, and which no request changes."""
    furnish(city)
    shop = merchant(city.db, city.keys)
    counter = till(city.db, shop).till.id
    with TestClient(create_app(city.settings, city)) as client:
        signer = sender(Town(city.db, city.keys, city.settings), client)
        show, facts = grown(client, city, signer, shop)
    rehearsal = Rehearsal(city.db.url)
    still = replace(city, db=rehearsal)
    app = create_app(city.settings, still)
    public = signer.private_key.public_key().public_bytes_raw()
    signed = Signed(ProviderKey(signer.keyid, public, signer.provider), "nonce")
    app.dependency_overrides[signed_request] = lambda: signed
    app.dependency_overrides[signed_till] = lambda: counter
    door = Door(app, rehearsal)
    try:
        with served(door) as host:
            yield Scanned(host, door, show, drafts(app.openapi(), facts))
    finally:
        still.redis.close()
        rehearsal.dispose()


def furnish(city: City) -> None:
    """Put in place what no request makes: a methodology of two versions, published files."""
    for version, saving in ((1, "100"), (2, "120")):
        put_in_library(city.db, text(version=version, saving=saving))
    for name in ("checkpoint", "headers.jsonl", "tile/0/000", "log/tile/0/000"):
        path = city.settings.public_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"as published")


def grown(
    client: TestClient, city: City, signer: Sender, shop: Shop
) -> tuple[Show, Mapping[str, Any]]:
    """Make one of most things; gives how to ask for a scope, and what is known by then."""
    enrol(Town(city.db, city.keys, city.settings), signer.provider, [CARD])
    days = [YESTERDAY - timedelta(n) for n in range(20)]
    rides = [ride(n, subject=CARD, at=day, distance="30") for n, day in enumerate(days)]
    sent = signer.send(b"".join(rides))
    assert sent.status_code == 201, sent.text
    who = somebody(city.db, city.keys, signer.provider, CARD)
    first, *_, last = acts_of(city.db, who)
    clerks = {role: known(city.db, role) for role in (Role.REGULATOR, Role.OPERATOR, Role.EXPERT)}
    office = organisation(city.db, city.keys)
    agency = office.principal(office.owner)
    others = [Principal("clerk", new_id(), SCOPES[role]) for role in Role]
    show = badges(
        cast("FastAPI", client.app).state.tokens,
        [who.principal, shop.principal(), agency, *clerks.values(), *others],
        signer=known(city.db, Role.REGULATOR),
    )
    facts = {
        **FACTS,
        "batch_id": sent.json()["id"],
        "activity_id": first,
        "activity": first,
        "clerk_id": public_id("clk", clerks[Role.EXPERT].id),
        "provider": signer.provider.code,
        "key_id": signer.keyid,
        "user_id": shop.keeper.public,
        "organisation_id": office.organisation.public,
        "/v1/organisation/users/{user_id}/suspension user_id": office.agent.public,
        "/v1/organisation/users/{user_id}/reset user_id": office.agent.public,
        "/v1/admin/organisations/{organisation_id}/users/{user_id}/reset user_id": (
            office.agent.public
        ),
        **traded(city, office),
    }
    document = cast("FastAPI", client.app).openapi()
    for label, names in GROWN:
        told = made(client, drafts(document, facts)[label][0], show)
        facts |= {name: reduce(getitem, keys, told) for name, keys in names.items()}
    (correction,) = client.get("/v1/public/factor-corrections").json()["data"]
    facts |= {**NEW, "correction_id": correction["id"], "activity": last}
    awaiting = ask(client, drafts(document, facts)["POST /v1/admin/clerks"][0], show)
    return show, facts | {"approval_id": awaiting.json()["id"], **NEWER}


def badges(tokens: Tokens, people: Sequence[Principal], *, signer: Principal) -> Show:
    """Let the first who may ask show a token of just now; whoever signs is nobody who asks."""
    holders: dict[str, Principal] = {}
    for who in people:
        holders = {right.value: who for right in who.scopes} | holders
    holders[Right.APPROVALS_SIGN.value] = signer

    def show(scopes: Collection[str]) -> dict[str, str]:
        if not scopes:
            return {}
        who = replace(holders[min(scopes)], proved_at=now())
        return {"authorization": f"Bearer {tokens.issue(who, at=now())}"}

    return show


def made(client: TestClient, draft: Draft, show: Show) -> Mapping[str, Any]:
    """Let a request be made, and signed for where two must."""
    answer = ask(client, draft, show)
    assert answer.is_success, f"{draft.method} {draft.template}: {answer.text}"
    told: Mapping[str, Any] = answer.json()
    if str(told.get("id")).startswith("apr_"):
        headers = show([Right.APPROVALS_SIGN.value])
        path = f"/v1/admin/approvals/{told['id']}/signature"
        signed = client.post(path, headers={**headers, "idempotency-key": new_id().hex})
        assert signed.is_success, signed.text
    return told


def ask(client: TestClient, draft: Draft, show: Show) -> Response:
    headers = {**draft.headers, **show(draft.scopes), "idempotency-key": new_id().hex}
    body = draft.body.encode()
    return client.request(draft.method, draft.address, content=body, headers=headers)
