"""Holding the operator to an upload's receipt (查证批次回执), from what a provider has in hand.

The answer to the upload, the records that were sent, the shared evidence secret, the pages of
``GET …/inclusion`` and the public list of headers: no database, and no trust in the server.
"""

import json
from base64 import b64decode
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any, Final, NamedTuple

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from app.activities import Item, Outcome, catalogued, read_items
from app.activities.ingest import CHUNK_LINES
from app.activities.marks import record_of
from ledger.encoding import Entry, evidence_commit, evidence_salt
from ledger.header import Header
from ledger.log import tree_hash
from ledger.promise import Broken, Promised, Shown, check_promise

KIND: Final = "tanpu/ingest-receipt/2"
Json = Mapping[str, Any]


class NotHonest(Exception):  # noqa: N818 -- a verdict, not an error
    """The answer is not the one that was signed (回执与签名不符)."""


class Held(NamedTuple):
    """What a receipt was held to."""

    promised: int
    broken: list[Broken]
    logged_by: datetime


def hold(
    answer: Json,
    records: bytes,
    *,
    secret: bytes,
    key: bytes,
    pages: Iterable[Json],
    headers: Mapping[int, Header],
) -> Held:
    """Check an upload's receipt line by line.

    Raises:
        NotHonest: The signature, the content or the outcomes are not those of the receipt.
        KeyError, ValueError, TypeError: One of the documents is not of its form.
    """
    stated = _statement(answer["receipt"], key)
    lines = [
        (int(each["line"]), str(each["outcome"]), str(each["reason"]), int(each["co2e_mg"]))
        for each in answer["outcomes"]
    ]
    _need(stated["outcomes_root"] == _root(lines), "the outcomes are not those that were signed")
    _need(stated["content_sha256"] == sha256(records).hexdigest(), "other records were signed")
    counted = {line: mg for line, outcome, _, mg in lines if mg and outcome == Outcome.ACCEPTED}
    promised = list(_promised(stated["methodology"], records, secret, counted))
    logged_by = datetime.fromisoformat(stated["logged_by"])
    shown = [_shown(each) for page in pages for each in page["data"] if _is_logged(each)]
    until = int(logged_by.timestamp())
    broken = list(check_promise(promised, shown, headers, logged_by=until))
    return Held(len(promised), broken, logged_by)


def _need(claim: object, otherwise: str) -> None:
    if not claim:
        raise NotHonest(otherwise)


def _statement(receipt: Json, key: bytes) -> Json:
    text = str(receipt["statement"]).encode()
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(b64decode(receipt["signature"]), text)
    except InvalidSignature as error:
        raise NotHonest("the signature is not the operator's") from error
    stated: Json = json.loads(text)
    _need(stated["kind"] == KIND, f"it is no {KIND}")
    return stated


def _root(lines: list[tuple[int, str, str, int]]) -> str:
    chunks = (lines[at : at + CHUNK_LINES] for at in range(0, len(lines), CHUNK_LINES))
    return tree_hash([sha256(msgspec.json.encode(chunk)).digest() for chunk in chunks]).hex()


def _promised(
    code: str, records: bytes, secret: bytes, counted: Mapping[int, int]
) -> Iterator[Promised]:
    """Give the lines that counted, with the commitment that the sender makes itself."""
    left = dict(counted)
    for item in read_items(records, catalogued(code), name="records.ndjson"):
        if isinstance(item, Item) and item.line in left:
            external_hash = sha256(item.external_id.encode()).digest()
            evidence = evidence_commit(evidence_salt(secret, external_hash), record_of(item, code))
            yield Promised(item.line, left.pop(item.line), evidence)
    _need(not left, "a line that counted is not among the records")


def _is_logged(each: Json) -> bool:
    return each["entry"] is not None and each["log_index"] is not None


def _shown(each: Json) -> Shown:
    said = each["entry"]
    entry = Entry(
        int(said["code"]),
        bytes.fromhex(said["asset_key"]),
        int(said["day"]),
        int(said["unit"]),
        int(said["amount"]),
        bytes.fromhex(said["debit_commit"]),
        bytes.fromhex(said["credit_commit"]),
        bytes.fromhex(said["evidence_commit"]),
    )
    path = [bytes.fromhex(hash_) for hash_ in each["path"]]
    return Shown(entry, int(said["ref"]), int(each["log_index"]), int(each["epoch"]), path)
