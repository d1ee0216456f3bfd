"""Organisations over HTTP (机构接口): what they have of their own beside what all firms have."""

from dataclasses import dataclass
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.city import City
from app.kernel.ids import parse_public_id
from app.organisations import OrganisationKind, operator_of
from app.staff.credentials import commitment, new_enrolment
from ledger.accounts import AccountKind
from tests.support.anchoring import rows_of
from tests.support.clerks import PASSWORD
from tests.support.desk import Person
from tests.support.mall import registration
from tests.support.organisations import organisation
from tests.web.shops import BANK_NUMBER, Worker, application, decided, enrolled

APPLICATIONS = "/v1/organisation-applications"
REASON = {"reason": "Visited"}


@dataclass
class Agency:
    """An organisation that applied and was approved, and its owner, logged in."""

    id: str
    owner: Worker

    def take_in(self, login: str, role: str = "agent") -> tuple[str, Worker]:
        secret = new_enrolment()
        hashed = commitment(secret).hex()
        body = {"login": login, "name": "王波", "role": role, "enrolment_sha256": hashed}
        made = self.owner.ask("POST", "/v1/organisation/users", body)
        assert made.status_code == 201, made.text
        client = self.owner.client
        return made.json()["id"], enrolled(client, login, secret, "organisation")


def admitted(client: TestClient, operators: tuple[Person, Person], number: int) -> Agency:
    secret = new_enrolment()
    sent = client.post(APPLICATIONS, json=application(number, secret, kind="enterprise"))
    assert sent.status_code == 201, sent.text
    path = f"/v1/admin/organisation-applications/{sent.json()['id']}/approval"
    assert decided(operators, path, REASON).status_code == 200
    owner = enrolled(client, f"owner.{number}", secret, "organisation").logged_in(steps=-1)
    return Agency(sent.json()["id"], owner)


@pytest.fixture
def agency(client: TestClient, operators: tuple[Person, Person]) -> Agency:
    return admitted(client, operators, 1)


def test_approved_by_two_it_has_an_owner_in_the_books(
    agency: Agency, city: City, operators: tuple[Person, Person]
) -> None:
    told = agency.owner.ask("GET", "/v1/organisation").json()
    assert (told["id"], told["kind"]) == (agency.id, "enterprise")
    assert told == operators[1].get(f"/v1/admin/organisations/{agency.id}").json()
    held = """
select (a.id >> 1) & 7, a.id & 1 from organisation o
  join account a on a.id - (a.id & 1) = o.account order by a.id"""
    organisation_ = AccountKind.ORGANISATION
    assert rows_of(city.db, held) == [(organisation_, 0), (organisation_, 1)]


def test_nobody_applies_as_the_operator(client: TestClient) -> None:
    body = application(1, new_enrolment(), kind="operator")
    assert client.post(APPLICATIONS, json=body).status_code == 422


def test_refused_it_is_forgotten_and_no_login_is_made(
    client: TestClient, city: City, operators: tuple[Person, Person]
) -> None:
    secret = new_enrolment()
    id_ = client.post(APPLICATIONS, json=application(1, secret, kind="institution")).json()["id"]
    path = f"/v1/admin/organisation-applications/{id_}"
    assert operators[0].get(f"{path}/contact").json()["bank"]["number"] == BANK_NUMBER
    assert decided(operators, f"{path}/refusal", REASON).status_code == 200
    assert operators[0].get(f"{path}/contact").status_code == 404
    assert operators[0].get(path).json()["state"] == "refused"
    assert rows_of(city.db, "select contact from organisation_application") == [(None,)]
    body = {"login": "owner.1", "secret": secret, "password": PASSWORD}
    assert client.post("/v1/organisation/enrolments", json=body).status_code == 401


def test_a_merchant_s_login_is_no_organisation_s(agency: Agency, client: TestClient) -> None:
    body = {"login": agency.owner.login, "password": PASSWORD, "code": agency.owner.code()}
    assert client.post("/v1/merchant/tokens", json=body).status_code == 401
    assert agency.owner.log_in().status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/organisation"),
        ("GET", "/v1/organisation/users"),
        ("POST", "/v1/organisation/users"),
        ("GET", "/v1/merchant"),
        ("GET", "/v1/admin/organisations"),
    ],
)
def test_an_agent_keeps_no_people(agency: Agency, method: str, path: str) -> None:
    _, agent = agency.take_in("agent.1")
    agent.logged_in()
    answer = agent.ask(method, path, {} if method == "POST" else None)
    assert (answer.status_code, answer.json()["code"]) == (403, "auth.scope_missing")


