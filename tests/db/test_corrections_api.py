"""``POST …/corrections``, the list of batches and the scorecard over real PostgreSQL."""

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from httpx2 import Response
from starlette.testclient import TestClient

from app.kernel.clock import day_of, now
from app.kernel.db import Database
from tests.support.acts import balances, one, rows
from tests.support.batches import PATH, Sender, Town, counts, enrol, ride, sender

RIDE_MG = 468_000
"""Ten kilometres of metro."""


def said(number: int, **more: object) -> bytes:
    """A line that withdraws a ride, unless it says what the ride was."""
    told = {"external_id": f"ride-{number}", "reason": "trip.refunded", **more}
    if "inputs" not in told:
        told["withdrawn"] = True
    return json.dumps(told).encode() + b"\n"


def correct(metro: Sender, batch: str, body: bytes, *, key: str = "c-1") -> Response:
    return metro.send(body, key=key, path=f"{PATH}/{batch}/corrections")


def sent(metro: Sender, *numbers: int, key: str = "k-1") -> str:
    answer = metro.send(b"".join(ride(number) for number in numbers), key=key)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def fates(answer: Response) -> list[tuple[str, str, int]]:
    assert answer.status_code == 201, answer.text
    return [(o["outcome"], o["reason"], o["co2e_mg"]) for o in answer.json()["outcomes"]]


def test_each_line_gets_its_outcome_and_all_of_them_a_receipt(db: Database, metro: Sender) -> None:
    batch = sent(metro, 1, 2, 3)
    body = (
        said(1)
        + said(2, inputs={"distance": "5"})
        + said(2, inputs={"distance": "6"})
        + said(9)
        + b"not json\n"
        + said(3, inputs={"distance": "far"})
        + said(3, inputs={"speed": "1"})
        + b'{"external_id":"ride-3","reason":"trip.refunded"}\n'
    )
    answer = correct(metro, batch, body)
    assert fates(answer) == [
        ("withdrawn", "", -RIDE_MG),
        ("corrected", "", -RIDE_MG // 2),
        ("refused", "act.named_twice", 0),
        ("unknown", "", 0),
        ("malformed", "line.not_json", 0),
        ("malformed", "field.distance", 0),
        ("malformed", "field.unknown", 0),
        ("malformed", "line.neither_withdrawn_nor_inputs", 0),
    ]
    told = answer.json()
    assert told["change"]["co2e_mg"] == -3 * RIDE_MG // 2
    assert sum(balances(db).values()) == 3 * RIDE_MG // 2
    receipt = told["receipt"]
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(receipt["public_key"]))
    statement = receipt["statement"].encode()
    key.verify(base64.b64decode(receipt["signature"]), statement)
    stated = json.loads(statement)
    assert (stated["kind"], stated["upload"]) == ("tanpu/correction-receipt/1", batch)
    assert stated["counts"] == told["counts"]


def test_it_is_answered_once_a_key_and_takes_once_a_content(db: Database, metro: Sender) -> None:
    batch = sent(metro, 1, 2)
    body = said(1, inputs={"distance": "5"})
    first, again = correct(metro, batch, body), correct(metro, batch, body)
    assert again.content == first.content
    assert again.headers["idempotent-replayed"] == "true"
    assert fates(correct(metro, batch, body, key="c-2")) == [("duplicate", "", 0)]
    assert correct(metro, batch, said(2), key="c-1").json()["code"] == "idempotency.key_reused"
    assert sum(balances(db).values()) == RIDE_MG + RIDE_MG // 2


def test_the_same_correction_from_many_threads_takes_once(
    db: Database, metro: Sender, database_url: str
) -> None:
    batch = sent(metro, 1, 2)

    def attempt(number: int) -> Response:
        return correct(metro, batch, said(1), key=f"c-{number}")

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(attempt, range(8)))
    told = [fates(answer)[0][0] for answer in answers]
    assert sorted(told) == ["duplicate"] * 7 + ["withdrawn"]
    assert counts(database_url, "act_correction") == [1]
    assert sum(balances(db).values()) == RIDE_MG


def test_another_provider_neither_sees_nor_corrects_it(
    db: Database, town: Town, client: TestClient, metro: Sender
) -> None:
    batch = sent(metro, 1)
    other = sender(town, client, "hz-metro")
    enrol(town, other.provider, ["CARD-1"])
    foreign = correct(other, batch, said(1))
    nobodys = correct(other, "bat_00000000000000000000000000", said(1), key="c-2")
    unreadable = correct(other, "nonsense", said(1), key="c-3")
    for answer in (foreign, nobodys, unreadable):
        assert (answer.status_code, answer.json()["code"]) == (404, "upload.unknown")
    own = sent(other, 7)
    assert fates(correct(other, own, said(1), key="c-4")) == [("unknown", "", 0)]
    assert other.get("/v1/provider/batches").json()["data"][0]["id"] == own
    assert len(other.get("/v1/provider/batches").json()["data"]) == 1
    card = other.get("/v1/provider/scorecard").json()
    assert (card["received"], card["corrected"]["lines"]) == (1, 0)
    assert one(db, "select count(*) from act_correction") == (0,)


def test_an_act_of_another_batch_is_unknown_here(metro: Sender) -> None:
    first, second = sent(metro, 1), sent(metro, 2, key="k-2")
    assert fates(correct(metro, first, said(2))) == [("unknown", "", 0)]
    assert fates(correct(metro, second, said(2), key="c-2")) == [("withdrawn", "", -RIDE_MG)]


