"""What the registry was told, audited (登记消息审计): replayed as its contract would take it.

Every message is told again, in its order, to a registry in memory with the contract's rules. Where
that stands in the end is what the batches say, each retirement was told as its row has it, and an
epoch's cancellations are those of its entries, in ``aux`` as well. The chain's own sums lie between
those of the messages that were seen final there and those of all messages.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any, Final, Protocol
from uuid import UUID

from app.anchoring import RegisterTotals
from app.audit.headers import Epoch
from app.audit.report import Kind, Sheet
from app.audit.streams import stream
from app.kernel.db import Connection
from ledger.assets import methodology_key
from ledger.chart import Code
from ledger.extras import cancellations_root
from ledger.registry import (
    EpochCancellation,
    Invalidation,
    Issuance,
    Retirement,
    Told,
    from_json,
    record,
)

_MESSAGES: Final = """
select kind, subject, payload, final_at is not null from registry_message order by seq"""
_BATCHES: Final = """
select b.id, b.cursor_kg, b.end_kg, b.quantity_kg, b.vintage, x.methodology, x.version
  from issue_batch b join asset x on x.id = b.reduction order by b.number"""
_RETIREMENTS: Final = """
select id, batch, lower(range), quantity_kg, purpose::int4, beneficiary_commit, claim
  from retirement where taken_at is not null order by id"""
_CANCELLED: Final = """
select e.epoch, e.leaf, (t.asset & 7)::int4, t.amount
  from log_entry e
  join transfer t on (t.bucket, t.recorded_on, t.id) = (e.bucket, e.recorded_on, e.id)
 where t.code = %s order by e.log_index"""


class Sums(Protocol):
    """What the auditor asks of the registry; every ``app.anchoring.Register`` answers it."""

    def totals(self) -> RegisterTotals:
        """Give its sums now."""
        ...


@dataclass(slots=True)
class Standing:
    """Where a batch stands after what was told of it."""

    issued: Issuance
    cursor_kg: int
    end_kg: int

    @property
    def left_kg(self) -> int:
        """What is neither retired nor void."""
        return self.end_kg - self.cursor_kg


class Replay:
    """A registry in memory, with the contract's rules."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self.batches: dict[UUID, Standing] = {}
        self.retirements: dict[UUID, Retirement] = {}
        self.epochs: dict[int, EpochCancellation] = {}
        self.all = RegisterTotals(0, 0, 0, 0, 0)
        self.final = self.all

    def take(self, told: Told, *, is_final: bool) -> str | None:
        """Take a message; give why the contract would refuse it."""
        match told:
            case Issuance(batch=batch, amount_kg=kg):
                self.batches[batch] = Standing(told, 0, kg)
            case Retirement(batch=batch, amount_kg=kg, start=start):
                found = self.batches.get(batch)
                if found is None or start != found.cursor_kg + 1 or kg > found.left_kg:
                    return f"takes {kg} kg from unit {start} on, which its batch has not"
                found.cursor_kg += kg
                self.retirements[told.retirement] = told
            case Invalidation(batch=batch, amount_kg=kg, end=end):
                found = self.batches.get(batch)
                if found is None or end != found.end_kg or kg > found.left_kg:
                    return f"voids {kg} kg up to unit {end}, which its batch has not"
                found.end_kg -= kg
            case EpochCancellation(epoch=epoch):
                self.epochs[epoch] = told
        self.all = _added(self.all, told)
        if is_final:
            self.final = _added(self.final, told)
        return None


def check_registrations(
    connection: Connection, epochs: Sequence[Epoch], replay: Replay, sheet: Sheet
) -> None:
    """Hold the messages to one another and to what they tell of."""
    rows = stream(connection, lambda *row: row, _MESSAGES)
    for kind, subject, payload, is_final in sheet.counted("messages", rows):
        where = f"message {kind} {subject.hex()[:16]}"
        try:
            told = from_json(kind, payload)
        except (KeyError, TypeError, ValueError):
            sheet.find(Kind.UNITS, where, "cannot be read")
            continue
        if told.subject != subject:
            sheet.find(Kind.UNITS, where, "is kept under another name")
        if refused := replay.take(told, is_final=is_final):
            sheet.find(Kind.UNITS, where, refused)
    for where, detail in (
        *_other_batches(connection, replay),
        *_other_retirements(connection, replay),
        *_other_cancellations(connection, epochs, replay),
    ):
        sheet.find(Kind.UNITS, where, detail)


