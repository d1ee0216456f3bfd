"""A thief and a hostile insider (攻击者): what each tried over HTTP, and is refused."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.city import City
from app.kernel.clock import day_of, now
from app.kernel.scopes import Role
from app.staff.clerks import change_roles, suspend_clerk
from tests.support import desk as clerks
from tests.support.points import programme, slices
from tests.web.entering import Person, Phones, bearer, pass_time

Clerk = Callable[[Role, str], clerks.Person]
CONFIRM = {"confirm": "erase"}


@pytest.fixture
def clerk(app: FastAPI, client: TestClient, city: City) -> Clerk:
    return lambda role, login: clerks.clerk(app, client, city, role, login)


@pytest.fixture
def phones(app: FastAPI, client: TestClient) -> Phones:
    del client  # the application takes its settings' provider as it starts
    made = Phones()
    app.state.sms = made.sms
    return made


def asked_for_money(city: City, asker: clerks.Person) -> str:
    """A request for money in a programme that has none."""
    programme(city.db, city.keys)
    body = {"fen": 1_000_000, "reason": "June"}
    asked = asker.post("/v1/admin/programmes/green/funding", body)
    assert asked.status_code == 201, asked.text
    return asked.json()["id"]


def suspend(city: City, who: clerks.Person) -> None:
    city.db.transact(suspend_clerk, who.who.id, at=now())


def demote(city: City, who: clerks.Person) -> None:
    was, is_ = frozenset({Role.OPERATOR}), frozenset({Role.EXPERT})
    city.db.transact(change_roles, who.who.id, is_, was=was)


@pytest.mark.parametrize("take_away", [suspend, demote])
def test_whoever_lost_the_role_signs_nothing_with_the_token_that_is_left(
    clerk: Clerk, city: City, take_away: Callable[[City, clerks.Person], None]
) -> None:
    honest, thief = clerk(Role.OPERATOR, "o1"), clerk(Role.OPERATOR, "o2")
    approval = asked_for_money(city, honest)
    take_away(city, thief)
    answer = thief.sign(approval)
    assert (answer.status_code, answer.json()["code"]) == (404, "approvals.unknown")
    assert slices(city.db) == (0, 0)
    assert clerk(Role.OPERATOR, "o3").sign(approval).status_code == 200
    assert slices(city.db) == (1_000_000, 0)


def test_one_clerk_alone_makes_no_gram_worth_a_budget(clerk: Clerk, city: City) -> None:
    thief, honest = clerk(Role.OPERATOR, "o1"), clerk(Role.OPERATOR, "o2")
    programme(city.db, city.keys, 1_000_000)
    today = str(day_of(now()))
    rate = {"grade": "A", "mg_per_point": 1, "valid_from": today, "reason": "mine"}
    reward = {"methodology": "BJ-TABLEWARE", "points": 100_000, "valid_from": today}
    for path, body in (("rates", rate), ("rewards", {**reward, "reason": "mine"})):
        asked = thief.post(f"/v1/admin/programmes/green/{path}", body)
        assert (asked.status_code, asked.json().get("state")) == (201, "open"), asked.text
        assert thief.sign(asked.json()["id"]).json()["code"] == "approvals.own"
        shown = honest.client.get("/v1/public/programmes/green").json()
        assert {each["mg_per_point"] for each in shown["rates"]} == {10_000}
        assert shown["rewards"] == []
        assert honest.post(f"/v1/admin/approvals/{asked.json()['id']}/refusal").status_code == 200


def test_whoever_leaves_does_not_come_back_in_before_they_are_gone(
    client: TestClient, phones: Phones, city: City
) -> None:
    person = Person(client, phones)
    first = person.log_in()
    headers = bearer(first["access_token"]) | {"Idempotency-Key": "leave-1"}
    assert client.post("/v1/me/erasure", headers=headers, json=CONFIRM).status_code == 202
    assert person.refresh(first["refresh_token"]).status_code == 401

    pass_time(city.owner_url, timedelta(minutes=2))
    answer = person.show(*person.asked())
    assert (answer.status_code, answer.json()["code"]) == (409, "auth.leaving")
