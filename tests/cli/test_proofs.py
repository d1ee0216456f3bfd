"""Epochs, receipts, verification, audit, keys and doctor, from the command line."""

import base64
import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from app.embedded.errors import BinaryMissing
from app.kernel.clock import SHANGHAI, now
from app.kernel.db import Database, driver
from app.kernel.secrets import NAMES
from tests.cli.conftest import Home, Run

STEPS = ("header", "entries", "history", "tree", "cell", "continuity")
BYTES_FLIPPED = 60
POLLS_MAX = 50


@pytest.fixture
def anchored(city: Run, home: Home, tmp_path: Path) -> tuple[Path, Path]:
    """An act of somebody new, anchored; their receipt and the public list of headers."""
    code = f"proof-{tmp_path.name[-8:].replace('_', '-').lower()}"
    assert city("provider", "add", code).code == 0
    when = now().astimezone(SHANGHAI) - timedelta(days=1)
    file = tmp_path / "one.csv"
    file.write_text(f"external_id,subject,occurred_at,distance\n1,{code},{when.isoformat()},10\n")
    taken = city("ingest", file, "--provider", code, "--methodology", "SZ-METRO", "--json")
    assert taken.json()["accepted"] == 1
    closed = city("epoch", "close", "--json").json()
    assert set(closed) == {"closed", "header_hash", "log_size", "accounts"}
    assert closed["closed"] >= 1
    for _ in range(POLLS_MAX):  # a node may answer before it has mined: the next poll sees
        if city("epoch", "submit", "--json").json()["anchored"] >= closed["closed"]:
            break
    else:
        pytest.fail("the chain did not take the epoch")
    out = tmp_path / "receipt.json"
    said = city("receipt", "export", newest_owner(home), "--out", out, "--json")
    assert said.json() == {"file": str(out), "entries": 1}
    return out, home.path / "public" / "headers.jsonl"


def newest_owner(home: Home) -> int:
    db = Database(home.addresses.database_url)
    query = "select max(owner) from account_anchor"
    found = db.read(lambda session: driver(session).execute(query).fetchall())
    db.dispose()
    return found[0][0]


def contract_in(headers: Path) -> str:
    return json.loads(headers.read_text().splitlines()[-1])["chain"]["contract"]


def test_epochs_are_closed_once_and_their_state_is_told(
    city: Run, anchored: tuple[Path, Path]
) -> None:
    del anchored
    assert city("epoch", "close", "--json").json() == {"closed": None}
    status = city("epoch", "status", "--json").json()
    assert status["epoch"] == status["final"] >= 1
    assert status["pending"] == 0
    assert str(status["epoch"]) in city("epoch", "status").out


def test_a_true_receipt_is_one_line(run: Run, home: Home, anchored: tuple[Path, Path]) -> None:
    receipt, headers = anchored
    said = run("verify", "receipt", receipt, "--headers", headers)
    assert said.code == 0, said
    assert len(said.out.splitlines()) == 1
    rpc = ("--rpc", home.addresses.chain_rpc_url, "--contract", contract_in(headers))
    asked = run("verify", "receipt", receipt, *rpc)
    assert asked.code == 0, asked
    assert home.addresses.chain_rpc_url in asked.out
    again = run("verify", "receipt", receipt, "--headers", headers, "--previous", receipt)
    assert again.code == 0, again


