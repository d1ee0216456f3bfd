"""A provider's corrections over HTTP (提供方更正): lines to outcomes to a signed receipt.

All of a request is one transaction, answer included, so a retry finds either nothing or the
whole. A provider corrects its own acts of the batch that the address names; anything else is
``unknown``, whether it is another's or nobody's. Until the merge deadline an act may come to be
worth more, after it only less: what was exchanged since is a debt (docs/decisions/0024).
"""

import zlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from io import BytesIO
from typing import Final, NamedTuple
from uuid import UUID

import msgspec
from sqlmodel import Session

from app.activities.batch_errors import BatchTooLong, BatchUnknown
from app.activities.corrected import lock_people
from app.activities.correction_lines import (
    CorrectionLine,
    Worth,
    read_line,
    record_of_correction,
    worth_of,
)
from app.activities.corrections import Corrected, Correction, correct
from app.activities.errors import UploadEmpty
from app.activities.items import Malformed
from app.activities.lines import numbered_lines
from app.activities.marks import EXTERNAL_BYTES, Marker
from app.activities.preparing import EVIDENCE_RANK
from app.catalogue import Holding, holding
from app.kernel.clock import day_of
from app.kernel.db import Connection, driver
from app.kernel.ids import new_id, public_id
from app.kernel.secrets import Keys
from app.kernel.settings import Settings
from app.providers import Provider

LINES_MAX: Final = 1_000
RECEIPT_KIND: Final = "tanpu/correction-receipt/1"
TWICE: Final = "act.named_twice"
_EVIDENCE: Final = {rank: evidence for evidence, rank in EVIDENCE_RANK.items()}
_UPLOAD: Final = "select methodology from upload where id = %s and provider = %s"
_ACTS: Final = """
select k.external_hash, k.bucket, k.account, k.recorded_on, k.activity, a.occurred_on,
       a.evidence, a.asset is not null, v.version
  from activity_key k
  join activity a on a.bucket = k.bucket and a.account = k.account
   and a.recorded_on = k.recorded_on and a.id = k.activity
  left join methodology_version v on v.id = a.methodology
 where k.provider = %s and k.external_hash = any(%s) and a.upload = %s"""
_TOLD: Final = """
select q.activity
  from unnest(%s::int2[], %s::int8[], %s::uuid[], %s::bytea[])
         as q (bucket, account, activity, content)
 cross join lateral (
   select h.content from act_correction h
    where h.bucket = q.bucket and h.account = q.account and h.activity = q.activity
    order by h.id desc limit 1) n
 where n.content = q.content"""
_RECORD: Final = """
insert into correction_batch (id, upload, provider, sha256, counts, change_mg, outcomes, statement,
                              signature, recorded_at)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"""


class CorrectionOutcome(StrEnum):
    """What became of one line."""

    CORRECTED = "corrected"
    """It is worth what the line says from here on, as far as the day's cap leaves room."""
    WITHDRAWN = "withdrawn"
    """It adds nothing any more."""
    DUPLICATE = "duplicate"
    """It is what the newest correction of the act says already."""
    UNKNOWN = "unknown"
    """No act of this batch has this id."""
    REFUSED = "refused"
    """It cannot be corrected so; the reason says why."""
    MALFORMED = "malformed"
    """It could not be read, or a value is out of its bounds."""


class LineOutcome(NamedTuple):
    """What became of one line."""

    line: int
    external_id: str
    outcome: CorrectionOutcome
    reason: str
    change_mg: int = 0


class Received(NamedTuple):
    """A request that was taken in, with its signed receipt."""

    id: UUID
    upload: UUID
    outcomes: Sequence[LineOutcome]
    counts: Sequence[int]
    """In the order of ``CorrectionOutcome``."""
    change_mg: int
    statement: bytes
    signature: bytes
    at: datetime


class Terms(NamedTuple):
    """What is the same for every line of a request."""

    keys: Keys
    settings: Settings
    sender: Provider
    upload: UUID
    batch: UUID
    """The id that the request gets."""
    at: datetime


class _Act(NamedTuple):
    bucket: int
    owner: int
    recorded_on: date
    id: UUID
    day: date
    evidence: int
    has_asset: bool
    version: int | None


def receive_corrections(session: Session, terms: Terms, body: bytes) -> Received:
    """Take corrections of one upload in; every line ends with one outcome.

    Raises:
        BatchUnknown: This provider has no such upload.
        UploadEmpty, BatchTooLong: There is no line, or there are more than 1,000.
    """
    connection = driver(session)
    found = connection.execute(_UPLOAD, (terms.upload, terms.sender.id)).fetchone()
    if found is None:
        raise BatchUnknown
    lines = _read(body)
    good = [line for _, line in lines if isinstance(line, CorrectionLine)]
    acts = _acts(connection, terms, good)
    reading = _Reading(found[0], holding(session, found[0]), terms, acts)
    read = [(number, line, reading.meaning(number, line)) for number, line in lines]
    corrections = [each for _, _, each in read if isinstance(each, Correction)]
    lock_people(connection, {each.owner for each in corrections})
    told = _told_before(connection, corrections)
    made = {
        each.activity: each
        for each in correct(
            connection,
            [each for each in corrections if each.activity not in told],
            cause=terms.batch,
            at=terms.at,
            window_days=terms.settings.acceptance_window_days,
            new_id=new_id,
            raised_since=day_of(terms.at) - timedelta(days=terms.settings.merge_deadline_days),
        )
    }
    outcomes = [
        each
        if isinstance(each, LineOutcome)
        else _outcome(number, line.external_id, each, made, reading.reasons)
        for number, line, each in read
    ]
    return _recorded(connection, terms, sha256(body).digest(), outcomes)


