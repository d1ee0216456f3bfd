"""Questions about decisions (方法学决定的查询)."""

from typing import Final, NamedTuple

from sqlmodel import Session

from app.kernel.db import driver
from methodologies import Approval, Document, SignOff

_SIGNED: Final = """
select reviewer, sha256, signed_on, withdrawn_on from sign_off
 where code = %s and version = %s order by signed_on, reviewer"""
_APPROVED: Final = """
select scenario, valid_from, valid_until from scenario_approval
 where scenario = %s order by valid_from desc limit 1"""


class Decisions(NamedTuple):
    """What was decided about one version."""

    sign_offs: tuple[SignOff, ...]
    approval: Approval | None
    """The newest of its scenario; whether it covers a day is for the grade to say."""


def decisions_on(session: Session, document: Document) -> Decisions:
    """Give the signatures under a version, and the newest approval of its scenario."""
    connection = driver(session)
    signed = connection.execute(_SIGNED, (document.code, document.version)).fetchall()
    approved = connection.execute(_APPROVED, (document.scenario,)).fetchone()
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
        approval=None
        if approved is None
        else Approval(scenario=approved[0], valid_from=approved[1], valid_until=approved[2]),
    )
