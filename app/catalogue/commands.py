"""Decisions about methodologies (方法学决定): sign a version off, approve a scenario."""

from datetime import date
from typing import Final

from sqlmodel import Session

from app.catalogue.errors import DocumentNotSigned, ScenarioUnknown
from app.kernel.db import driver
from methodologies import CATALOG

_SIGN: Final = """
insert into sign_off (code, version, reviewer, sha256, signed_on, note)
values (%s, %s, %s, %s, %s, %s) on conflict do nothing"""
_APPROVE: Final = """
insert into scenario_approval (scenario, valid_from, valid_until, letter)
values (%s, %s, %s, %s) on conflict do nothing"""


def sign_off(
    session: Session, code: str, version: int, *, reviewer: str, on: date, note: str = ""
) -> bool:
    """Record that ``reviewer`` found the quotations of this very text right (复核签字).

    Idempotent by reviewer and day; says whether it is new.

    Raises:
        DocumentNotSigned: No such version ships.
    """
    document = CATALOG.get((code, version))
    if document is None:
        raise DocumentNotSigned(methodology=code, version=version)
    signed = bytes.fromhex(document.sha256)
    cursor = driver(session).execute(_SIGN, (code, version, reviewer, signed, on, note))
    return cursor.rowcount == 1


def approve_scenario(
    session: Session, scenario: str, *, valid_from: date, valid_until: date, letter: str
) -> bool:
    """Record an approval with its dates, both included (场景批准).

    Idempotent by scenario and first day; says whether it is new.

    Raises:
        ScenarioUnknown: No methodology has this scenario.
    """
    if scenario not in {document.scenario for document in CATALOG.values()}:
        raise ScenarioUnknown(scenario=scenario)
    cursor = driver(session).execute(_APPROVE, (scenario, valid_from, valid_until, letter))
    return cursor.rowcount == 1