def test_after_the_deadline_an_act_is_lowered_and_not_raised(
    monkeypatch: pytest.MonkeyPatch, metro: Sender, town: Town
) -> None:
    batch = sent(metro, 1, 2)
    later = now() + timedelta(days=town.settings.merge_deadline_days + 1)
    for module in ("app.activities.correction_api", "app.providers.senders"):
        monkeypatch.setattr(f"{module}.now", lambda: later)
    body = said(1, inputs={"distance": "12"}) + said(2, inputs={"distance": "9"})
    path = f"{PATH}/{batch}/corrections"
    answer = metro.send(body, key="c-1", path=path, at=later)
    assert fates(answer) == [
        ("refused", "correction.deadline_passed", 0),
        ("corrected", "", -RIDE_MG // 10),
    ]


def test_inputs_that_the_methodology_gives_nothing_for_take_all(metro: Sender) -> None:
    batch = sent(metro, 1)
    found = fates(correct(metro, batch, said(1, inputs={"distance": "0"})))
    assert [(outcome, mg) for outcome, _, mg in found] == [("corrected", -RIDE_MG)]


def test_an_act_that_gave_nothing_is_noted_and_gives_nothing(db: Database, metro: Sender) -> None:
    answer = metro.send(ride(1, not_eligible="trip.unpaid"))
    body = said(1, inputs={"distance": "10"})
    assert fates(correct(metro, answer.json()["id"], body)) == [
        ("corrected", "act.adds_nothing", 0)
    ]
    assert balances(db) == {}


@pytest.mark.parametrize(
    ("body", "changes", "status", "code"),
    [
        (b"", {}, 422, "upload.empty"),
        (b"x\n" * 1001, {}, 413, "upload.too_many_lines"),
        (b"x" * (300 * 1024), {}, 413, "request.too_large"),
        (b"{}\n", {"content_type": "application/json"}, 415, "upload.media_type"),
    ],
)
def test_a_body_of_another_form_is_refused_whole(
    metro: Sender, body: bytes, changes: dict[str, Any], status: int, code: str
) -> None:
    path = f"{PATH}/{sent(metro, 1)}/corrections"
    answer = metro.send(body, key="c-1", path=path, **changes)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_it_needs_a_signature_and_a_key(metro: Sender) -> None:
    path = f"{PATH}/{sent(metro, 1)}/corrections"
    ndjson = {"content-type": "application/x-ndjson"}
    assert metro.client.post(path, content=said(1), headers=ndjson).status_code == 401
    headers = metro.headers("POST", path, body=said(1), key="c-1")
    assert metro.client.post(path, content=said(2), headers=headers).status_code == 400
    assert metro.client.post(path, content=said(1), headers=headers).status_code == 201
    replayed = metro.client.post(path, content=said(1), headers=headers)
    assert replayed.json()["code"] == "signature.nonce_replayed"


def test_a_correction_is_committed_to_and_kept_with_its_inputs(db: Database, metro: Sender) -> None:
    batch = sent(metro, 1)
    correct(metro, batch, said(1, inputs={"distance": "12.50"}))
    assert one(db, "select inputs from corrected_input") == ({"distance": "12.5"},)
    ((content, evidence),) = rows(
        db,
        """select c.content, t.evidence from act_correction c
             join act_change h on h.bucket = c.bucket and h.activity = c.activity
             join transfer t on t.bucket = h.bucket and t.id = h.id""",
    )
    assert content == evidence
    assert one(db, "select reason from act_correction") == ("provider.trip.refunded",)


def test_batches_are_listed_in_pages_newest_first(metro: Sender) -> None:
    made = [sent(metro, number, key=f"k-{number}") for number in range(1, 4)]
    correct(metro, made[0], said(1))
    first = metro.get("/v1/provider/batches?limit=2").json()
    assert [each["id"] for each in first["data"]] == [made[2], made[1]]
    rest = metro.get(f"/v1/provider/batches?limit=2&cursor={first['next_cursor']}").json()
    assert [each["id"] for each in rest["data"]] == [made[0]]
    assert rest["next_cursor"] is None
    (only,) = rest["data"]
    assert (only["lines"], only["counts"]["accepted"], only["corrections"]) == (1, 1, 1)
    assert only["reduction"]["co2e_mg"] == RIDE_MG
    assert metro.get("/v1/provider/batches?cursor=e30").status_code == 422


def test_the_scorecard_counts_what_the_rows_show(db: Database, metro: Sender) -> None:
    old = now() - timedelta(days=20)
    body = ride(1) + ride(2) + ride(3, at=old) + ride(4, subject="NOBODY") + b"x\n" + ride(1)
    answer = metro.send(body)
    batch = answer.json()["id"]
    correct(metro, batch, said(1) + said(2, inputs={"distance": "9"}) + said(99))
    month = f"{day_of(now()):%Y-%m}"
    card = metro.get(f"/v1/provider/scorecard?month={month}").json()
    assert (card["month"], card["uploads"], card["received"]) == (month, 1, 6)
    assert card["outcomes"]["accepted"] == {"lines": 3, "share": "0.5000"}
    assert card["outcomes"]["refused"] == {"lines": 1, "share": "0.1667"}
    assert card["outcomes"]["malformed"]["lines"] == 1
    assert card["outcomes"]["duplicate"]["lines"] == 1
    assert card["late"] == {"lines": 1, "share": "0.1667"}
    assert card["corrected"] == {"lines": 2, "share": "0.3333"}
    assert card["appealed"] == {"lines": 0, "share": "0.0000"}
    before = metro.get("/v1/provider/scorecard?month=2020-01").json()
    assert (before["received"], before["late"]["share"]) == (0, "0.0000")
    assert metro.get("/v1/provider/scorecard?month=2020-13").status_code == 422
    assert one(db, "select sum(late)::int4 from upload_chunk") == (1,)
