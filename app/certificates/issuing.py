"""Issuing certificates (出具证书): once the epoch of a cancellation's transfers is final.

The proof is read from immutable rows and the log's tiles, then stored with the finality of its
cancellation in one transaction; a worker that dies leaves it to the next one, which makes the same.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from sqlmodel import Session

from app.anchoring.inclusion import LogPaths
from app.anchoring.leaves import Fact, entry_of, opening_of
from app.cancellations.posting import claim_of
from app.cancellations.queries import Cancellation, find_cancellation
from app.kernel.db import Connection, Database, driver
from app.kernel.secrets import Keys
from ledger.accounts import bucket_of
from ledger.certificate import LoggedPart, canonical
from ledger.receipt import Json

AT_ONCE: Final = 200
_BUCKETS: Final = """
select distinct bucket from cancellation
 where posted_at is not null and finalized_at is null order by bucket"""
_FINAL: Final = """
select c.account, c.id from cancellation c
 where c.bucket = %s and c.posted_at is not null and c.finalized_at is null
   and not exists (
     select from cancellation_part p
       left join log_entry e on e.id = p.transfer
       left join anchored a on a.epoch = e.epoch
      where p.bucket = c.bucket and p.account = c.account and p.cancellation = c.id
        and a.final_at is null)
 order by c.posted_at, c.id limit %s"""
_FACTS: Final = """
select e.log_index, e.epoch, t.bucket, t.recorded_on, t.id, t.code, t.source, t.target, t.asset,
       t.amount, x.key, t.occurred_on, t.corrects, t.evidence, c.id, c.akey, s.sealed
  from transfer t
  join asset x on x.id = t.asset
  join account c on (c.bucket, c.id) = (t.bucket, t.source)
  join account_secret s on (s.bucket, s.account) = (t.bucket, t.source)
  join log_entry e on e.id = t.id
 where t.bucket = %s and t.recorded_on = %s and t.id = any(%s)"""
_ISSUE: Final = """
insert into certificate (id, kind, bucket, account, epoch, claim, parts, issued_at)
values (%s, 'reduction', %s, %s, %s, %s, %s, %s) on conflict (id) do nothing"""
_FINALIZE: Final = """
update cancellation set finalized_at = %s
 where bucket = %s and account = %s and id = %s and finalized_at is null"""


@dataclass(frozen=True, slots=True)
class Proof:
    """What a certificate keeps: commitments, and where they lie."""

    subject: UUID
    owner: int
    epoch: int
    claim: Json
    parts: Sequence[Json]


def issue_certificates(db: Database, keys: Keys, folder: Path, *, at: datetime) -> int:
    """Issue what has become final; gives how many. Runs as the worker; resumable."""
    issued = 0
    for bucket in db.read(_buckets):
        while final := db.read(_final, bucket):
            for owner, cancellation in final:
                proof = db.read(prove, keys, folder, owner, cancellation)
                db.transact(_issue, proof, at=at)
            issued += len(final)
    return issued


def prove(session: Session, keys: Keys, folder: Path, owner: int, cancellation: UUID) -> Proof:
    """Put together the proof of a cancellation whose transfers are in the log."""
    found = find_cancellation(session, owner, cancellation)
    assert found.row.posted_on is not None, found.row
    logged = _logged(driver(session), owner, found, found.row.posted_on)
    (epoch,) = {row[1] for row in logged.values()}
    paths, claim, parts = LogPaths(session, folder), claim_of(found.row, found.parts), list[Json]()
    for part in found.parts:
        log_index, _, *row = logged[part.transfer]
        fact = Fact._make(row)
        entry = entry_of(fact, opening_of(keys, fact))
        path = paths.path(log_index, epoch)
        placed = LoggedPart(part.of, part.salt, log_index, entry.debit_commit, path)
        parts.append(placed.to_json())
    return Proof(cancellation, owner, epoch, claim, parts)


def _logged(
    connection: Connection, owner: int, found: Cancellation, posted_on: date
) -> dict[UUID, tuple[Any, ...]]:
    """Give the transfers of a cancellation with their places, by id."""
    facts = (bucket_of(owner), posted_on, [part.transfer for part in found.parts])
    with connection.cursor(binary=True) as cursor:
        return {row[4]: row for row in cursor.execute(_FACTS, facts)}


def _issue(session: Session, proof: Proof, *, at: datetime) -> None:
    connection, place = driver(session), (bucket_of(proof.owner), proof.owner)
    texts = (canonical(proof.claim).decode(), json.dumps([*proof.parts], ensure_ascii=False))
    connection.execute(_ISSUE, (proof.subject, *place, proof.epoch, *texts, at))
    connection.execute(_FINALIZE, (at, *place, proof.subject))


def _buckets(session: Session) -> list[int]:
    return [row[0] for row in driver(session).execute(_BUCKETS)]


def _final(session: Session, bucket: int) -> list[tuple[int, UUID]]:
    return driver(session).execute(_FINAL, (bucket, AT_ONCE)).fetchall()
