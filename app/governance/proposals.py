"""Proposals (方法学提案): a document in revisions, and what experts say of each of them.

Nothing of a proposal is ever edited: a revision is a new text, to which the votes of the one
before it do not pass on. Its state follows from its rows.
"""

from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlmodel import Session

from app.catalogue import source_of, versions_of
from app.governance.errors import (
    ProposalNotOwn,
    ProposalOwn,
    ProposalPublished,
    ProposalUnknown,
    ReviewRepeated,
    RevisionStale,
)
from app.governance.report import Report, document_in, report_on
from app.kernel.clock import day_of
from app.kernel.db import driver
from app.kernel.ids import public_id
from app.kernel.tokens import Principal
from app.staff import note_act
from app.staff.voting import Review, Vote
from methodologies import Document
from methodologies.digest import canonical_bytes

_PROPOSE: Final = """
insert into methodology_proposal (id, proposed_by, summary, proposed_at) values (%s, %s, %s, %s)"""
_REVISE: Final = """
insert into proposal_revision (proposal, number, source, note, revised_at)
values (%s, %s, %s, %s, %s)"""
_REVIEW: Final = """
insert into proposal_review (proposal, revision, reviewer, vote, comment, reviewed_at)
values (%s, %s, %s, %s, %s, %s) on conflict do nothing"""
_COLUMNS: Final = """
select p.id, p.proposed_by, p.summary, p.proposed_at, r.number, r.source, r.note, r.revised_at,
       d.code, d.version
  from methodology_proposal p
  join lateral (select * from proposal_revision v where v.proposal = p.id
                 order by v.number desc limit 1) r on true
  left join methodology_document d on d.proposal = p.id"""
_FIND: Final = f"{_COLUMNS} where p.id = %s"
_LIST: Final = f"{_COLUMNS} where %s::uuid is null or p.id < %s order by p.id desc limit %s"
_REVIEWS: Final = """
select revision, reviewer, vote, comment, reviewed_at from proposal_review
 where proposal = %s order by revision, reviewed_at, reviewer"""
_TURN: Final = "select pg_advisory_xact_lock(hashtext('methodology_proposal'))"


class Proposal(NamedTuple):
    """A proposal at its newest revision."""

    id: UUID
    proposed_by: str
    summary: str
    proposed_at: datetime
    revision: int
    source: bytes
    note: str
    revised_at: datetime
    code: str | None
    """Of the version that it was published as."""
    version: int | None


def propose(
    session: Session, who: Principal, text: str, *, summary: str, proposal: UUID, at: datetime
) -> Proposal:
    """Lay a document before the experts; it may be faulty, and the report says so."""
    connection = driver(session)
    source = canonical_bytes(text.encode())
    connection.execute(_PROPOSE, (proposal, who.name, summary, at))
    connection.execute(_REVISE, (proposal, 1, source, "", at))
    note_act(session, who.name, "methodologies.propose", public_id("mpr", proposal), at=at)
    return find_proposal(session, proposal)


def revise(
    session: Session, who: Principal, proposal: UUID | None, text: str, *, note: str, at: datetime
) -> Proposal:
    """Put another text in the place of the newest; votes begin anew.

    Raises:
        ProposalUnknown, ProposalNotOwn, ProposalPublished: See their own words.
    """
    found = open_proposal(session, proposal)
    if found.proposed_by != who.name:
        raise ProposalNotOwn
    source, number = canonical_bytes(text.encode()), found.revision + 1
    driver(session).execute(_REVISE, (found.id, number, source, note, at))
    name = public_id("mpr", found.id)
    note_act(session, who.name, "methodologies.revise", name, at=at, revision=number)
    return find_proposal(session, found.id)


def review(
    session: Session,
    who: Principal,
    proposal: UUID | None,
    revision: int,
    vote: Vote,
    comment: str,
    *,
    at: datetime,
) -> Proposal:
    """Say what an expert thinks of the newest revision, once.

    Raises:
        ProposalUnknown, ProposalPublished, ProposalOwn, RevisionStale, ReviewRepeated: See their
            own words.
    """
    found = open_proposal(session, proposal)
    if found.proposed_by == who.name:
        raise ProposalOwn
    if found.revision != revision:
        raise RevisionStale(newest=found.revision)
    said = (found.id, revision, who.name, vote, comment, at)
    if driver(session).execute(_REVIEW, said).rowcount == 0:
        raise ReviewRepeated(revision=revision)
    name = public_id("mpr", found.id)
    note_act(session, who.name, "methodologies.review", name, at=at, revision=revision, vote=vote)
    return found


def open_proposal(session: Session, proposal: UUID | None) -> Proposal:
    """Give a proposal that is not published, whose votes and revisions wait for this one.

    Raises:
        ProposalUnknown, ProposalPublished: See their own words.
    """
    driver(session).execute(_TURN)
    found = find_proposal(session, proposal)
    if found.code is not None:
        raise ProposalPublished(methodology=found.code, version=found.version)
    return found


def find_proposal(session: Session, proposal: UUID | None) -> Proposal:
    """Give a proposal at its newest revision.

    Raises:
        ProposalUnknown: There is none.
    """
    row = driver(session).execute(_FIND, (proposal,)).fetchone()
    if row is None:
        raise ProposalUnknown
    return _proposal(row)


def proposals(session: Session, *, before: UUID | None, limit: int) -> list[Proposal]:
    """Give proposals, the newest first."""
    rows = driver(session).execute(_LIST, (before, before, limit)).fetchall()
    return [_proposal(row) for row in rows]


def reviews_of(session: Session, proposal: UUID) -> list[Review]:
    """Give all that was said of a proposal, by revision."""
    return [Review(*row) for row in driver(session).execute(_REVIEWS, (proposal,)).fetchall()]


def report_of(session: Session, source: bytes, *, at: datetime) -> Report:
    """Look a text over against what is published now."""
    document = document_in(source)
    by_number: dict[int, Document] = {}
    text = b""
    if document is not None:
        known = versions_of(session, document.code)
        by_number = {version: each for (_, version), each in known.items()}
    if document is not None and by_number:
        text = source_of(session, document.code, max(by_number))
    return report_on(source, by_number, text, day_of(at))


def _proposal(row: tuple[Any, ...]) -> Proposal:
    found = Proposal(*row)
    return found._replace(source=bytes(found.source))
