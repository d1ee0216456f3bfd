"""What several records of one day come to (同一行为与上限): pure, and blind to order of arrival.

Records of the same act are found by person, mode, overlapping time and vehicle or station (R16).
The result is what one upload of the whole day would give, sorted by evidence, start, provider
and external hash: a record counts unless one before it that counts tells the same act.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

TOLERANCE: Final = timedelta(minutes=10)
"""How far two clocks, or two ideas of when a ride began, may be apart."""
Cell = tuple[date, int]
"""A day and an asset (methodology version, scenario, grade): what a person's caps are for (R9)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One record of an act of one person, as far as deciding needs it."""

    id: UUID
    provider: str
    external_hash: bytes
    mode: str
    evidence: int
    """3 measured, 2 proved by a document, 1 declared."""
    started_at: datetime
    ended_at: datetime
    vehicle: bytes | None
    station: bytes | None
    day: date
    asset: int | None
    """None where the grade records no reduction."""
    raw_mg: int
    """Before the cap [mg]."""
    granted_mg: int = 0
    """What it has added so far [mg]."""
    counted: UUID | None = None
    """The act that counted instead so far; itself while it counts."""
    is_new: bool = False
    is_withdrawn: bool = False
    """Told to have been no act: any other record of the same act comes before it."""

    @property
    def order(self) -> tuple[bool, int, datetime, str, bytes]:
        """The place in the sorted day."""
        return (
            self.is_withdrawn,
            -self.evidence,
            self.started_at,
            self.provider,
            self.external_hash,
        )

    @property
    def cell(self) -> Cell | None:
        """Where its cap is counted."""
        return None if self.asset is None else (self.day, self.asset)


def is_same(one: Act, other: Act) -> bool:
    """Whether two providers tell of the same act.

    What both name decides: one vehicle or station in common is enough. Where they name nothing
    in common kind, one person's overlapping time in one mode is.
    """
    if one.provider == other.provider or one.mode != other.mode:
        return False
    if one.started_at - TOLERANCE > other.ended_at or other.started_at - TOLERANCE > one.ended_at:
        return False
    named = [
        a == b
        for a, b in ((one.vehicle, other.vehicle), (one.station, other.station))
        if a is not None and b is not None
    ]
    return any(named) or not named


def standing(acts: Iterable[Act]) -> dict[UUID, UUID]:
    """Say for each act which one counts for it: itself, or the one it is merged into."""
    kept: list[Act] = []
    counted: dict[UUID, UUID] = {}
    for act in sorted(acts, key=lambda each: each.order):
        first = next((each for each in kept if is_same(each, act)), None)
        if first is None:
            kept.append(act)
        counted[act.id] = act.id if first is None else first.id
    return counted


@dataclass(frozen=True, slots=True)
class Verdict:
    """What arrivals change for one person."""

    counted: Mapping[UUID, UUID]
    """For each act that is new or whose fate changed: which one counts."""
    raw_changes: Mapping[Cell, int]
    """By how much the uncapped sum of a cell changes [mg]."""


def decide(acts: Sequence[Act]) -> Verdict:
    """Decide anew over all acts of one person that are still open to merging.

    An act that was merged into one no longer open stays merged: that decision is final.
    """
    known = {act.id for act in acts}
    open_acts = [act for act in acts if act.is_new or act.counted in known]
    counted = standing(open_acts)
    changed: dict[UUID, UUID] = {}
    raw_changes: dict[Cell, int] = {}
    for act in open_acts:
        now = counted[act.id]
        if act.is_new or now != act.counted:
            changed[act.id] = now
        counts, counted_before = now == act.id, act.counted == act.id
        if act.cell is not None and counts != counted_before:
            change = act.raw_mg if counts else -act.raw_mg
            raw_changes[act.cell] = raw_changes.get(act.cell, 0) + change
    return Verdict(changed, raw_changes)


def allocate(
    acts: Iterable[Act], verdict: Verdict, room_mg: Mapping[Cell, int]
) -> Iterator[tuple[Act, int]]:
    """Hand a cell's room to the acts that count, in the order of the day: (act, mg) pairs.

    ``room_mg`` is what each cell may add now, after what displaced acts gave back; new acts and
    those that the cap had cut short share it.
    """
    left = dict(room_mg)
    for act in sorted(acts, key=lambda each: each.order):
        if act.cell not in left or verdict.counted.get(act.id, act.counted) != act.id:
            continue
        mg = min(left[act.cell], act.raw_mg - act.granted_mg)
        if mg > 0:
            left[act.cell] -= mg
            yield act, mg


def lost_by(raw_mg: int, granted_mg: int, lost_mg: int, to_mg: int) -> int:
    """Say by how much what an act lost to corrections changes when it is worth ``to_mg`` [mg].

    What a correction takes stays spent of the day's cap (R9), for this act to regain and for no
    other: of an act of 5 that the cap of 4 cut short, a correction to 2 takes 2, one back to 5
    gives them again.

    >>> lost_by(5, 4, 0, 2), lost_by(2, 2, 2, 5), lost_by(5, 4, 0, 4)
    (2, -2, 0)
    """
    if to_mg < raw_mg:
        return max(0, granted_mg - to_mg)
    return -min(lost_mg, to_mg - raw_mg)


def capped(cap_mg: int | None, raw_mg: int) -> int:
    """Give what counts of an uncapped sum [mg].

    >>> capped(None, 5), capped(4, 5), capped(4, 3)
    (5, 4, 3)
    """
    return raw_mg if cap_mg is None else min(cap_mg, raw_mg)
