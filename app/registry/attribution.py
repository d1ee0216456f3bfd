"""Whose grams are in the pool (归属): acts are attributed to exits first in, first out (R6).

Of one person and one class. What is already issued stays where it was placed; the rest of each
act, the oldest first, leaves by the exits that are still to be filled, in the order in which they
were recorded. What the pool is filled with are the rows of the next lot. Values in, values out.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID


class Act(NamedTuple):
    """What an act is worth now: its accruals, less what corrections took of them."""

    id: UUID
    mg: int
    placed_mg: int
    """Of it, what is in issue batches."""


class Move(NamedTuple):
    """Milligrams that left their holder at once, or that a correction took back from there."""

    place: int
    """The system account that they went to, or were taken from."""
    mg: int
    """Below zero for what was taken back."""


class Places(NamedTuple):
    """The system accounts that attribution tells apart."""

    pool: int
    issued: int
    """What a correction takes from there is a shortfall of a batch."""


class Share(NamedTuple):
    """What of an act is in the pool and in no batch."""

    act: UUID
    mg: int


def pooled_mg(acts: Iterable[Act], moves: Iterable[Move], places: Places) -> int:
    """Say what of this person's is in the pool and in no batch."""
    into = sum(each.mg for each in moves if each.place == places.pool)
    return into - sum(each.placed_mg for each in acts)


def attribute(acts: Sequence[Act], moves: Sequence[Move], places: Places) -> list[Share]:
    """Give the acts that the pool's milligrams are of, in the order of ``acts``.

    ``moves`` are in the order of recording: what is taken back is taken from the latest before it.
    """
    shortfall_mg = -sum(each.mg for each in moves if each.place == places.issued)
    room = [act.mg - kept for act, kept in zip(acts, _kept(acts, shortfall_mg), strict=True)]
    shares: list[Share] = []
    at = 0
    for place, mg in _to_fill(acts, moves, places):
        missing = mg
        while missing and at < len(acts):
            part = min(room[at], missing)
            room[at] -= part
            missing -= part
            if part and place == places.pool:
                _add(shares, acts[at].id, part)
            at += room[at] == 0
        assert not missing, (place, mg, missing)
    return shares


def staying(
    acts: Mapping[UUID, Act], rows: Iterable[tuple[UUID, int, int]], pool_mg: int
) -> list[UUID]:
    """Of a frozen lot's rows (act, mg, what the act was worth then), say which can be issued.

    An act that is worth something else by now leaves. So does, from the last on, what a
    correction of another act took out of the pool.
    """
    stay: list[UUID] = []
    for act, mg, act_mg in rows:
        known = acts.get(act)
        if known is None or known.mg != act_mg or known.placed_mg + mg > act_mg or mg > pool_mg:
            continue
        pool_mg -= mg
        stay.append(act)
    return stay


def _kept(acts: Sequence[Act], shortfall_mg: int) -> list[int]:
    """Say what of each act its batches still hold: a shortfall is taken from acts that shrank.

    What is missing beyond that comes off the last, whose milligrams fill other exits from then on.
    """
    kept = [min(act.placed_mg, act.mg) for act in acts]
    beyond = shortfall_mg - sum(a.placed_mg - k for a, k in zip(acts, kept, strict=True))
    for at in range(len(kept) - 1, -1, -1):
        if beyond <= 0:
            break
        part = min(kept[at], beyond)
        kept[at] -= part
        beyond -= part
    return kept


def _to_fill(acts: Sequence[Act], moves: Sequence[Move], places: Places) -> list[Move]:
    """Give the exits that batches have not filled, less what was taken back of them."""
    left: list[Move] = []
    for move in moves:
        if move.mg > 0:
            left.append(move)
        elif move.place != places.issued:
            _take_back(left, move)
    filled = sum(act.placed_mg for act in acts)
    found: list[Move] = []
    for place, mg in left:
        part = min(mg, filled) if place == places.pool else 0
        filled -= part
        if mg > part:
            found.append(Move(place, mg - part))
    return found


def _take_back(left: list[Move], move: Move) -> None:
    """Take from the latest exits to that place."""
    missing = -move.mg
    for at in range(len(left) - 1, -1, -1):
        if left[at].place == move.place:
            part = min(left[at].mg, missing)
            left[at] = Move(move.place, left[at].mg - part)
            missing -= part
    assert not missing, move


def _add(shares: list[Share], act: UUID, mg: int) -> None:
    if shares and shares[-1].act == act:
        mg += shares.pop().mg
    shares.append(Share(act, mg))
