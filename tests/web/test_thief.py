"""A thief and a hostile insider (攻击者): what each tried over HTTP, and is refused."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import FastAPI
from sqlmodel import Session
from starlette.testclient import TestClient

from app.city import City
from app.kernel.clock import day_of, now
from app.kernel.scopes import Role
from app.kernel.signing import sign
from app.providers import add_provider, register_key
from app.staff.clerks import change_roles, suspend_clerk
from tests.support import desk as clerks
from tests.support.points import programme, slices
from tests.web.entering import Person, Phones, bearer, pass_time

Clerk = Callable[[Role, str], clerks.Person]
CONFIRM = {"confirm": "erase"}


@pytest.fixture
def clerk(app: FastAPI, client: TestClient, city: City) -> Clerk:
    return lambda role, login: clerks.clerk(app, client, city, role, login)


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


def test_a_child_who_says_so_afterwards_has_consented_to_nothing(
    client: TestClient, phones: Phones, city: City
) -> None:
    city.db.transact(add_provider, "metro", name_zh="地铁", name_en="Metro", at=now())
    headers = bearer(Person(client, phones).log_in()["access_token"])
    consent = {"scenes": ["tp-trip"], "whereabouts": True, "at_least_14": True}
    path = "/v1/me/consents/metro"
    assert client.put(path, headers=headers, json=consent).status_code == 200
    born = {"birth_date": str(day_of(now()) - timedelta(days=3_650))}
    assert client.patch("/v1/me", headers=headers, json=born).status_code == 200
    told = client.get(path, headers=headers).json()
    assert (told["scenes"][0]["is_given"], told["whereabouts"]["is_given"]) == (False, False)
    assert client.put(path, headers=headers, json=consent).status_code == 403


def test_exports_are_not_made_by_the_hundred(client: TestClient, phones: Phones) -> None:
    headers = bearer(Person(client, phones).log_in()["access_token"])
    answers = [client.get("/v1/me/export", headers=headers) for _ in range(12)]
    assert [each.status_code for each in answers[:10]] == [200] * 10
    assert {(each.status_code, each.json()["code"]) for each in answers[10:]} == {
        (429, "limits.exceeded")
    }
    other = bearer(
        Person(client, phones, "+8613800000009", device="device-of-bob-00001").log_in()[
            "access_token"
        ]
    )
    assert client.get("/v1/me/export", headers=other).status_code == 200


def test_what_was_signed_for_the_sandbox_is_not_taken_by_the_ledger(
    client: TestClient, city: City
) -> None:
    key = Ed25519PrivateKey.generate()

    def opened(session: Session) -> None:
        metro = add_provider(session, "metro", name_zh="地铁", name_en="Metro", at=now())
        register_key(session, metro, "k1", key.public_key().public_bytes_raw(), at=now())

    city.db.transact(opened)

    def read(host: str) -> tuple[int, str]:
        headers = sign(key, "k1", "GET", f"http://{host}/v1/provider/keys", at=now())
        answer = client.get("/v1/provider/keys", headers={**headers, "host": host})
        return answer.status_code, answer.json().get("code", "")

    assert read("sandbox.carbon.example") == (401, "signature.invalid")
    assert read("SANDBOX.carbon.example") == (401, "signature.invalid")
    assert read("carbon.example") == (200, "")
