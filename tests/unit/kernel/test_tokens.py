"""Access tokens: what is believed, and everything that is not."""

import base64
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from app.kernel.clock import now
from app.kernel.ids import new_id
from app.kernel.scopes import Scope
from app.kernel.secrets import Keys, key_id
from app.kernel.tokens import (
    ALGORITHM,
    AUDIENCE,
    LEEWAY,
    LIFETIME,
    REQUIRED,
    TYPE,
    KeySet,
    Principal,
    TokenInvalid,
    Tokens,
)
from ledger.accounts import FIRST_OWNER_ID

ISSUER = "tanpu.example/ledger/1"
KEY, OTHER = (Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in (1, 2))
KEYS: KeySet = {key_id(KEY): KEY}
OWNER = FIRST_OWNER_ID + 2
ALICE = Principal("citizen", new_id(), frozenset({Scope.ME}), OWNER)
CLERK = Principal("clerk", new_id(), frozenset({Scope.AUDIT_READ, Scope.APPROVALS_SIGN}))
TOKENS = Tokens(lambda: KEYS, ISSUER)


def claims(**changed: Any) -> dict[str, Any]:  # noqa: ANN401 -- a claim is whatever JSON has
    """What a good token says, changed; ``...`` leaves a claim out, a delta counts from now."""
    at = now()
    told: dict[str, Any] = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": ALICE.name,
        "iat": at,
        "exp": at + LIFETIME,
        "jti": "1",
        "scope": "me",
        "own": OWNER,
    }
    return {
        name: at + value if isinstance(value, timedelta) else value
        for name, value in (told | changed).items()
        if value is not ...
    }


def signed(
    told: dict[str, Any], key: Ed25519PrivateKey = KEY, headers: dict[str, Any] | None = None
) -> str:
    said = {"kid": key_id(KEY), "typ": TYPE} | (headers or {})
    return jwt.encode(told, key, ALGORITHM, said)


def raw(header: dict[str, Any], told: dict[str, Any], sign: Callable[[bytes], bytes]) -> str:
    """A token made by hand, as a library would refuse to."""

    def part(data: bytes) -> str:
        return base64.urlsafe_b64encode(data).decode().rstrip("=")

    plain = {k: int(v.timestamp()) if isinstance(v, datetime) else v for k, v in told.items()}
    body = f"{part(json.dumps(header).encode())}.{part(json.dumps(plain).encode())}"
    return f"{body}.{part(sign(body.encode()))}"


def refused(text: str, tokens: Tokens = TOKENS) -> None:
    with pytest.raises(TokenInvalid):
        tokens.read(text)


@pytest.mark.parametrize("who", [ALICE, CLERK], ids=["citizen", "clerk"])
def test_what_is_issued_is_read_back(who: Principal) -> None:
    assert TOKENS.read(TOKENS.issue(who, at=now())) == who


def test_the_hand_made_token_is_good_until_it_is_spoilt() -> None:
    """Every attack below changes one thing of this one."""
    assert TOKENS.read(signed(claims())) == ALICE
    header = {"alg": ALGORITHM, "kid": key_id(KEY), "typ": TYPE}
    assert TOKENS.read(raw(header, claims(), KEY.sign)) == ALICE


@pytest.mark.parametrize("name", REQUIRED)
def test_a_claim_that_is_missing(name: str) -> None:
    refused(signed(claims(**{name: ...})))


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "tanpu.example/ledger/2"},
        {"iss": [ISSUER]},
        {"aud": "another-api"},
        {"aud": ["another-api"]},
        {"sub": "cit_!"},
        {"sub": f"xxx_{'0' * 26}"},
        {"sub": 7},
        {"scope": "me everything"},
        {"scope": 7},
        {"own": -2},
        {"own": str(OWNER)},
        {"own": None},
        {"exp": "soon"},
        {"iat": "then"},
        {"iat": timedelta(minutes=5)},
        {"nbf": timedelta(minutes=5)},
    ],
    ids=str,
)
def test_a_claim_of_another_world(changed: dict[str, Any]) -> None:
    header = {"alg": ALGORITHM, "kid": key_id(KEY), "typ": TYPE}
    refused(raw(header, claims(**changed), KEY.sign))


def test_it_ends() -> None:
    at = now() - LIFETIME
    assert TOKENS.read(TOKENS.issue(ALICE, at=at + timedelta(seconds=5))) == ALICE
    refused(TOKENS.issue(ALICE, at=at - LEEWAY - timedelta(seconds=1)))


@pytest.mark.parametrize("typ", ["JWT", "at+JWT ", "id+jwt", "", None, 7])
def test_another_type_of_token(typ: object) -> None:
    refused(raw({"alg": ALGORITHM, "kid": key_id(KEY), "typ": typ}, claims(), KEY.sign))


