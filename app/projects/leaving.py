"""What a citizen's leaving does to their projects (项目与删除, R20).

Each ends as if it were withdrawn, so that its meters are free for somebody else from the next day
on, and a report that nobody has decided is told by nobody any more. It is asked for before the
designs go: only they know which meters those were. What was counted stays counted.
"""

from datetime import datetime
from typing import Final

from sqlmodel import Session

from app.citizens import Citizen
from app.kernel.db import driver
from app.projects.registering import end_project
from app.projects.registry import open_projects

ERASED: Final = "erased"
BY: Final = "erasure"
_UNTELL: Final = """
with undecided as (
  update monitoring_report set is_accepted = false, decided_by = %s, finding = '', decided_at = %s
   where bucket = %s and account = %s and decided_at is null returning id)
delete from monitored_period p using undecided u where p.report = u.id"""


def release_projects(session: Session, citizen: Citizen, at: datetime) -> None:
    """End what a citizen who leaves has, and free its meters. Idempotent."""
    for project in open_projects(session, citizen.bucket, citizen.number):
        end_project(session, project, ERASED, by=BY, at=at)
    driver(session).execute(_UNTELL, (BY, at, citizen.bucket, citizen.number))