def check_sums(before: RegisterTotals, after: RegisterTotals, replay: Replay, sheet: Sheet) -> None:
    """Hold the contract's sums, read before and after the snapshot, to the messages in it."""
    for name, least, most in zip(RegisterTotals._fields, replay.final, replay.all, strict=True):
        early, late = getattr(before, name), getattr(after, name)
        if early > most:
            sheet.find(Kind.UNITS, f"registry {name}", f"the chain has {early}, told were {most}")
        if late < least:
            told = f"the chain has {late}, and was seen to have {least}"
            sheet.find(Kind.UNITS, f"registry {name}", told)


def _other_batches(connection: Connection, replay: Replay) -> Iterator[tuple[str, str]]:
    untold = dict(replay.batches)
    for batch, cursor_kg, end_kg, kg, vintage, code, version in connection.execute(_BATCHES):
        told = untold.pop(batch, None)
        if told is None:
            yield f"batch {batch}", "was issued, and the chain is not told"
            continue
        issued = (told.issued.amount_kg, told.issued.vintage, told.issued.methodology)
        if issued != (kg, vintage, methodology_key(code, version)):
            yield f"batch {batch}", "was told otherwise than it was issued"
        if (told.cursor_kg, told.end_kg) != (cursor_kg, end_kg):
            stands = f"stands at units {cursor_kg} and {end_kg}"
            yield f"batch {batch}", f"{stands}; told were {told.cursor_kg} and {told.end_kg}"
    for batch in untold:
        yield f"batch {batch}", "was told, and is not there"


def _other_retirements(connection: Connection, replay: Replay) -> Iterator[tuple[str, str]]:
    untold = dict(replay.retirements)
    for row in stream(connection, Retirement, _RETIREMENTS):
        told = untold.pop(row.retirement, None)
        if told is None:
            yield f"retirement {row.retirement}", "was taken, and the chain is not told"
        elif astuple(told) != astuple(row):
            yield f"retirement {row.retirement}", "was told otherwise than it was taken"
    for retirement in untold:
        yield f"retirement {retirement}", "was told, and was not taken"


def _other_cancellations(
    connection: Connection, epochs: Sequence[Epoch], replay: Replay
) -> Iterator[tuple[str, str]]:
    entered = _cancelled(connection)
    for epoch in epochs:
        due, told = entered.get(epoch.number), replay.epochs.get(epoch.number)
        if due != told:
            yield epoch.where, "its cancellations were told otherwise than they were entered"
        if epoch.digest("cancellations") != (due and record(due).hex()):
            yield epoch.where, "its cancellations give another digest in aux"
    for number in replay.epochs.keys() - {epoch.number for epoch in epochs}:
        yield f"epoch {number}", "its cancellations were told, and it is not there"


def _cancelled(connection: Connection) -> Mapping[int, EpochCancellation]:
    """Sum the entries of cancellations up, epoch by epoch."""
    rows: Iterator[tuple[Any, ...]] = stream(
        connection, lambda *row: row, _CANCELLED, int(Code.CANCEL)
    )
    found: dict[int, EpochCancellation] = {}
    for epoch, group in groupby(rows, key=itemgetter(0)):
        leaves: list[bytes] = []
        mg = {1: 0, 2: 0}
        for _, leaf, grade, amount in group:
            leaves.append(leaf)
            mg[grade] += amount
        found[epoch] = EpochCancellation(epoch, cancellations_root(leaves), mg[1], mg[2])
    return found


def _added(sums: RegisterTotals, told: Told) -> RegisterTotals:
    match told:
        case Issuance(amount_kg=kg):
            return sums._replace(issued_kg=sums.issued_kg + kg)
        case Retirement(amount_kg=kg):
            return sums._replace(retired_kg=sums.retired_kg + kg)
        case Invalidation(amount_kg=kg):
            return sums._replace(invalidated_kg=sums.invalidated_kg + kg)
        case EpochCancellation(mg_a=mg_a, mg_b=mg_b):
            return sums._replace(
                cancelled_mg_a=sums.cancelled_mg_a + mg_a, cancelled_mg_b=sums.cancelled_mg_b + mg_b
            )
