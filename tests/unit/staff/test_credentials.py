"""What a clerk proves (登录凭证): codes as RFC 6238 has them, and passwords that are not kept."""

from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest

from app.staff.credentials import (
    STEP_S,
    code_at,
    commitment,
    hash_password,
    is_password,
    new_enrolment,
    new_totp,
    otpauth_uri,
    step_of,
)

SECRET = b"12345678901234567890"


def at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_codes_are_those_of_rfc_6238_appendix_b(seconds: int, code: str) -> None:
    assert code_at(SECRET, seconds // STEP_S) == code
    assert step_of(SECRET, code, at(seconds)) == seconds // STEP_S


@pytest.mark.parametrize(
    ("seconds", "found"), [(30, 2), (60, 2), (119, 2), (29, None), (120, None)]
)
def test_one_step_aside_is_believed_and_two_are_not(seconds: int, found: int | None) -> None:
    assert step_of(SECRET, code_at(SECRET, 2), at(seconds)) == found


@pytest.mark.parametrize("code", ["", "28708", "2870820", "abcdef", "２８７０８２"])
def test_what_is_no_code_is_of_no_step(code: str) -> None:
    assert step_of(SECRET, code, at(59)) is None


def test_an_authenticator_scans_the_same_secret() -> None:
    secret = new_totp()
    shown = urlsplit(otpauth_uri(secret, "an.li"))
    told = {name: values[0] for name, values in parse_qs(shown.query).items()}
    assert (shown.scheme, shown.netloc, shown.path) == ("otpauth", "totp", "/Tanpu:an.li")
    assert (told["digits"], told["period"], told["algorithm"]) == ("6", "30", "SHA1")


def test_a_password_is_kept_as_argon2id_under_a_salt_of_its_own() -> None:
    one, two = hash_password("correct horse battery"), hash_password("correct horse battery")
    assert one != two
    assert one.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert is_password("correct horse battery", one)
    assert not is_password("correct horse batterz", one)


def test_nobodys_password_is_never_right() -> None:
    assert not is_password("", None)


def test_an_enrolment_secret_has_160_bits_and_is_told_as_a_hash() -> None:
    one, two = new_enrolment(), new_enrolment()
    assert one != two
    assert len(one) == 32
    assert commitment(one) != commitment(two)
