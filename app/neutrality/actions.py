"""Actions (减排行动): what was done to emit less, each with the digest of its evidence.

An action lowers what the inventory counts; it is no reduction of the books, and is added to none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlmodel import Session

from app.kernel.clock import day_of
from app.kernel.db import driver
from app.kernel.ids import public_id
from app.neutrality.categories import Category
from app.neutrality.gathering_errors import ActionAhead
from app.neutrality.gatherings import Gathering

PREFIX: Final = "gac"


@dataclass(frozen=True, slots=True)
class Action:
    """Something done to emit less (减排行动)."""

    id: UUID
    category: Category
    """Of what the inventory counts less."""
    text: str
    taken_on: date
    evidence: bytes
    """SHA-256 of what the organiser keeps and can show."""
    recorded_at: datetime

    @property
    def public(self) -> str:
        """The public id."""
        return public_id(PREFIX, self.id)


_COLUMNS: Final = "id, category, text, taken_on, evidence, recorded_at"
_ADD: Final = f"""
insert into gathering_action (gathering, {_COLUMNS}) values (%s, %s, %s, %s, %s, %s, %s)"""  # noqa: S608 -- columns of our own
_LIST: Final = f"""
select {_COLUMNS} from gathering_action
 where gathering = %s and (%s::uuid is null or id > %s) order by id limit %s"""  # noqa: S608 -- likewise


def record_action(session: Session, gathering: Gathering, action: Action) -> None:
    """Record what was done for a gathering.

    Raises:
        ActionAhead: Its day is still to come.
    """
    if action.taken_on > day_of(action.recorded_at):
        raise ActionAhead
    row = (
        gathering.id,
        action.id,
        action.category.value,
        action.text,
        action.taken_on,
        action.evidence,
        action.recorded_at,
    )
    driver(session).execute(_ADD, row)


def actions_of(
    session: Session, gathering: UUID, *, after: UUID | None, limit: int
) -> Sequence[Action]:
    """List what was done, in the order in which it was told."""
    rows = driver(session).execute(_LIST, (gathering, after, after, limit)).fetchall()
    return [_action(*row) for row in rows]


def _action(id_: UUID, category: str, *rest: Any) -> Action:  # noqa: ANN401 -- the columns of the statements
    return Action(id_, Category(category), *rest)
