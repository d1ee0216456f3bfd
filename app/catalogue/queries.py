"""Questions about decisions (方法学决定的查询): who signed which version, what is approved."""

from collections.abc import Sequence
from datetime import date
from typing import Final, NamedTuple

from sqlmodel import Session

from app.kernel.db import driver
from methodologies import Approval, Document, SignOff

_SIGNED: Final = """
select code, version, reviewer, sha256, signed_on, withdrawn_on, note, name from sign_off
 where %(code)s::text is null or (code, version) = (%(code)s, %(version)s)
 order by signed_on, reviewer"""
_APPROVED: Final = """
select scenario, valid_from, valid_until, letter from scenario_approval
 where %(scenario)s::text is null or scenario = %(scenario)s
 order by scenario, valid_from"""


class Signature(NamedTuple):
    """A reviewer's signature as the public sees it (公开签字)."""

    code: str
    version: int
    reviewer: str
    sha256: bytes
    """Of the text that was signed."""
    signed_on: date
    withdrawn_on: date | None
    note: str
    name: str
    """Name and organisation at the signing; empty where the operator typed the reviewer."""

    @property
    def sign_off(self) -> SignOff:
        """What the grade asks of it."""
        return SignOff(
            reviewer=self.reviewer,
            sha256=self.sha256.hex(),
            signed_on=self.signed_on,
            withdrawn_on=self.withdrawn_on,
        )


class ScenarioApproval(NamedTuple):
    """An approval with the letter that gave it (场景批准)."""

    scenario: str
    valid_from: date
    valid_until: date
    letter: str

    @property
    def approval(self) -> Approval:
        """What the grade asks of it."""
        return Approval(
            scenario=self.scenario, valid_from=self.valid_from, valid_until=self.valid_until
        )


class Decisions(NamedTuple):
    """What was decided about one version."""

    sign_offs: tuple[SignOff, ...]
    approvals: tuple[Approval, ...]
    """Of its scenario, in order of their first days."""


class Register(NamedTuple):
    """Signatures and approvals, withdrawn and ended ones too, as they are shown (决定登记)."""

    signatures: Sequence[Signature]
    approvals: Sequence[ScenarioApproval]

    def under(self, document: Document) -> "Register":
        """Give what was decided about one version."""
        key = (document.code, document.version)
        return Register(
            [each for each in self.signatures if (each.code, each.version) == key],
            [each for each in self.approvals if each.scenario == document.scenario],
        )

    def decisions(self) -> Decisions:
        """Give what the grade asks of them."""
        return Decisions(
            tuple(each.sign_off for each in self.signatures),
            tuple(each.approval for each in self.approvals),
        )


def register(session: Session, document: Document | None = None) -> Register:
    """Give the decisions about one version, or about all, in two statements."""
    connection = driver(session)
    asked = {
        "code": document and document.code,
        "version": document and document.version,
        "scenario": document and document.scenario,
    }
    return Register(
        [
            Signature(code, version, reviewer, bytes(sha256), *rest)
            for code, version, reviewer, sha256, *rest in connection.execute(_SIGNED, asked)
        ],
        [ScenarioApproval(*row) for row in connection.execute(_APPROVED, asked)],
    )


def decisions_on(session: Session, document: Document) -> Decisions:
    """Give the signatures under a version, and the approvals of its scenario."""
    return register(session, document).decisions()


def approval_on(approvals: Sequence[Approval], day: date) -> Approval | None:
    """Give the approval that covers a day, or else the newest, which then does not.

    So a renewal that was recorded ahead of time ends nothing, and after the last day nothing
    accrues. ``None`` only where there never was one.
    """
    covering = [each for each in approvals if each.covers(day)]
    return (covering or list(approvals) or [None])[-1]