class _Reading:
    """Makes corrections of lines, each of an act that it finds."""

    def __init__(
        self,
        code: str,
        versions: Holding,
        terms: Terms,
        acts: Mapping[bytes, _Act],
    ) -> None:
        self.reasons: dict[UUID, str] = {}
        """Why a methodology gives nothing for corrected inputs."""
        self._code, self._versions, self._acts = code, versions, acts
        self._marker = Marker(terms.keys, terms.sender.code, {})
        self._named: set[UUID] = set()

    def meaning(self, number: int, line: CorrectionLine | Malformed) -> Correction | LineOutcome:
        """Give what a line corrects, or its outcome where it corrects nothing."""
        if isinstance(line, Malformed):
            return LineOutcome(number, line.external_id, CorrectionOutcome.MALFORMED, line.reason)
        act = self._acts.get(_hash(line.external_id))
        if act is None:
            return LineOutcome(number, line.external_id, CorrectionOutcome.UNKNOWN, "")
        if act.id in self._named:
            return LineOutcome(number, line.external_id, CorrectionOutcome.REFUSED, TWICE)
        worth = self._worth(line, act)
        if isinstance(worth, str):
            return LineOutcome(number, line.external_id, CorrectionOutcome.MALFORMED, worth)
        self._named.add(act.id)
        self.reasons[act.id] = worth.reason
        texts = None if line.withdrawn else worth.texts
        record = record_of_correction(line, self._code, texts)
        _, content = self._marker.commitment(line.external_id, record)
        return Correction(
            act.bucket,
            act.owner,
            act.recorded_on,
            act.id,
            worth.raw_mg if act.has_asset else None,
            f"provider.{line.reason}",
            line.withdrawn,
            content,
            texts,
        )

    def _worth(self, line: CorrectionLine, act: _Act) -> Worth | str:
        document = self._versions.of(act.version or 0, act.day)
        if line.withdrawn or document is None:
            return Worth(0, {})
        return worth_of(line, document, _EVIDENCE[act.evidence], act.day)


def _read(body: bytes) -> list[tuple[int, CorrectionLine | Malformed]]:
    lines = [(number, read_line(number, text)) for number, text in numbered_lines(BytesIO(body))]
    if not lines:
        raise UploadEmpty
    if len(lines) > LINES_MAX:
        raise BatchTooLong(lines_max=LINES_MAX)
    return lines


def _acts(
    connection: Connection, terms: Terms, lines: Iterable[CorrectionLine]
) -> dict[bytes, _Act]:
    facts = (terms.sender.id, [_hash(line.external_id) for line in lines], terms.upload)
    with connection.cursor(binary=True) as cursor:
        return {key: _Act(*row) for key, *row in cursor.execute(_ACTS, facts)}


def _told_before(connection: Connection, corrections: Sequence[Correction]) -> set[UUID]:
    """Give the acts that stand as these corrections say; their people are locked."""
    columns = (
        [each.bucket for each in corrections],
        [each.owner for each in corrections],
        [each.activity for each in corrections],
        [each.content for each in corrections],
    )
    return {activity for (activity,) in connection.execute(_TOLD, columns)}


def _hash(external_id: str) -> bytes:
    return sha256(external_id.encode()).digest()[:EXTERNAL_BYTES]


def _outcome(
    number: int,
    external_id: str,
    said: Correction,
    made: Mapping[UUID, Corrected],
    reasons: Mapping[UUID, str],
) -> LineOutcome:
    done = made.get(said.activity)
    if done is None:
        return LineOutcome(number, external_id, CorrectionOutcome.DUPLICATE, "")
    if not done.is_recorded:
        return LineOutcome(number, external_id, CorrectionOutcome.REFUSED, done.reason)
    outcome = CorrectionOutcome.WITHDRAWN if said.is_withdrawn else CorrectionOutcome.CORRECTED
    reason = reasons[said.activity] or done.reason
    return LineOutcome(number, external_id, outcome, reason, done.change_mg)


def _recorded(
    connection: Connection, terms: Terms, digest: bytes, outcomes: Sequence[LineOutcome]
) -> Received:
    """Sign what became of the request, and keep it without the provider's ids."""
    counts = [sum(each.outcome is kind for each in outcomes) for kind in CorrectionOutcome]
    change_mg = sum(each.change_mg for each in outcomes)
    kept = msgspec.json.encode(
        [(each.line, each.outcome, each.reason, each.change_mg) for each in outcomes]
    )
    statement = msgspec.json.encode(
        {
            "kind": RECEIPT_KIND,
            "correction": public_id("cor", terms.batch),
            "upload": public_id("bat", terms.upload),
            "provider": terms.sender.code,
            "content_sha256": digest.hex(),
            "lines": len(outcomes),
            "counts": dict(zip(map(str, CorrectionOutcome), counts, strict=True)),
            "change_mg": change_mg,
            "outcomes_sha256": sha256(kept).hexdigest(),
            "received_at": terms.at,
        },
        order="sorted",
    )
    signature = terms.keys.receipt.sign(statement)
    row = (
        terms.batch, terms.upload, terms.sender.id, digest, counts, change_mg,
        zlib.compress(kept, 1), statement, signature, terms.at,
    )  # fmt: skip
    connection.execute(_RECORD, row)
    return Received(
        terms.batch, terms.upload, outcomes, counts, change_mg, statement, signature, terms.at
    )
