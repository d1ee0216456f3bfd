"""Consents, profile and guardians over the API (授权、资料与监护接口), a second person looking."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from sqlmodel import Session
from starlette.testclient import TestClient

from app.activities.choice import chosen
from app.citizens import Citizen, open_citizens
from app.city import City
from app.kernel.clock import day_of, now
from app.kernel.db import driver
from app.kernel.scopes import SCOPES, Role
from app.kernel.tokens import Principal
from app.providers import Provider, add_provider, suspend_provider
from methodologies import CATALOG
from tests.support.acts import counts, item, rows, send

METRO = "/v1/me/consents/metro"
RIDE = chosen(CATALOG["TP-TRIP", 1])
BOTH = {"scenes": ["tp-trip"], "whereabouts": True, "at_least_14": True}


class Person:
    """Somebody with a token, who calls the API."""

    def __init__(self, client: TestClient, app: FastAPI, city: City) -> None:
        (self.citizen,) = city.db.transact(open_citizens, city.keys, 1, at=now(), basis="self")
        query = "select public_id from subject where bucket = %s and account = %s"
        ((public_id,),) = rows(city.db, query, self.citizen.bucket, self.citizen.number)
        who = Principal("citizen", public_id, SCOPES[Role.CITIZEN], self.citizen.number)
        token = app.state.tokens.issue(who, at=now())
        self._client, self._headers = client, {"authorization": f"Bearer {token}"}

    def __call__(self, method: str, path: str, status: int = 200, json: object = None) -> Any:  # noqa: ANN401 -- any answer
        answer = self._client.request(method, path, headers=self._headers, json=json)
        assert answer.status_code == status, answer.text
        assert answer.headers["cache-control"] == "no-store"
        return answer.json() if answer.content else None


@pytest.fixture
def metro(city: City) -> Provider:
    at = now() - timedelta(days=400)
    return city.db.transact(add_provider, "metro", name_zh="地铁", name_en="Metro", at=at)


@pytest.fixture
def person(client: TestClient, app: FastAPI, city: City, metro: Provider) -> Callable[[], Person]:
    assert metro.code == "metro"
    return lambda: Person(client, app, city)


def ride(city: City, line: int, card: str) -> dict[str, int]:
    act = item(
        line, subject=card, occurred_at=now() - timedelta(milliseconds=1), inputs={"mode": "metro"}
    )
    return counts(send(city.db, city.keys, "metro", [act], RIDE))


def test_a_consent_counts_from_now_until_it_is_withdrawn(
    city: City, person: Callable[[], Person]
) -> None:
    me = person()
    made = me("PUT", METRO, json={**BOTH, "instruments": [" CARD-1 "]})
    assert [each["scene"] for each in made["scenes"] if each["is_given"]] == ["tp-trip"]
    assert made["whereabouts"]["is_given"]
    assert len(made["instruments"]) == 1
    assert ride(city, 1, "CARD-1") == {"accepted": 1}
    me("DELETE", METRO, 204)
    me("DELETE", METRO, 204)
    assert ride(city, 2, "CARD-1") == {"refused": 1}
    left = me("GET", METRO)
    assert not left["scenes"][0]["is_given"]
    assert left["instruments"][0]["until"] is not None
    assert "CARD-1" not in str(me("GET", "/v1/me/consents"))


def test_whereabouts_are_given_in_so_many_words(city: City, person: Callable[[], Person]) -> None:
    me = person()
    me("PUT", METRO, 422, json={"scenes": ["tp-trip"], "at_least_14": True})
    me("PUT", METRO, json={**BOTH, "whereabouts": False, "instruments": ["CARD-1"]})
    assert ride(city, 1, "CARD-1") == {"refused": 1}
    me("PUT", METRO, json=BOTH)
    assert ride(city, 2, "CARD-1") == {"accepted": 1}
    me("PUT", METRO, json={**BOTH, "whereabouts": False})
    assert ride(city, 3, "CARD-1") == {"refused": 1}


def test_what_is_put_is_what_holds_and_history_is_kept(person: Callable[[], Person]) -> None:
    me = person()
    for scenes in (["tp-trip"], ["tp-trip"], ["sz-metro"], ["tp-trip", "sz-metro"]):
        me("PUT", METRO, json={**BOTH, "scenes": scenes})
    told = {each["scene"]: each for each in me("GET", METRO)["scenes"]}
    assert [each["until"] is None for each in told["tp-trip"]["history"]] == [False, True]
    assert len(told["sz-metro"]["history"]) == 1
    first, second = told["tp-trip"]["history"]
    assert first["since"] < first["until"] <= second["since"]


def test_a_card_is_one_persons_and_nobody_hears_whose(person: Callable[[], Person]) -> None:
    a, b = person(), person()
    a("PUT", METRO, json={**BOTH, "instruments": ["CARD-1"]})
    refused = b("PUT", METRO, 409, json={**BOTH, "instruments": ["CARD-2", "CARD-1"]})
    assert refused["code"] == "citizens.instrument_taken"
    assert str(a.citizen.number) not in str(refused)
    b("GET", METRO, 404)
    a("PUT", METRO, json={**BOTH, "instruments": []})
    b("PUT", METRO, json={**BOTH, "instruments": ["CARD-1"]})
    assert [each["until"] is None for each in a("GET", METRO)["instruments"]] == [False]


def test_nobody_sees_or_ends_what_is_anothers(person: Callable[[], Person]) -> None:
    a, b = person(), person()
    a("PUT", METRO, json={**BOTH, "instruments": ["CARD-1"]})
    before = a("GET", "/v1/me/consents")
    b("DELETE", METRO, 204)
    b("PATCH", "/v1/me", json={"display_name": "B", "automatic_exchange": True})
    assert a("GET", "/v1/me/consents") == before
    assert b("GET", "/v1/me/consents")["data"] == []
    assert a("GET", "/v1/me")["display_name"] is None
    assert not a("GET", "/v1/me")["automatic_exchange"]


def test_what_cannot_be_consented_to_is_refused(
    city: City, metro: Provider, person: Callable[[], Person]
) -> None:
    me = person()
    assert me("PUT", METRO, 422, json={**BOTH, "scenes": ["no-such"]})["code"] == (
        "consents.scene_unknown"
    )
    me("PUT", METRO, 422, json={**BOTH, "scenes": ["whereabouts"]})
    me("PUT", "/v1/me/consents/nobody", 404, json=BOTH)
    me("DELETE", "/v1/me/consents/nobody", 404)
    me("PUT", METRO, json=BOTH)
    city.db.transact(suspend_provider, metro, at=now())
    me("PUT", METRO, 403, json=BOTH)
    me("DELETE", METRO, 204)


def test_a_profile_is_sealed_and_changed_field_by_field(
    city: City, person: Callable[[], Person]
) -> None:
    me = person()
    me("PATCH", "/v1/me", json={"display_name": "隐名人", "birth_date": "1990-05-01"})
    me("PATCH", "/v1/me", json={"automatic_exchange": True})
    told = me("PATCH", "/v1/me", json={"language": "zh"})
    assert (told["display_name"], told["birth_date"]) == ("隐名人", "1990-05-01")
    assert (told["automatic_exchange"], told["language"]) == (True, "zh")
    ((sealed,),) = rows(city.db, "select sealed from profile")
    assert "隐名人".encode() not in sealed
    assert b"1990" not in sealed
    assert me("PATCH", "/v1/me", json={"display_name": None})["display_name"] is None
    assert me("PATCH", "/v1/me", 409, json={"birth_date": "1991-05-01"})["code"] == (
        "profile.birth_date_fixed"
    )
    me("PATCH", "/v1/me", json={"birth_date": "1990-05-01"})
    other = person()
    other("PATCH", "/v1/me", 422, json={"birth_date": "2999-01-01"})
    for wrong in (
        {"birth_date": None},
        {"language": "fr"},
        {"phone": "1"},
        {"display_name": "a\0"},
    ):
        other("PATCH", "/v1/me", 422, json=wrong)


def _born(years: int) -> str:
    today = day_of(now())
    return today.replace(year=today.year - years, day=min(today.day, 28)).isoformat()


def test_under_14_a_guardian_consents_first(city: City, person: Callable[[], Person]) -> None:
    child, parent = person(), person()
    child("PATCH", "/v1/me", json={"birth_date": _born(10)})
    refused = child("PUT", METRO, 403, json=BOTH)
    assert refused["code"] == "consents.guardian_needed"
    code = child("POST", "/v1/me/guardian-codes", 201)["code"]
    parent("POST", "/v1/me/wards", 403, json={"code": code})
    parent("PATCH", "/v1/me", json={"birth_date": _born(40)})
    pair = parent("POST", "/v1/me/wards", 201, json={"code": code.upper()})
    parent("POST", "/v1/me/wards", 404, json={"code": code})
    assert parent("GET", "/v1/me/wards")["data"] == [pair]
    assert child("GET", "/v1/me")["guardian"] == pair
    child("PUT", METRO, json={**BOTH, "instruments": ["CARD-1"]})
    assert ride(city, 1, "CARD-1") == {"accepted": 1}

    person()("DELETE", f"/v1/me/guardianships/{pair['id']}", 404)
    assert ride(city, 2, "CARD-1") == {"accepted": 1}
    parent("DELETE", f"/v1/me/guardianships/{pair['id']}", 204)
    assert ride(city, 3, "CARD-1") == {"refused": 1}
    child("PUT", METRO, 403, json=BOTH)
    assert child("GET", "/v1/me")["guardian"] is None


def test_whoever_says_nothing_of_their_age_needs_a_guardian(person: Callable[[], Person]) -> None:
    me = person()
    me("PUT", METRO, 403, json={**BOTH, "at_least_14": False})
    me("PATCH", "/v1/me", json={"birth_date": _born(14)})
    me("PUT", METRO, json={**BOTH, "at_least_14": False})
    assert me("POST", "/v1/me/guardian-codes", 409)["code"] == "guardians.not_needed"


def test_at_14_a_guardian_ends_nothing(city: City, person: Callable[[], Person]) -> None:
    child, parent = person(), person()
    child("PATCH", "/v1/me", json={"birth_date": _born(10)})
    parent("PATCH", "/v1/me", json={"birth_date": _born(40)})
    code = child("POST", "/v1/me/guardian-codes", 201)["code"]
    pair = parent("POST", "/v1/me/wards", 201, json={"code": code})
    child("PUT", METRO, json={**BOTH, "instruments": ["CARD-1"]})
    _grow_up(city, child.citizen)
    parent("DELETE", f"/v1/me/guardianships/{pair['id']}", 204)
    assert ride(city, 1, "CARD-1") == {"accepted": 1}


def _grow_up(city: City, child: Citizen) -> None:
    from app.citizens.personal import seal_personal  # noqa: PLC0415 -- a test's own short cut

    def command(session: Session) -> None:
        seal_personal(city.keys, driver(session), child, {"birth_date": _born(14)})

    city.db.transact(command)


def test_nobody_is_their_own_guardian_and_one_is_enough(person: Callable[[], Person]) -> None:
    child, parent, other = person(), person(), person()
    child("PATCH", "/v1/me", json={"birth_date": _born(10)})
    for grown in (parent, other):
        grown("PATCH", "/v1/me", json={"birth_date": _born(40)})
    code = child("POST", "/v1/me/guardian-codes", 201)["code"]
    child("POST", "/v1/me/wards", 403, json={"code": code})
    parent("POST", "/v1/me/wards", 201, json={"code": code})
    assert child("POST", "/v1/me/guardian-codes", 409)["code"] == "guardians.held"
    for wrong in ("", "0" * 12, "not a code!!", code[:-1]):
        other("POST", "/v1/me/wards", 404, json={"code": wrong})
