"""Corrections of acts (更正): what an act is worth from here on, as new entries, never an edit.

Whoever finds an act to be worth something else says so here: its provider, a corrected factor,
an upheld appeal. What it is worth less is taken from the holder, then from where it went (R6);
what it is worth more is a further accrual under the cap of its day. What a correction takes
stays spent of that cap (R9); only where another record stands in for a withdrawn one, which is
a correction of R16, is the room handed on.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from app.activities.caps import Place, add_to_days
from app.activities.corrected import (
    ActKey,
    Key,
    Noted,
    Standing,
    load_standing,
    lock_people,
    note_corrections,
    withdraw_from_window,
)
from app.activities.exits import Exits, Shortfall, note_shortfalls
from app.activities.matching import MONTH_SETTLED
from app.activities.merging import CORRECTION, ISSUANCE, SAME_ACT, merge
from app.activities.rules import capped, lost_by
from app.activities.windows import Change, note
from app.books import Row, post
from app.kernel.clock import day_of
from app.kernel.db import Connection
from app.points import Reserved, Shift, Taken, recover, settle
from ledger.accounts import bucket_of
from ledger.chart import Code

APPEAL: Final = "appeal.upheld"
FACTOR: Final = "factor.corrected"
"""Reasons of corrections that no provider told."""
TOO_OLD: Final = "act.too_old"
WITHDRAWN: Final = "act.withdrawn"
UNKNOWN: Final = "act.unknown"
DEADLINE: Final = "correction.deadline_passed"
REPEATED: Final = "correction.repeated"
NOTHING: Final = "act.adds_nothing"
CAPPED: Final = "cap.day"


class Correction(NamedTuple):
    """What somebody says of one act."""

    bucket: int
    owner: int
    recorded_on: date
    """Of the act: where its row lies."""
    activity: UUID
    raw_mg: int | None
    """What it is worth before the cap [mg]; None where it records no reduction."""
    reason: str
    """``APPEAL``, ``FACTOR``, or the provider's own under ``provider.``."""
    is_withdrawn: bool = False
    content: bytes | None = None
    """Commitment to the provider's corrected record; entries are made under it."""
    inputs: Mapping[str, str] | None = None
    """The corrected quantities, where there are any."""

    @property
    def place(self) -> ActKey:
        """Where the act's row lies."""
        return (self.bucket, self.owner, self.recorded_on, self.activity)


class Corrected(NamedTuple):
    """What became of one correction."""

    activity: UUID
    change_mg: int
    """What the act's grant changed by [mg]."""
    reason: str
    """Why nothing, or less than said, changed; empty where there is nothing to explain."""
    is_recorded: bool
    """Whether it is written; one that was before, or cannot be, is not."""


def correct(
    connection: Connection,
    corrections: Sequence[Correction],
    *,
    cause: UUID,
    at: datetime,
    window_days: int,
    new_id: Callable[[], UUID],
    raised_since: date = date.min,
) -> list[Corrected]:
    """Correct acts inside the caller's transaction; one answer each, in their order.

    Idempotent in (act, cause): what this cause has corrected already is not corrected again.
    Each act at most once a call. An act that occurred before the acceptance window
    (``window_days``) is not raised: what its day's cap left is no longer known. Nor is one that
    was recorded before ``raised_since``, where whoever corrects has such a deadline.
    """
    by_key = {(each.owner, each.activity): each for each in corrections}
    assert len(by_key) == len(corrections), "an act is corrected once a call"
    if not corrections:
        return []
    lock_people(connection, {each.owner for each in corrections})
    places = [each.place for each in corrections]
    standing = load_standing(connection, places, cause)
    oldest = day_of(at) - timedelta(days=window_days)
    answers: dict[Key, Corrected] = {}
    for key, said in by_key.items():
        if fault := _fault(said, standing.get(key), oldest, raised_since):
            answers[key] = Corrected(said.activity, 0, fault, is_recorded=False)
    rest = {key: said for key, said in by_key.items() if key not in answers}
    handed_on = withdraw_from_window(
        connection, [k for k, each in rest.items() if each.is_withdrawn]
    )
    posting = _Posting(connection, cause, day_of(at), new_id)
    if handed_on:
        posting.hand_on({owner for owner, _ in handed_on})
        before, standing = standing, load_standing(connection, places, cause)
        for key in handed_on:
            if not standing[key].counts:  # else its followers found another: it is taken as any
                posting.note(rest.pop(key), -before[key].granted_mg, 0)
    posting.settle(rest, standing)
    posting.write()
    return [answers.get(key) or posting.made[key] for key in by_key]


