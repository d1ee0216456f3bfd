"""From items to candidates (预备): all that can be computed before the database is asked.

Pure but for the keys: the same chunk gives the same candidates, so a chunk that is tried again
after a conflict posts under the same ids.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

import msgspec

from app.activities.choice import Choice
from app.activities.items import Item, Malformed, Value
from app.activities.marks import Marker, plain_inputs, record_of
from app.activities.outcomes import Outcome
from app.kernel.clock import day_of
from ledger.assets import Reduction
from methodologies import (
    Document,
    Evidence,
    Ineligible,
    Settlement,
    quantify_many,
)

GRADE_C: Final = "grade.c"
BY_MONTH: Final = "settlement.month"
SECONDS_PER_HOUR: Final = 3600
CLOCK_SKEW: Final = timedelta(minutes=5)
EVIDENCE_RANK: Final = {
    Evidence.PROVIDER_MEASURED: 3,
    Evidence.DOCUMENT_PROVED: 2,
    Evidence.SELF_DECLARED: 1,
}
DAILY_INPUT: Final = "energy"
"""A day's reading [kWh] under a methodology that settles by the month (R10)."""
DAILY_MAX_KWH: Final = Decimal(20_000)


class Candidate(msgspec.Struct, gc=False):
    """An act that may count, with all that is known of it before the database is asked."""

    position: int
    """In its chunk."""
    item: Item
    day: date
    mode: str
    subject: bytes
    external_hash: bytes
    content: bytes
    texts: Mapping[str, str]
    """The inputs, as they are kept."""
    vehicle: bytes | None
    station: bytes | None
    methodology: int
    """Id of the version; 0 where none was in force."""
    scene: str
    id: UUID
    """Of the act, and of the transfer that accrues it."""
    reason: str = ""
    """Why it gets nothing; empty where it counts."""
    about: str = ""
    reduction: Reduction | None = None
    """The asset; None where the act counts and records no reduction."""
    raw_mg: int = 0
    cap_mg: int | None = None
    bucket: int = 0
    owner: int = 0
    asset: int | None = None
    note: str = GRADE_C
    """Why an act that counts records no reduction."""
    recorded_on: date | None = None
    """Of a key that is taken up (R3); else today."""


class Fate(msgspec.Struct, gc=False):
    """What became of one line of a chunk."""

    outcome: Outcome
    reason: str = ""
    mg: int = 0


class Chunk(msgspec.Struct):
    """A chunk ready for its transaction; ``fates`` has the lines that need none."""

    number: int
    items: Sequence[Item | Malformed]
    fates: dict[int, Fate]
    candidates: list[Candidate]


class _Day(msgspec.Struct):
    """What one day of acts means under a methodology."""

    day: date
    document: Document | None
    methodology: int
    refusal: str
    reductions: dict[Evidence, Reduction | None]


