"""Statements that a person holds: issued, checked, revoked, seen; and checked by a stranger."""

import json
import zlib
from base64 import urlsafe_b64decode
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from typing import Any

import jwt
import pytest
from fastapi import FastAPI
from httpx2 import Response
from starlette.testclient import TestClient

from app.city import City
from app.kernel.db import Database
from app.kernel.secrets import Keys
from app.privacy.forgetting import forget
from tests.support.acts import rows
from tests.support.years import METRO, Street, days_ago
from tests.web.neighbours import KG, Neighbour, neighbour

WISH: dict[str, Any] = {
    "purpose": "green loan",
    "audience": "bank.example",
    "days": 30,
    "reduction_kg_at_least": 50,
    "score_at_least": 200,
}


@pytest.fixture
def people(
    app: FastAPI, client: TestClient, db: Database, keys: Keys
) -> tuple[Neighbour, Neighbour]:
    street = Street(db, keys, 2)
    ann, bo = street.people
    street.did(ann, METRO, days_ago(*range(40)), 2_345_678)
    street.did(bo, METRO, days_ago(1), KG)
    return neighbour(app, client, ann), neighbour(app, client, bo)


def issued(who: Neighbour, **wish: int | None) -> dict[str, Any]:
    answer = who.ask("POST", "/v1/me/statements", WISH | wish)
    assert answer.status_code == 201, answer.text
    return answer.json()


def checked(client: TestClient, token: str, verifier: str = "bank.example") -> dict[str, Any]:
    body = {"statement": token, "verifier": verifier}
    answer = client.post("/v1/public/statements/verify", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_its_reader_learns_what_was_chosen_and_nothing_more(
    people: tuple[Neighbour, Neighbour], client: TestClient
) -> None:
    ann, _ = people
    token = issued(ann)["token"]
    shown = checked(client, token)
    assert shown["outcome"] == "valid"
    assert shown["claims"]["reduction_12_months"] == {"at_least_kg": 50}
    assert shown["claims"]["score"]["at_least"] == 200
    signed, *disclosures, _ = token.split("~")
    payload = jwt.decode(signed, options={"verify_signature": False})
    told = json.dumps(payload) + "".join(map(text_of, disclosures))
    exact = str(ann.get("/v1/me/score")["score"])
    own = (str(ann.citizen.number), "93.8", "93827120", METRO)
    assert not any(secret in told for secret in own)
    assert f'": {exact}' not in told


def text_of(disclosure: str) -> str:
    return urlsafe_b64decode(disclosure + "=" * (-len(disclosure) % 4)).decode()


def test_a_claim_may_be_left_out(people: tuple[Neighbour, Neighbour], client: TestClient) -> None:
    ann, _ = people
    signed, first, _, _ = issued(ann)["token"].split("~")
    shown = checked(client, f"{signed}~{first}~")
    assert list(shown["claims"]) == ["reduction_12_months"]
    assert checked(client, f"{signed}~")["claims"] == {}


def test_who_is_not_meant_learns_nothing_and_is_noted(
    people: tuple[Neighbour, Neighbour], client: TestClient
) -> None:
    ann, bo = people
    made = issued(ann)
    assert checked(client, made["token"], "landlord.example")["outcome"] == "other_audience"
    assert checked(client, made["token"], "landlord.example")["claims"] == {}
    checked(client, made["token"])
    log = ann.get(f"/v1/me/statements/{made['id']}/checks")["data"]
    seen = {(each["verifier"], each["outcome"]) for each in log}
    assert seen == {("landlord.example", "other_audience"), ("bank.example", "valid")}
    assert sum(each["times"] for each in log) == 3
    assert bo.ask("GET", f"/v1/me/statements/{made['id']}/checks").status_code == 404


def test_checks_are_listed_page_by_page(
    people: tuple[Neighbour, Neighbour], client: TestClient
) -> None:
    ann, _ = people
    made = issued(ann)
    for number in range(5):
        checked(client, made["token"], f"shop-{number}")
    path = f"/v1/me/statements/{made['id']}/checks"
    seen: list[str] = []
    more: dict[str, str] = {}
    for _ in range(4):
        page = ann.get(path, limit=2, **more)
        seen += [each["verifier"] for each in page["data"]]
        if page["next_cursor"] is None:
            break
        more = {"cursor": page["next_cursor"]}
    assert sorted(seen) == [f"shop-{number}" for number in range(5)]


def test_revoking_is_seen_by_everybody_and_stays(
    people: tuple[Neighbour, Neighbour], client: TestClient
) -> None:
    ann, bo = people
    made, kept = issued(ann), issued(ann)
    path = f"/v1/me/statements/{made['id']}"
    assert bo.ask("DELETE", path).status_code == 404
    assert checked(client, made["token"])["outcome"] == "valid"
    assert ann.ask("DELETE", path).status_code == 204
    assert ann.ask("DELETE", path).status_code == 204
    assert checked(client, made["token"])["outcome"] == "revoked"
    assert checked(client, made["token"])["claims"] == {}
    assert checked(client, kept["token"])["outcome"] == "valid"
    assert [is_revoked(client, each["token"]) for each in (made, kept)] == [True, False]
    listed = {each["id"]: each["revoked_at"] for each in ann.get("/v1/me/statements")["data"]}
    assert listed[made["id"]] is not None
    assert listed[kept["id"]] is None
    assert bo.get("/v1/me/statements")["data"] == []


def is_revoked(client: TestClient, token: str) -> bool:
    """What a stranger does, with the published key and nothing of ours (docs/growth.md)."""
    keys = client.get("/v1/public/statement-keys").json()["keys"]
    signed, *disclosures, end = token.split("~")
    assert end == ""
    key = jwt.PyJWK(next(k for k in keys if k["kid"] == jwt.get_unverified_header(signed)["kid"]))
    claims: dict[str, Any] = jwt.decode(signed, key, ["EdDSA"], audience="bank.example")
    for each in disclosures:
        digest = sha256(each.encode()).digest()
        assert any(urlsafe_b64decode(known + "=") == digest for known in claims["_sd"])
    place = claims["status"]["status_list"]
    path = place["uri"].removeprefix(f"https://{claims['iss'].split('/')[2]}")
    answer = client.get(path)
    assert answer.headers["content-type"] == "application/statuslist+jwt"
    listed: dict[str, Any] = jwt.decode(answer.text, key, ["EdDSA"])
    assert listed["sub"] == place["uri"]
    bits = zlib.decompress(urlsafe_b64decode(listed["status_list"]["lst"] + "=="))
    index: int = place["idx"]
    return bits[index >> 3] >> (index & 7) & 1 == 1


def test_nobody_states_what_their_rows_do_not_show(people: tuple[Neighbour, Neighbour]) -> None:
    ann, bo = people
    path = "/v1/me/statements"
    refused = bo.ask("POST", path, WISH)
    assert (refused.status_code, refused.json()["code"]) == (409, "statements.not_held")
    over = ann.ask("POST", path, WISH | {"reduction_kg_at_least": 100})
    assert over.json()["code"] == "statements.not_held"
    for odd in ({"reduction_kg_at_least": 93}, {"score_at_least": 350}):
        assert ann.ask("POST", path, WISH | odd).json()["code"] == "statements.range"
    silent = WISH | {"reduction_kg_at_least": None, "score_at_least": None}
    assert ann.ask("POST", path, silent).status_code == 422
    assert ann.ask("POST", path, WISH | {"purpose": "a\0b"}).status_code == 422


def test_a_repeated_request_gives_the_same_statement(people: tuple[Neighbour, Neighbour]) -> None:
    ann, _ = people
    first = ann.ask("POST", "/v1/me/statements", WISH, key="once")
    again = ann.ask("POST", "/v1/me/statements", WISH, key="once")
    assert first.content == again.content
    assert first.headers["cache-control"] == again.headers["cache-control"] == "no-store"
    assert again.headers["idempotent-replayed"] == "true"
    assert len(ann.get("/v1/me/statements")["data"]) == 1


def test_a_person_holds_so_many_and_no_more(people: tuple[Neighbour, Neighbour]) -> None:
    ann, _ = people
    made = [issued(ann) for _ in range(20)]
    assert ann.ask("POST", "/v1/me/statements", WISH).json()["code"] == "statements.too_many"
    ann.ask("DELETE", f"/v1/me/statements/{made[0]['id']}")
    issued(ann)


def test_at_once_a_person_gets_no_more_either(people: tuple[Neighbour, Neighbour]) -> None:
    ann, _ = people
    for _ in range(18):
        issued(ann)

    def ask(number: int) -> Response:
        return ann.ask("POST", "/v1/me/statements", WISH, key=f"once-{number}")

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(ask, range(8)))
    assert sorted(each.status_code for each in answers) == [201, 201, *[409] * 6]


