"""Organisations in tests (机构): open, with an owner and an agent; and the operator's own."""

from dataclasses import dataclass, field
from datetime import datetime

from fastapi import FastAPI
from sqlmodel import Session
from starlette.testclient import TestClient

from app.kernel.clock import now
from app.kernel.db import Database
from app.kernel.ids import new_id
from app.kernel.scopes import SCOPES
from app.kernel.secrets import Keys
from app.kernel.tokens import Principal
from app.organisations import (
    NewOrganisation,
    Organisation,
    OrganisationKind,
    OrganisationRole,
    OrganisationUser,
    open_operator,
    open_organisation,
)
from app.organisations.people import PEOPLE, ROLES
from app.staff.credentials import commitment, new_enrolment
from tests.support.desk import Person
from tests.support.mall import registration

FIRST: int = 700_000
"""Behind the numbers of merchants, so that no two have one code."""


@dataclass
class Office:
    """An organisation, an owner and an agent of it, who have not enrolled."""

    organisation: Organisation
    owner: OrganisationUser
    agent: OrganisationUser
    secrets: dict[str, str] = field(repr=False)
    """By login, how they enrol."""

    def principal(self, user: OrganisationUser | None = None) -> Principal:
        """Give the agent, or somebody else of it, as a token names them."""
        who = user or self.agent
        return Principal("organisation", who.id, SCOPES[ROLES[who.role]], self.organisation.owner)

    def person(
        self, app: FastAPI, client: TestClient, user: OrganisationUser | None = None
    ) -> Person:
        """Give the agent, or somebody else of it, logged in at a keyboard."""
        who = self.principal(user)
        token = app.state.tokens.issue(who, at=now())
        return Person(client, who, {"Authorization": f"Bearer {token}"})


def organisation(
    db: Database,
    keys: Keys,
    number: int = 1,
    *,
    kind: OrganisationKind = OrganisationKind.ENTERPRISE,
    at: datetime | None = None,
) -> Office:
    """Open an organisation with an owner and an agent; ``number`` tells it from others.

    Of kind ``operator`` it is the operator's own, opened or found.
    """
    opened_at, code = at or now(), registration(FIRST + number)
    new = NewOrganisation(new_id(), kind, f"机构{number}", f"Organisation {number}", code)
    users = {role: (new_id(), f"{role}.o{number}") for role in OrganisationRole}
    secrets = {login: new_enrolment() for _, login in users.values()}

    def command(session: Session) -> Office:
        opens = open_operator if kind is OrganisationKind.OPERATOR else open_organisation
        made = opens(session, keys, new, at=opened_at)
        people: list[OrganisationUser] = []
        for role, (id_, login) in users.items():
            user = OrganisationUser(id_, made.id, login, "李安", role, opened_at)
            PEOPLE.add(session, user, commitment(secrets[login]))
            people.append(user)
        owner, agent = people
        return Office(made, owner, agent, secrets)

    return db.transact(command)
