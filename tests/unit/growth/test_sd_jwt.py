"""SD-JWT against the vectors of RFC 9901, and status lists against those of their draft."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.growth import sd_jwt
from app.growth.sd_jwt import SdJwtInvalid, digest_of, disclosed, issue, read
from app.growth.status_list import PLACES, compressed

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
# RFC 9901, section 5.1: the payload, and disclosures of section 5.1 and 5.2.
PAYLOAD: dict[str, Any] = {
    "_sd": [
        "CrQe7S5kqBAHt-nMYXgc6bdt2SH5aTY1sU_M-PgkjPI",
        "JzYjH4svliH0R3PyEMfeZu6Jt69u5qehZo7F7EPYlSE",
        "PorFbpKuVu6xymJagvkFsFXAbRoc2JGlAUA2BA4o7cI",
        "TGf4oLbgwd5JQaHyKVQZU9UdGE0w5rtDsrZzfUaomLo",
        "XQ_3kPKt1XyX7KANkqVR6yZ2Va5NrPIvPYbyMvRKBMM",
        "XzFrzwscM6Gn6CJDc6vVK8BkMnfG8vOSKfpPIZdAfdE",
        "gbOsI4Edq2x2Kw-w5wPEzakob9hV1cRD0ATN3oQL9JM",
        "jsu9yVulwQQlhFlM_3JlzMaSFzglhQG0DpfayQwLUK4",
    ],
    "iss": "https://issuer.example.com",
    "iat": 1683000000,
    "exp": 1883000000,
    "sub": "user_42",
    "_sd_alg": "sha-256",
}
FAMILY_NAME = "WyJlbHVWNU9nM2dTTklJOEVZbnN4QV9BIiwgImZhbWlseV9uYW1lIiwgIkRvZSJd"
GIVEN_NAME = "WyIyR0xDNDJzS1F2ZUNmR2ZyeU5STjl3IiwgImdpdmVuX25hbWUiLCAiSm9obiJd"
ADDRESS = (
    "WyJBSngtMDk1VlBycFR0TjRRTU9xUk9BIiwgImFkZHJlc3MiLCB7InN0cmVldF9hZGRyZXNzIjogIjEyMyBN"
    "YWluIFN0IiwgImxvY2FsaXR5IjogIkFueXRvd24iLCAicmVnaW9uIjogIkFueXN0YXRlIiwgImNvdW50cnki"
    "OiAiVVMifV0"
)
NATIONALITY = "WyJsa2x4RjVqTVlsR1RQVW92TU5JdkNBIiwgIlVTIl0"
HIDDEN = [("salt-1", "score", {"at_least": 600}), ("salt-2", "member", True)]


def written(*parts: object) -> str:
    return urlsafe_b64encode(json.dumps(list(parts)).encode()).decode().rstrip("=")


def test_the_rfcs_disclosures_have_the_rfcs_digests() -> None:
    assert digest_of(FAMILY_NAME) == "TGf4oLbgwd5JQaHyKVQZU9UdGE0w5rtDsrZzfUaomLo"
    assert digest_of(GIVEN_NAME) == "jsu9yVulwQQlhFlM_3JlzMaSFzglhQG0DpfayQwLUK4"
    assert digest_of(ADDRESS) == "XzFrzwscM6Gn6CJDc6vVK8BkMnfG8vOSKfpPIZdAfdE"
    assert digest_of(NATIONALITY) == "pFndjkZ_VCzmyTa6UjlZo3dh-ko8aIKQc9DlGzhaVYo"


def test_the_rfcs_presentation_reads_as_the_rfc_says() -> None:
    assert disclosed(PAYLOAD, [FAMILY_NAME, ADDRESS, GIVEN_NAME]) == {
        "iss": "https://issuer.example.com",
        "iat": 1683000000,
        "exp": 1883000000,
        "sub": "user_42",
        "family_name": "Doe",
        "given_name": "John",
        "address": {
            "street_address": "123 Main St",
            "locality": "Anytown",
            "region": "Anystate",
            "country": "US",
        },
    }


def test_an_issued_token_reads_back_with_what_is_shown() -> None:
    text = issue({"iss": "us", "aud": "them", "exp": 1}, HIDDEN, KEY, "kid-1")
    signed, score, member, end = text.split("~")
    assert end == ""
    every = read(text, KEY.public_key(), "kid-1")
    assert every["score"] == {"at_least": 600}
    assert every["member"] is True
    assert "member" not in read(f"{signed}~{score}~", KEY.public_key(), "kid-1")
    assert "score" not in jwt.decode(signed, options={"verify_signature": False})
    assert read(f"{signed}~{member}~{score}~", KEY.public_key(), "kid-1") == every


@pytest.mark.parametrize(
    "disclosures",
    [
        [FAMILY_NAME, FAMILY_NAME],
        [NATIONALITY],
        [written("salt", "family_name", "Roe")],
        ["%%%"],
        [""],
        [urlsafe_b64encode(b"{}").decode()],
        ["é"],
    ],
)
def test_a_disclosure_that_does_not_belong_is_refused(disclosures: list[str]) -> None:
    with pytest.raises(SdJwtInvalid):
        disclosed(PAYLOAD, disclosures)


@pytest.mark.parametrize("name", ["iss", "_sd", "...", "_sd_alg"])
def test_a_disclosure_takes_no_name_that_is_taken(name: str) -> None:
    each = written("salt", name, 1)
    with pytest.raises(SdJwtInvalid):
        disclosed({"iss": "us", "_sd": [digest_of(each)]}, [each])


def test_another_hash_another_key_and_another_kind_are_refused() -> None:
    with pytest.raises(SdJwtInvalid):
        disclosed({"_sd": [], "_sd_alg": "sha-512"}, [])
    text = issue({"iss": "us"}, HIDDEN, KEY, "kid-1")
    stranger = Ed25519PrivateKey.from_private_bytes(bytes(32))
    kind = jwt.encode({"iss": "us"}, KEY, "EdDSA", {"kid": "kid-1", "typ": "at+jwt"})
    unsigned = jwt.encode({"iss": "us"}, "", "none", {"kid": "kid-1", "typ": sd_jwt.TYPE})
    for other, key, kid in [
        (text, stranger, "kid-1"),
        (text, KEY, "kid-2"),
        (f"{kind}~", KEY, "kid-1"),
        (f"{unsigned}~", KEY, "kid-1"),
        (text.removesuffix("~"), KEY, "kid-1"),
        (text + "a.b.c", KEY, "kid-1"),
        (text.split("~", maxsplit=1)[0], KEY, "kid-1"),
        ("~" * 5, KEY, "kid-1"),
        (text + "x" * 9000, KEY, "kid-1"),
    ]:
        with pytest.raises(SdJwtInvalid):
            read(other, key.public_key(), kid)


def test_a_status_list_is_the_drafts_bytes() -> None:
    statuses = [1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1]
    revoked = [place for place, status in enumerate(statuses) if status]
    assert compressed(revoked, 16) == "eNrbuRgAAhcBXQ"
    assert compressed([], PLACES) != compressed([PLACES - 1], PLACES)
    assert urlsafe_b64decode(compressed([]) + "==")
