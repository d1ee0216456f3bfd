"""Verification of a lot (核证): what was found of each sampled row, and the decision on all of it.

The provider keeps the raw record of every act and produces it to the verifier (R17); a row is
confirmed by a record that opens the commitment in the act's log entry. The verifier tells its hash
alone, so that no whereabouts come here. A project's report is such a record: its owner produces the
readings as they were sent. What was found overstated or void is corrected with the
decision, by new entries as any correction is.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlmodel import Session

from app.activities import Correction, correct
from app.activities.corrected import load_standing
from app.activities.marks import EXTERNAL_BYTES
from app.kernel.db import Connection, driver
from app.kernel.ids import new_id, public_id
from app.kernel.secrets import Keys
from app.registry.errors import (
    FindingGiven,
    FindingsMissing,
    FindingUnknown,
    NotCorrected,
    RecordUnopened,
)
from app.registry.lots import Lot, LotOutcome, LotStep, close_lot, find_lot, lock_lot
from app.registry.rules import ErrorRate, error_rate
from app.staff import note_act
from ledger.encoding import ZERO_HASH, evidence_commit_of, evidence_salt

OVERSTATED: Final = "verification.overstated"
VOID: Final = "verification.void"
"""Reasons of the corrections that a decision makes."""
REPORT_PREFIX: Final = "mrp"
"""As ``app.projects`` names its reports."""
REJECTED: Final = "rejected by its verifier"
_SAMPLED: Final = """
select d.draw, d.position, l.leaf, r.bucket, r.account, r.activity, r.mg, r.act_mg, r.evidence,
       r.occurred_on, r.recorded_on, p.code, a.external_hash, coalesce(v.code, j.code),
       coalesce(v.version, j.version), a.evidence, a.mode, a.inputs, m.id, m.salt,
       f.verdict, f.overstated_mg, f.opens, f.statement, f.found_by, f.found_at
  from sampled_row d
  join lot_leaf l on l.lot = d.lot and l.position = d.position
  join lot_row r on r.bucket = l.bucket and r.lot = l.lot and r.leaf = l.leaf
  left join activity a on a.bucket = r.bucket and a.account = r.account and a.id = r.activity
  left join provider p on p.id = a.provider
  left join methodology_version v on v.id = a.methodology
  left join monitoring_report m
    on m.bucket = r.bucket and m.account = r.account and m.id = r.activity
  left join project j on j.bucket = m.bucket and j.account = m.account and j.id = m.project
  left join lot_finding f on f.lot = d.lot and f.draw = d.draw
 where d.lot = %s and d.draw > %s
 order by d.draw limit %s"""
_FIND: Final = """
insert into lot_finding (lot, draw, verdict, overstated_mg, record_sha256, opens, statement,
                         found_by, found_at)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s) on conflict do nothing"""
_VERDICTS: Final = "select verdict <> 'confirmed' from lot_finding where lot = %s"
_READY: Final = """
select exists (select from lot_report where lot = %(lot)s)
   and not exists (select from sampled_row d where d.lot = %(lot)s and not exists (
         select from lot_finding f where f.lot = d.lot and f.draw = d.draw))"""
_DECIDE: Final = """
insert into lot_decision (lot, is_confirmed, statement, decided_by, decided_at)
values (%s, %s, %s, %s, %s)"""
_DECISION: Final = """
select is_confirmed, statement, decided_by, decided_at from lot_decision where lot = %s"""


class Verdict(StrEnum):
    """What a verifier found of an act."""

    CONFIRMED = "confirmed"
    OVERSTATED = "overstated"
    """Worth less than it was told to be."""
    VOID = "void"
    """No act, not this one's, or without a record."""


class Record(NamedTuple):
    """What the provider produced: its own id of the act, and the hash of its raw record.

    Of a project: its report's public id, and the hash of the readings as they are committed to.
    """

    external_id: str
    sha256: bytes


class Finding(NamedTuple):
    """What was found of one row of a sample."""

    draw: int
    verdict: Verdict
    overstated_mg: int | None
    """Of what the act is worth before the cap of its day."""
    record: Record | None
    statement: str


@dataclass(frozen=True, slots=True)
class SampledRow:
    """A row that was drawn, with what a verifier needs to ask its provider.

    Whose it is stays here: neither the verifier nor the public is shown bucket, owner or act.
    """

    draw: int
    position: int
    leaf: bytes
    bucket: int
    owner: int
    activity: UUID
    mg: int
    act_mg: int
    evidence_commit: bytes
    occurred_on: date
    recorded_on: date
    provider: str | None
    """None where it is no act of a provider: a settled month, or a project's report."""
    external_hash: bytes | None
    methodology: str | None
    version: int | None
    evidence: int | None
    mode: str | None
    inputs: dict[str, str] | None
    report: UUID | None
    """The project's report that it is."""
    report_salt: bytes | None
    """Of its commitment; gone with an erased owner's."""
    verdict: Verdict | None
    overstated_mg: int | None
    opens: bool | None
    statement: str | None
    found_by: str | None
    found_at: datetime | None


class Decision(NamedTuple):
    """What a verifier decided on a lot."""

    is_confirmed: bool
    statement: str
    decided_by: str
    decided_at: datetime


def sampled_rows(
    session: Session, lot: UUID, *, after: int = 0, limit: int | None = None
) -> Sequence[SampledRow]:
    """Give the rows that were drawn, in the order of the draw."""
    rows = driver(session).execute(_SAMPLED, (lot, after, limit)).fetchall()
    return [_sampled(row) for row in rows]


