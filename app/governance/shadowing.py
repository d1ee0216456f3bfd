"""Shadow runs (影子运行): a candidate held against live acts of a past period; posts nothing.

Each act, or each settled month, is computed twice from its quantities, by the published version
and by the candidate, acts under the cap of their day; what differs is added up by class, month and
provider. Nobody is named: of the largest differences only class, month, provider and the two
amounts are kept.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from heapq import nlargest
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec
from sqlmodel import Session

from app.activities.months import FIRST
from app.catalogue import document_of
from app.governance.errors import (
    CandidateFaulty,
    DatesReversed,
    RevisionStale,
    RunsTooMany,
    RunUnknown,
    SettlesOtherwise,
)
from app.governance.proposals import find_proposal
from app.governance.report import document_in
from app.governance.rules import is_by_act
from app.governance.scanning import (
    PAGE_MONTHS,
    PAGE_ROWS,
    PARTS,
    START,
    Act,
    Period,
    page,
    page_of_months,
    worth,
)
from app.kernel.db import Database, driver
from app.kernel.ids import public_id
from app.kernel.tokens import Principal
from app.staff import note_act
from methodologies import Document

DAYS_MAX: Final = 400
WAITING_MAX: Final = 8
ACTS_MAX: Final = 50_000
"""A 64th of a city is read no further than this; the report says that it was cut."""
LARGEST: Final = 20
ALWAYS_COUNT: Final = frozenset({"reduction.not_positive", "reduction.too_large"})
_SAME: Final = """
select id from shadow_run
 where (proposal, revision, against, since, until) = (%s, %s, %s, %s, %s)"""
_TURN: Final = "select pg_advisory_xact_lock(hashtext('shadow_run'))"
_WAITING: Final = """
select id from shadow_run r
 where (select count(*) from shadow_part p where p.run = r.id) < %s order by r.id limit %s"""
_ASK: Final = """
insert into shadow_run (id, proposal, revision, against, since, until, asked_by, asked_at)
values (%s, %s, %s, %s, %s, %s, %s, %s)"""
_RUN: Final = """
select r.id, r.proposal, r.revision, r.against, r.since, r.until, r.asked_by, r.asked_at, v.source
  from shadow_run r join proposal_revision v on (v.proposal, v.number) = (r.proposal, r.revision)
 where r.id = %s"""
_PARTS: Final = (
    "select number, rows, largest, is_cut from shadow_part where run = %s order by number"
)
_OF_PROPOSAL: Final = "select id from shadow_run where proposal = %s order by id desc limit 50"
_KEEP: Final = """
insert into shadow_part (run, number, rows, largest, is_cut) values (%s, %s, %s, %s, %s)
on conflict do nothing"""
RowKey = tuple[str, str, str]
"""(class, month, provider)."""


class ShadowRun(NamedTuple):
    """A run as it was asked for."""

    id: UUID
    proposal: UUID
    revision: int
    against: int
    since: date
    until: date
    asked_by: str
    asked_at: datetime
    source: bytes


class DifferenceRow(msgspec.Struct):
    """What a class, month and provider come to under either version."""

    acts: int = 0
    forgotten: int = 0
    """Their quantities are gone, so they are not compared."""
    changed: int = 0
    old_mg: int = 0
    new_mg: int = 0


class Largest(msgspec.Struct, frozen=True):
    """One of the largest differences, of nobody in particular."""

    of: RowKey
    old_mg: int
    new_mg: int


@dataclass(slots=True)
class Differences:
    """What a part, or a whole run, comes to."""

    rows: dict[RowKey, DifferenceRow] = field(
        default_factory=lambda: defaultdict[RowKey, DifferenceRow](DifferenceRow)
    )
    largest: list[Largest] = field(default_factory=list[Largest])
    parts: int = 0
    is_cut: bool = False

    def keep_largest(self, more: Iterable[Largest]) -> None:
        """Take more in, and keep the largest of all."""
        both = [*self.largest, *more]
        self.largest = nlargest(LARGEST, both, key=lambda each: abs(each.new_mg - each.old_mg))


def ask_run(  # noqa: PLR0913 -- who asks for what, against what, and when
    session: Session,
    who: Principal,
    proposal: UUID | None,
    *,
    revision: int,
    against: int,
    since: date,
    until: date,
    run: UUID,
    at: datetime,
) -> UUID:
    """Ask that a candidate be run against live acts; gives the run's id, or that of the same one.

    Raises:
        ProposalUnknown, RevisionStale, CandidateFaulty, VersionUnknown, SettlesOtherwise,
        DatesReversed, RunsTooMany: See their own words.
    """
    connection = driver(session)
    connection.execute(_TURN)
    found = find_proposal(session, proposal)
    if found.revision != revision:
        raise RevisionStale(newest=found.revision)
    if not 0 <= (until - since).days < DAYS_MAX:
        raise DatesReversed(days_max=DAYS_MAX)
    candidate = document_in(found.source)
    if candidate is None or candidate.missing_parameters:
        raise CandidateFaulty
    published = document_of(session, candidate.code, against)
    if is_by_act(candidate) != is_by_act(published):
        raise SettlesOtherwise(methodology=candidate.code)
    asked = (found.id, revision, against, since, until)
    if (same := connection.execute(_SAME, asked).fetchone()) is not None:
        return same[0]
    if len(connection.execute(_WAITING, (PARTS, WAITING_MAX)).fetchall()) == WAITING_MAX:
        raise RunsTooMany(waiting=WAITING_MAX)
    connection.execute(_ASK, (run, *asked, who.name, at))
    name = public_id("mpr", found.id)
    note_act(session, who.name, "methodologies.shadow", name, at=at, revision=revision)
    return run


def waiting(session: Session) -> list[UUID]:
    """Give the runs that are not done, the oldest first."""
    rows = driver(session).execute(_WAITING, (PARTS, WAITING_MAX)).fetchall()
    return [row[0] for row in rows]


def carry_out(db: Database, run: UUID, *, goes_on: Callable[[], bool]) -> bool:
    """Go on with a run, part by part, while ``goes_on``; says whether it is done."""
    asked, old, new = db.read(_versions, run)
    done = {number for number, *_ in db.read(_parts, run)}
    period = Period(old.code, old.version, asked.since, asked.until)
    for part in range(PARTS):
        if part in done:
            continue
        if not goes_on():
            return False
        compare = _compare if is_by_act(old) else _compare_months
        found = compare(db, period, part, old, new)
        db.transact(_keep, run, part, found)
    return True


def run_of(session: Session, run: UUID | None) -> tuple[ShadowRun, Differences]:
    """Give a run with what it came to so far.

    Raises:
        RunUnknown: There is none.
    """
    found, total = _run(session, run), Differences()
    for _, rows, largest, is_cut in _parts(session, found.id):
        total.parts += 1
        total.is_cut |= is_cut
        for *key, acts, forgotten, changed, old_mg, new_mg in rows:
            row = total.rows[key[0], key[1], key[2]]
            row.acts, row.forgotten = row.acts + acts, row.forgotten + forgotten
            row.changed, row.old_mg = row.changed + changed, row.old_mg + old_mg
            row.new_mg += new_mg
        total.keep_largest(Largest((a, b, c), old, new) for a, b, c, old, new in largest)
    return found, total


def runs_of(session: Session, proposal: UUID) -> list[UUID]:
    """Give the runs of a proposal, the newest first."""
    return [row[0] for row in driver(session).execute(_OF_PROPOSAL, (proposal,)).fetchall()]


def _compare(db: Database, period: Period, part: int, old: Document, new: Document) -> Differences:
    found, after, read = Differences(), START, 0
    counting = _Counting(found, old, new)
    while True:
        acts = db.read(page, period, part, after)
        counting.take(acts)
        if len(acts) < PAGE_ROWS:
            return found
        after, read = acts[-1].place, read + len(acts)
        if read >= ACTS_MAX:
            found.is_cut = True
            return found


def _compare_months(
    db: Database, period: Period, part: int, old: Document, new: Document
) -> Differences:
    """Hold settled months, each counted as one act, against the candidate; they have no cap."""
    found, after, read = Differences(), FIRST, 0
    while True:
        months = db.read(page_of_months, period, part, after, (old, new))
        largest: list[Largest] = []
        for month, again in months:
            key = (f"{old.version} {month.grade or 'C'}", f"{month.month:%Y-%m}", again.provider)
            row = found.rows[key]
            row.acts += 1
            if again.worth_mg is None:
                row.forgotten += 1
                continue
            old_mg, new_mg = again.worth_mg
            row.old_mg, row.new_mg = row.old_mg + old_mg, row.new_mg + new_mg
            if old_mg != new_mg:
                row.changed += 1
                largest.append(Largest(key, old_mg, new_mg))
        found.keep_largest(largest)
        if len(months) < PAGE_MONTHS:
            return found
        after, read = months[-1][0].place, read + len(months)
        if read >= ACTS_MAX:
            found.is_cut = True
            return found


class _Counting:
    """Adds acts up under both versions; those of a person come together, as their caps need."""

    def __init__(self, found: Differences, old: Document, new: Document) -> None:
        self._found, self._versions = found, (old, new)
        self._owner = 0
        self._spent: dict[tuple[int, date], int] = {}
        self._reasons = ALWAYS_COUNT | {rule.reason for rule in old.eligibility}

    def take(self, acts: list[Act]) -> None:
        """Count a page."""
        own = [each for each in acts if each.reason is None or each.reason in self._reasons]
        both = zip(own, *(worth(version, own) for version in self._versions), strict=True)
        largest: list[Largest] = []
        for act, old_raw, new_raw in both:
            grade = act.grade or "C"
            key = (f"{self._versions[0].version} {grade}", f"{act.day:%Y-%m}", act.provider)
            row = self._found.rows[key]
            row.acts += 1
            if old_raw is None or new_raw is None:
                row.forgotten += 1
                continue
            old_mg, new_mg = self._counted(act, 0, old_raw), self._counted(act, 1, new_raw)
            row.old_mg, row.new_mg = row.old_mg + old_mg, row.new_mg + new_mg
            if old_mg != new_mg:
                row.changed += 1
                largest.append(Largest(key, old_mg, new_mg))
        self._found.keep_largest(largest)

    def _counted(self, act: Act, side: int, raw_mg: int) -> int:
        """Give what counts of an act under its day's cap [mg]."""
        cap_mg = self._versions[side].cap_mg
        if cap_mg is None:
            return raw_mg
        if act.owner != self._owner:
            self._owner = act.owner
            self._spent.clear()
        before = self._spent.get((side, act.day), 0)
        self._spent[side, act.day] = before + raw_mg
        return min(cap_mg, before + raw_mg) - min(cap_mg, before)


