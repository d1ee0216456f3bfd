"""The same act from two providers (同一行为合并): decided by ``rules``, posted as corrections.

Few people are told of by two providers within minutes; one indexed query finds them and only
they are decided anew. What a better record displaces is taken back by correcting transfers; the
room it leaves under the cap is handed on. Both until the merge deadline (R9, R16).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final
from uuid import UUID

from app.activities.caps import Place, add_to_days
from app.activities.exits import Exits, Shortfall, note_shortfalls
from app.activities.marks import EXTERNAL_BYTES
from app.activities.preparing import EVIDENCE_RANK, Candidate
from app.activities.rules import Act, Cell, Verdict, allocate, capped, decide
from app.activities.windows import Change, Contested, Merge, Told, load_contested, note
from app.books import Row
from app.kernel.db import Connection
from app.points import Shift, Taken
from ledger.accounts import SYSTEM_ACCOUNTS, bucket_of
from ledger.chart import Code

ISSUANCE: Final = SYSTEM_ACCOUNTS["issuance/reduction"]
CORRECTION: Final = SYSTEM_ACCOUNTS["correction"]
SAME_ACT: Final = "merge.same_act"


@dataclass(slots=True)
class Merged:
    """What deciding anew came to, to be posted."""

    rows: list[Row] = field(default_factory=list[Row])
    granted_mg: dict[UUID, int] = field(default_factory=dict[UUID, int])
    """What each new act added [mg]."""
    instead: dict[UUID, UUID] = field(default_factory=dict[UUID, UUID])
    """For each new act that does not count, the one that does."""
    corrected_mg: int = 0
    taken: list[Taken] = field(default_factory=list[Taken])
    """From where: what had been exchanged took points with it."""
    shortfalls: list[Shortfall] = field(default_factory=list[Shortfall])
    """What was taken of issued grams."""
    changes: list[Change] = field(default_factory=list[Change])
    merges: list[Merge] = field(default_factory=list[Merge])
    counted: dict[tuple[int, UUID], UUID | None] = field(
        default_factory=dict[tuple[int, UUID], UUID | None]
    )
    """For each act whose fate changed, the one that counts instead."""
    lost: dict[tuple[int, UUID], UUID] = field(default_factory=dict[tuple[int, UUID], UUID])
    """Earlier acts without a reduction that count no more, and the one that does."""
    regained: list[tuple[int, UUID]] = field(default_factory=list[tuple[int, UUID]])
    """Earlier acts without a reduction that count again."""

    def shift(self) -> Shift:
        """Say what changed for acts that earn points alone."""
        return Shift(self.instead.keys(), self.lost, self.regained)

    def write(self, connection: Connection) -> None:
        """Note what changed beside the transfers; the new acts are in the window by now."""
        note(connection, self.changes, self.merges, self.counted)
        note_shortfalls(connection, self.shortfalls)


def merge(
    connection: Connection,
    provider: str,
    owners: Sequence[int],
    candidates: Iterable[Candidate],
    *,
    today: date,
    new_id: Callable[[], UUID],
) -> Merged:
    """Decide anew over these owners, of whom ``candidates`` tell."""
    contested = load_contested(connection, owners)
    for each in candidates:
        contested.told[each.owner].append(_told(each, provider, today))
        if each.asset is not None and each.cap_mg is not None:
            contested.caps_mg[each.owner, each.day, each.asset] = each.cap_mg
    verdicts = {o: decide([t.act for t in told]) for o, told in contested.told.items()}
    raw_mg = add_to_days(
        connection,
        {
            (owner, *cell): (change, contested.caps_mg[owner, *cell])
            for owner, verdict in verdicts.items()
            for cell, change in verdict.raw_changes.items()
            if (owner, *cell) in contested.caps_mg
        },
    )
    posting = _Posting(connection, contested, verdicts, today, new_id)
    for owner, verdict in verdicts.items():
        posting.settle(owner, verdict, raw_mg)
    return posting.made


class _Posting:
    """Turns verdicts into transfers and notes."""

    def __init__(
        self,
        connection: Connection,
        contested: Contested,
        verdicts: dict[int, Verdict],
        today: date,
        new_id: Callable[[], UUID],
    ) -> None:
        self.made = Merged()
        self._contested, self._today, self._new_id = contested, today, new_id
        displaced = {
            (owner, told.act.asset)
            for owner, verdict in verdicts.items()
            for told in contested.told[owner]
            if told.act.asset is not None and told.accruals and _loses(told.act, verdict)
        }
        self._exits = Exits(connection, displaced)

    def settle(self, owner: int, verdict: Verdict, raw_mg: dict[Place, int]) -> None:
        """Take back from the displaced, grant to those that count, note who counts."""
        told = self._contested.told[owner]
        corrected: dict[Cell, int] = {}
        for each in told:
            if (cell := each.act.cell) is not None and _loses(each.act, verdict):
                taken = self._take_back(owner, each, verdict.counted[each.act.id])
                corrected[cell] = corrected.get(cell, 0) + taken
        self.made.corrected_mg += sum(corrected.values())
        acts = {each.act.id: each for each in told}
        room = {
            cell: self._room(owner, cell, change, corrected.get(cell, 0), raw_mg)
            for cell, change in verdict.raw_changes.items()
        }
        for act, mg in allocate([each.act for each in told], verdict, room):
            self._grant(owner, acts[act.id], mg)
        for act_id, counted in verdict.counted.items():
            self._note(owner, acts[act_id].act, counted)

    def _room(
        self,
        owner: int,
        cell: Cell,
        change: int,
        corrected: int,
        raw_mg: dict[Place, int],
    ) -> int:
        """Give what a cell may add now [mg]."""
        cap_mg = self._contested.caps_mg.get((owner, *cell))
        if cap_mg is None:
            return 1 << 62
        after = raw_mg[owner, *cell]
        return capped(cap_mg, after) - (capped(cap_mg, after - change) - corrected)

    def _take_back(self, owner: int, told: Told, cause: UUID) -> int:
        asset = told.act.asset
        assert asset is not None
        for accrual in told.accruals.values():
            for source, mg, batch in self._exits.take((owner, asset), accrual.mg):
                transfer = self._new_id()
                if batch is not None:
                    fall = Shortfall(bucket_of(owner), owner, transfer, batch, mg, self._today)
                    self.made.shortfalls.append(fall)
                self.made.rows.append(
                    self._row(owner, told.act, transfer, mg)._replace(
                        source=source,
                        target=CORRECTION,
                        code=Code.CORRECT,
                        cause=cause,
                        corrects=accrual.transfer,
                        corrects_on=accrual.recorded_on,
                    )
                )
                self.made.taken.append(Taken(owner, asset, mg, source, cause))
                self._change(owner, told.act.id, transfer, -mg, accrual.transfer)
        return sum(accrual.mg for accrual in told.accruals.values())

    def _grant(self, owner: int, told: Told, mg: int) -> None:
        act = told.act
        transfer = act.id if act.is_new else self._new_id()
        row = self._row(owner, act, transfer, mg)
        recorded_on = told.recorded_on if act.is_new else self._today
        self.made.rows.append(row._replace(evidence=told.content, recorded_on=recorded_on))
        if act.is_new:
            self.made.granted_mg[act.id] = mg
        else:
            self._change(owner, act.id, transfer, mg, None)

    def _row(self, owner: int, act: Act, transfer: UUID, mg: int) -> Row:
        """Write an accrual of an act; a correction replaces some of it."""
        assert act.asset is not None
        return Row(
            bucket=bucket_of(owner),
            recorded_on=self._today,
            id=transfer,
            source=ISSUANCE,
            target=owner,
            asset=act.asset,
            amount=mg,
            code=Code.ACCRUE,
            cause=act.id,
            occurred_on=act.day,
        )

    def _change(
        self, owner: int, activity: UUID, transfer: UUID, mg: int, corrects: UUID | None
    ) -> None:
        self.made.changes.append(
            Change(bucket_of(owner), owner, transfer, activity, self._today, mg, corrects)
        )

    def _note(self, owner: int, act: Act, counted: UUID) -> None:
        stands = counted == act.id
        if act.is_new and not stands:
            self.made.instead[act.id] = counted
        elif act.asset is None and not act.is_new:
            if stands:
                self.made.regained.append((owner, act.id))
            elif act.counted == act.id:
                self.made.lost[owner, act.id] = counted
        if stands and act.is_new:
            return
        instead = None if stands else counted
        self.made.merges.append(
            Merge(bucket_of(owner), owner, self._new_id(), act.id, instead, SAME_ACT, self._today)
        )
        self.made.counted[owner, act.id] = instead


def _loses(act: Act, verdict: Verdict) -> bool:
    return act.counted == act.id and verdict.counted.get(act.id, act.id) != act.id


def _told(candidate: Candidate, provider: str, today: date) -> Told:
    item = candidate.item
    act = Act(
        id=candidate.id,
        provider=provider,
        external_hash=candidate.external_hash[:EXTERNAL_BYTES],
        mode=candidate.mode,
        evidence=EVIDENCE_RANK[item.evidence],
        started_at=item.occurred_at,
        ended_at=item.ended_at or item.occurred_at,
        vehicle=candidate.vehicle,
        station=candidate.station,
        day=candidate.day,
        asset=candidate.asset,
        raw_mg=candidate.raw_mg,
        is_new=True,
    )
    return Told(act, candidate.content, {}, candidate.recorded_on or today)
