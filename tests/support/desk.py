"""The desk in web tests (办事台): clerks with their tokens, and a document that grows versions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from fastapi import FastAPI
from httpx2 import Response
from sqlmodel import Session
from starlette.testclient import TestClient

from app.catalogue import FactorCorrection
from app.city import City
from app.governance.correcting import order_correction
from app.kernel.clock import now
from app.kernel.db import Database, driver
from app.kernel.ids import new_id
from app.kernel.scopes import SCOPES, Role
from app.kernel.tokens import Principal
from app.staff import Signing
from app.staff.clerks import Clerk, add_clerk
from methodologies import Document, load
from tests.support.acts import ride_text

PROPOSALS = "/v1/methodology-proposals"


@dataclass
class Person:
    """A clerk at a keyboard."""

    client: TestClient
    who: Principal
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    def post(self, path: str, body: Any = None, key: str | None = None) -> Response:  # noqa: ANN401
        keyed = {"Idempotency-Key": key or new_id().hex}
        return self.client.post(path, json=body, headers={**self.headers, **keyed})

    def get(self, path: str) -> Response:
        return self.client.get(path, headers=dict(self.headers))

    def delete(self, path: str) -> Response:
        return self.client.delete(path, headers=dict(self.headers))

    def sign(self, approval: str) -> Response:
        return self.post(f"/v1/admin/approvals/{approval}/signature")


def clerk(app: FastAPI, client: TestClient, city: City, role: Role, login: str) -> Person:
    """Admit a clerk of one role, and log them in."""
    made = Clerk(new_id(), login, f"Name {login}", "Test house", frozenset({role}), now())
    city.db.transact(add_clerk, made, bytes(32))
    who = Principal("clerk", made.id, SCOPES[role])
    token = app.state.tokens.issue(who, at=now())
    return Person(client, who, {"Authorization": f"Bearer {token}"})


@dataclass
class Desk:
    """Everybody whom the life of a methodology takes."""

    expert: Person
    second_expert: Person
    third_expert: Person
    fourth_expert: Person
    regulator: Person
    second_regulator: Person
    operator: Person
    verifier: Person

    @property
    def experts(self) -> list[Person]:
        return [self.expert, self.second_expert]


def staffed(app: FastAPI, client: TestClient, city: City) -> Desk:
    """Admit everybody whom the life of a methodology takes."""

    def person(role: Role, login: str) -> Person:
        return clerk(app, client, city, role, login)

    return Desk(
        person(Role.EXPERT, "e1"),
        person(Role.EXPERT, "e2"),
        person(Role.EXPERT, "e3"),
        person(Role.EXPERT, "e4"),
        person(Role.REGULATOR, "r1"),
        person(Role.REGULATOR, "r2"),
        person(Role.OPERATOR, "o1"),
        person(Role.VERIFIER, "v1"),
    )


def propose(who: Person, document: str) -> dict[str, Any]:
    answer = who.post(PROPOSALS, {"document": document, "summary": "a test"})
    assert answer.status_code == 201, answer.text
    return answer.json()


def reviewed(desk: Desk, document: str) -> str:
    """Give a proposal that two experts approved."""
    proposal = str(propose(desk.operator, document)["id"])
    for expert in desk.experts:
        vote = {"revision": 1, "vote": "approve", "comment": "right"}
        answer = expert.post(f"{PROPOSALS}/{proposal}/reviews", vote)
        assert answer.status_code == 201, answer.text
    return proposal


def published(desk: Desk, document: str) -> str:
    """Give a proposal that two regulators published."""
    proposal = reviewed(desk, document)
    body = {"revision": 1, "reason": "agreed"}
    asked = desk.regulator.post(f"{PROPOSALS}/{proposal}/publication", body)
    assert asked.status_code == 202, asked.text
    signed = desk.second_regulator.sign(asked.json()["id"])
    assert signed.status_code == 200, signed.text
    return proposal


def text(
    *,
    code: str = "TEST-RIDE",
    version: int = 1,
    saving: str = "100",
    effective: str = "2020-01-01",
    status: str = "published",
    distance: str = "10 km",
    expect: str | None = None,
    more: str = "",
) -> str:
    """A ride that saves so many grams a kilometre, under 3 kg a day, with its example."""
    if status != "missing":
        more += f"""
[[examples]]
given  = {{ distance = "{distance}" }}
expect = {{ reduction = "{expect or f"{int(saving) * 10} g"}" }}
"""
    return ride_text(
        code, version=version, saving=saving, effective=effective, status=status, more=more
    )


def put_in_library(db: Database, source: str) -> Document:
    """Publish a document as two people would have; its proposal was elsewhere."""
    document = load(source.encode())

    def command(session: Session) -> None:
        driver(session).execute(
            "insert into methodology_document values (%s, %s, %s, %s, %s, 1, 'a', 'b', %s)",
            (
                document.code,
                document.version,
                bytes.fromhex(document.sha256),
                source.encode(),
                new_id(),
                now(),
            ),
        )

    db.transact(command)
    return document


def order(
    db: Database,
    since: date,
    until: date,
    *,
    version: int = 1,
    replacement: int = 2,
    code: str = "TEST-RIDE",
) -> FactorCorrection:
    """Order a correction as two people would have, two hours ago."""
    signing = Signing(new_id(), "r1", "r2", now() - timedelta(hours=2))
    payload = {
        "code": code,
        "version": version,
        "replacement": replacement,
        "since": since.isoformat(),
        "until": until.isoformat(),
        "reason": "a test",
    }
    db.transact(order_correction, payload, signing)
    return FactorCorrection(signing.approval, code, version, replacement, since, until)
