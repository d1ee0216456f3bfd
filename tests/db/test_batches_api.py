"""``POST /v1/activity-batches`` and ``GET /v1/activity-batches/{id}`` over real PostgreSQL."""

import base64
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from starlette.testclient import TestClient

from app.activities import batches
from app.kernel.clock import now
from app.kernel.db import Database
from app.providers import once, suspend_provider
from tests.support.batches import (
    PATH,
    RIDE,
    Sender,
    Town,
    counts,
    enrol,
    ride,
    sender,
)

RIDE_MG = 468_000


def test_each_line_gets_its_outcome_and_all_of_them_a_receipt(metro: Sender) -> None:
    body = ride(1) + b"not json\n" + ride(2, subject="STRANGER") + ride(1) + ride(3, distance="0.4")
    answer = metro.send(body)
    assert answer.status_code == 201, answer.text
    batch = answer.json()
    assert batch["provider"] == "sz-metro"
    assert [(o["line"], o["outcome"], o["reason"]) for o in batch["outcomes"]] == [
        (1, "accepted", ""),
        (2, "malformed", "line.not_json"),
        (3, "refused", "consent.none"),
        (4, "duplicate", ""),
        (5, "ineligible", "trip.too_short"),
    ]
    assert [o["external_id"] for o in batch["outcomes"]] == [
        "ride-1",
        None,
        "ride-2",
        "ride-1",
        "ride-3",
    ]
    assert sum(batch["counts"].values()) == batch["lines"] == 5
    assert batch["reduction"] == {"co2e_mg": RIDE_MG, "co2e": "0.468000 kg"}
    assert answer.headers["cache-control"] == "no-store"

    receipt = batch["receipt"]
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(receipt["public_key"]))
    key.verify(base64.b64decode(receipt["signature"]), receipt["statement"].encode())
    said = json.loads(receipt["statement"])
    assert said["upload"] == batch["id"]
    assert said["reduction_mg"] == RIDE_MG


def test_the_same_key_and_body_get_the_same_answer(metro: Sender, database_url: str) -> None:
    body = ride(1)
    first, second = metro.send(body), metro.send(body)
    assert "idempotent-replayed" not in first.headers
    assert second.headers["idempotent-replayed"] == "true"
    assert (second.status_code, second.content) == (first.status_code, first.content)
    assert counts(database_url, "upload", "activity", "transfer") == [1, 1, 1]


def test_the_same_key_with_another_body_is_refused(metro: Sender, database_url: str) -> None:
    metro.send(ride(1))
    for reused in (metro.send(ride(2)), metro.send(ride(1), path=f"{RIDE}&version=1")):
        assert reused.status_code == 422
        assert reused.json()["code"] == "idempotency.key_reused"
    assert counts(database_url, "activity") == [1]


def test_another_key_makes_another_upload_of_duplicates(metro: Sender) -> None:
    first, second = metro.send(ride(1)), metro.send(ride(1), key="k-2")
    assert first.json()["id"] != second.json()["id"]
    assert second.json()["counts"]["duplicate"] == 1


def test_two_providers_may_use_the_same_key(town: Town, metro: Sender, client: TestClient) -> None:
    bus = sender(town, client, "sz-bus")
    enrol(town, bus.provider, ["CARD-1"])
    assert metro.send(ride(1)).status_code == 201
    other = bus.send(ride(1, at=now() - timedelta(days=2)))
    assert other.status_code == 201
    assert "idempotent-replayed" not in other.headers
    assert other.json()["counts"]["accepted"] == 1


def test_a_refusal_of_the_whole_batch_is_kept_like_any_answer(
    metro: Sender, database_url: str
) -> None:
    first, second = metro.send(b"\n"), metro.send(b"\n")
    assert first.status_code == 422
    assert first.json()["code"] == "upload.empty"
    assert first.headers["content-type"] == "application/problem+json"
    assert second.headers["idempotent-replayed"] == "true"
    assert second.content == first.content
    assert counts(database_url, "upload") == [0]


@pytest.mark.parametrize("key", [None, "", "x" * 201, "two words"])
def test_a_key_is_required(metro: Sender, database_url: str, key: str | None) -> None:
    body = ride(1)
    headers = metro.headers("POST", RIDE, body=body, key=key or "")
    if key is None:  # signed over an empty one, then left out: the signature does not hold either
        del headers["idempotency-key"]
    answer = metro.client.post(RIDE, content=body, headers=headers)
    assert answer.status_code in {400, 401}
    assert answer.json()["code"] in {"idempotency.key_missing", "signature.invalid"}
    assert (answer.status_code == 400) == (key is not None)
    assert counts(database_url, "upload", "provider_answer") == [0, 0]


