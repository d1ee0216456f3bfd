"""The one form of a till's signature against the library's RFC 9421 (固定格式与标准一致).

Method: a request is signed by the client's side, then its headers, body and address are changed at
random, mostly a little. What the fixed form lets pass, the library lets pass, under the same key
and nonce; what was not changed both let pass.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from app.kernel.clock import now
from app.kernel.one_form import verify_one_form
from app.kernel.problems import Refusal
from app.kernel.signatures import TILL, Request, verify_request
from app.kernel.signing import sign

URL = "https://tanpu.example/v1/merchant/redemptions"
BODY = b'{"code":"v1.a.b.c"}'
AT = now()
PIECES = (
    "",
    " ",
    ";",
    ",",
    '"',
    "\\",
    "\t",
    "é",
    "=",
    ":",
    "0",
    "A",
    ';tag="till"',
    ";created=1",
    ' "@method"',
    ";alg=ed25519",
    ";keyid=?1",
    '"@path"',
    ", b=:AAAA:",
)


@dataclass(frozen=True)
class Key:
    public_key: bytes


PRIVATE = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
KEYS = {"til_1": Key(PRIVATE.public_key().public_bytes_raw())}


def signed(method: str, *, tag: str = TILL, age_s: int = 0) -> Request:
    at = AT - timedelta(seconds=age_s)
    body = BODY if method == "POST" else b""
    told = sign(
        PRIVATE,
        "til_1",
        method,
        URL,
        at=at,
        body=body,
        idempotency_key="k-1",
        content_type="application/json",
        tag=tag,
    )
    return Request(method, URL, {name.lower(): text for name, text in told.items()}, body)


@st.composite
def changed(draw: st.DrawFn) -> Request:
    """A signed request, with some of its texts changed."""
    base = signed(draw(st.sampled_from(["POST", "GET", "DELETE"])))
    headers = dict(base.headers)
    for _ in range(draw(st.integers(0, 3))):
        name = draw(st.sampled_from(sorted(headers)))
        text = headers[name]
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 3)))
        headers[name] = text[:start] + draw(st.sampled_from(PIECES)) + text[end:]
    body = draw(st.sampled_from([base.body, base.body + b" ", b""]))
    method = draw(st.sampled_from([base.method, base.method, "POST", "GET"]))
    url = draw(st.sampled_from([URL, URL, URL + "?a=1", URL + "/"]))
    return Request(method, url, headers, body)


def passes(request: Request, *, strictly: bool) -> tuple[bytes, str] | None:
    check = verify_one_form if strictly else verify_request
    try:
        found = check(request, KEYS.get, tag=TILL, at=AT)
    except Refusal:
        return None
    return found.key.public_key, found.nonce


@settings(max_examples=1000)
@given(changed())
def test_what_passes_here_passes_the_library(request: Request) -> None:
    ours = passes(request, strictly=True)
    assert ours is None or ours == passes(request, strictly=False)


@settings(max_examples=60)
@given(
    st.sampled_from(["POST", "GET", "DELETE"]),
    st.sampled_from([TILL, "ingest"]),
    st.integers(-120, 600),
)
def test_what_the_client_side_signs_is_judged_alike(method: str, tag: str, age_s: int) -> None:
    request = signed(method, tag=tag, age_s=age_s)
    ours = passes(request, strictly=True)
    assert ours == passes(request, strictly=False)
    assert (ours is not None) == (tag == TILL and -30 <= age_s <= 300)


def refusal(request: Request) -> str:
    try:
        verify_one_form(request, KEYS.get, tag=TILL, at=AT)
    except Refusal as error:
        return error.code
    return ""


def edited(**changes: str) -> Request:
    base = signed("POST")
    headers: Mapping[str, str] = {**base.headers, **changes}
    return Request(base.method, base.url, headers, base.body)


def test_each_fault_has_its_code() -> None:
    base = signed("POST")
    said = base.headers["signature-input"]
    other = Request(base.method, base.url, base.headers, b"{}")
    reading = signed("GET")
    assert refusal(base) == refusal(reading) == ""
    with_body = Request("GET", URL, reading.headers, BODY)
    assert refusal(with_body) == "signature.digest_mismatch"
    assert refusal(other) == "signature.digest_mismatch"
    assert refusal(Request("POST", URL, {}, BODY)) == "signature.missing"
    assert refusal(signed("POST", age_s=400)) == "signature.stale"
    assert refusal(signed("POST", tag="ingest")) == "signature.invalid"
    for old, new in (
        ("til_1", "til_2"),
        (' "idempotency-key"', ""),
        ("tanpu=", "other="),
        (';tag="till"', ';tag="till";tag="till"'),
        (';tag="till"', ""),
        ('"ed25519"', '"hmac-sha256"'),
        (said, f"{said}, more={said.partition('=')[2]}"),
    ):
        told = edited(**{"signature-input": said.replace(old, new)})
        expected = "key_unknown" if new == "til_2" else "invalid"
        assert refusal(told) == f"signature.{expected}", new
