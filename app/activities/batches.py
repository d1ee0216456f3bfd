"""Batches over HTTP (线上批次): taken in once however often they are sent, and read by their owner.

Three transactions: the nonce and the key are claimed with the id of the upload; the upload is
taken in, idempotent by that id; the answer is kept. A crash between any two of them is mended by
the provider's own retry, which finds the claim and takes up the same upload.
"""

from base64 import b64encode
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from io import BytesIO
from typing import Final
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlmodel import Session

from app.activities.batch_errors import BatchTooLong, BatchUnknown
from app.activities.choice import decided
from app.activities.errors import UploadFormat
from app.activities.ingest import ingest
from app.activities.lines import numbered_lines
from app.activities.outcomes import ItemOutcome
from app.activities.reading import read_items
from app.activities.schemas import BatchOut, OutcomeOut, ReceiptOut, complete
from app.activities.uploads import outcomes_of
from app.kernel.db import Database, driver
from app.kernel.ids import public_id
from app.kernel.once import Answer, digest_of
from app.kernel.problems import Refusal
from app.kernel.quantities import mass
from app.kernel.secrets import Keys
from app.kernel.settings import Settings
from app.kernel.signatures import Signed
from app.providers import Provider, ProviderKey
from app.providers.once import first_answer, keep_answer, take_nonce

LINES_MAX: Final = 10_000
BODY_MAX: Final = 16 * 1024 * 1024
PACKED: Final = (b"\x1f\x8b", b"PAR1")
NAME: Final = "body.ndjson"

_FIND: Final = """
select u.methodology, u.opened_at, r.statement, r.signature,
       coalesce(sum(c.reduction_mg), 0)::int8, coalesce(sum(c.corrected_mg), 0)::int8
  from upload u
  left join upload_receipt r on r.upload = u.id
  left join upload_chunk c on c.upload = u.id
 where u.id = %s and u.provider = %s
 group by u.methodology, u.opened_at, r.statement, r.signature"""


@dataclass(frozen=True, slots=True)
class Batch:
    """A signed body, as it arrived."""

    signed: Signed[ProviderKey]
    key: str
    """The Idempotency-Key."""
    methodology: str
    version: int | None
    body: bytes
    at: datetime
    upload: UUID
    """The id it takes if it is new."""

    @property
    def provider(self) -> int:
        """The provider that the key names; nothing in the body counts."""
        return self.signed.key.provider.id

    @property
    def digest(self) -> bytes:
        """What makes two requests the same."""
        return digest_of(self.methodology.encode(), str(self.version).encode(), self.body)


def receive(
    db: Database, keys: Keys, settings: Settings, batch: Batch, render: Callable[[Refusal], bytes]
) -> tuple[Answer, bool]:
    """Take a batch in and answer it; says whether the answer is one that was given before.

    A refusal of the batch as a whole is an answer too: ``render`` writes it, and it is kept.

    Raises:
        NonceReplayed, IdempotencyKeyReused: See their own words; nothing is kept.
    """
    claimed = db.transact(_claim, batch)
    if isinstance(claimed, Answer):
        return claimed, True
    try:
        made = _taken_in(db, keys, settings, batch, claimed)
        answer = Answer(HTTPStatus.CREATED, made.model_dump_json().encode())
    except Refusal as refusal:
        if refusal.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise
        answer = Answer(refusal.status, render(refusal))
    db.transact(keep_answer, batch.provider, batch.key, answer)
    return answer, False


def _claim(session: Session, batch: Batch) -> Answer | UUID:
    take_nonce(session, batch.provider, batch.signed.nonce, at=batch.at)
    return first_answer(
        session, batch.provider, batch.key, batch.digest, work=batch.upload, at=batch.at
    )


def _taken_in(db: Database, keys: Keys, settings: Settings, batch: Batch, upload: UUID) -> BatchOut:
    choice = db.read(decided, batch.methodology, batch.version)
    if batch.body.startswith(PACKED):
        raise UploadFormat(expected="application/x-ndjson")
    if sum(1 for _ in numbered_lines(BytesIO(batch.body))) > LINES_MAX:
        raise BatchTooLong(lines_max=LINES_MAX)
    items = read_items(batch.body, choice, name=NAME)
    sender = batch.signed.key.provider
    told: list[ItemOutcome] = []
    made = ingest(
        db,
        keys,
        settings,
        sender.code,
        choice,
        items,
        at=batch.at,
        upload=upload,
        progress=told.extend,
    )
    return BatchOut(
        id=public_id("bat", upload),
        provider=sender.code,
        methodology=choice.code,
        received_at=made.opened_at,
        lines=len(told),
        counts=complete(made.counts),
        reduction=mass(made.reduction_mg),
        corrected=mass(made.corrected_mg),
        outcomes=[_outcome(each) for each in told],
        receipt=_receipt(made.receipt, made.signature, keys.receipt),
    )


def find_batch(
    session: Session, sender: Provider, upload: UUID, key: Ed25519PrivateKey
) -> BatchOut:
    """Give a provider's own upload as it stands.

    Raises:
        BatchUnknown: There is none, or it is another provider's.
    """
    row = driver(session).execute(_FIND, (upload, sender.id)).fetchone()
    if row is None:
        raise BatchUnknown
    methodology, opened_at, statement, signature, reduction_mg, corrected_mg = row
    outcomes = outcomes_of(session, upload)
    signed = None if statement is None else _receipt(bytes(statement), bytes(signature), key)
    return BatchOut(
        id=public_id("bat", upload),
        provider=sender.code,
        methodology=methodology,
        received_at=opened_at,
        lines=len(outcomes),
        counts=complete(Counter(each.outcome for each in outcomes)),
        reduction=mass(reduction_mg),
        corrected=mass(corrected_mg),
        outcomes=[_outcome(each) for each in outcomes],
        receipt=signed,
    )


def _outcome(each: ItemOutcome) -> OutcomeOut:
    return OutcomeOut(
        line=each.line,
        outcome=each.outcome,
        reason=each.reason,
        co2e_mg=each.reduction_mg,
        external_id=each.external_id or None,
    )


def _receipt(statement: bytes, signature: bytes, key: Ed25519PrivateKey) -> ReceiptOut:
    public_key = key.public_key().public_bytes_raw()
    return ReceiptOut(
        statement=statement.decode(),
        signature=b64encode(signature).decode(),
        public_key=b64encode(public_key).decode(),
    )
