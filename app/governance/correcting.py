"""Correction of a factor (系数更正): asked for by one, ordered by another, posted act by act.

From the order on, acts of the period are computed with the replacement. Acts that were recorded
before are computed again and corrected under the order's id as cause: once each, however often
the job is broken off. When all are done, what changed is signed for; the statement is a function
of the rows, so a crash before the signature is mended by signing again.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Final, NamedTuple
from uuid import UUID

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlmodel import Session

from app.activities.corrections import FACTOR, REPEATED, Correction, correct
from app.activities.months import FIRST
from app.catalogue import FactorCorrection, document_of
from app.governance.errors import (
    CandidateFaulty,
    CorrectionOpen,
    DatesReversed,
    NotAFactor,
)
from app.governance.rules import is_by_act, is_factor_change
from app.governance.scanning import (
    PAGE_MONTHS,
    PAGE_ROWS,
    PARTS,
    START,
    Period,
    page,
    page_of_months,
    worth,
)
from app.kernel.db import Connection, Database, driver
from app.kernel.ids import new_id, public_id
from app.kernel.scopes import Scope
from app.staff import Approval, Asking, Signing, ask, note_act
from app.staff.approvals import Payload
from ledger.encoding import tag
from ledger.log import tree_hash
from methodologies import Document

CORRECT: Final = "factors.correct"
KIND: Final = "tanpu/factor-correction/1"
_LEAF: Final = b"\x00" + tag("factor-correction")
SETTLING: Final = timedelta(hours=1)
"""Uploads that began before the order may still record acts under the old version until then."""
_OPEN: Final = """
select 1 from factor_correction c where c.code = %s and c.version = %s
   and not exists (select from factor_correction_report r where r.correction = c.id)"""
_TURN: Final = "select pg_advisory_xact_lock(hashtext('factor_correction'))"
_ORDER: Final = """
insert into factor_correction (id, code, version, replacement, since, until, reason, asked_by,
                               signed_by, ordered_at)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"""
_WAITING: Final = """
select c.id, c.code, c.version, c.replacement, c.since, c.until from factor_correction c
 where c.ordered_at <= %s
   and not exists (select from factor_correction_report r where r.correction = c.id)
 order by c.ordered_at, c.id"""
_DONE: Final = "select number from factor_correction_part where correction = %s"
_CLOSE: Final = """
insert into factor_correction_part (correction, number, acts, forgotten, refused, done_at)
values (%s, %s, %s, %s, %s, %s) on conflict do nothing"""
_TOLD: Final = """
select c.reason, c.asked_by, c.signed_by, c.ordered_at, p.acts, p.forgotten, p.refused
  from factor_correction c cross join lateral (
    select sum(acts)::int8 as acts, sum(forgotten)::int8 as forgotten,
           sum(refused)::int8 as refused
      from factor_correction_part p where p.correction = c.id) p
 where c.id = %s"""
_CHANGED: Final = """
select activity, change_mg from act_correction where cause = %s order by activity"""
_OWED: Final = """
select coalesce(sum(points), 0)::int8 from exchange_recovery where cause = %s"""
_DEBT: Final = "select coalesce(sum(points), 0)::int8 from points_debt where cause = %s"
_REPORT: Final = """
insert into factor_correction_report (correction, statement, signature) values (%s, %s, %s)
on conflict do nothing"""


class Recounted(NamedTuple):
    """What going over some acts came to."""

    acts: int = 0
    forgotten: int = 0
    """Their quantities are gone, so they stay as they are."""
    refused: int = 0
    """Too old to be raised."""


def ask_correction(session: Session, asking: Asking, order: FactorCorrection) -> Approval:
    """Ask that another version's factor hold for a period, for what was recorded as well.

    Raises:
        VersionUnknown, DatesReversed, CandidateFaulty, NotAFactor, CorrectionOpen,
        ApprovalOpen: See their own words.
    """
    _check(session, order)
    payload = {
        "code": order.code,
        "version": order.version,
        "replacement": order.replacement,
        "since": order.since.isoformat(),
        "until": order.until.isoformat(),
        "reason": asking.reason,
    }
    name = f"{order.code} {order.version}"
    return ask(session, asking, CORRECT, name, payload, scope=Scope.FACTORS_CORRECT)


def order_correction(session: Session, payload: Payload, signing: Signing) -> None:
    """Order a correction; its id is that of the request that was signed.

    Raises:
        NotAFactor, CorrectionOpen: It is not as it was when it was asked.
    """
    dates = (date.fromisoformat(payload["since"]), date.fromisoformat(payload["until"]))
    versions = (payload["version"], payload["replacement"])
    order = FactorCorrection(signing.approval, payload["code"], *versions, *dates)
    _check(session, order)
    people = (payload["reason"], signing.asked_by, signing.signed_by, signing.at)
    driver(session).execute(_ORDER, (*order, *people))
    name = public_id("fcr", order.id)
    about = f"{order.code} {order.version}"
    note_act(session, signing.signed_by, CORRECT, name, at=signing.at, methodology=about)


def waiting(session: Session, *, at: datetime) -> list[FactorCorrection]:
    """Give the orders that are due and have no report, the oldest first."""
    rows = driver(session).execute(_WAITING, (at - SETTLING,)).fetchall()
    return [FactorCorrection(*row) for row in rows]


def carry_out(
    db: Database,
    key: Ed25519PrivateKey,
    order: FactorCorrection,
    *,
    at: datetime,
    window_days: int,
    goes_on: Callable[[], bool],
) -> bool:
    """Go on with an order, part by part, while ``goes_on``; says whether its report is signed."""
    done = db.read(_parts_done, order.id)
    document = db.read(_in_period, order)
    for part in range(PARTS):
        if part in done:
            continue
        if not goes_on():
            return False
        go_over = _acts if is_by_act(document) else _months
        counted = Recounted()
        for corrections, read in go_over(db, order, document, part):
            refused = 0
            if corrections:
                refused = db.transact(_correct, order, corrections, at, window_days)
            counted = Recounted(*map(sum, zip(counted, (*read, refused), strict=True)))
        db.transact(_close_part, order.id, part, counted, at)
    db.transact(sign_report, key, order)
    return True


def _acts(
    db: Database, order: FactorCorrection, document: Document, part: int
) -> Iterator[tuple[list[Correction], tuple[int, int]]]:
    """Give what acts of a part are worth, page by page; with how many, and how many forgotten."""
    after = START
    while True:
        acts = db.read(page, Period(*order[1:3], *order[4:]), part, after)
        relevant = [each for each in acts if each.grade is not None and each.reason is None]
        again = worth(document, relevant)
        yield (
            [
                Correction(each.bucket, each.owner, each.recorded_on, each.id, mg, FACTOR)
                for each, mg in zip(relevant, again, strict=True)
                if mg is not None and mg != each.raw_mg
            ],
            (len(relevant), sum(mg is None for mg in again)),
        )
        if len(acts) < PAGE_ROWS:
            return
        after = acts[-1].place


def _months(
    db: Database, order: FactorCorrection, document: Document, part: int
) -> Iterator[tuple[list[Correction], tuple[int, int]]]:
    """Do the same for the months that were settled; one that posted nothing stays at nothing."""
    after, period = FIRST, Period(*order[1:3], *order[4:])
    while True:
        months = db.read(page_of_months, period, part, after, (document,))
        relevant = [each for each in months if each[0].grade is not None]
        yield (
            [
                Correction(each.bucket, each.owner, each.settled_on, each.id, worth_mg[0], FACTOR)
                for each, (_, worth_mg) in relevant
                if worth_mg is not None and worth_mg[0] != each.mg
            ],
            (len(relevant), sum(again.worth_mg is None for _, again in relevant)),
        )
        if len(months) < PAGE_MONTHS:
            return
        after = months[-1][0].place


def _correct(
    session: Session,
    order: FactorCorrection,
    corrections: list[Correction],
    at: datetime,
    window_days: int,
) -> int:
    """Correct a page, and say how many were refused; each has this order as its cause once."""
    answers = correct(
        driver(session),
        corrections,
        cause=order.id,
        at=at,
        window_days=window_days,
        new_id=new_id,
    )
    return sum(not each.is_recorded and each.reason != REPEATED for each in answers)


def sign_report(session: Session, key: Ed25519PrivateKey, order: FactorCorrection) -> None:
    """Sign for what an order changed. Idempotent."""
    connection = driver(session)
    statement = msgspec.json.encode(_statement(session, connection, order), order="sorted")
    connection.execute(_REPORT, (order.id, statement, key.sign(statement)))


def _statement(
    session: Session, connection: Connection, order: FactorCorrection
) -> dict[str, object]:
    row = connection.execute(_TOLD, (order.id,)).fetchone()
    assert row is not None, order
    reason, asked_by, signed_by, ordered_at, acts, forgotten, refused = row
    leaves: list[bytes] = []
    lowered, raised = [0, 0], [0, 0]
    for activity, change_mg in connection.execute(_CHANGED, (order.id,)):
        leaves.append(change_leaf(activity, change_mg))
        if change_mg:
            side = lowered if change_mg < 0 else raised
            side[0], side[1] = side[0] + 1, side[1] + change_mg
    owed, debt = (
        found[0]
        for query in (_OWED, _DEBT)
        if (found := connection.execute(query, (order.id,)).fetchone()) is not None
    )
    old, new = _versions(session, order)
    return {
        "kind": KIND,
        "correction": public_id("fcr", order.id),
        "cause": str(order.id),
        "methodology": order.code,
        "version": order.version,
        "version_sha256": old.sha256,
        "replacement": order.replacement,
        "replacement_sha256": new.sha256,
        "since": order.since,
        "until": order.until,
        "reason": reason,
        "asked_by": asked_by,
        "signed_by": signed_by,
        "ordered_at": ordered_at,
        "acts": acts,
        "forgotten": forgotten,
        "refused": refused,
        "corrected": len(leaves),
        "lowered": {"acts": lowered[0], "co2e_mg": lowered[1]},
        "raised": {"acts": raised[0], "co2e_mg": raised[1]},
        "net_co2e_mg": lowered[1] + raised[1],
        "points_owed": owed,
        "points_debt_opened": debt,
        "corrected_root": tree_hash(leaves).hex(),
    }


def change_leaf(activity: UUID, change_mg: int) -> bytes:
    """Hash one line of the list of corrected acts, as a leaf of RFC 6962.

    >>> len(change_leaf(UUID(int=1), -5))
    32
    """
    return sha256(_LEAF + activity.bytes + change_mg.to_bytes(8, "big", signed=True)).digest()


def _check(session: Session, order: FactorCorrection) -> None:
    connection = driver(session)
    connection.execute(_TURN)
    if order.until < order.since:
        raise DatesReversed
    old, new = _versions(session, order)
    if old.missing_parameters or new.missing_parameters:
        raise CandidateFaulty
    if order.replacement <= order.version or not is_factor_change(old, new):
        raise NotAFactor(version=order.version, replacement=order.replacement)
    if connection.execute(_OPEN, (order.code, order.version)).fetchone() is not None:
        raise CorrectionOpen(methodology=order.code, version=order.version)


def _versions(session: Session, order: FactorCorrection) -> tuple[Document, Document]:
    code = order.code
    return document_of(session, code, order.version), document_of(session, code, order.replacement)


def _in_period(session: Session, order: FactorCorrection) -> Document:
    """Give the replacement, as in force in the period."""
    document = document_of(session, order.code, order.replacement)
    return replace(document, effective=order.since, until=order.until)


def _parts_done(session: Session, correction: UUID) -> set[int]:
    return {row[0] for row in driver(session).execute(_DONE, (correction,)).fetchall()}


def _close_part(
    session: Session, correction: UUID, part: int, counted: Recounted, at: datetime
) -> None:
    driver(session).execute(_CLOSE, (correction, part, *counted, at))
