"""Each signed request once (只受理一次): nonces for ten minutes, answers for eight days.

Two different promises. A *nonce* refuses the very bytes that somebody recorded and sends again.
An *Idempotency-Key* lets the provider itself try again, signed anew, and get the first answer.
A key is claimed, with the id of the work it begins, before the work: a try that finds a claim
without an answer takes up that very work, whether its first try is still running or has crashed.
The work must therefore be idempotent by its id, as ``ingest`` is by the id of its upload.
"""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlmodel import Session

from app.kernel.db import driver
from app.kernel.once import Answer, IdempotencyKeyReused
from app.providers.errors import NonceReplayed

NONCE_KEPT: Final = timedelta(minutes=10)
ANSWER_KEPT: Final = timedelta(days=8)
"""More than the seven days that the API promises."""


_FORGET_NONCES: Final = "delete from provider_nonce where provider = %s and kept_until < %s"
_TAKE_NONCE: Final = """
insert into provider_nonce (provider, nonce, kept_until) values (%s, %s, %s)
on conflict (provider, nonce) do nothing"""
_FORGET_ANSWERS: Final = "delete from provider_answer where provider = %s and kept_until < %s"
_CLAIM: Final = """
insert into provider_answer (provider, key, request, work, kept_until)
values (%s, %s, %s, %s, %s)
on conflict (provider, key) do nothing"""
_FIRST: Final = """
select request, work, status, body from provider_answer where provider = %s and key = %s"""
_KEEP: Final = """
update provider_answer set status = %s, body = %s
 where provider = %s and key = %s and status is null"""


def take_nonce(session: Session, provider: int, nonce: str, *, at: datetime) -> None:
    """Use up a nonce.

    Raises:
        NonceReplayed: It was used within its time.
    """
    connection = driver(session)
    connection.execute(_FORGET_NONCES, (provider, at))
    if connection.execute(_TAKE_NONCE, (provider, nonce, at + NONCE_KEPT)).rowcount == 0:
        raise NonceReplayed


def first_answer(
    session: Session, provider: int, key: str, request: bytes, *, work: UUID, at: datetime
) -> Answer | UUID:
    """Give the kept answer of a key, or the id of the work to do: ``work`` where it is new.

    Raises:
        IdempotencyKeyReused: The first request under this key was another.
    """
    connection = driver(session)
    connection.execute(_FORGET_ANSWERS, (provider, at))
    claim = (provider, key, request, work, at + ANSWER_KEPT)
    if connection.execute(_CLAIM, claim).rowcount:
        return work
    row = connection.execute(_FIRST, (provider, key)).fetchone()
    assert row is not None, key
    first_request, first_work, status, body = row
    if bytes(first_request) != request:
        raise IdempotencyKeyReused
    return first_work if status is None else Answer(status, bytes(body))


def keep_answer(session: Session, provider: int, key: str, answer: Answer) -> None:
    """Keep the answer to a key; of two tries that ran at once the first one's stands."""
    driver(session).execute(_KEEP, (answer.status, answer.body, provider, key))
