"""Questions about decisions (方法学决定的查询)."""

from datetime import date
from typing import Final, NamedTuple

from sqlmodel import Session

from app.kernel.db import driver
from methodologies import Approval, Document, SignOff

_SIGNED: Final = """
select reviewer, sha256, signed_on, withdrawn_on from sign_off
 where code = %s and version = %s order by signed_on, reviewer"""
_APPROVED: Final = """
select scenario, valid_from, valid_until from scenario_approval
 where scenario = %s order by valid_from"""
_ALL_APPROVED: Final = """
select scenario, valid_from, valid_until, letter from scenario_approval
 order by scenario, valid_from"""
_NOTED: Final = """
select reviewer, sha256, signed_on, withdrawn_on, note from sign_off
 where code = %s and version = %s order by signed_on, reviewer"""


class Decisions(NamedTuple):
    """What was decided about one version."""

    sign_offs: tuple[SignOff, ...]
    approvals: tuple[Approval, ...]
    """Of its scenario, in order of their first days."""


class Signature(NamedTuple):
    """A reviewer's signature as the public sees it (公开签字)."""

    reviewer: str
    sha256: str
    signed_on: date
    withdrawn_on: date | None
    note: str


class ScenarioApproval(NamedTuple):
    """An approval with the letter that gave it (场景批准)."""

    scenario: str
    valid_from: date
    valid_until: date
    letter: str


def decisions_on(session: Session, document: Document) -> Decisions:
    """Give the signatures under a version, and the approvals of its scenario."""
    connection = driver(session)
    signed = connection.execute(_SIGNED, (document.code, document.version)).fetchall()
    approved = connection.execute(_APPROVED, (document.scenario,)).fetchall()
    return Decisions(
        sign_offs=tuple(
            SignOff(
                reviewer=reviewer,
                sha256=bytes(sha256).hex(),
                signed_on=signed_on,
                withdrawn_on=withdrawn_on,
            )
            for reviewer, sha256, signed_on, withdrawn_on in signed
        ),
        approvals=tuple(
            Approval(scenario=scenario, valid_from=first, valid_until=last)
            for scenario, first, last in approved
        ),
    )


def approval_on(approvals: tuple[Approval, ...], day: date) -> Approval | None:
    """Give the approval that covers a day, or else the newest, which then does not.

    So a renewal that was recorded ahead of time ends nothing, and after the last day nothing
    accrues. ``None`` only where there never was one.
    """
    covering = [each for each in approvals if each.covers(day)]
    return (covering or list(approvals) or [None])[-1]


def signatures_under(session: Session, code: str, version: int) -> list[Signature]:
    """Give the signatures under a version, those that were withdrawn too, as they are shown."""
    return [
        Signature(reviewer, bytes(sha256).hex(), signed_on, withdrawn_on, note)
        for reviewer, sha256, signed_on, withdrawn_on, note in driver(session)
        .execute(_NOTED, (code, version))
        .fetchall()
    ]


def scenario_approvals(session: Session) -> list[ScenarioApproval]:
    """Give every approval, by scenario and first day."""
    return [ScenarioApproval(*row) for row in driver(session).execute(_ALL_APPROVED).fetchall()]
