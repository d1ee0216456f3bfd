"""One try (一次投递): it goes to the address that was judged, and each way to fail has its end."""

import socket
import ssl
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import NameOID

from app.webhooks.rules import Reach
from app.webhooks.sending import Outcome, Resolve, Sender
from tests.support.receivers import receiver

HERE = Reach(plain=True, loopback=True)
NAME = "shop.example"


def resolving(*addresses: str) -> Resolve:
    """Give a resolver that knows nothing else."""

    def resolve(_host: str, _port: int) -> list[str]:
        return list(addresses)

    return resolve


def certificate(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Make a certificate of ``NAME``; gives the receiver's side, and one that trusts it."""
    key, at = Ed25519PrivateKey.generate(), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - timedelta(days=1))
        .not_valid_after(at + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, None)
    )
    pem = made.public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path = folder / "shop.pem"
    path.write_bytes(secret + pem)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(path)
    return server, ssl.create_default_context(cadata=pem.decode())


def test_it_connects_to_what_was_judged_and_keeps_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    server, trusting = certificate(tmp_path)
    asked: list[str] = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append(f"{host}:{port}")
        return ["127.0.0.1"]

    with receiver(server) as shop:
        sender = Sender(HERE, resolve, trusting)
        url = f"https://{NAME}:{shop.port}/hook?a=1"
        assert sender.post(url, {"webhook-id": "msg_1"}, b"{}") == Outcome(status=204)
        assert asked == [f"{NAME}:{shop.port}"]
        (got,) = shop.received
        assert (got.path, got.body) == ("/hook?a=1", b"{}")
        assert got.headers["host"] == f"{NAME}:{shop.port}"
        assert got.headers["content-type"] == "application/json"
        assert got.headers["webhook-id"] == "msg_1"
        other = sender.post(url.replace(NAME, "other.example"), {}, b"{}")
        assert other == Outcome(fault="tls")
        stranger = Sender(HERE, resolve, ssl.create_default_context())
        assert stranger.post(url, {}, b"{}") == Outcome(fault="tls")
        assert len(shop.received) == 1


@pytest.mark.parametrize(
    "addresses",
    [["10.0.0.1"], ["1.1.1.1", "127.0.0.1"], ["169.254.169.254"], ["::ffff:127.0.0.1"]],
    ids=["private", "mixed", "metadata", "mapped"],
)
def test_a_name_that_leads_inside_is_not_connected_to(addresses: list[str]) -> None:
    with receiver() as inside:
        sender = Sender(Reach(plain=True), resolving(*addresses))
        found = sender.post(f"http://{NAME}:8080/", {}, b"{}")
        assert found == Outcome(fault="address_refused")
        assert inside.received == []


def test_names_that_lead_nowhere() -> None:
    def unknown(*_: object) -> list[str]:
        raise socket.gaierror

    url = f"http://{NAME}:8080/"
    assert Sender(HERE, unknown).post(url, {}, b"{}") == Outcome(fault="unresolved")
    assert Sender(HERE, resolving()).post(url, {}, b"{}") == Outcome(fault="unresolved")
    assert Sender(Reach()).post(url, {}, b"{}") == Outcome(fault="url_refused")
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        found = Sender(HERE).post(f"http://127.0.0.1:{port}/", {}, b"{}")
    assert found == Outcome(fault="connection")


def test_a_redirect_is_an_answer_and_not_followed() -> None:
    with receiver() as other, receiver(status=302, headers={"location": other.url}) as shop:
        assert Sender(HERE).post(shop.url, {}, b"{}") == Outcome(status=302)
        assert other.received == []


def test_who_drips_is_hung_up_on_in_time() -> None:
    def drip(handler: BaseHTTPRequestHandler) -> None:
        for _ in range(100):
            handler.wfile.write(b"x")
            time.sleep(0.05)

    with receiver(act=drip) as slow:
        begun = time.monotonic()
        assert Sender(HERE, whole_s=0.5).post(slow.url, {}, b"{}") == Outcome(fault="timeout")
        assert 0.4 < time.monotonic() - begun < 2


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        (b"HTTP/1.1 103 Early\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", Outcome(status=200)),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"a" * 200_000, Outcome(status=200)),
        (b"HTTP/1.1 200 OK\r\nx: " + b"a" * 100_000, Outcome(fault="too_large")),
        (b"SSH-2.0-OpenSSH\r\n\r\n", Outcome(fault="malformed")),
        (b"HTTP/1.1 200 OK\r\n", Outcome(fault="no_answer")),
        (b"HTTP/1.1 999 What\r\n\r\n", Outcome(fault="malformed")),
    ],
    ids=["interim", "long-body", "long-head", "not-http", "half", "no-status"],
)
def test_what_it_answers(said: bytes, outcome: Outcome) -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(said)

    with receiver(act=answer) as shop:
        assert Sender(HERE).post(shop.url, {}, b"{}") == outcome
