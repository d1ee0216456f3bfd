"""Signatures of experts, and approvals of scenarios (签字与场景批准).

A signature is an expert's own, under the name that the desk knows them by. A scenario is
approved, and its approval ended, by two people; 90 days before its last day it is due for renewal.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple

from sqlmodel import Session

from app.catalogue import (
    ScenarioApproval,
    ScenarioApprovalUnknown,
    ScenarioUnknown,
    approve_scenario,
    document_of,
    end_approval,
    library,
    register,
    sign_off,
    withdraw_signature,
)
from app.governance.errors import (
    ApprovalRecorded,
    DatePassed,
    DatesReversed,
    ProposalOwn,
    SignatureGiven,
)
from app.kernel.clock import day_of
from app.kernel.db import driver
from app.kernel.scopes import Scope
from app.kernel.tokens import Principal
from app.staff import Approval, Asking, Signing, ask, note_act
from app.staff.approvals import Payload
from app.staff.clerks import find_clerk
from methodologies import Document

APPROVE: Final = "scenarios.approve"
END: Final = "scenarios.end"
RENEWED_BEFORE: Final = timedelta(days=90)
_PROPOSED_BY: Final = """
select p.proposed_by from methodology_document d join methodology_proposal p on p.id = d.proposal
 where d.code = %s and d.version = %s"""


class Renewal(NamedTuple):
    """A scenario whose approval ends soon, or has ended (待续期)."""

    approval: ScenarioApproval
    methodologies: tuple[str, ...]
    days_left: int
    """Until nothing accrues any more; 0 or less where nothing does."""


def give_signature(
    session: Session, who: Principal, code: str, version: int, *, note: str, at: datetime
) -> None:
    """Record that an expert of the desk found a version's quotations right.

    Raises:
        VersionUnknown, SignatureGiven, ClerkUnknown: See their own words.
        ProposalOwn: They proposed it.
    """
    document = document_of(session, code, version)
    row = driver(session).execute(_PROPOSED_BY, (code, version)).fetchone()
    if row is not None and row[0] == who.name:
        raise ProposalOwn
    on = day_of(at)
    given = register(session, document).signatures
    if any(each.reviewer == who.name and each.withdrawn_on is None for each in given):
        raise SignatureGiven(methodology=code, version=version)
    clerk = find_clerk(session, who.id)
    name = f"{clerk.name} ({clerk.organisation})"
    if not sign_off(session, code, version, reviewer=who.name, on=on, note=note, name=name):
        raise SignatureGiven(methodology=code, version=version)
    note_act(session, who.name, "methodologies.sign_off", f"{code} {version}", at=at)


def take_signature_back(
    session: Session, who: Principal, code: str, version: int, *, at: datetime
) -> None:
    """Let one's own signature hold no longer; what was posted keeps its grade.

    Raises:
        SignatureUnknown: There is none that holds.
    """
    withdraw_signature(session, code, version, reviewer=who.name, on=day_of(at))
    note_act(session, who.name, "methodologies.unsign", f"{code} {version}", at=at)


def ask_approval(session: Session, asking: Asking, approved: ScenarioApproval) -> Approval:
    """Ask that a scenario be approved, or its approval renewed.

    Raises:
        ScenarioUnknown, DatesReversed, DatePassed, ApprovalRecorded, ApprovalOpen: See their own
            words.
    """
    if approved.valid_until < approved.valid_from:
        raise DatesReversed
    if approved.valid_until < day_of(asking.at):
        raise DatePassed(last_day=approved.valid_until.isoformat())
    if approved.scenario not in {each.scenario for each in library(session).values()}:
        raise ScenarioUnknown(scenario=approved.scenario)
    _refuse_recorded(session, approved.scenario, approved.valid_from)
    payload = {
        "scenario": approved.scenario,
        "valid_from": approved.valid_from.isoformat(),
        "valid_until": approved.valid_until.isoformat(),
        "letter": approved.letter,
    }
    return ask(
        session, asking, APPROVE, approved.scenario, payload, scope=Scope.METHODOLOGIES_PUBLISH
    )


def approve(session: Session, payload: Payload, signing: Signing) -> None:
    """Approve a scenario for its dates.

    Raises:
        ApprovalRecorded: Another approval begins on that day by now.
    """
    scenario, first = payload["scenario"], date.fromisoformat(payload["valid_from"])
    last = date.fromisoformat(payload["valid_until"])
    letter = payload["letter"]
    if not approve_scenario(session, scenario, valid_from=first, valid_until=last, letter=letter):
        raise ApprovalRecorded(scenario=scenario)
    at, dates = signing.at, f"{first} {last}"
    note_act(session, signing.signed_by, APPROVE, scenario, at=at, dates=dates)


def ask_ending(
    session: Session, asking: Asking, scenario: str, valid_from: date, last_day: date
) -> Approval:
    """Ask that an approval end sooner than it was given for.

    Raises:
        DatePassed, ScenarioApprovalUnknown, ApprovalOpen: See their own words.
    """
    if last_day < day_of(asking.at):
        raise DatePassed(last_day=last_day.isoformat())
    known = register(session).approvals
    if not any(
        (each.scenario, each.valid_from) == (scenario, valid_from)
        and each.valid_from <= last_day < each.valid_until
        for each in known
    ):
        raise ScenarioApprovalUnknown(scenario=scenario)
    payload = {
        "scenario": scenario,
        "valid_from": valid_from.isoformat(),
        "last_day": last_day.isoformat(),
    }
    return ask(
        session, asking, END, f"{scenario} {valid_from}", payload, scope=Scope.METHODOLOGIES_PUBLISH
    )


def end(session: Session, payload: Payload, signing: Signing) -> None:
    """End an approval.

    Raises:
        DatePassed, ScenarioApprovalUnknown: It is not as it was when it was asked.
    """
    last_day = date.fromisoformat(payload["last_day"])
    if last_day < day_of(signing.at):
        raise DatePassed(last_day=payload["last_day"])
    scenario, first = payload["scenario"], date.fromisoformat(payload["valid_from"])
    end_approval(session, scenario, valid_from=first, last=last_day)
    note_act(session, signing.signed_by, END, scenario, at=signing.at, last_day=str(last_day))


def renewals(session: Session, *, at: datetime) -> list[Renewal]:
    """Give the scenarios that are due for renewal, the most urgent first."""
    return due(register(session).approvals, library(session).values(), day_of(at))


def due(
    approvals: Iterable[ScenarioApproval], documents: Iterable[Document], today: date
) -> list[Renewal]:
    """Find the scenarios whose last approval ends within 90 days, or has ended."""
    last: dict[str, ScenarioApproval] = {}
    for each in approvals:
        known = last.get(each.scenario)
        if known is None or each.valid_until > known.valid_until:
            last[each.scenario] = each
    named: dict[str, list[str]] = {}
    for each in documents:
        named.setdefault(each.scenario, []).append(f"{each.code} {each.version}")
    found = [
        Renewal(each, tuple(named.get(each.scenario, ())), (each.valid_until - today).days + 1)
        for each in last.values()
        if each.valid_until - today <= RENEWED_BEFORE
    ]
    return sorted(found, key=lambda each: (each.days_left, each.approval.scenario))


def _refuse_recorded(session: Session, scenario: str, first: date) -> None:
    known = register(session).approvals
    if any((each.scenario, each.valid_from) == (scenario, first) for each in known):
        raise ApprovalRecorded(scenario=scenario)
