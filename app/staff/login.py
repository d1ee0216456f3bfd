"""A clerk's login (工作人员登录): what lets them in, and the note of it."""

from datetime import datetime

from sqlmodel import Session

from app.staff.audit_log import note_act
from app.staff.clerks import CLERKS, Clerk, find_clerk
from app.staff.roll import Attempt

enrol, check_login, count_try = CLERKS.enrol, CLERKS.check_login, CLERKS.count_try


def admit(session: Session, attempt: Attempt, step: int, *, at: datetime) -> Clerk:
    """Let a clerk in whose try was right; the code is used up with it.

    Raises:
        LoginRefused: The code was used before, or the clerk was reset or suspended meanwhile.
    """
    CLERKS.use_code(session, attempt, step)
    clerk = find_clerk(session, attempt.person)
    note_act(session, clerk.public, "staff.log_in", clerk.public, at=at)
    return clerk
