"""Citizens with tokens over the street of ``tests.support.years`` (网页测试的居民)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from fastapi import FastAPI
from httpx2 import Response
from starlette.testclient import TestClient

from app.citizens import Citizen
from app.kernel.clock import now
from app.kernel.ids import new_id
from app.kernel.scopes import SCOPES, Role
from app.kernel.tokens import Principal

KG = 1_000_000


@dataclass
class Neighbour:
    """A citizen at their phone."""

    client: TestClient
    citizen: Citizen
    token: str

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        key: str | None = None,
        query: Mapping[str, str | int] | None = None,
    ) -> Response:
        headers = {"Authorization": f"Bearer {self.token}"}
        if method == "POST":
            headers["Idempotency-Key"] = key or new_id().hex
        return self.client.request(method, path, json=body, headers=headers, params=query)

    def get(self, path: str, **query: str | int) -> dict[str, Any]:
        answer = self.ask("GET", path, query=query)
        assert answer.status_code == 200, answer.text
        assert answer.headers["cache-control"] == "no-store"
        return answer.json()


def neighbour(app: FastAPI, client: TestClient, citizen: Citizen) -> Neighbour:
    """Log a citizen in."""
    who = Principal("citizen", UUID(int=citizen.number), SCOPES[Role.CITIZEN], citizen.number)
    return Neighbour(client, citizen, app.state.tokens.issue(who, at=now()))
