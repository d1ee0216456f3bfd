"""The platforms that log people in, and their twins: one suite for the fake and for the real.

The real adapters speak to a server on this machine that answers as WeChat's and a gateway's do.
"""

import io
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from app.citizens.errors import IdentityAway, IdentityRefused, SmsAway
from app.citizens.identities import IdentityProvider, OfflineWechat, Wechat
from app.citizens.sms import ConsoleSms, GatewaySms, SmsProvider
from app.kernel.problems import Refusal

SECRET = "hunter2"
PHONE = "+8613800000000"


@dataclass
class Platform:
    """WeChat's server and a gateway, as far as we talk to them."""

    origin: str = ""
    answer: bytes | None = None
    status: int = 200
    requests: list[tuple[str, dict[str, str], bytes]] = field(
        default_factory=list[tuple[str, dict[str, str], bytes]]
    )
    used: set[str] = field(default_factory=set[str])

    def session_of(self, path: str) -> dict[str, object]:
        """What ``code2Session`` says."""
        query = parse_qs(urlsplit(path).query, keep_blank_values=True)
        asked = {name: values[0] for name, values in query.items()}
        if (asked["appid"], asked["secret"]) != ("wx0", SECRET):
            return {"errcode": 40125, "errmsg": "invalid appsecret"}
        code = asked["js_code"]
        if "." not in code or code in self.used:
            return {"errcode": 40029, "errmsg": "invalid code"}
        self.used.add(code)
        return {"openid": "o" + code.split(".")[0], "session_key": "s3ss10n=="}


@pytest.fixture
def platform() -> Iterator[Platform]:
    made = Platform()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.requests.append((self.path, dict(self.headers), b""))
            said = made.answer or json.dumps(made.session_of(self.path)).encode()
            self.say(said)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            made.requests.append((self.path, dict(self.headers), body))
            self.say(b"{}")

        def say(self, said: bytes) -> None:
            self.send_response(made.status)
            self.send_header("Location", "http://127.0.0.1:1/elsewhere")
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- likewise
            del format, args

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        made.origin = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield made
        server.shutdown()
        thread.join()


@pytest.fixture(params=["offline", "wechat"])
def provider(request: pytest.FixtureRequest, platform: Platform) -> IdentityProvider:
    if request.param == "offline":
        return OfflineWechat()
    return Wechat("wx0", SECRET, origin=platform.origin)


def test_a_person_is_the_same_whichever_code(provider: IdentityProvider) -> None:
    alice = provider.exchange("alice.1")
    assert alice.way == "wechat"
    assert alice == provider.exchange("alice.2")
    assert alice != provider.exchange("bob.1")
    assert alice.id not in repr(alice)


@pytest.mark.parametrize("code", ["nonsense", "", "a&secret=x#", "爱丽丝"])
def test_what_is_no_code_is_refused(provider: IdentityProvider, code: str) -> None:
    with pytest.raises(IdentityRefused):
        provider.exchange(code)


def test_a_code_works_once(provider: IdentityProvider) -> None:
    provider.exchange("alice.1")
    with pytest.raises(IdentityRefused):
        provider.exchange("alice.1")


@pytest.mark.parametrize(
    ("answer", "status", "refusal"),
    [
        (b'{"errcode": -1, "errmsg": "system error"}', 200, IdentityAway),
        (b'{"errcode": 45011, "errmsg": "api minute-quota reach limit"}', 200, IdentityAway),
        (b'{"errcode": 40226, "errmsg": "code blocked"}', 200, IdentityRefused),
        (b"{}", 200, IdentityRefused),
        (b'{"openid": ""}', 200, IdentityRefused),
        (b'{"openid": 7}', 200, IdentityRefused),
        (b"[]", 200, IdentityAway),
        (b"<html>", 200, IdentityAway),
        (b"\xff", 200, IdentityAway),
        (b'{"openid": "o1"}', 500, IdentityAway),
        (b'{"openid": "o1"}', 302, IdentityAway),
    ],
    ids=str,
)
def test_whatever_else_wechat_says(
    platform: Platform, answer: bytes, status: int, refusal: type[Refusal]
) -> None:
    platform.answer, platform.status = answer, status
    with pytest.raises(refusal):
        Wechat("wx0", SECRET, origin=platform.origin).exchange("alice.1")
    assert len(platform.requests) == 1, "neither tried again nor sent elsewhere"


def test_an_error_quotes_neither_secret_nor_code() -> None:
    away = Wechat("wx0", SECRET, origin="http://127.0.0.1:1")
    with pytest.raises(IdentityAway) as told:
        away.exchange("alice.1")
    chain: BaseException | None = told.value
    said = repr(away)
    while chain is not None:
        said += repr(chain)
        chain = chain.__cause__
    assert SECRET not in said
    assert "alice" not in said


Sms = tuple[SmsProvider, Callable[[], str]]


@pytest.fixture(params=["console", "gateway"])
def sms(request: pytest.FixtureRequest, platform: Platform) -> Sms:
    """A provider, and what it has handed over."""
    if request.param == "console":
        stream = io.StringIO()
        return ConsoleSms(stream), stream.getvalue
    return GatewaySms(f"{platform.origin}/send", SECRET), lambda: str(platform.requests)


def test_a_code_is_handed_over_with_its_number(sms: Sms) -> None:
    provider, handed = sms
    provider.send(PHONE, "012345", minutes=5)
    for part in (PHONE, "012345", "5"):
        assert part in handed()
    assert SECRET not in repr(provider)


def test_the_gateway_is_told_who_asks(platform: Platform) -> None:
    GatewaySms(f"{platform.origin}/send", SECRET).send(PHONE, "012345", minutes=5)
    ((path, headers, body),) = platform.requests
    assert path == "/send"
    assert headers["Authorization"] == f"Bearer {SECRET}"
    assert json.loads(body) == {"to": PHONE, "code": "012345", "minutes": 5}


@pytest.mark.parametrize("status", [302, 400, 401, 500, 503])
def test_a_gateway_that_refuses_has_sent_nothing(platform: Platform, status: int) -> None:
    platform.status = status
    with pytest.raises(SmsAway):
        GatewaySms(platform.origin, SECRET).send(PHONE, "012345", minutes=5)
    assert len(platform.requests) == 1