def test_whatever_digit_of_a_receipt_is_changed_it_is_rejected_or_unreadable(
    run: Run, anchored: tuple[Path, Path], tmp_path: Path
) -> None:
    receipt, headers = anchored
    text = receipt.read_text()
    places = [
        found.start() for found in re.finditer(r"(?<=[\"0-9a-f])[0-9a-f](?=[\"0-9a-f])", text)
    ]
    assert len(places) > BYTES_FLIPPED
    named: set[str] = set()
    for place in places[:: len(places) // BYTES_FLIPPED]:
        changed = tmp_path / "changed.json"
        other = "1" if text[place] != "1" else "2"
        changed.write_text(text[:place] + other + text[place + 1 :])
        said = run("verify", "receipt", changed, "--headers", headers)
        assert said.code in {1, 2}, (place, text[place - 40 : place + 40])
        (line,) = (said.out + said.err).splitlines()
        if said.code == 1:
            step = re.fullmatch(r"REJECTED at step \d? ?(\w+).*", line)
            assert step, line
            named.add(step[1])
    assert len(named) >= 3, named
    assert named <= set(STEPS)


def test_headers_are_verified_by_their_links_and_by_the_chain(
    run: Run, home: Home, anchored: tuple[Path, Path]
) -> None:
    _, headers = anchored
    linked = run("verify", "headers", headers, "--json").json()
    assert linked["ok"] is True
    assert linked["headers"] == len(headers.read_text().splitlines())
    rpc = ("--rpc", home.addresses.chain_rpc_url, "--contract", contract_in(headers))
    said = run("verify", "headers", headers, *rpc, "--json")
    assert said.code == 0
    assert home.addresses.chain_rpc_url in said.json()["trusting"]


def test_a_changed_header_is_named_and_a_list_that_is_none_is_wrong_input(
    run: Run, home: Home, anchored: tuple[Path, Path], tmp_path: Path
) -> None:
    _, headers = anchored
    lines = headers.read_text().splitlines()
    last = json.loads(lines[-1])
    last["header"] = last["header"][:-1] + ("0" if last["header"][-1] != "0" else "1")
    changed = tmp_path / "headers.jsonl"
    changed.write_text("\n".join([*lines[:-1], json.dumps(last)]))
    said = run("verify", "headers", changed, "--json")
    assert said.code == 1
    assert said.json()["findings"][0]["where"] == f"epoch {last['epoch']}"
    for text in (
        "",
        "{}",
        "[]",
        "x",
        "\0",
        "[" * 9999,
        '{"epoch": "x", "header": "", "header_hash": ""}',
    ):
        changed.write_text(text)
        assert run("verify", "headers", changed).code == 2, text[:20]
    assert run("verify", "headers", tmp_path / "none").code == 2
    assert run("verify", "headers", headers, "--rpc", "http://127.0.0.1:1").code == 2
    away = ("--rpc", "http://127.0.0.1:1", "--contract", contract_in(headers))
    assert run("verify", "headers", headers, *away).code == 3
    nothing = ("--rpc", home.addresses.chain_rpc_url, "--contract", "0x" + "1" * 40)
    assert run("verify", "headers", headers, *nothing).code in {1, 3}


def test_the_audit_has_its_fixed_form(city: Run, anchored: tuple[Path, Path]) -> None:
    del anchored
    said = city("audit", "--json")
    assert said.code == 0, said
    report = said.json()
    assert set(report) >= {"ok", "findings", "checked"}
    assert report["ok"] is True
    assert report["findings"] == []
    assert all(type(count) is int for count in report["checked"].values())
    assert report["checked"]["transfers"] >= 1
    assert city("audit").code == 0


def test_an_audit_without_a_chain_is_not_clean(
    city: Run, bare: pytest.MonkeyPatch, anchored: tuple[Path, Path]
) -> None:
    del anchored
    bare.setenv("CHAIN_RPC_URL", "http://127.0.0.1:1")
    said = city("audit", "--json")
    assert said.code == 1, said
    report = said.json()
    assert report["ok"] is False
    assert [finding["kind"] for finding in report["findings"]] == ["chain"]
    assert report["checked"]["transfers"] >= 1, "the rest is audited all the same"


def test_a_receipt_of_nobody_is_refused(city: Run, tmp_path: Path) -> None:
    for owner in ("2", "99999999999998"):
        said = city("receipt", "export", owner, "--out", tmp_path / "x")
        assert said.code == 4, said
        assert len(said.err.splitlines()) == 1
        assert not (tmp_path / "x").exists()


def test_a_provider_and_its_key_are_put_in_force(city: Run, tmp_path: Path) -> None:
    assert city("provider", "add", "keyed").code == 0
    again = city("provider", "add", "keyed")
    assert again.code == 4
    wrong = city("provider", "add", "Not A Code")
    assert wrong.code == 4
    assert len(wrong.err.splitlines()) == 1
    file = tmp_path / "key.pem"
    form = (Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    file.write_bytes(Ed25519PrivateKey.generate().public_key().public_bytes(*form))
    said = city("provider", "key", "keyed", file, "--keyid", "keyed-1", "--json")
    assert said.json() == {"provider": "keyed", "keyid": "keyed-1"}
    file.write_bytes(X25519PrivateKey.generate().public_key().public_bytes(*form))
    assert city("provider", "key", "keyed", file, "--keyid", "k").code == 2
    file.write_bytes(b"\0nonsense")
    assert city("provider", "key", "keyed", file, "--keyid", "k").code == 2
    assert city("provider", "key", "keyed", tmp_path / "none", "--keyid", "k").code == 2
    assert city("provider", "key", "nobody", file, "--keyid", "k").code == 2


def test_keys_show_public_halves_alone(run: Run, bare: pytest.MonkeyPatch, tmp_path: Path) -> None:
    bare.setenv("TANPU_HOME", str(tmp_path / "home"))
    missing = run("keys", "--json")
    assert missing.code == 3
    assert not (tmp_path / "home").exists()
    shown = run("keys", "--make", "--json").json()
    public = {
        *("receipt_ed25519", "receipt_base64", "log_ed25519", "anchor_address"),
        *("registrar_address", "access_kids"),
    }
    assert set(shown) == public
    assert base64.b64decode(shown["receipt_base64"]).hex() == shown["receipt_ed25519"]
    assert run("keys", "--json").json() == shown
    rotated = run("keys", "rotate-access", "--json").json()
    assert rotated["kids"] == [shown["access_kids"], rotated["kid"]]
    assert (early := run("keys", "retire-access")).code == 4
    assert early.err.startswith("keys.in_use: ")
    assert run("keys", "--json").json()["access_kids"].split() == rotated["kids"]
    for name in NAMES:
        secret = (tmp_path / "home" / "keys" / name).read_bytes()
        assert secret.hex() not in str(shown)


def test_doctor_says_what_is_missing(city: Run, bare: pytest.MonkeyPatch, tmp_path: Path) -> None:
    said = city("doctor", "--json")
    assert said.code == 0, said
    assert {check["check"] for check in said.json()["checks"]} >= {
        *("python", "postgres", "redis", "chain", "disk", "keys")
    }
    bare.setenv("PATH", str(tmp_path))
    for name in ("DATABASE_URL", "REDIS_URL", "CHAIN_RPC_URL"):
        bare.delenv(name)
    bare.setattr("app.embedded.chain.find_program", refuse)
    lacking = city("doctor", "--json")
    assert lacking.code == 3
    report = lacking.json()
    assert report["ok"] is False
    assert [check["check"] for check in report["checks"] if not check["ok"]] == ["chain"]


def refuse() -> Path:
    raise BinaryMissing("no anvil here")


def test_the_schema_is_migrated_as_often_as_one_likes(city: Run) -> None:
    for _ in range(2):
        assert city("migrate").code == 0


def test_no_secret_is_said_or_logged_by_anything(
    city: Run, home: Home, anchored: tuple[Path, Path]
) -> None:
    receipt, headers = anchored
    said = [
        city(*words)
        for words in (
            ("keys",),
            ("doctor",),
            ("epoch", "status"),
            ("audit",),
            ("verify", "receipt", receipt, "--headers", headers),
        )
    ]
    told = "".join(one.out + one.err for one in said).encode()
    told += receipt.read_bytes() + headers.read_bytes()
    written = [
        path
        for folder in ("logs", "public", "run", "guard")
        for path in (home.path / folder).rglob("*")
        if path.is_file()
    ]
    assert len(written) > 3
    told += b"".join(path.read_bytes() for path in written)
    for name in NAMES:
        secret = (home.path / "keys" / name).read_bytes()
        for form in (
            secret,
            secret.hex().encode(),
            secret.hex().upper().encode(),
            base64.b64encode(secret),
            base64.urlsafe_b64encode(secret).rstrip(b"="),
        ):
            assert form not in told, name
