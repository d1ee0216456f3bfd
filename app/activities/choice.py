"""Which methodology applies (方法学选择): the version by the date of the act, and its standing.

An upload names a methodology; each of its acts is computed with the version in force on its day.
Standing is what people decided about a version: sign-offs and the approval of its scenario. It is
given to ingest as a value, so that grade is a pure function of what was known (R4).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from sqlmodel import Session

from app.activities.errors import MethodologyUnknown
from app.catalogue import applicable, approval_on, decisions_on
from ledger.assets import Reduction
from methodologies import CATALOG, Approval, Document, Evidence, Grade, SignOff, accrues, grade


@dataclass(frozen=True, slots=True)
class Standing:
    """What reviewers and the regulator said of one version."""

    sign_offs: tuple[SignOff, ...] = ()
    approvals: tuple[Approval, ...] = ()

    def approval_on(self, day: date) -> Approval | None:
        """Give the approval that covers a day, or else the newest."""
        return approval_on(self.approvals, day)


UNKNOWN_STANDING: Final = Standing()


@dataclass(frozen=True, slots=True)
class Choice:
    """The versions of one methodology that an upload may meet."""

    versions: tuple[Document, ...]
    """In order of effect; of two in force on a day, the later one applies."""
    standing: Mapping[tuple[str, int], Standing] = field(
        default_factory=dict[tuple[str, int], Standing]
    )
    """By code and version; a version without an entry has no sign-off and no approval."""

    @property
    def code(self) -> str:
        """The methodology's code."""
        return self.versions[0].code

    @property
    def input_names(self) -> tuple[str, ...]:
        """The inputs of any of the versions, in order of first mention."""
        return tuple(dict.fromkeys(name for each in self.versions for name in each.input_names))

    def on(self, day: date) -> Document | None:
        """Give the version in force on a day."""
        for each in reversed(self.versions):
            if each.effective <= day and (each.until is None or day <= each.until):
                return each
        return None

    def standing_of(self, document: Document) -> Standing:
        """Give what was decided about a version."""
        return self.standing.get((document.code, document.version), UNKNOWN_STANDING)

    def refusal_on(self, document: Document | None, day: date) -> str:
        """Say why nothing accrues on a day, whatever was done; empty where it may."""
        if document is None:
            return "methodology.not_in_force"
        if document.missing_parameters:
            return "methodology.parameter_missing"
        standing = self.standing_of(document)
        return "" if accrues(standing.approval_on(day), day) else "approval.not_in_force"

    def class_of(self, document: Document, evidence: Evidence, day: date) -> Reduction | None:
        """Give the asset class of a day (R4); none for grade C, which records no reduction."""
        standing = self.standing_of(document)
        given = grade(
            document,
            sign_offs=standing.sign_offs,
            approval=standing.approval_on(day),
            evidence=evidence,
            on=day,
        )
        if given is Grade.C:
            return None
        letter, vintage = "A" if given is Grade.A else "B", day.replace(day=1)
        return Reduction(document.code, document.version, document.scenario, letter, vintage)


def chosen(
    *documents: Document, standing: Mapping[tuple[str, int], Standing] | None = None
) -> Choice:
    """Choose among these versions of one methodology."""
    assert documents
    assert len({each.code for each in documents}) == 1, documents
    ordered = sorted(documents, key=lambda each: (each.effective, each.version))
    return Choice(tuple(ordered), standing or {})


def catalogued(
    code: str,
    version: int | None = None,
    *,
    standing: Mapping[tuple[str, int], Standing] | None = None,
) -> Choice:
    """Choose among the shipped versions of ``code``, or pin one of them.

    Raises:
        MethodologyUnknown: None ships with this code and version.
    """
    keys = [key for key in CATALOG if key[0] == code and version in {None, key[1]}]
    if not keys:
        raise MethodologyUnknown(methodology=code, version=version)
    return chosen(*(CATALOG[key] for key in keys), standing=standing)


def decided(session: Session, code: str, version: int | None = None) -> Choice:
    """Choose among the versions of the library, with what this city has decided about each.

    A pinned version brings along what corrects its factor.

    Raises:
        MethodologyUnknown: None was published with this code and version.
    """
    versions = applicable(session, code, version)
    if not versions:
        raise MethodologyUnknown(methodology=code, version=version)
    standing = {
        (each.code, each.version): Standing(*decisions_on(session, each))
        for each in {each.version: each for each in versions}.values()
    }
    return chosen(*versions, standing=standing)
