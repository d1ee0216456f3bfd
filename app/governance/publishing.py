"""Publication and withdrawal of a version (发布与撤回): asked for by one person, done by another.

What is asked is looked at twice: when it is asked for, and again when it is signed, since votes,
versions and days may have passed in between.
"""

from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlmodel import Session

from app.catalogue import document_of, last_days
from app.governance.errors import (
    DatePassed,
    NotPublishable,
    ProposalOwn,
    RevisionStale,
    VersionWithdrawn,
)
from app.governance.proposals import (
    Proposal,
    open_proposal,
    report_of,
    reviews_of,
)
from app.governance.rules import lacks
from app.kernel.clock import day_of
from app.kernel.db import driver
from app.kernel.ids import parse_public_id, public_id
from app.kernel.scopes import Scope
from app.staff import Approval, Asking, Signing, ask, note_act
from app.staff.approvals import Payload
from app.staff.voting import votes_on
from methodologies import Document

PUBLISH: Final = "methodologies.publish"
WITHDRAW: Final = "methodologies.withdraw"
_PUBLISH: Final = """
insert into methodology_document (code, version, sha256, source, proposal, revision, asked_by,
                                  signed_by, published_at)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s)"""
_WITHDRAW: Final = """
insert into methodology_withdrawal (code, version, last_day, reason, asked_by, signed_by,
                                    withdrawn_at)
values (%s, %s, %s, %s, %s, %s, %s)"""


def ask_publication(
    session: Session, asking: Asking, proposal: UUID | None, revision: int
) -> Approval:
    """Ask that a revision be published as its code and version say.

    Raises:
        ProposalUnknown, ProposalPublished, RevisionStale, NotPublishable, ApprovalOpen: See their
            own words.
    """
    found, document = _publishable(session, proposal, revision, asking.at)
    payload = {
        "proposal": public_id("mpr", found.id),
        "revision": revision,
        "code": document.code,
        "version": document.version,
        "effective": document.effective.isoformat(),
        "sha256": document.sha256,
    }
    name = f"{document.code} {document.version}"
    return ask(session, asking, PUBLISH, name, payload, scope=Scope.METHODOLOGIES_PUBLISH)


def publish(session: Session, payload: Payload, signing: Signing) -> None:
    """Publish what was asked for: from now on it is in the library, and never edited.

    Raises:
        ProposalPublished, RevisionStale, NotPublishable: It is not what it was when it was asked.
        ProposalOwn: Whoever proposed it does not sign it.
    """
    proposal = parse_public_id("mpr", payload["proposal"])
    found, document = _publishable(session, proposal, payload["revision"], signing.at)
    if found.proposed_by == signing.signed_by:
        raise ProposalOwn
    assert document.sha256 == payload["sha256"], "a revision is never edited"
    driver(session).execute(
        _PUBLISH,
        (
            document.code,
            document.version,
            bytes.fromhex(document.sha256),
            found.source,
            found.id,
            found.revision,
            signing.asked_by,
            signing.signed_by,
            signing.at,
        ),
    )
    name = f"{document.code} {document.version}"
    note_act(session, signing.signed_by, PUBLISH, name, at=signing.at, sha256=document.sha256)


def ask_withdrawal(
    session: Session, asking: Asking, code: str, version: int, last_day: date
) -> Approval:
    """Ask that no act after ``last_day`` accrues under a version; what was recorded stays.

    Raises:
        VersionUnknown, VersionWithdrawn, DatePassed, ApprovalOpen: See their own words.
    """
    _withdrawable(session, code, version, last_day, asking.at)
    payload = {
        "code": code,
        "version": version,
        "last_day": last_day.isoformat(),
        "reason": asking.reason,
    }
    return ask(
        session, asking, WITHDRAW, f"{code} {version}", payload, scope=Scope.METHODOLOGIES_PUBLISH
    )


def withdraw(session: Session, payload: Payload, signing: Signing) -> None:
    """Withdraw a version, and with it those that it had superseded.

    Raises:
        VersionWithdrawn, DatePassed: It is not as it was when it was asked.
    """
    code, version = payload["code"], payload["version"]
    last_day = date.fromisoformat(payload["last_day"])
    _withdrawable(session, code, version, last_day, signing.at)
    driver(session).execute(
        _WITHDRAW,
        (
            code,
            version,
            last_day,
            payload["reason"],
            signing.asked_by,
            signing.signed_by,
            signing.at,
        ),
    )
    name = f"{code} {version}"
    note_act(session, signing.signed_by, WITHDRAW, name, at=signing.at, last_day=str(last_day))


def _publishable(
    session: Session, proposal: UUID | None, revision: int, at: datetime
) -> tuple[Proposal, Document]:
    found = open_proposal(session, proposal)
    if found.revision != revision:
        raise RevisionStale(newest=found.revision)
    report = report_of(session, found.source, at=at)
    votes = votes_on(reviews_of(session, found.id), revision)
    if lacking := lacks(votes, len(report.faults)):
        raise NotPublishable(lacking="; ".join(lacking))
    assert report.document is not None, "what does not load has a fault"
    return found, report.document


def _withdrawable(session: Session, code: str, version: int, last_day: date, at: datetime) -> None:
    document_of(session, code, version)
    if (code, version) in last_days(session):
        raise VersionWithdrawn(methodology=code, version=version)
    if last_day < day_of(at):
        raise DatePassed(last_day=last_day.isoformat())