@pytest.mark.parametrize("text", ["", "~", "a~", "a.b.c~", "é~", "\ud800~", "~" * 40, "x" * 9000])
def test_what_is_no_statement_is_refused(client: TestClient, text: str) -> None:
    body = json.dumps({"statement": text, "verifier": "v"})
    answer = client.post(
        "/v1/public/statements/verify",
        content=body,
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code == 422


def test_altering_one_character_is_noticed(
    people: tuple[Neighbour, Neighbour], client: TestClient, city: City
) -> None:
    ann, _ = people
    token = issued(ann)["token"]
    step = max(1, len(token) // 60)
    for place in range(0, len(token) - 1, step):
        other = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        body = {"statement": other, "verifier": "bank.example"}
        assert client.post("/v1/public/statements/verify", json=body).status_code == 422, place
    assert rows(city.db, "select 1 from statement_check") == []


def test_it_is_not_checked_without_end(
    people: tuple[Neighbour, Neighbour], client: TestClient
) -> None:
    ann, _ = people
    token = issued(ann)["token"]
    for _ in range(60):
        checked(client, token)
    body = {"statement": token, "verifier": "bank.example"}
    assert client.post("/v1/public/statements/verify", json=body).status_code == 429


def test_forgetting_a_person_revokes_and_leaves_no_word(
    people: tuple[Neighbour, Neighbour], client: TestClient, city: City
) -> None:
    ann, _ = people
    token = issued(ann)["token"]
    checked(client, token, "landlord.example")
    for _ in range(2):
        city.worker_db.transact(forget, city.keys, ann.citizen)
    found = rows(city.db, "select purpose, audience, is_revoked from statement")
    assert found == [("", "", True)]
    assert checked(client, token)["outcome"] == "revoked"
    assert is_revoked(client, token)
    assert rows(city.db, "select 1 from statement_check") == []
