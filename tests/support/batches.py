"""A provider and the application that it sends to (线上批次的测试环境)."""

import json
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import FastAPI
from httpx2 import Response
from psycopg import sql
from starlette.testclient import TestClient

from app.activities.api import LARGER_BODIES, router
from app.activities.correction_api import router as corrections
from app.activities.quality_api import router as quality
from app.anchoring.inclusion_api import router as inclusion
from app.citizens import WHEREABOUTS, enrol_unknown
from app.kernel.clock import now
from app.kernel.db import Database
from app.kernel.http import install
from app.kernel.secrets import Keys
from app.kernel.settings import Settings
from app.kernel.signing import sign
from app.providers import Provider, add_provider, register_key
from app.providers.api import router as own_keys

HOST = "http://testserver"
PATH = "/v1/activity-batches"
RIDE = f"{PATH}?methodology=SZ-METRO"
YESTERDAY = now() - timedelta(days=1)
SCENE = "sz-metro"


@dataclass(frozen=True, slots=True)
class Town:
    """What an application stands on, without servers of its own."""

    db: Database
    keys: Keys
    settings: Settings


@dataclass(frozen=True, slots=True)
class Sender:
    """A provider with its private key and a client of the application."""

    client: TestClient
    provider: Provider
    keyid: str
    private_key: Ed25519PrivateKey = field(repr=False)

    def headers(
        self, method: str, path: str, *, body: bytes = b"", key: str = "k-1", **changes: object
    ) -> dict[str, str]:
        """Sign a request of this provider."""
        facts: dict[str, Any] = {"at": now(), "body": body, "idempotency_key": key, **changes}
        return sign(self.private_key, self.keyid, method, HOST + path, **facts)

    def send(
        self, body: bytes, *, key: str = "k-1", path: str = RIDE, **changes: object
    ) -> Response:
        """Send a batch."""
        headers = self.headers("POST", path, body=body, key=key, **changes)
        return self.client.post(path, content=body, headers=headers)

    def get(self, path: str) -> Response:
        """Read."""
        return self.client.get(path, headers=self.headers("GET", path))


@contextmanager
def client_of(town: Town) -> Generator[TestClient]:
    """Serve what providers ask, with the kernel's layers around it."""
    app = FastAPI()
    app.state.city = town
    install(app, body_max=LARGER_BODIES)
    for each in (router, corrections, quality, own_keys, inclusion):
        app.include_router(each)
    with TestClient(app, base_url=HOST) as client:
        yield client


def sender(town: Town, client: TestClient, code: str = "sz-metro") -> Sender:
    """Open a provider with one key."""
    private_key = Ed25519PrivateKey.generate()
    at = now() - timedelta(hours=1)
    provider = town.db.transact(add_provider, code, name_zh="测试", name_en="Test", at=at)
    public = private_key.public_key().public_bytes_raw()
    town.db.transact(register_key, provider, f"{code}-1", public, at=at)
    return Sender(client, provider, f"{code}-1", private_key)


def enrol(town: Town, provider: Provider, subjects: list[str], scene: str = SCENE) -> None:
    """Give subjects an account, a link and a consent, for their whereabouts as well."""
    for each in (scene, WHEREABOUTS):
        town.db.transact(
            enrol_unknown,
            town.keys,
            provider.id,
            [town.keys.subject_hash(provider.code, subject) for subject in subjects],
            each,
            since=now() - timedelta(days=30),
            at=now(),
            is_production=False,
        )


def ride(number: int, *, subject: str = "CARD-1", at: datetime | None = None, **more: str) -> bytes:
    """Write one metro ride of ten kilometres as a line."""
    occurred_at = at or YESTERDAY - timedelta(minutes=30 * number)
    line = {
        "external_id": f"ride-{number}",
        "subject": subject,
        "occurred_at": occurred_at.isoformat(),
        "distance": "10",
        **more,
    }
    return json.dumps(line).encode() + b"\n"


def counts(database_url: str, *tables: str) -> list[int]:
    """Count rows as superuser."""
    with psycopg.connect(database_url) as connection:
        return [
            connection.execute(
                sql.SQL("select count(*) from {}").format(sql.Identifier(table))
            ).fetchall()[0][0]
            for table in tables
        ]
