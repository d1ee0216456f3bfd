"""Decisions about methodologies (方法学决定): signatures and approvals, made and ended."""

from datetime import date
from typing import Final

from sqlmodel import Session

from app.catalogue.errors import ScenarioApprovalUnknown, ScenarioUnknown, SignatureUnknown
from app.catalogue.library import document_of, library
from app.kernel.db import driver

_SIGN: Final = """
insert into sign_off (code, version, reviewer, sha256, signed_on, note, name)
values (%s, %s, %s, %s, %s, %s, %s) on conflict do nothing"""
_UNSIGN: Final = """
update sign_off set withdrawn_on = %s
 where code = %s and version = %s and reviewer = %s and signed_on <= %s and withdrawn_on is null"""
_APPROVE: Final = """
insert into scenario_approval (scenario, valid_from, valid_until, letter)
values (%s, %s, %s, %s) on conflict do nothing"""
_END: Final = """
update scenario_approval set valid_until = %s
 where scenario = %s and valid_from = %s and valid_until > %s and valid_from <= %s"""


def sign_off(
    session: Session,
    code: str,
    version: int,
    *,
    reviewer: str,
    on: date,
    note: str = "",
    name: str = "",
) -> bool:
    """Record that ``reviewer`` found the quotations of this very text right (复核签字).

    Idempotent by reviewer and day; says whether it is new.

    Raises:
        VersionUnknown: It neither ships nor was published.
    """
    document = document_of(session, code, version)
    signed = bytes.fromhex(document.sha256)
    cursor = driver(session).execute(_SIGN, (code, version, reviewer, signed, on, note, name))
    return cursor.rowcount == 1


def withdraw_signature(
    session: Session, code: str, version: int, *, reviewer: str, on: date
) -> None:
    """Let a reviewer's signature hold no longer from the day ``on`` (撤回签字).

    What was posted before keeps its grade: that is fixed in its asset.

    Raises:
        SignatureUnknown: There is none that still holds.
    """
    if driver(session).execute(_UNSIGN, (on, code, version, reviewer, on)).rowcount == 0:
        raise SignatureUnknown(methodology=code, version=version)


def approve_scenario(
    session: Session, scenario: str, *, valid_from: date, valid_until: date, letter: str
) -> bool:
    """Record an approval with its dates, both included (场景批准).

    Idempotent by scenario and first day; says whether it is new.

    Raises:
        ScenarioUnknown: No methodology has this scenario.
    """
    if scenario not in {document.scenario for document in library(session).values()}:
        raise ScenarioUnknown(scenario=scenario)
    cursor = driver(session).execute(_APPROVE, (scenario, valid_from, valid_until, letter))
    return cursor.rowcount == 1


def end_approval(session: Session, scenario: str, *, valid_from: date, last: date) -> None:
    """Let ``last`` be the last day of the approval that begins on ``valid_from`` (终止批准).

    Raises:
        ScenarioApprovalUnknown: There is none, or it ends no later than that already.
    """
    ending = (last, scenario, valid_from, last, last)
    if driver(session).execute(_END, ending).rowcount == 0:
        raise ScenarioApprovalUnknown(scenario=scenario)
