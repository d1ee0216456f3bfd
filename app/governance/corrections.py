"""Questions about factor corrections (系数更正查询): how far each is, its report, its list."""

from datetime import date, datetime
from typing import Final, NamedTuple
from uuid import UUID

from sqlmodel import Session

from app.governance.errors import CorrectionUnknown
from app.kernel.db import driver

_COLUMNS: Final = """
select c.id, c.code, c.version, c.replacement, c.since, c.until, c.reason, c.asked_by,
       c.signed_by, c.ordered_at, r.statement, r.signature,
       (select count(*) from factor_correction_part p where p.correction = c.id)
  from factor_correction c left join factor_correction_report r on r.correction = c.id"""
_ALL: Final = f"{_COLUMNS} order by c.ordered_at desc, c.id desc limit 200"
_ONE: Final = f"{_COLUMNS} where c.id = %s"
_ACTS: Final = """
select activity, change_mg from act_correction where cause = %s and activity > %s
 order by activity limit %s"""


class CarriedOut(NamedTuple):
    """A correction, and how far it was carried out."""

    id: UUID
    code: str
    version: int
    replacement: int
    since: date
    until: date
    reason: str
    asked_by: str
    signed_by: str
    ordered_at: datetime
    statement: bytes | None
    """The signed report; None until every act was gone over."""
    signature: bytes | None
    parts: int


def corrections(session: Session) -> list[CarriedOut]:
    """Give the last 200 corrections, the newest first."""
    return [CarriedOut(*row) for row in driver(session).execute(_ALL).fetchall()]


def find_correction(session: Session, correction: UUID | None) -> CarriedOut:
    """Give one correction.

    Raises:
        CorrectionUnknown: There is none.
    """
    row = driver(session).execute(_ONE, (correction,)).fetchone()
    if row is None:
        raise CorrectionUnknown
    return CarriedOut(*row)


def corrected_acts(
    session: Session, correction: UUID | None, *, after: UUID, limit: int
) -> list[tuple[UUID, int]]:
    """Give what a correction changed, by the id of the act: (act, mg).

    Raises:
        CorrectionUnknown: There is none.
    """
    found = find_correction(session, correction)
    return driver(session).execute(_ACTS, (found.id, after, limit)).fetchall()