def _fault(said: Correction, act: Standing | None, oldest: date, raised_since: date) -> str:
    """Say why a correction is not taken up; empty where it is."""
    if act is None:
        return UNKNOWN
    states = (
        (act.is_corrected, REPEATED),
        (act.is_withdrawn, WITHDRAWN),
        (act.is_settled, MONTH_SETTLED),
    )
    for holds, reason in states:
        if holds:
            return reason
    if act.asset is None or act.raw_mg >= (said.raw_mg or 0):
        return ""
    # Of an owner who was erased no more is said than of an act that is too old.
    if act.day < oldest or act.is_erased:
        return TOO_OLD
    return DEADLINE if said.recorded_on < raised_since else ""


class _Posting:
    """Turns corrections into transfers and rows."""

    def __init__(
        self, connection: Connection, cause: UUID, today: date, new_id: Callable[[], UUID]
    ) -> None:
        self.made: dict[Key, Corrected] = {}
        self._connection = connection
        self._cause, self._today, self._new_id = cause, today, new_id
        self._rows: list[Row] = []
        self._changes: list[Change] = []
        self._taken: list[Taken] = []
        self._unearned: dict[Key, UUID] = {}
        self._notes: list[Noted] = []
        self._shortfalls: list[Shortfall] = []

    def hand_on(self, owners: Collection[int]) -> None:
        """Let the records count that stand in for withdrawn ones, with their room (R16)."""
        ordered = sorted(owners, key=lambda owner: (bucket_of(owner), owner))
        merged = merge(self._connection, "", ordered, (), today=self._today, new_id=self._new_id)
        today, new_id = self._today, self._new_id
        owed = recover(self._connection, merged.taken, today=today, new_id=new_id)
        owed += settle(self._connection, Reserved(), merged.shift(), today=today, new_id=new_id)
        post(self._connection, [*merged.rows, *owed])
        merged.write(self._connection)

    def settle(self, corrections: Mapping[Key, Correction], acts: Mapping[Key, Standing]) -> None:
        """Take what acts are worth less, add what they are worth more."""
        lost = {key: _lost(said, acts[key]) for key, said in corrections.items()}
        exits = Exits(
            self._connection,
            {
                (owner, asset)
                for (owner, act), mg in lost.items()
                if mg > 0 and (asset := acts[owner, act].asset) is not None
            },
        )
        rooms = self._rooms(corrections, acts, lost)
        for key, said in corrections.items():
            act, change = acts[key], 0
            if act.asset is not None and act.counts:
                change = rooms[key] - lost[key]
            elif act.counts and said.is_withdrawn:
                self._unearned[key] = self._cause
            if change < 0:
                self._take(said, act, -change, exits)
            elif change > 0:
                self._grant(said, act, change)
            self.note(said, change, lost[key], _why(said, act, change))

    def _rooms(
        self,
        corrections: Mapping[Key, Correction],
        acts: Mapping[Key, Standing],
        lost: Mapping[Key, int],
    ) -> dict[Key, int]:
        """Say by how much each act changes what its day comes to under the cap [mg]."""
        changes: dict[Key, int] = {}
        places: dict[Place, list[Key]] = {}
        for key, said in corrections.items():
            act = acts[key]
            if act.asset is None or not act.counts:
                continue
            assert said.raw_mg is not None, said
            changes[key] = said.raw_mg - act.raw_mg + lost[key]
            if act.cap_mg is not None:
                places.setdefault((key[0], act.day, act.asset), []).append(key)
        caps = {place: acts[keys[0]].cap_mg or 0 for place, keys in places.items()}
        totals = add_to_days(
            self._connection,
            {
                place: (sum(changes[key] for key in keys), caps[place])
                for place, keys in places.items()
            },
        )
        for place, keys in places.items():
            total = totals[place] - sum(changes[key] for key in keys)
            for key in keys:
                after = total + changes[key]
                changes[key] = capped(caps[place], after) - capped(caps[place], total)
                total = after
        return changes

    def _take(self, said: Correction, act: Standing, mg: int, exits: Exits) -> None:
        """Take from the newest accrual first, each from where its grams are (R6)."""
        assert act.asset is not None
        for accrual in reversed([*act.accruals.values()]):
            part = min(mg, accrual.mg)
            for source, taken, batch in exits.take((said.owner, act.asset), part) if part else ():
                transfer = self._new_id()
                if batch is not None:
                    place = (said.bucket, said.owner, transfer, batch, taken, self._today)
                    self._shortfalls.append(Shortfall(*place))
                self._rows.append(
                    self._row(said, act, transfer, taken)._replace(
                        source=source,
                        target=CORRECTION,
                        code=Code.CORRECT,
                        cause=self._cause,
                        corrects=accrual.transfer,
                        corrects_on=accrual.recorded_on,
                    )
                )
                self._taken.append(Taken(said.owner, act.asset, taken, source, self._cause))
                self._change(said, transfer, -taken, accrual.transfer)
            mg -= part
        assert mg == 0, said

    def _grant(self, said: Correction, act: Standing, mg: int) -> None:
        transfer = self._new_id()
        row = self._row(said, act, transfer, mg)
        self._rows.append(row._replace(evidence=said.content or act.content))
        self._change(said, transfer, mg, None)

    def _row(self, said: Correction, act: Standing, transfer: UUID, mg: int) -> Row:
        """Write a further accrual; a correction replaces some of it."""
        assert act.asset is not None
        return Row(
            bucket=said.bucket,
            recorded_on=self._today,
            id=transfer,
            source=ISSUANCE,
            target=said.owner,
            asset=act.asset,
            amount=mg,
            code=Code.ACCRUE,
            cause=said.activity,
            occurred_on=act.day,
        )

    def _change(self, said: Correction, transfer: UUID, mg: int, corrects: UUID | None) -> None:
        self._changes.append(
            Change(said.bucket, said.owner, transfer, said.activity, self._today, mg, corrects)
        )

    def note(self, said: Correction, change_mg: int, lost_mg: int, reason: str = "") -> None:
        """Note one correction and its answer."""
        key = (said.owner, said.activity)
        self.made[key] = Corrected(said.activity, change_mg, reason, is_recorded=True)
        self._notes.append(
            Noted(
                said.bucket,
                said.owner,
                self._new_id(),
                said.activity,
                self._today,
                self._cause,
                said.reason,
                said.content,
                said.is_withdrawn,
                said.raw_mg,
                change_mg,
                lost_mg,
                said.inputs,
            )
        )

    def write(self) -> None:
        """Write all of it; the points of what was exchanged, or of a behaviour, are taken back."""
        today, new_id = self._today, self._new_id
        owed = recover(self._connection, self._taken, today=today, new_id=new_id)
        owed += settle(
            self._connection, Reserved(), Shift(lost=self._unearned), today=today, new_id=new_id
        )
        post(self._connection, [*self._rows, *owed])
        note(self._connection, self._changes, (), {})
        note_shortfalls(self._connection, self._shortfalls)
        note_corrections(self._connection, self._notes)


def _lost(said: Correction, act: Standing) -> int:
    if act.asset is None or not act.counts or said.raw_mg is None:
        return 0
    return lost_by(act.raw_mg, act.granted_mg, act.lost_mg, said.raw_mg)


def _why(said: Correction, act: Standing, change_mg: int) -> str:
    """Explain a change that is not what the words alone would make it."""
    if act.asset is None:
        return NOTHING
    if not act.counts:
        return SAME_ACT
    said_mg = (said.raw_mg or 0) - act.raw_mg
    return "" if change_mg == said_mg else CAPPED
