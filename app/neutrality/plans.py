"""Plans (碳中和实施计划): what an organiser means to do, in versions, public if it says so."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from sqlmodel import Session

from app.kernel.db import driver
from app.neutrality.gathering_errors import DeadlineInvalid, PlanUnknown
from app.neutrality.gatherings import Gathering
from app.neutrality.inventories import find_inventory
from app.neutrality.inventory_rules import Stage


class OffsetWay(StrEnum):
    """By which an organiser makes up for what is left."""

    UNITS = "units"
    """购买并注销核证减排量: bought and retired."""
    UNITS_AND_GIFTS = "units_and_gifts"
    """Likewise, and what attendees give (捐赠) beside it."""


@dataclass(frozen=True, slots=True)
class Intent:
    """What is written into a plan."""

    boundary: str
    """What is counted and what is not, in words."""
    measures: Sequence[str]
    """By which less will be emitted."""
    offset_way: OffsetWay
    deadline: date
    is_public: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan, and what it expects to be emitted (实施计划)."""

    gathering: UUID
    version: int
    inventory: int
    """Version of the inventory of what is expected."""
    expected_mg: int
    intent: Intent
    made_at: datetime


_SELECT: Final = """
select p.gathering, p.version, p.inventory, i.total_mg, p.boundary, p.measures, p.offset_way,
       p.deadline, p.is_public, p.made_at
  from gathering_plan p
  join inventory i on i.gathering = p.gathering and i.stage = p.stage and i.version = p.inventory"""
_MAKE: Final = """
insert into gathering_plan (gathering, version, inventory, boundary, measures, offset_way, deadline,
                            is_public, made_at)
select %(gathering)s, coalesce(max(version), 0) + 1, %(inventory)s, %(boundary)s, %(measures)s,
       %(offset_way)s, %(deadline)s, %(is_public)s, %(at)s
  from gathering_plan where gathering = %(gathering)s"""
_LATEST: Final = f"{_SELECT} where p.gathering = %s order by p.version desc limit 1"
_LIST: Final = f"""{_SELECT}
 where p.gathering = %s and (%s::int is null or p.version < %s) order by p.version desc limit %s"""


def make_plan(session: Session, gathering: Gathering, intent: Intent, *, at: datetime) -> Plan:
    """Write the next version of a locked gathering's plan, over its latest expected inventory.

    Raises:
        InventoryUnknown: What is expected was not closed yet.
        DeadlineInvalid: It is not after the end, or later than a year after it.
    """
    if not gathering.occasion.ends_on < intent.deadline <= gathering.deadline:
        raise DeadlineInvalid(latest=gathering.deadline.isoformat())
    expected = find_inventory(session, gathering.id, Stage.EXPECTED)
    row = {
        "gathering": gathering.id,
        "inventory": expected.version,
        "boundary": intent.boundary,
        "measures": list(intent.measures),
        "offset_way": intent.offset_way.value,
        "deadline": intent.deadline,
        "is_public": intent.is_public,
        "at": at,
    }
    driver(session).execute(_MAKE, row)
    return latest_plan(session, gathering.id)


def latest_plan(session: Session, gathering: UUID) -> Plan:
    """Give a gathering's plan as it stands.

    Raises:
        PlanUnknown: There is none.
    """
    row = driver(session).execute(_LATEST, (gathering,)).fetchone()
    if row is None:
        raise PlanUnknown
    return _plan(*row)


def public_plan(session: Session, gathering: UUID) -> Plan:
    """Give a gathering's plan, if its latest version is public.

    Raises:
        PlanUnknown: There is none, or it is not public.
    """
    plan = latest_plan(session, gathering)
    if not plan.intent.is_public:
        raise PlanUnknown
    return plan


def plans(session: Session, gathering: UUID, *, before: int | None, limit: int) -> Sequence[Plan]:
    """List the versions of a gathering's plan, the newest first."""
    rows = driver(session).execute(_LIST, (gathering, before, before, limit)).fetchall()
    return [_plan(*row) for row in rows]


def _plan(gathering: UUID, version: int, inventory: int, expected_mg: int, *told: Any) -> Plan:  # noqa: ANN401 -- the columns of the statements
    boundary, measures, offset_way, deadline, is_public, made_at = told
    intent = Intent(boundary, measures, OffsetWay(offset_way), deadline, is_public)
    return Plan(gathering, version, inventory, expected_mg, intent, made_at)
