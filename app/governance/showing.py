"""Proposals and reports as the wire shows them (提案展示)."""

from collections.abc import Iterable, Sequence

from app.governance.approving import Renewal
from app.governance.proposals import Proposal
from app.governance.report import Report
from app.governance.rules import lacks
from app.governance.schemas import (
    ChangedOut,
    FaultOut,
    ProposalOut,
    ProposalRow,
    RenewalOut,
    ReportOut,
    ReviewOut,
)
from app.kernel.ids import public_id
from app.staff.voting import Review, votes_on
from methodologies import Fault


def proposal_row(found: Proposal) -> ProposalRow:
    """Show a proposal in a list."""
    is_published = found.code is not None
    return ProposalRow(
        id=public_id("mpr", found.id),
        proposed_by=found.proposed_by,
        proposed_at=found.proposed_at,
        summary=found.summary,
        revision=found.revision,
        revised_at=found.revised_at,
        state="published" if is_published else "in_review",
        published_as=f"{found.code} {found.version}" if is_published else None,
    )


def proposal_out(found: Proposal, report: Report, reviews: Sequence[Review]) -> ProposalOut:
    """Show a proposal whole."""
    votes = votes_on(reviews, found.revision)
    is_published = found.code is not None
    return ProposalOut(
        **proposal_row(found).model_dump(),
        document=found.source.decode("utf-8", "replace"),
        note=found.note,
        report=report_out(report),
        reviews=[ReviewOut(**each._asdict()) for each in reviews],
        lacking=[] if is_published else lacks(votes, len(report.faults)),
    )


def report_out(report: Report) -> ReportOut:
    """Show a report."""
    document = report.document
    return ReportOut(
        loads=document is not None,
        code=document and document.code,
        version=document and document.version,
        effective=document and document.effective,
        sha256=document and document.sha256,
        faults=_faults(report.faults),
        warnings=_faults(report.warnings),
        missing_parameters=[] if document is None else list(document.missing_parameters),
        examples=report.examples,
        grade=report.grade,
        reachable_grade=report.reachable,
        why=list(report.why),
        previous=report.previous,
        changed=[ChangedOut(**each._asdict()) for each in report.changed],
        diff=list(report.diff),
    )


def renewal_out(found: Renewal) -> RenewalOut:
    """Show what is due for renewal."""
    return RenewalOut(
        scenario=found.approval.scenario,
        valid_from=found.approval.valid_from,
        valid_until=found.approval.valid_until,
        days_left=found.days_left,
        methodologies=list(found.methodologies),
    )


def _faults(found: Iterable[Fault]) -> list[FaultOut]:
    return [FaultOut(line=e.line, path=e.path, code=e.code, message=e.message) for e in found]
