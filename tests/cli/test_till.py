"""``tanpu till`` (终端命令): a till is opened, redeems over HTTP, and is told what it may not."""

import json
import stat
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from socket import create_server
from typing import NamedTuple
from uuid import UUID

import pytest
import uvicorn

from app.city import City, open_city
from app.cli import till_client
from app.cli.serve import Server
from app.kernel.clock import now
from app.kernel.db import Database
from app.kernel.ids import new_id, public_id
from app.kernel.settings import Settings
from app.main import create_app
from app.mall.orders import Order
from app.staff.queries import Sought, entries
from tests.cli.conftest import Home, Run, Said
from tests.support.acts import one
from tests.support.mall import merchant
from tests.support.orders import Street

WITHIN_S = 60.0
PUBLIC = {"mer": "mer_01k0000000000000000000000a", "rdm": "rdm_01k0000000000000000000000a"}


@pytest.fixture(scope="module")
def served(home: Home) -> Iterator[tuple[City, str]]:
    """The city of the commands, behind a port."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TANPU_HOME", str(home.path))
        for name, value in asdict(home.addresses).items():
            patch.setenv(name.upper(), value)
        settings = Settings()
        with open_city(settings) as city, create_server(("127.0.0.1", 0)) as listener:
            app = create_app(settings, city)
            config = uvicorn.Config(app, log_config=None, access_log=False)
            server = Server(config, app.state.live)
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
            thread.start()
            until = time.monotonic() + WITHIN_S
            while not server.started and time.monotonic() < until:
                time.sleep(0.02)
            assert server.started
            try:
                yield city, f"http://127.0.0.1:{listener.getsockname()[1]}"
            finally:
                server.should_exit = True
                thread.join(WITHIN_S)


@dataclass
class Counter:
    """A shop with something to sell, and a till that the command opened for it."""

    city: Run
    street: Street
    origin: str
    till: Path

    def order(self) -> Order:
        (owner,) = self.street.people(1, y2099=100)
        return self.street.order(owner, self.street.offer(price_fen=990))

    def redeem(self, code: str, *more: object) -> Said:
        words = ("till", "redeem", code, "--till", self.till, "--origin", self.origin)
        return self.city(*words, *more)

    def reverse(self, redemption: str, *more: object) -> Said:
        words = ("till", "reverse", redemption, "--till", self.till, "--origin", self.origin)
        return self.city(*words, *more)


@pytest.fixture(scope="module")
def street(served: tuple[City, str]) -> Street:
    city, _ = served
    return Street(city.db, city.keys)


@pytest.fixture
def counter(city: Run, served: tuple[City, str], street: Street, tmp_path: Path) -> Counter:
    file = tmp_path / "till.json"
    opened = city("till", "open", public_id("mer", street.shop), "--out", file, "--json")
    assert opened.code == 0, opened
    return Counter(city, street, served[1], file)


def test_a_till_is_opened_for_its_owner_alone_and_the_desk_can_read_of_it(
    counter: Counter, served: tuple[City, str]
) -> None:
    assert stat.S_IMODE(counter.till.stat().st_mode) == 0o600
    assert [each.name for each in counter.till.parent.iterdir()] == ["till.json"]
    held = json.loads(counter.till.read_text())
    db = served[0].db
    found = db.read(entries, Sought(actor="console"), before=None, limit=1)
    assert (found[0].entry.act, found[0].entry.object) == ("merchants.try_till", held["till"])
    assert held["private_key"] not in str(found[0])


def test_a_voucher_is_redeemed_told_again_and_reversed(counter: Counter) -> None:
    order = counter.order()
    first = counter.redeem(counter.street.qr(order, at=now()), "--json").json()
    assert (first["message"], first["points"], first["fen"]) == ("Redeemed", 30, 990)
    again = counter.redeem(counter.street.qr(order, at=now()))
    assert again.code == 0
    assert again.out.startswith("Already redeemed here at ")
    assert "30 积分 points, 另付 besides 9.90 元 yuan" in again.out
    assert counter.street.state(order) == "redeemed"
    assert counter.reverse(first["id"], "--json").json()["state"] == "reversed"
    assert counter.reverse(first["id"]).out.endswith("reversed, 30 积分 points\n")
    assert counter.street.state(order) == "reversed"


def test_another_request_under_a_used_key_is_refused(counter: Counter) -> None:
    order = counter.order()
    assert counter.redeem(counter.street.qr(order, at=now()), "--key", "walk-1").code == 0
    other = counter.redeem(counter.street.qr(counter.order(), at=now()), "--key", "walk-1")
    assert (other.code, other.err.split(":")[0]) == (4, "idempotency.key_reused")


def test_what_is_refused_is_said_by_its_code(counter: Counter) -> None:
    mistyped = counter.redeem("WFQC-2HFW-D267")
    assert (mistyped.code, mistyped.err.split(":")[0]) == (4, "voucher.code_mistyped")
    unknown = counter.reverse(PUBLIC["rdm"])
    assert (unknown.code, unknown.err.split(":")[0]) == (4, "redemption.unknown")
    stale = counter.redeem("WFQC-2HFW-D266", "--at", "2026-01-01T00:00:00+08:00")
    assert (stale.code, stale.err.split(":")[0]) == (4, "signature.stale")
    assert stale.err.endswith("made in the future. (reason: too old)\n")


def test_the_till_of_another_merchant_finds_nothing(counter: Counter, tmp_path: Path) -> None:
    order = counter.order()
    stranger = counter.street.merchant()
    counter.till = tmp_path / "other.json"
    words = ("till", "open", public_id("mer", stranger), "--out", counter.till)
    assert counter.city(*words).code == 0
    refused = counter.redeem(counter.street.qr(order, at=now()))
    assert (refused.code, refused.err.split(":")[0]) == (4, "voucher.unknown")
    assert counter.street.state(order) == "reserved"


def test_nothing_is_opened_for_whom_there_is_not_nor_in_a_suspension(
    counter: Counter, served: tuple[City, str]
) -> None:
    db, keys, out = served[0].db, served[0].keys, counter.till
    before = out.read_bytes()
    for id_ in (PUBLIC["mer"], "coffee"):
        said = counter.city("till", "open", id_, "--out", out)
        assert (said.code, said.err.split(":")[0]) == (4, "merchants.unknown")
    closed = merchant(db, keys, new_id().int % 10**9).merchant
    counter.street.run("update merchant set suspended_at = now() where id = %s", closed.id)
    said = counter.city("till", "open", closed.public, "--out", out)
    assert (said.code, said.err.split(":")[0]) == (4, "till.closed")
    assert tills_of(db, closed.id) == 0
    assert out.read_bytes() == before
    assert [each.name for each in out.parent.iterdir()] == ["till.json"]


def tills_of(db: Database, shop: UUID) -> int:
    return one(db, "select count(*) from till where merchant = %s", shop)[0]


def test_production_opens_none(
    city: Run, bare: pytest.MonkeyPatch, street: Street, home: Home, tmp_path: Path
) -> None:
    named = {
        "ENV": "production",
        "CHAIN_CONTRACT": "0x" + "1" * 40,
        "KEYS_DIR": str(home.path / "keys"),
        "SIGNER_GUARD": str(tmp_path / "signer.guard"),
        "SMS_TOKEN": "hunter2",
        "SMS_URL": "https://sms.example",
    }
    for name, value in named.items():
        bare.setenv(name, value)
    before = tills_of(street.db, street.shop)
    out = tmp_path / "till.json"
    said = city("till", "open", public_id("mer", street.shop), "--out", out)
    assert (said.code, said.err.split(":")[0]) == (4, "till.production")
    assert not out.exists()
    assert tills_of(street.db, street.shop) == before


class Asked(NamedTuple):
    """What a server was asked."""

    key: str
    signed: str
    body: bytes


Script = Callable[..., tuple[str, list[Asked]]]


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Iterator[Script]:
    """A server that answers as it is told to; a status of 0 hangs up."""
    monkeypatch.setattr(till_client, "PAUSES_S", (0, 0, 0))
    answers, asked = list[tuple[int, bytes]](), list[Asked]()

    class Scripted(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            asked.append(
                Asked(self.headers["idempotency-key"], self.headers["signature-input"], body)
            )
            status, told = answers.pop(0)
            if status:
                self.send_response(status)
                self.send_header("content-length", str(len(told)))
                self.end_headers()
                self.wfile.write(told)

        def log_request(self, code: object = "-", size: object = "-") -> None:
            del code, size

    with HTTPServer(("127.0.0.1", 0), Scripted) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()

        def plan(*told: tuple[int, bytes]) -> tuple[str, list[Asked]]:
            answers[:] = told
            return f"http://127.0.0.1:{server.server_port}", asked

        yield plan
        server.shutdown()
        thread.join(WITHIN_S)


REVERSED = b'{"redemption":"rdm_x","state":"reversed","points":30}'
AWAY = b'{"code":"server.unavailable","title":"Away","detail":"Away"}'


def test_a_request_is_the_same_until_it_is_answered_and_signed_anew(
    counter: Counter, script: Script
) -> None:
    counter.origin, asked = script((0, b""), (503, AWAY), (201, REVERSED))
    assert counter.reverse("rdm_x", "--key", "k-1").code == 0
    assert [(each.key, each.body) for each in asked] == [("k-1", b"")] * 3
    assert len({each.signed for each in asked}) == 3


def test_who_is_never_answered_is_told_the_key(counter: Counter, script: Script) -> None:
    counter.origin, asked = script((503, AWAY), (0, b""), (503, AWAY))
    said = counter.reverse("rdm_x")
    assert (said.code, said.err.split(":")[0]) == (3, "till.unanswered")
    (key,) = {each.key for each in asked}
    assert f"--key {key}" in said.err


@pytest.mark.parametrize("told", [b"<html>", b"{}", b"[]"])
def test_what_is_no_api_of_ours_is_said(counter: Counter, script: Script, told: bytes) -> None:
    counter.origin, _ = script((404, told))
    said = counter.reverse("rdm_x")
    assert (said.code, said.err.split(":")[0]) == (2, "till.origin")


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"till": "til_x", "private_key": "AAAA"}'])
def test_a_file_that_is_no_tills_is_wrong_input(run: Run, tmp_path: Path, content: str) -> None:
    file = tmp_path / "till.json"
    file.write_text(content)
    said = run("till", "redeem", "x", "--till", file)
    assert (said.code, said.err.split(":")[0]) == (2, "till.file")


@pytest.mark.parametrize(
    "words",
    [
        ("redeem", "x", "--till", "none.json"),
        ("redeem", "x", "--till", "none.json", "--origin", "file:///etc/passwd"),
        ("redeem", "x", "--till", "none.json", "--key", "a\nb"),
        ("redeem", "x", "--till", "none.json", "--at", "noon"),
        ("open", PUBLIC["mer"], "--out", "none/till.json"),
        ("open", PUBLIC["mer"], "--out", "till.json", "--label", "x" * 81),
    ],
)
def test_what_cannot_be_is_wrong_input(run: Run, words: tuple[str, ...]) -> None:
    said = run("till", *words)
    assert said.code == 2, said
    assert "Traceback" not in said.err
