"""What a citizen's leaving does to their cancellations (注销与删除, R20).

What waits is reverted, before their reductions join the public cancellation; every name and message
of theirs is withdrawn at once. What was posted becomes final first, with its certificate, which
then says of nobody whose it was.
"""

from datetime import datetime
from typing import Final

from sqlmodel import Session

from app.books.openings import forget_texts
from app.citizens import Citizen
from app.kernel.db import driver

_REVERT: Final = """
update cancellation set reverted_at = %s, reason = 'leaving'
 where bucket = %s and account = %s and reverted_at is null and posted_at is null"""
_UNDER_WAY: Final = """
select 1 from cancellation
 where bucket = %s and account = %s and reverted_at is null and finalized_at is null limit 1"""


def release_cancellations(session: Session, citizen: Citizen, at: datetime) -> None:
    """Revert what waits of a citizen who leaves, and withdraw every text of theirs. Idempotent."""
    connection = driver(session)
    connection.execute(_REVERT, (at, citizen.bucket, citizen.number))
    forget_texts(connection, citizen.number)


def is_final(session: Session, citizen: Citizen, _at: datetime) -> bool:
    """Say whether none of a citizen's cancellations is under way."""
    row = driver(session).execute(_UNDER_WAY, (citizen.bucket, citizen.number)).fetchone()
    return row is None