def test_a_crash_after_the_claim_is_taken_up_by_the_retry(
    metro: Sender, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The work is committed and its answer lost: the same upload is found again."""
    body = ride(1)

    def crash(*_: object) -> None:
        raise ConnectionError

    with monkeypatch.context() as broken:
        broken.setattr(batches, "keep_answer", crash)
        with pytest.raises(ConnectionError):
            metro.send(body)
    assert counts(database_url, "upload", "activity") == [1, 1]
    again = metro.send(body)
    assert again.status_code == 201
    assert again.json()["counts"]["accepted"] == 1
    assert counts(database_url, "upload", "activity", "transfer") == [1, 1, 1]
    assert metro.send(body).content == again.content


def test_many_tries_at_once_make_one_upload(metro: Sender, database_url: str) -> None:
    body = b"".join(ride(n) for n in range(20))
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(metro.send, [body] * 8))
    assert {answer.status_code for answer in answers} == {201}
    assert {answer.content for answer in answers} == {answers[0].content}
    assert counts(database_url, "upload", "activity") == [1, 20]


def test_a_provider_reads_its_own_batches_alone(
    town: Town, metro: Sender, client: TestClient
) -> None:
    made = metro.send(ride(1)).json()
    path = f"{PATH}/{made['id']}"
    own = metro.get(path)
    assert own.status_code == 200
    assert own.json()["receipt"] == made["receipt"]
    assert own.json()["counts"] == made["counts"]
    assert own.json()["outcomes"][0]["external_id"] is None
    assert own.headers["cache-control"] == "no-store"

    others = sender(town, client, "sz-bus").get(path)
    assert others.status_code == 404
    assert others.json()["code"] == "upload.unknown"
    assert metro.get(f"{PATH}/bat_{'0' * 26}").status_code == 404
    assert metro.get(f"{PATH}/nonsense").status_code == 404
    assert client.get(path).status_code == 401


def test_more_than_a_batch_may_hold_is_refused(
    metro: Sender, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "LINES_MAX", 3)
    long = metro.send(b"{}\n" * 4)
    assert (long.status_code, long.json()["code"]) == (413, "upload.too_many_lines")
    large = metro.client.post(RIDE, content=b"x" * (16 * 1024 * 1024 + 1))
    assert (large.status_code, large.json()["code"]) == (413, "request.too_large")
    other = metro.client.post("/v1/elsewhere", content=b"x" * (256 * 1024 + 1))
    assert (other.status_code, other.json()["code"]) == (413, "request.too_large")
    assert counts(database_url, "upload") == [0]


def test_a_body_without_a_stated_length_is_counted_as_it_comes(metro: Sender) -> None:
    def parts() -> Iterator[bytes]:
        for _ in range(17):
            yield b"x" * 1024 * 1024

    answer = metro.client.post(RIDE, content=parts())
    assert (answer.status_code, answer.json()["code"]) == (413, "request.too_large")


@pytest.mark.parametrize("body", [b"\x1f\x8b\x08\0", b"PAR1\0\0PAR1"])
def test_packed_bodies_are_not_taken(metro: Sender, body: bytes) -> None:
    answer = metro.send(body)
    assert (answer.status_code, answer.json()["code"]) == (422, "upload.format")


def test_only_ndjson_is_taken(metro: Sender) -> None:
    answer = metro.send(ride(1), content_type="text/csv")
    assert (answer.status_code, answer.json()["code"]) == (415, "upload.media_type")


def test_a_methodology_must_be_named_and_known(metro: Sender) -> None:
    unknown = metro.send(ride(1), path=f"{PATH}?methodology=NO-SUCH")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "methodology.unknown")
    missing = metro.send(ride(1), key="k-2", path=PATH)
    assert missing.status_code == 422
    assert missing.json()["errors"][0]["pointer"] == "/query/methodology"
    nul = metro.send(ride(1), key="k-3", path=f"{PATH}?methodology=A%00B")
    assert (nul.status_code, nul.json()["code"]) == (422, "request.malformed")
    huge = metro.send(ride(1), key="k-4", path=f"{RIDE}&version=99999999999999999999")
    assert (huge.status_code, huge.json()["code"]) == (422, "request.malformed")


def test_refusals_speak_the_readers_language(metro: Sender) -> None:
    headers = {"accept-language": "zh-CN,zh;q=0.9,en;q=0.5", "x-request-id": "provider-0001"}
    answer = metro.client.post(
        RIDE, content=b"{}", headers={"content-type": "application/x-ndjson", **headers}
    )
    said = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["content-language"] == "zh"
    assert said["title"] == "请求没有签名"
    assert said["request_id"] == answer.headers["x-request-id"] == "provider-0001"
    assert said["instance"] == PATH
    assert (said["status"], said["code"], said["retryable"]) == (401, "signature.missing", False)


def test_a_suspended_provider_sends_nothing(town: Town, metro: Sender, database_url: str) -> None:
    town.db.transact(suspend_provider, metro.provider, at=now())
    answer = metro.send(ride(1))
    assert (answer.status_code, answer.json()["code"]) == (403, "providers.suspended")
    assert counts(database_url, "upload", "provider_answer", "provider_nonce") == [0, 0, 0]


def test_old_nonces_and_answers_are_forgotten(
    metro: Sender, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(once, "NONCE_KEPT", timedelta(seconds=-1))
    monkeypatch.setattr(once, "ANSWER_KEPT", timedelta(seconds=-1))
    for number in range(3):
        assert metro.send(ride(number), key=f"k-{number}").status_code == 201
    assert counts(database_url, "provider_nonce", "provider_answer") == [1, 1]


def test_a_database_that_is_away_is_503(metro: Sender, town: Town) -> None:
    town.db.dispose()
    away = Database("postgresql://nobody@127.0.0.1:1/none")
    metro.client.app.state.city = Town(away, town.keys, town.settings)  # type: ignore[attr-defined]
    answer = metro.send(ride(1))
    assert answer.status_code == 503
    assert answer.json()["code"] == "server.unavailable"
    assert answer.json()["retryable"] is True
    assert int(answer.headers["retry-after"]) > 0
