"""Somebody's sessions (本人会话): which devices are logged in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlmodel import Session

from app.kernel.db import driver
from app.kernel.tokens import Principal
from app.sessions.commands import bucket_of_holder
from app.sessions.rules import LIFETIMES

SHOWN_MAX: Final = 100
_OPEN: Final = """
select family, label, opened_at, coalesce(rotated_at, opened_at) as seen_at, ends_at from session
 where bucket = %s and holder = %s and account = %s and kind = %s and closed_at is null
   and ends_at > %s and coalesce(rotated_at, opened_at) > %s
 order by coalesce(rotated_at, opened_at) desc, family limit %s"""


@dataclass(frozen=True, slots=True)
class Device:
    """One device on which somebody is logged in."""

    family: UUID
    label: str
    opened_at: datetime
    seen_at: datetime
    ends_at: datetime


def devices_of(session: Session, who: Principal, *, at: datetime) -> Sequence[Device]:
    """List somebody's sessions that are open, the last used first; at most ``SHOWN_MAX``."""
    since = at - LIFETIMES[who.kind].idle
    place = (bucket_of_holder(who), who.id, who.owner, who.kind)
    rows = driver(session).execute(_OPEN, (*place, at, since, SHOWN_MAX)).fetchall()
    return [Device(*row) for row in rows]