def _versions(session: Session, run: UUID) -> tuple[ShadowRun, Document, Document]:
    """Give a run, and both documents as in force in its period."""
    asked = _run(session, run)
    candidate = document_in(asked.source)
    assert candidate is not None, "looked at when it was asked for"
    published = document_of(session, candidate.code, asked.against)
    return (
        asked,
        replace(published, effective=asked.since, until=asked.until),
        replace(candidate, effective=asked.since, until=asked.until),
    )


def _run(session: Session, run: UUID | None) -> ShadowRun:
    row = driver(session).execute(_RUN, (run,)).fetchone()
    if row is None:
        raise RunUnknown
    *asked, source = row
    return ShadowRun(*asked, source=bytes(source))


def _parts(session: Session, run: UUID) -> list[tuple[Any, ...]]:
    return driver(session).execute(_PARTS, (run,)).fetchall()


def _keep(session: Session, run: UUID, part: int, found: Differences) -> None:
    rows = [
        [*key, row.acts, row.forgotten, row.changed, row.old_mg, row.new_mg]
        for key, row in sorted(found.rows.items())
    ]
    largest = [[*each.of, each.old_mg, each.new_mg] for each in found.largest]
    packed = (msgspec.json.encode(each).decode() for each in (rows, largest))
    driver(session).execute(_KEEP, (run, part, *packed, found.is_cut))
