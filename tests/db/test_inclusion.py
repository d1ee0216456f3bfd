"""A receipt is held to its word: what counted is in an anchored epoch, in time, or is named."""

import base64
import json
from copy import deepcopy
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner

from app.anchoring import Notary
from app.cli.promise import Held, NotHonest, hold
from app.cli.verify import commands
from app.kernel.clock import now
from app.kernel.db import Database
from app.kernel.secrets import Keys
from app.kernel.settings import Settings
from ledger.header import Header
from ledger.promise import Fault
from tests.support.anchoring import notary_over
from tests.support.batches import PATH, Sender, Town, ride, sender
from tests.support.chain import MemoryChain

RECORDS = ride(1) + b"not json\n" + ride(2) + ride(3, subject="NOBODY") + ride(4)


@pytest.fixture
def notary(worker_db: Database, keys: Keys, settings: Settings) -> Notary:
    return notary_over(worker_db, keys, settings.tanpu_home)


def anchored(notary: Notary, at: datetime) -> None:
    """Close, publish and anchor what is there."""
    assert notary.close(at=at) is not None
    notary.publish()
    notary.submit(MemoryChain(), at=at)
    notary.publish()


def headers_of(settings: Settings) -> dict[int, Header]:
    lines = (settings.public_path / "headers.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    return {row["epoch"]: Header.of(bytes.fromhex(row["header"])) for row in rows}


def pages_of(who: Sender, batch: str, limit: int = 2) -> list[dict[str, Any]]:
    pages = [who.get(f"{PATH}/{batch}/inclusion?limit={limit}").json()]
    while (cursor := pages[-1]["next_cursor"]) is not None:
        pages.append(who.get(f"{PATH}/{batch}/inclusion?limit={limit}&cursor={cursor}").json())
    return pages


@pytest.fixture
def held(metro: Sender, town: Town, notary: Notary) -> dict[str, Any]:
    """Everything that a provider has in hand after an anchored upload."""
    answer = metro.send(RECORDS).json()
    anchored(notary, now() + timedelta(seconds=1))
    return {
        "answer": answer,
        "records": RECORDS,
        "secret": base64.b64decode(metro.get("/v1/provider/evidence-secret").json()["secret"]),
        "key": town.keys.receipt.public_key().public_bytes_raw(),
        "pages": pages_of(metro, answer["id"]),
        "headers": headers_of(town.settings),
    }


def held_to(held: dict[str, Any], **changes: Any) -> Held:  # noqa: ANN401 -- any of its parts
    """Hold the operator to a receipt."""
    return hold(**{**held, **changes})


def test_a_receipt_that_was_honoured_is_true(held: dict[str, Any]) -> None:
    found = held_to(held)
    assert (found.promised, found.broken) == (3, [])
    assert [len(page["data"]) for page in held["pages"]] == [2, 1]


def test_what_is_not_shown_is_named_by_its_line(held: dict[str, Any]) -> None:
    del held["pages"][0]["data"][0]
    assert [tuple(each) for each in held_to(held).broken] == [(1, Fault.MISSING)]


def test_what_is_not_anchored_or_late_is_named(held: dict[str, Any]) -> None:
    assert {each.fault for each in held_to(held, headers={}).broken} == {Fault.UNANCHORED}
    promised = held_to(held).logged_by
    closed_at = int(promised.timestamp())
    for late, expected in ((0, set[Fault]()), (1, {Fault.LATE})):
        headers = {n: replace(h, closed_at=closed_at + late) for n, h in held["headers"].items()}
        assert {each.fault for each in held_to(held, headers=headers).broken} == expected


@pytest.mark.parametrize(
    ("field", "value", "fault"),
    [
        ("amount", "1", Fault.NOT_IN_LOG),
        ("credit_commit", "00" * 32, Fault.NOT_IN_LOG),
        ("evidence_commit", "00" * 32, Fault.MISSING),
        ("ref", 1, Fault.NOT_IN_LOG),
    ],
)
def test_an_entry_that_was_changed_proves_nothing(
    held: dict[str, Any], field: str, value: object, fault: Fault
) -> None:
    held["pages"][0]["data"][0]["entry"][field] = value
    assert [tuple(each) for each in held_to(held).broken] == [(1, fault)]


def test_an_entry_with_another_place_or_path_proves_nothing(held: dict[str, Any]) -> None:
    first, second = held["pages"][0]["data"]
    changed = deepcopy(held)
    changed["pages"][0]["data"][0]["log_index"] = second["log_index"]
    assert [each.line for each in held_to(changed).broken] == [1]
    changed = deepcopy(held)
    changed["pages"][0]["data"][0]["path"] = first["path"][:-1]
    assert [each.line for each in held_to(changed).broken] == [1]


def test_an_answer_other_than_the_signed_one_is_no_proof(held: dict[str, Any], town: Town) -> None:
    changed = deepcopy(held)
    changed["answer"]["outcomes"][0]["co2e_mg"] += 1
    with pytest.raises(NotHonest, match="outcomes"):
        held_to(changed)
    with pytest.raises(NotHonest, match="records"):
        held_to(held, records=RECORDS + b"\n")
    with pytest.raises(NotHonest, match="signature"):
        held_to(held, key=town.keys.log.public_key().public_bytes_raw())
    statement = held["answer"]["receipt"]["statement"].replace("sz-metro", "hz-metro")
    receipt = {**held["answer"]["receipt"], "statement": statement}
    with pytest.raises(NotHonest, match="signature"):
        held_to(held, answer={**held["answer"], "receipt": receipt})


def test_other_records_open_nothing(held: dict[str, Any]) -> None:
    broken = held_to(held, secret=bytes(32)).broken
    assert [tuple(each) for each in broken] == [(line, Fault.MISSING) for line in (1, 3, 5)]


def test_what_waits_for_its_epoch_is_shown_without_a_place(metro: Sender) -> None:
    answer = metro.send(ride(1)).json()
    (waiting,) = metro.get(f"{PATH}/{answer['id']}/inclusion").json()["data"]
    assert (waiting["log_index"], waiting["epoch"], waiting["path"]) == (None, None, [])
    assert waiting["entry"]["amount"] == "468000"


def test_another_provider_sees_nothing_of_it(town: Town, client: TestClient, metro: Sender) -> None:
    batch = metro.send(ride(1)).json()["id"]
    other = sender(town, client, "hz-metro")
    for path in (batch, "bat_00000000000000000000000000", "nonsense"):
        answer = other.get(f"{PATH}/{path}/inclusion")
        assert (answer.status_code, answer.json()["code"]) == (404, "upload.unknown")


def test_the_command_says_true_or_names_the_lines(held: dict[str, Any], tmp_path: Path) -> None:
    def run(pages: list[Any]) -> tuple[int, dict[str, Any]]:
        (tmp_path / "answer.json").write_text(json.dumps(held["answer"]))
        (tmp_path / "records.ndjson").write_bytes(held["records"])
        (tmp_path / "secret").write_bytes(base64.b64encode(held["secret"]))
        rows = [
            {"epoch": n, "header": h.to_bytes().hex(), "header_hash": h.hash().hex()}
            for n, h in held["headers"].items()
        ]
        (tmp_path / "headers.jsonl").write_text("\n".join(map(json.dumps, rows)))
        arguments = ["upload-receipt", str(tmp_path / "answer.json"), "--json"]
        for option, value in (
            ("records", tmp_path / "records.ndjson"),
            ("secret", tmp_path / "secret"),
            ("key", base64.b64encode(held["key"]).decode()),
            ("headers", tmp_path / "headers.jsonl"),
        ):
            arguments += [f"--{option}", str(value)]
        for number, page in enumerate(pages):
            (tmp_path / f"page-{number}.json").write_text(json.dumps(page))
            arguments += ["--inclusion", str(tmp_path / f"page-{number}.json")]
        done = CliRunner().invoke(commands, arguments)
        return done.exit_code, json.loads(done.stdout)

    code, said = run(held["pages"])
    assert (code, said["ok"], said["promised"]) == (0, True, 3)
    code, said = run(held["pages"][:1])
    assert (code, said["broken"]) == (1, [{"line": 5, "fault": "missing"}])