def test_no_signature() -> None:
    for alg in ("none", "None", "NONE", "nOnE"):
        refused(raw({"alg": alg, "kid": key_id(KEY), "typ": TYPE}, claims(), lambda _: b""))
    refused(raw({"alg": ALGORITHM, "kid": key_id(KEY), "typ": TYPE}, claims(), lambda _: b""))


def test_the_public_key_as_a_shared_secret() -> None:
    public = KEY.public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for secret in (public.public_bytes_raw(), pem, b""):

        def sign(body: bytes, secret: bytes = secret) -> bytes:
            return hmac.digest(secret, body, sha256)

        for alg in ("HS256", ALGORITHM):
            refused(raw({"alg": alg, "kid": key_id(KEY), "typ": TYPE}, claims(), sign))


def test_a_key_that_the_token_brings_itself() -> None:
    public = base64.urlsafe_b64encode(OTHER.public_key().public_bytes_raw()).decode().rstrip("=")
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": public}
    for extra in ({"jwk": jwk}, {"jku": "https://evil.example/jwks.json"}, {"x5u": "https://e"}):
        header = {"alg": ALGORITHM, "kid": key_id(KEY), "typ": TYPE, **extra}
        refused(raw(header, claims(), OTHER.sign))


@pytest.mark.parametrize("kid", [key_id(OTHER), "", "../../access/0000", None, 7, ["a"], {"a": 1}])
def test_another_key(kid: object) -> None:
    header = {"alg": ALGORITHM, "kid": kid, "typ": TYPE}
    refused(raw(header, claims(), OTHER.sign))
    refused(raw(header, claims(), KEY.sign))


def test_the_right_name_over_the_wrong_key() -> None:
    refused(signed(claims(), OTHER))


def test_an_unknown_critical_header() -> None:
    header = {"alg": ALGORITHM, "kid": key_id(KEY), "typ": TYPE, "crit": ["x"], "x": 1}
    refused(raw(header, claims(), KEY.sign))


@given(st.data())
def test_one_character_changed(data: st.DataObject) -> None:
    good = TOKENS.issue(ALICE, at=now())
    at = data.draw(st.integers(0, len(good) - 1))
    other = data.draw(st.sampled_from("ABCxyz019-_.")).replace(good[at], "~")
    changed = good[:at] + other + good[at + 1 :]
    try:
        assert TOKENS.read(changed) == ALICE, "the last character has bits to spare"
    except TokenInvalid:
        return
    assert at == len(good) - 1


@given(st.text(max_size=300) | st.binary(max_size=300).map(lambda b: b.decode("latin-1")))
def test_whatever_else_somebody_sends(text: str) -> None:
    refused(text)


def test_a_text_without_end() -> None:
    refused(signed(claims(more="x" * 5000)))


def test_rotation_believes_the_old_until_it_retires(tmp_path: Path) -> None:
    held = Keys(tmp_path, make_missing=True)
    tokens = Tokens(lambda: held.access, ISSUER)
    old = tokens.issue(ALICE, at=now())
    kid = held.rotate_access()
    new = tokens.issue(ALICE, at=now())
    assert jwt.get_unverified_header(new)["kid"] == kid
    assert tokens.read(old) == tokens.read(new) == ALICE
    held.retire_access(LIFETIME, at=datetime.now(UTC) + 2 * LIFETIME)
    refused(old, tokens)
    assert tokens.read(new) == ALICE


def test_what_was_read_once_is_judged_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The signature is remembered; the end of the token, and of its key, are not."""
    held = dict(KEYS)
    tokens = Tokens(lambda: held, ISSUER)
    token = tokens.issue(ALICE, at=now())
    for _ in range(2):
        assert tokens.read(token) == ALICE
    with monkeypatch.context() as late:
        late.setattr("app.kernel.tokens.now", lambda: datetime.now(UTC) + LIFETIME + LEEWAY)
        with pytest.raises(TokenInvalid):
            tokens.read(token)
    held[key_id(OTHER)] = OTHER
    assert tokens.read(token) == ALICE
    del held[key_id(KEY)]
    with pytest.raises(TokenInvalid):
        tokens.read(token)


def test_the_public_keys_verify_and_hold_nothing_private() -> None:
    (jwk,) = TOKENS.public_keys()
    assert set(jwk) == {"kty", "crv", "x", "kid", "use", "alg"}
    raw_key = base64.urlsafe_b64decode(jwk["x"] + "=")
    assert raw_key == KEY.public_key().public_bytes_raw()
    key = Ed25519PublicKey.from_public_bytes(raw_key)
    told = jwt.decode(TOKENS.issue(ALICE, at=now()), key, ["EdDSA"], audience=AUDIENCE)
    assert told["sub"] == ALICE.name