def find(
    session: Session,
    keys: Keys,
    who: str,
    lot: UUID | None,
    findings: Sequence[Finding],
    *,
    at: datetime,
) -> Lot:
    """Record what was found of some rows, each once.

    Raises:
        LotUnknown, LotState, FindingUnknown, FindingGiven: See their own words.
        RecordUnopened: A row is confirmed without the record that its commitment is of.
    """
    found = lock_lot(session, lot, LotStep.SAMPLED)
    connection = driver(session)
    rows = {row.draw: row for row in sampled_rows(session, found.id)}
    for each in findings:
        row = rows.get(each.draw)
        if row is None:
            raise FindingUnknown(row=each.draw)
        opens = _opens(keys, row, each.record)
        if each.verdict is Verdict.CONFIRMED and not opens and row.evidence_commit != ZERO_HASH:
            raise RecordUnopened(row=each.draw)
        digest = None if each.record is None else each.record.sha256
        facts = (each.verdict, each.overstated_mg, digest, opens, each.statement, who, at)
        if connection.execute(_FIND, (found.id, each.draw, *facts)).rowcount == 0:
            raise FindingGiven(row=each.draw)
    note_act(session, who, "lots.find", found.public, at=at, rows=len(findings))
    return found


def decide(
    session: Session,
    who: str,
    lot: UUID | None,
    is_confirmed: bool,  # noqa: FBT001 -- the decision
    statement: str,
    *,
    window_days: int,
    at: datetime,
) -> Lot:
    """Confirm or reject a lot, and correct what was found wrong; its cause is the lot.

    Raises:
        LotUnknown, LotState: See their own words.
        FindingsMissing: A row has no finding, or there is no monitoring report.
        NotCorrected: What was found cannot be corrected; then the lot can only be rejected.
    """
    found = lock_lot(session, lot, LotStep.SAMPLED)
    connection = driver(session)
    (ready,) = connection.execute(_READY, {"lot": found.id}).fetchall()[0]
    if not ready:
        raise FindingsMissing
    rows = sampled_rows(session, found.id)
    missed = _correct(connection, found, rows, window_days=window_days, at=at)
    if missed and is_confirmed:
        raise NotCorrected(rows=missed)
    connection.execute(_DECIDE, (found.id, is_confirmed, statement, who, at))
    if not is_confirmed:
        close_lot(connection, found.id, LotOutcome.REJECTED, REJECTED, at=at)
    act = "lots.confirm" if is_confirmed else "lots.reject"
    note_act(session, who, act, found.public, at=at, sampled=len(rows))
    return find_lot(session, found.id)


def decision_of(session: Session, lot: UUID) -> Decision | None:
    """Give what was decided on a lot."""
    row = driver(session).execute(_DECISION, (lot,)).fetchone()
    return None if row is None else Decision(*row)


def error_rate_of(session: Session, lot: UUID) -> ErrorRate | None:
    """Give the published error rate of a lot's sample, so far as it was looked at."""
    return error_rate(wrong for (wrong,) in driver(session).execute(_VERDICTS, (lot,)).fetchall())


def _correct(
    connection: Connection,
    lot: Lot,
    rows: Iterable[SampledRow],
    *,
    window_days: int,
    at: datetime,
) -> int:
    """Correct the acts that were found wrong; gives how many could not be."""
    wrong = [row for row in rows if row.verdict not in {None, Verdict.CONFIRMED}]
    places = {row.draw: (row.bucket, row.owner, row.recorded_on, row.activity) for row in wrong}
    standing = load_standing(connection, places.values(), lot.id) if places else {}
    said: list[Correction] = []
    missed = 0
    for row in wrong:
        place, act = places[row.draw], standing.get((row.owner, row.activity))
        if act is None:  # a project's report, or one whose owner was erased
            missed += 1
        elif not act.is_withdrawn:  # else it is worth nothing by now
            void = row.verdict is Verdict.VOID
            raw_mg = 0 if void else max(0, act.raw_mg - (row.overstated_mg or 0))
            reason = VOID if void else OVERSTATED
            said.append(Correction(*place, raw_mg, reason, is_withdrawn=void))
    made = correct(connection, said, cause=lot.id, at=at, window_days=window_days, new_id=new_id)
    return missed + sum(not each.is_recorded for each in made)


def report_name(report: UUID) -> str:
    """Give the public id of a project's report, by which its owner is asked for the readings."""
    return public_id(REPORT_PREFIX, report)


def _opens(keys: Keys, row: SampledRow, record: Record | None) -> bool:
    """Say whether a record is what the act's evidence commitment is of."""
    if record is not None and row.report is not None and row.report_salt is not None:
        opened = evidence_commit_of(row.report_salt, record.sha256)
        return record.external_id == report_name(row.report) and opened == row.evidence_commit
    if record is None or row.provider is None or row.external_hash is None:
        return False
    external_hash = sha256(record.external_id.encode()).digest()
    salt = evidence_salt(keys.provider_secret(row.provider), external_hash)
    return (
        external_hash[:EXTERNAL_BYTES] == row.external_hash
        and evidence_commit_of(salt, record.sha256) == row.evidence_commit
    )


def _sampled(row: tuple[Any, ...]) -> SampledRow:
    told = SampledRow(*row)
    return replace(
        told,
        leaf=bytes(told.leaf),
        evidence_commit=bytes(told.evidence_commit),
        external_hash=None if told.external_hash is None else bytes(told.external_hash),
        report_salt=None if told.report_salt is None else bytes(told.report_salt),
        verdict=None if told.verdict is None else Verdict(told.verdict),
    )
