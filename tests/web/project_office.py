"""Everybody whom the life of a project takes, over HTTP (减排项目各方)."""

from dataclasses import dataclass
from typing import Any, Final

from fastapi import FastAPI
from httpx2 import Response
from starlette.testclient import TestClient

from app.citizens import Citizen
from app.city import City
from ledger.accounts import bucket_of
from tests.support.desk import Desk, Person
from tests.support.organisations import organisation
from tests.support.points import citizens
from tests.support.projects import design
from tests.web.neighbours import neighbour
from tests.web.shops import decided

Json = dict[str, Any]
ADMIN: Final = "/v1/admin/projects"
REPORTS: Final = "/v1/admin/monitoring-reports"


@dataclass
class Office:
    """Everybody whom the life of a project takes."""

    app: FastAPI
    client: TestClient
    city: City
    desk: Desk
    second_operator: Person

    @property
    def registrars(self) -> tuple[Person, Person]:
        return self.desk.operator, self.second_operator

    def firm(self, number: int = 1) -> Person:
        return organisation(self.city.db, self.city.keys, number).person(self.app, self.client)

    def citizen(self) -> Person:
        (owner,) = citizens(self.city.db, self.city.keys, 1)
        told = neighbour(self.app, self.client, Citizen(bucket_of(owner), owner))
        who = self.app.state.tokens.read(told.token)
        return Person(self.client, who, {"Authorization": f"Bearer {told.token}"})

    def applied(self, owner: Person, **changes: Any) -> str:  # noqa: ANN401 -- JSON
        answer = owner.post("/v1/projects", design(**changes))
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    def reviewed(self, project: str, revision: int = 1) -> None:
        for expert in (self.desk.expert, self.desk.verifier):
            vote = {"revision": revision, "vote": "approve", "comment": "right"}
            assert expert.post(f"{ADMIN}/{project}/reviews", vote).status_code == 201

    def register(self, project: str, revision: int = 1) -> Response:
        body = {"revision": revision, "reason": "Reviewed"}
        return decided(self.registrars, f"{ADMIN}/{project}/registration", body)

    def registered(self, owner: Person, **changes: Any) -> str:  # noqa: ANN401 -- JSON
        project = self.applied(owner, **changes)
        self.reviewed(project)
        assert self.register(project).status_code == 200
        return project

    def sent(self, owner: Person, project: str, body: Json) -> str:
        answer = owner.post(f"/v1/projects/{project}/reports", body)
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    def decide(self, sent: str, *, accepts: bool = True) -> Response:
        body = {"accepts": accepts, "finding": "Held against the invoices"}
        return self.desk.verifier.post(f"{REPORTS}/{sent}/decision", body)
