"""docs/mall.md says what the code does (商城文档): states, codes, times, a request."""

import re
from base64 import b64decode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from app.kernel import signatures
from app.kernel.once import IdempotencyKeyMissing, IdempotencyKeyReused
from app.kernel.one_form import verify_one_form
from app.kernel.problems import Refusal
from app.kernel.signatures import AGE_MAX, NONCE_MIN, SKEW_MAX, TILL, Request
from app.kernel.signing import sign
from app.mall import order_errors
from app.mall.order_schemas import TOLD_MAX, State
from app.mall.ordering import OFFLINE_FOR
from app.mall.redeeming import TRIES
from app.mall.vouchers import PRINTED_DIGITS, STEP_S
from app.merchants import errors as merchant_errors
from app.merchants.shifts import LONGEST
from app.settlements.disputes import WINDOW
from app.settlements.jobs import QUIET
from app.settlements.rules import LineKind, SettlementState
from app.staff.errors import LoginRefused
from app.staff.roll import ENROLMENT_LIFETIME

PAGE = (Path(__file__).parents[3] / "docs" / "mall.md").read_text(encoding="utf-8")
WORDS = " ".join(PAGE.split())
OF_TILLS = ("till.", "voucher.", "redemption.", "reversal.", "signature.")
URL = "https://tanpu.example/v1/merchant/redemptions"


def named(heading: str, *, of: int = 0) -> list[str]:
    """Give what stands in backticks in the first column of a section's table."""
    section = PAGE.split(f"## {heading}")[1].split("\n## ")[0]
    table = re.findall(r"(?:^\|.*\n)+", section, re.MULTILINE)[of]
    firsts = re.findall(r"^\| ([^|]+) \|", table, re.MULTILINE)
    return re.findall(r"`([^`]+)`", " ".join(firsts))


def codes(module: object) -> set[str]:
    kinds = [each for each in vars(module).values() if isinstance(each, type)]
    refusals = [each for each in kinds if issubclass(each, Refusal) and each is not Refusal]
    return {each.code for each in refusals if each.code.startswith(OF_TILLS)}


def test_every_state_is_there_and_no_other() -> None:
    assert named("An order") == list(get_args(State))
    assert named("The statement", of=0) == [each.value for each in LineKind]
    assert named("The statement", of=1) == [each.value for each in SettlementState]


def test_every_code_that_a_till_may_get_is_there_and_no_other() -> None:
    expected = codes(signatures) | codes(order_errors) | codes(merchant_errors)
    shared = (IdempotencyKeyMissing, IdempotencyKeyReused, LoginRefused)
    expected |= {each.code for each in shared} | {"limits.exceeded"}
    told = named("What a till may be told")
    assert sorted(told) == sorted(expected)


HOUR = timedelta(hours=1)
SAID = {
    "a shift": f"for {LONGEST // HOUR} hours at most",
    "an enrolment": f"Within {ENROLMENT_LIFETIME // HOUR} hours",
    "offline": f"{OFFLINE_FOR // HOUR} hours after it was made ready",
    "told at once": f"{TOLD_MAX} at a time",
    "a signature": f"at most {AGE_MAX.seconds} seconds old and {SKEW_MAX.seconds} ahead",
    "a nonce": f"the nonce of {NONCE_MIN} characters or more",
    "a step": f"made for {STEP_S} seconds",
    "a printed code": f"the {PRINTED_DIGITS} printed characters",
    "tries": f"{TRIES.most} printed codes in {'an hour' if TRIES.window == HOUR else TRIES.window}",
    "settling": f"{QUIET // HOUR} hour after midnight",
    "a dispute": f"| {WINDOW.days} days to look at it |",
}


@pytest.mark.parametrize("bound", SAID)
def test_times_and_counts_are_those_of_the_code(bound: str) -> None:
    assert SAID[bound] in WORDS


@dataclass(frozen=True)
class Known:
    public_key: bytes


def test_the_request_is_one_that_the_server_takes_and_the_client_makes() -> None:
    (sent,) = re.findall(r"^```http\n(.*?)\n```", PAGE, re.MULTILINE | re.DOTALL)
    (signed,) = re.findall(r"^```text\n(.*?)\n```", PAGE, re.MULTILINE | re.DOTALL)
    private, public = (
        b64decode(each) for each in re.findall(r"`([A-Za-z0-9+/]{43}=)`", PAGE)
    )  # fmt: skip
    head, body = sent.split("\n\n")
    first, *lines = head.splitlines()
    headers = {name.lower(): text for name, text in (line.split(": ", 1) for line in lines)}
    method, path, _ = first.split()
    url = f"https://{headers.pop('host')}{path}"
    assert (method, url) == ("POST", URL)

    stated = headers["signature-input"]
    created = int(re.findall(r"created=(\d+)", stated)[0])
    keyid, nonce = (re.findall(f'{each}="([^"]+)"', stated)[0] for each in ("keyid", "nonce"))
    at = datetime.fromtimestamp(created, UTC)
    key = {keyid: Known(public)}
    request = Request(method, url, headers, body.encode())
    assert verify_one_form(request, key.get, tag=TILL, at=at).nonce == nonce
    signature = b64decode(headers["signature"].split(":")[1])
    Ed25519PublicKey.from_public_bytes(public).verify(signature, signed.encode())

    made = sign(
        Ed25519PrivateKey.from_private_bytes(private),
        keyid,
        method,
        url,
        at=at,
        body=body.encode(),
        idempotency_key=headers["idempotency-key"],
        content_type=headers["content-type"],
        tag=TILL,
        nonce=nonce,
    )
    assert {name.lower(): text for name, text in made.items()} == headers
