"""What a travel survey asks and what its answers come to (出行问卷规则).

An answer stands for the one ticket that gave it: a way of travelling, a band of distance, and how
many shared the vehicle. A band counts as its middle and everybody goes and comes back. What was
answered is measured; the rest of the attendance is taken to have travelled as those did.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from hashlib import sha256
from math import ceil
from types import MappingProxyType
from typing import Any, Final, Literal

from app.neutrality.categories import Category
from app.neutrality.gathering_errors import AttendanceUnlikely, SurveyThin, SurveyUnfit
from app.neutrality.inventory_rules import Entry, Tier
from app.neutrality.modes import COUNTED, TABLE, Mode
from ledger.certificate import canonical

FORMAT: Final = "tanpu-travel-survey/1"
ANSWERS_MIN: Final = 30
"""Fewer stand for nobody but themselves, and are told to nobody."""
SHARERS_MAX: Final = 9
STEP: Final = 1000
"""Kilometres are rounded up to one of so many parts."""

Band = Literal[
    "0-5",
    "5-20",
    "20-50",
    "50-150",
    "150-500",
    "500-1000",
    "1000-2000",
    "2000-5000",
    "5000-10000",
    "10000-20000",
]
"""How far from home, one way [km]."""
BANDS: Final[tuple[Band, ...]] = Band.__args__
REACH: Final[Mapping[Mode, tuple[Band, Band]]] = MappingProxyType(
    {
        Mode.WALK: ("0-5", "5-20"),
        Mode.BIKE: ("0-5", "20-50"),
        Mode.MOTORBIKE: ("0-5", "50-150"),
        Mode.METRO: ("0-5", "50-150"),
        Mode.BUS: ("0-5", "50-150"),
        Mode.COACH: ("5-20", "1000-2000"),
        Mode.TRAIN: ("5-20", "2000-5000"),
        Mode.TAXI: ("0-5", "150-500"),
        Mode.CAR: ("0-5", "1000-2000"),
        Mode.FERRY: ("0-5", "150-500"),
        Mode.FLIGHT: ("150-500", "10000-20000"),
    }
)
"""From which band to which anybody travels so."""


@dataclass(frozen=True, slots=True)
class SurveyAnswer:
    """How somebody travels."""

    mode: Mode
    band: Band
    persons: int
    """In the same vehicle, where that is theirs."""


@dataclass(frozen=True, slots=True)
class Tally:
    """How often an answer was given."""

    answer: SurveyAnswer
    answers: int


def check_answer(answer: SurveyAnswer) -> None:
    """Hold an answer to what can be.

    Raises:
        SurveyUnfit: Nobody travels so far in that way.
    """
    nearest, farthest = (BANDS.index(each) for each in REACH[answer.mode])
    if not nearest <= BANDS.index(answer.band) <= farthest:
        raise SurveyUnfit(mode=answer.mode.value, band=answer.band)


def middle_km(band: Band) -> Fraction:
    """Give the distance that a band counts as, one way.

    >>> middle_km("5-20")
    Fraction(25, 2)
    """
    nearest, farthest = band.split("-")
    return Fraction(int(nearest) + int(farthest), 2)


def document(gathering: str, tallies: Sequence[Tally]) -> Mapping[str, Any]:
    """Write down what was answered; its digest is the evidence of the lines."""
    return {
        "format": FORMAT,
        "gathering": gathering,
        "answers": answers_of(tallies),
        "tallies": [
            {
                "mode": each.answer.mode.value,
                "band_km": each.answer.band,
                "persons": each.answer.persons,
                "answers": each.answers,
            }
            for each in sorted(tallies, key=_place)
        ],
    }


def answers_of(tallies: Sequence[Tally]) -> int:
    """Count answers."""
    return sum(each.answers for each in tallies)


def enough(tallies: Sequence[Tally]) -> int:
    """Count answers that are enough to be told, and to stand for others.

    Raises:
        SurveyThin: Fewer than thirty answered.
    """
    answers = answers_of(tallies)
    if answers < ANSWERS_MIN:
        raise SurveyThin(least=ANSWERS_MIN)
    return answers


def scaled(gathering: str, tallies: Sequence[Tally], attendance: int) -> list[Entry]:
    """Make of answers what all who came travelled, a measured and an estimated entry a way.

    Raises:
        SurveyThin: Fewer than thirty answered.
        AttendanceUnlikely: More answered than came.
    """
    answers = enough(tallies)
    if attendance < answers:
        raise AttendanceUnlikely(answers=answers)
    evidence = sha256(canonical(dict(document(gathering, tallies)))).digest()
    rest = Fraction(attendance - answers, answers)
    entries: list[Entry] = []
    for mode in COUNTED:
        alike = [each for each in tallies if each.answer.mode is mode]
        travelled = sum((_km(each) for each in alike), Fraction())
        if not travelled:
            continue
        counted = sum(each.answers for each in alike)
        told = f"{counted} of {answers} answers; a band counts as its middle, there and back"
        measured = _entry(mode, "answered", travelled, Tier.MEASURED, evidence, told)
        entries.append(measured)
        if rest:
            told = f"{attendance} came and {answers} answered; the others as they did"
            others = _entry(mode, "the others", travelled * rest, Tier.ESTIMATED, evidence, told)
            entries.append(others)
    return entries


def _km(tally: Tally) -> Fraction:
    """Give the kilometres, there and back, that some answers come to in what their way counts."""
    counted = COUNTED[tally.answer.mode]
    if counted is None:
        return Fraction()
    shared = tally.answer.persons if counted.per == "vehicle" else 1
    return 2 * middle_km(tally.answer.band) * tally.answers / shared


def _entry(mode: Mode, who: str, km: Fraction, tier: Tier, evidence: bytes, note: str) -> Entry:
    counted = COUNTED[mode]
    assert counted is not None, mode
    return Entry(
        category=Category.TRANSPORT,
        label=f"Attendees by {mode.value}, {who}",
        quantity=Decimal(ceil(km * STEP)) / STEP,
        unit=counted.unit,
        table=TABLE,
        row=counted.row,
        tier=tier,
        evidence=evidence,
        note=note,
    )


def _place(tally: Tally) -> tuple[str, int, int]:
    answer = tally.answer
    return answer.mode.value, BANDS.index(answer.band), answer.persons