class Preparation:
    """Prepares the chunks of one upload."""

    def __init__(
        self,
        choice: Choice,
        versions: Mapping[Document, int],
        marker: Marker,
        *,
        today: date,
        at: datetime,
        window_days: int,
        new_id: Callable[[], UUID],
    ) -> None:
        """Fix what is the same for every line of the upload."""
        self._choice = choice
        self._versions = versions
        self._marker = marker
        self._oldest = today - timedelta(days=window_days)
        self._latest = at + CLOCK_SKEW
        self._new_id = new_id
        self._days: dict[date, _Day] = {}
        self._hours: dict[int, _Day] = {}

    def chunk(self, number: int, items: Sequence[Item | Malformed]) -> Chunk:
        """Prepare one chunk."""
        made = Chunk(number, items, {}, [])
        groups: dict[int, list[Candidate]] = {}
        for position, item in enumerate(items):
            if isinstance(item, Malformed):
                made.fates[position] = Fate(Outcome.MALFORMED, item.reason)
                continue
            candidate = self._candidate(position, item)
            if isinstance(candidate, Fate):
                made.fates[position] = candidate
                continue
            made.candidates.append(candidate)
            if not candidate.reason:
                groups.setdefault(candidate.methodology, []).append(candidate)
        for group in groups.values():
            self._quantify(group, made)
        if made.fates:
            made.candidates = [c for c in made.candidates if c.position not in made.fates]
        return made

    def _candidate(self, position: int, item: Item) -> Candidate | Fate:
        if (item.ended_at or item.occurred_at) > self._latest:
            return Fate(Outcome.REFUSED, "act.in_future")
        hour = int(item.occurred_at.timestamp()) // SECONDS_PER_HOUR
        meant = self._hours.get(hour) or self._hour(hour, item)
        if meant.day < self._oldest:
            return Fate(Outcome.REFUSED, "act.too_old")
        document, marker = meant.document, self._marker
        texts = plain_inputs(item.inputs)
        external_hash, content = marker.commitment(
            item.external_id, record_of(item, self._choice.code, texts)
        )
        mode, scene = item.mode, self._choice.versions[-1].scenario
        reason = item.not_eligible or meant.refusal
        if document is not None:
            # A mode that the document neither has nor asks for is the provider's word alone, and
            # two providers could tell one act under two of them.
            asked = document.mode is not None or "mode" in document.input_names
            mode = (asked and item.mode) or document.mode or document.scenario
            scene = document.scenario
            if document.mode and mode != document.mode and not reason:
                reason = "mode.not_covered"
        return Candidate(
            position=position,
            item=item,
            day=meant.day,
            mode=mode,
            subject=marker.subject(item.subject),
            external_hash=external_hash,
            content=content,
            texts=texts,
            vehicle=marker.place("vehicle", item.vehicle),
            station=marker.place("station", item.station),
            methodology=meant.methodology,
            scene=scene,
            id=self._new_id(),
            reason=reason,
        )

    def _hour(self, hour: int, item: Item) -> _Day:
        """Give the programme day of an hour, which no day begins in the middle of."""
        day = day_of(item.occurred_at)
        self._hours[hour] = self._days.get(day) or self._meaning(day)
        return self._hours[hour]

    def _meaning(self, day: date) -> _Day:
        document = self._choice.on(day)
        refusal = self._choice.refusal_on(document, day)
        number = 0 if document is None else self._versions[document]
        meant = _Day(day, document, number, refusal, {})
        self._days[day] = meant
        return meant

    def _quantify(self, group: list[Candidate], made: Chunk) -> None:
        document = self._days[group[0].day].document
        assert document is not None
        if document.settlement is Settlement.BILLING_MONTH:
            for each in group:
                if fault := reading_fault(each.item.inputs):
                    made.fates[each.position] = Fate(Outcome.MALFORMED, fault)
                each.note = BY_MONTH
            return
        names = document.input_names
        # Not a list: so many live tuples at once would set the garbage collector to work.
        rows = (([*map(e.item.inputs.get, names)], e.item.evidence, e.day) for e in group)
        for each, answer in zip(group, quantify_many(document, rows), strict=True):
            if isinstance(answer, Ineligible):
                if answer.is_input:
                    made.fates[each.position] = Fate(Outcome.MALFORMED, answer.reason)
                else:
                    each.reason, each.about = answer.reason, answer.about
                continue
            each.reduction = self._asset(document, each.day, each.item.evidence)
            if each.reduction is not None:
                each.raw_mg, each.cap_mg = answer, document.cap_mg

    def _asset(self, document: Document, day: date, evidence: Evidence) -> Reduction | None:
        """Give the asset class of an act (R4); none for grade C, which records no reduction."""
        reductions = self._days[day].reductions
        if evidence not in reductions:
            reductions[evidence] = self._choice.class_of(document, evidence, day)
        return reductions[evidence]


def reading_fault(inputs: Mapping[str, Value]) -> str:
    """Say what is wrong with a meter's day; empty for nothing."""
    reading = inputs.get(DAILY_INPUT)
    if reading is None:
        return "input.missing"
    if not isinstance(reading, Decimal) or not reading.is_finite():
        return "input.not_a_number"
    return "" if 0 <= reading <= DAILY_MAX_KWH else "input.out_of_bounds"
