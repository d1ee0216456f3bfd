"""A provider's own keys and secret over HTTP: registering, rotating, ending; nobody else's."""

import base64
import hmac
import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from httpx2 import Response
from starlette.testclient import TestClient

from app.kernel.db import Database
from ledger.encoding import evidence_commit
from tests.support.acts import one, rows
from tests.support.batches import Sender, Town, ride, sender

KEYS = "/v1/provider/keys"
JSON = "application/json"


def add(who: Sender, keyid: str, *, key: str = "a-1", **more: object) -> tuple[Response, Sender]:
    """Register a fresh key; gives the answer, and the sender as who holds it."""
    private_key = Ed25519PrivateKey.generate()
    public = base64.b64encode(private_key.public_key().public_bytes_raw()).decode()
    body = json.dumps({"key_id": keyid, "public_key": public, **more}).encode()
    answer = who.send(body, key=key, path=KEYS, content_type=JSON)
    return answer, Sender(who.client, who.provider, keyid, private_key)


def end(who: Sender, keyid: str, *, key: str = "d-1") -> Response:
    path = f"{KEYS}/{keyid}"
    return who.client.delete(path, headers=who.headers("DELETE", path, key=key))


def terms(who: Sender) -> Mapping[str, Any]:
    return {each["key_id"]: each for each in who.get(KEYS).json()["data"]}


def test_a_further_key_signs_beside_the_first(metro: Sender) -> None:
    answer, second = add(metro, "sz-metro-2")
    assert answer.status_code == 201, answer.text
    assert second.send(ride(1)).status_code == 201
    assert metro.send(ride(2), key="k-2").status_code == 201
    assert list(terms(metro)) == ["sz-metro-1", "sz-metro-2"]


def test_a_rotation_ends_the_others_when_it_says(metro: Sender) -> None:
    answer, second = add(metro, "sz-metro-2", others_end_in_s=3600)
    assert answer.status_code == 201
    assert metro.send(ride(1)).status_code == 201
    until = terms(second)["sz-metro-1"]["valid_to"]
    assert until is not None
    _, third = add(second, "sz-metro-3", key="a-2", others_end_in_s=0)
    assert third.send(ride(2), key="k-2").status_code == 201
    assert second.send(ride(3), key="k-3").json()["code"] == "signature.key_unknown"


def test_a_key_ends_at_once_and_never_the_last_one(metro: Sender) -> None:
    refused = end(metro, "sz-metro-1")
    assert (refused.status_code, refused.json()["code"]) == (409, "providers.key_last")
    _, second = add(metro, "sz-metro-2")
    ended = end(second, "sz-metro-1", key="d-2")
    assert (ended.status_code, ended.json()["key_id"]) == (200, "sz-metro-1")
    assert metro.get(KEYS).json()["code"] == "signature.key_unknown"
    again = end(second, "sz-metro-1", key="d-3")
    assert (again.status_code, again.json()["code"]) == (404, "providers.key_unknown")
    assert end(second, "sz-metro-2", key="d-4").json()["code"] == "providers.key_last"


def test_a_key_that_is_to_end_does_not_count_as_one_that_stays(metro: Sender) -> None:
    _, second = add(metro, "sz-metro-2", others_end_in_s=600)
    assert end(second, "sz-metro-2").json()["code"] == "providers.key_last"


def test_another_provider_neither_sees_nor_ends_it(
    town: Town, client: TestClient, metro: Sender
) -> None:
    other = sender(town, client, "hz-metro")
    add(metro, "sz-metro-2")
    assert list(terms(other)) == ["hz-metro-1"]
    foreign, nobodys = end(other, "sz-metro-1"), end(other, "nobody", key="d-2")
    assert foreign.json()["code"] == nobodys.json()["code"] == "providers.key_unknown"
    taken, _ = add(other, "sz-metro-1")
    assert taken.json()["code"] == "providers.key_taken"
    assert metro.send(ride(1)).status_code == 201


def test_it_is_answered_once_a_key(db: Database, metro: Sender) -> None:
    private_key = Ed25519PrivateKey.generate()
    public = base64.b64encode(private_key.public_key().public_bytes_raw()).decode()
    body = json.dumps({"key_id": "sz-metro-2", "public_key": public}).encode()
    first = metro.send(body, key="a-1", path=KEYS, content_type=JSON)
    again = metro.send(body, key="a-1", path=KEYS, content_type=JSON)
    assert (again.content, again.headers["idempotent-replayed"]) == (first.content, "true")
    assert one(db, "select count(*) from audit_entry") == (1,)
    no_key = metro.client.post(KEYS, content=body, headers={"content-type": JSON})
    assert no_key.status_code == 401


@pytest.mark.parametrize(
    ("field", "value"),
    [("key_id", "a b"), ("public_key", "AAAA"), ("others_end_in_s", -1), ("unknown", 1)],
)
def test_a_key_of_another_form_is_refused(metro: Sender, field: str, value: object) -> None:
    told = {"key_id": "sz-metro-2", "public_key": f"{'A' * 43}=", field: value}
    answer = metro.send(json.dumps(told).encode(), path=KEYS, content_type=JSON)
    assert (answer.status_code, answer.json()["code"]) == (422, "request.malformed")


def test_the_secret_opens_the_provider_s_own_commitments(
    db: Database, town: Town, client: TestClient, metro: Sender
) -> None:
    """Goal: what the platform committed to is the record that the provider keeps (R7, R17)."""
    metro.send(ride(1))
    secret = base64.b64decode(metro.get("/v1/provider/evidence-secret").json()["secret"])
    external_hash = sha256(b"ride-1").digest()
    salt = hmac.digest(secret, b"evidence" + external_hash, sha256)
    record = (
        '["SZ-METRO","ride-1","CARD-1","%s",null,"provider_measured","","","",[["distance","10"]]]'
    )
    utc = one(db, "select started_at from act_window")[0].isoformat().replace("+00:00", "Z")
    commitment = evidence_commit(salt, (record % utc).encode())
    assert rows(db, "select evidence from transfer") == [(commitment,)]
    other = sender(town, client, "hz-metro")
    foreign = other.get("/v1/provider/evidence-secret")
    assert base64.b64decode(foreign.json()["secret"]) != secret
    assert foreign.headers["cache-control"] == "no-store"
    logged = rows(db, "select actor, act from audit_entry order by number")
    assert logged == [
        ("provider/sz-metro", "providers.read_secret"),
        ("provider/hz-metro", "providers.read_secret"),
    ]
