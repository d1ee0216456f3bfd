"""Growth and score as people are told them: explained, recomputable, one's own alone."""

import tomllib
from hashlib import sha256

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.kernel.db import Database
from app.kernel.secrets import Keys
from tests.support.years import BAG, METRO, RECYCLING, TODAY, Street, days_ago
from tests.web.neighbours import KG, Neighbour, neighbour


@pytest.fixture
def people(
    app: FastAPI, client: TestClient, db: Database, keys: Keys
) -> tuple[Neighbour, Neighbour]:
    street = Street(db, keys, 2)
    ann, bo = street.people
    street.did(ann, METRO, days_ago(*range(40)), KG)
    street.did(ann, RECYCLING, days_ago(1, 2, 3), KG)
    street.did(ann, BAG, days_ago(60))
    return neighbour(app, client, ann), neighbour(app, client, bo)


def test_growth_says_where_a_person_stands(people: tuple[Neighbour, Neighbour]) -> None:
    ann, bo = people
    shown = ann.get("/v1/me/growth")
    assert shown["reduction"] == {"co2e_mg": 43 * KG, "co2e": "43.000000 kg"}
    assert shown["active_days"] == 41
    assert shown["growth"] == 430 + 2 * 41
    assert shown["level"]["number"] == 4
    assert shown["level"]["next_from"] == 700
    assert shown["streak"]["weeks"] in {6, 7}
    assert {each["code"] for each in shown["badges"] if each["is_held"]} >= {"first-act", "ten-kg"}
    assert bo.get("/v1/me/growth")["growth"] == 0


def test_every_point_of_a_score_follows_from_what_the_answer_says(
    people: tuple[Neighbour, Neighbour], client: TestClient
) -> None:
    ann, _ = people
    shown = ann.get("/v1/me/score")
    assert shown["score"] == sum(each["points"] for each in shown["components"])
    parts = {each["name"]: each for each in shown["components"]}
    weeks = int(parts["regularity"]["inputs"]["active_weeks"])
    assert parts["regularity"]["points"] == 250 * weeks // 52
    assert parts["evidence"]["inputs"] == {"proved_acts": "44", "acts": "44"}
    assert parts["evidence"]["points"] == 150 * 44 // 50
    assert parts["breadth"]["points"] == 100 * 2 // 4
    published = client.get(shown["rules"]["url"]).json()
    assert sha256(published["source"].encode()).hexdigest() == shown["rules"]["sha256"]
    rules = tomllib.loads(published["source"])
    assert parts["amount"]["parameters"] == {"points": 400, "full_kg": 500}
    assert parts["amount"]["formula"] == rules["amount"]["formula"]
    assert "提案" in shown["rules"]["label"]["zh"]


def test_who_did_nothing_has_no_score_and_not_zero(people: tuple[Neighbour, Neighbour]) -> None:
    _, bo = people
    shown = bo.get("/v1/me/score")
    assert shown["score"] is None
    assert shown["components"] == []


def test_a_score_can_be_asked_for_as_of_a_day(people: tuple[Neighbour, Neighbour]) -> None:
    ann, _ = people
    assert ann.get("/v1/me/score", as_of=TODAY.isoformat()) == ann.get("/v1/me/score")
    assert ann.get("/v1/me/score", as_of="2020-01-01")["score"] is None
    for day in ("9999-01-01", "0001-01-01", "yesterday"):
        assert ann.ask("GET", "/v1/me/growth", query={"as_of": day}).status_code == 422


def test_documents_are_public_and_never_change(client: TestClient) -> None:
    for kind in ("score", "growth"):
        answer = client.get(f"/v1/{kind}-documents/1")
        assert answer.headers["cache-control"] == "public, max-age=86400"
        again = client.get(
            f"/v1/{kind}-documents/1", headers={"If-None-Match": answer.headers["etag"]}
        )
        assert (again.status_code, again.content) == (304, b"")
        assert client.get(f"/v1/{kind}-documents/2").status_code == 404