def test_another_organisation_s_people_are_as_if_nobody_s(
    agency: Agency, client: TestClient, operators: tuple[Person, Person]
) -> None:
    id_, _ = agency.take_in("agent.1")
    other = admitted(client, operators, 2)
    body = {"enrolment_sha256": "00" * 32}
    for path, sent in ((f"{id_}/suspension", None), (f"{id_}/reset", body)):
        answers = [
            other.owner.ask("POST", f"/v1/organisation/users/{each}", sent)
            for each in (path, path.replace(id_, "oru_01k0000000000000000000000a"))
        ]
        assert [each.json()["code"] for each in answers] == ["organisations.user_unknown"] * 2
    listed = other.owner.ask("GET", "/v1/organisation/users").json()["data"]
    assert [each["login"] for each in listed] == ["owner.2"]


def test_suspended_it_may_nothing_at_the_next_request_until_two_resume_it(
    agency: Agency, operators: tuple[Person, Person]
) -> None:
    path = f"/v1/admin/organisations/{agency.id}"
    assert operators[0].post(f"{path}/suspension", REASON).status_code == 201
    answer = agency.owner.ask("GET", "/v1/organisation")
    assert (answer.status_code, answer.json()["code"]) == (403, "organisations.suspended")
    assert agency.owner.log_in(steps=0).status_code == 401
    assert decided(operators, f"{path}/resumption", REASON).status_code == 200
    again = operators[0].post(f"{path}/resumption", REASON)
    assert again.json()["code"] == "organisations.not_suspended"
    agency.owner.logged_in(steps=1)
    assert agency.owner.ask("GET", "/v1/organisation").status_code == 200


def test_an_owner_who_lost_their_phone_is_let_in_by_two(
    agency: Agency, client: TestClient, operators: tuple[Person, Person]
) -> None:
    path = f"/v1/admin/organisations/{agency.id}/users"
    (owner,) = operators[0].get(path).json()["data"]
    secret = new_enrolment()
    body = {"enrolment_sha256": commitment(secret).hex(), **REASON}
    assert decided(operators, f"{path}/{owner['id']}/reset", body).status_code == 200
    assert agency.owner.log_in().status_code == 401
    enrolled(client, "owner.1", secret, "organisation").logged_in()


class TestOperator:
    """The operator's own organisation: one, opened by two, or by set-up."""

    BODY: dict[str, Any] = {  # noqa: RUF012 -- never changed
        "name_zh": "某市碳普惠运营有限公司",
        "name_en": "Some City Carbon Inclusion",
        "registration": registration(9),
        "owner": {"login": "own.1", "name": "李安", "enrolment_sha256": "00" * 32},
        "reason": "Set-up",
    }
    PATH = "/v1/admin/organisations/operator"

    def test_two_open_it_with_its_first_owner(
        self, client: TestClient, city: City, operators: tuple[Person, Person]
    ) -> None:
        secret = new_enrolment()
        owner = {**self.BODY["owner"], "enrolment_sha256": commitment(secret).hex()}
        body = {**self.BODY, "owner": owner}
        assert decided(operators, self.PATH, body).status_code == 200
        worker = enrolled(client, "own.1", secret, "organisation").logged_in()
        told = worker.ask("GET", "/v1/organisation").json()
        assert told["kind"] == "operator"
        assert parse_public_id("org", told["id"]) == city.db.read(operator_of).id

    def test_a_second_one_is_refused_and_the_same_one_is_given_somebody(
        self, city: City, operators: tuple[Person, Person]
    ) -> None:
        own = organisation(city.db, city.keys, kind=OrganisationKind.OPERATOR).organisation
        other = decided(operators, self.PATH, self.BODY)
        assert other.json()["code"] == "organisations.operator_opened"
        names = {
            "name_zh": own.name_zh,
            "name_en": own.name_en,
            "registration": own.registration,
        }
        owner = {**self.BODY["owner"], "login": "own.2"}
        same = {**self.BODY, **names, "owner": owner}
        assert decided(operators, self.PATH, same).status_code == 200
        assert city.db.read(operator_of).id == own.id
        path = f"/v1/admin/organisations/{own.public}/users"
        logins = [each["login"] for each in operators[0].get(path).json()["data"]]
        assert sorted(logins) == ["agent.o1", "own.2", "owner.o1"]

    def test_a_code_that_fails_its_check_is_refused(self, operators: tuple[Person, Person]) -> None:
        body = {**self.BODY, "registration": "91350100M000100Y44"}
        assert operators[0].post(self.PATH, body).json()["code"] == (
            "organisations.registration_invalid"
        )


def test_a_person_of_support_is_one_over_http(app: FastAPI, client: TestClient, city: City) -> None:
    office = organisation(city.db, city.keys)
    owner = office.person(app, client, office.owner)
    assert owner.get("/v1/organisation").json()["id"] == office.organisation.public
    assert office.person(app, client).get("/v1/organisation").status_code == 403
