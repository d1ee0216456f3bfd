"""Issuing certificates (出具证书): once what they prove is final on the chain.

Of a cancellation that is when the epoch of its transfers is; of a retirement when the registry on
the chain has it as well. The proof is stored in one transaction, with the finality of a
cancellation; a worker that dies leaves it to the next one, which makes the same.
"""

import json
from datetime import datetime
from pathlib import Path
from typing import Final
from uuid import UUID

from sqlmodel import Session

from app.cancellations.posting import told_of
from app.cancellations.queries import find_cancellation
from app.certificates.proving import Proof, prove_cancellation, prove_retirement
from app.kernel.db import Database, driver
from app.kernel.ids import new_id
from app.kernel.secrets import Keys
from app.notices import NoticeKind, notify
from ledger.accounts import bucket_of
from ledger.certificate import canonical

AT_ONCE: Final = 200
_BUCKETS: Final = """
select distinct bucket from cancellation
 where posted_at is not null and finalized_at is null order by bucket"""
_CANCELLED: Final = """
select c.account, c.id from cancellation c
 where c.bucket = %s and c.posted_at is not null and c.finalized_at is null
   and not exists (
     select from cancellation_part p
       left join log_entry e on e.id = p.transfer
       left join anchored a on a.epoch = e.epoch
      where p.bucket = c.bucket and p.account = c.account and p.cancellation = c.id
        and a.final_at is null)
 order by c.posted_at, c.id limit %s"""
_RETIRED: Final = """
select r.holder, r.id from retirement r
  join log_entry e on e.id = r.transfer
  join anchored a on a.epoch = e.epoch and a.final_at is not null
 where r.final_at is not null and not exists (select from certificate c where c.id = r.id)
 order by r.final_at, r.id limit %s"""
_ISSUE: Final = """
insert into certificate (id, kind, bucket, account, epoch, claim, parts, issued_at)
values (%s, %s, %s, %s, %s, %s, %s, %s) on conflict (id) do nothing"""
_FINALIZE: Final = """
update cancellation set finalized_at = %s
 where bucket = %s and account = %s and id = %s and finalized_at is null"""


def issue_certificates(db: Database, keys: Keys, folder: Path, *, at: datetime) -> int:
    """Issue what has become final; gives how many. Runs as the worker; resumable."""
    issued = 0
    for bucket in db.read(_buckets):
        while final := db.read(_cancelled, bucket):
            for each in final:
                proof = db.read(prove_cancellation, keys, folder, *each)
                db.transact(_finalize, proof, notice=new_id(), at=at)
            issued += len(final)
    while final := db.read(_retired):
        for each in final:
            db.transact(_issue, db.read(prove_retirement, keys, folder, *each), at=at)
        issued += len(final)
    return issued


def _issue(session: Session, proof: Proof, *, at: datetime) -> None:
    place = (bucket_of(proof.owner), proof.owner)
    texts = (canonical(proof.claim).decode(), json.dumps([*proof.parts], ensure_ascii=False))
    facts = (proof.subject, proof.kind, *place, proof.epoch, *texts, at)
    driver(session).execute(_ISSUE, facts)


def _finalize(session: Session, proof: Proof, *, notice: UUID, at: datetime) -> None:
    _issue(session, proof, at=at)
    connection, owner = driver(session), proof.owner
    if connection.execute(_FINALIZE, (at, bucket_of(owner), owner, proof.subject)).rowcount:
        row = find_cancellation(session, owner, proof.subject).row
        notify(connection, [told_of(NoticeKind.CANCELLATION_FINAL, owner, row, notice, at)])


def _buckets(session: Session) -> list[int]:
    return [row[0] for row in driver(session).execute(_BUCKETS)]


def _cancelled(session: Session, bucket: int) -> list[tuple[int, UUID]]:
    return driver(session).execute(_CANCELLED, (bucket, AT_ONCE)).fetchall()


def _retired(session: Session) -> list[tuple[int, UUID]]:
    return driver(session).execute(_RETIRED, (AT_ONCE,)).fetchall()
