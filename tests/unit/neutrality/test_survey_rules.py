"""What a travel survey's answers come to (问卷推算): exact, scaled, stated."""

import json
from decimal import Decimal
from hashlib import sha256
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.neutrality.gathering_errors import AttendanceUnlikely, SurveyThin, SurveyUnfit
from app.neutrality.inventory_rules import Tier
from app.neutrality.modes import COUNTED, Mode
from app.neutrality.survey_rules import (
    BANDS,
    REACH,
    Band,
    SurveyAnswer,
    Tally,
    check_answer,
    document,
    scaled,
)
from ledger.certificate import canonical

GATHERING = "gth_00000000000000000000000001"


def tally(mode: Mode, band: Band, answers: int, persons: int = 1) -> Tally:
    return Tally(SurveyAnswer(mode, band, persons), answers)


def test_bands_leave_no_gap() -> None:
    ends = [tuple(map(int, band.split("-"))) for band in BANDS]
    assert all(before[1] == after[0] for before, after in pairwise(ends))
    assert (ends[0][0], ends[-1][1]) == (0, 20_000)
    assert set(REACH) == set(Mode) == set(COUNTED)


def test_answers_are_measured_and_the_others_estimated() -> None:
    tallies = [
        tally(Mode.TRAIN, "150-500", 20),
        tally(Mode.CAR, "20-50", 6, persons=3),
        tally(Mode.WALK, "0-5", 14),
    ]
    car, car_rest, train, train_rest = sorted(
        scaled(GATHERING, tallies, 100), key=lambda entry: entry.label
    )
    assert (train.quantity, train.unit) == (Decimal(2 * 325 * 20), "pkm")
    assert (car.quantity, car.unit) == (Decimal(2 * 35 * 2), "km"), "six in two cars"
    assert train_rest.quantity == train.quantity * 60 / 40
    assert car_rest.quantity == car.quantity * 60 / 40
    assert [each.tier for each in (car, car_rest)] == [Tier.MEASURED, Tier.ESTIMATED]
    digest = sha256(canonical(json.loads(json.dumps(document(GATHERING, tallies))))).digest()
    assert {each.evidence for each in (car, car_rest, train)} == {digest}


def test_all_who_came_answered() -> None:
    tallies = [tally(Mode.METRO, "5-20", 30)]
    (only,) = scaled(GATHERING, tallies, 30)
    assert (only.tier, only.quantity) == (Tier.MEASURED, Decimal(750))


def test_few_stand_for_nobody_and_more_than_came_for_less() -> None:
    with pytest.raises(SurveyThin):
        scaled(GATHERING, [tally(Mode.METRO, "5-20", 29)], 1000)
    with pytest.raises(SurveyThin):
        scaled(GATHERING, [], 1000)
    with pytest.raises(AttendanceUnlikely):
        scaled(GATHERING, [tally(Mode.METRO, "5-20", 30)], 29)


@pytest.mark.parametrize(
    ("mode", "band"),
    [(Mode.WALK, "20-50"), (Mode.FLIGHT, "5-20"), (Mode.METRO, "500-1000"), (Mode.TRAIN, "0-5")],
)
def test_what_cannot_be_travelled_is_refused(mode: Mode, band: Band) -> None:
    with pytest.raises(SurveyUnfit):
        check_answer(tally(mode, band, 1).answer)


ANSWERS = st.builds(
    Tally,
    st.builds(SurveyAnswer, st.sampled_from(Mode), st.sampled_from(BANDS), st.integers(1, 9)),
    st.integers(1, 5000),
)


@given(tallies=st.lists(ANSWERS, min_size=1, max_size=30), more=st.integers(0, 100_000))
def test_scaling_gives_each_answer_the_same_weight(tallies: list[Tally], more: int) -> None:
    """Goal: measured and estimated together are answers x attendance, never less."""
    answers = sum(each.answers for each in tallies)
    assume(answers >= 30)
    for mode, counted in COUNTED.items():
        if counted is None:
            continue
        entries = [
            each
            for each in scaled(GATHERING, tallies, answers + more)
            if each.label.startswith(f"Attendees by {mode.value},")
        ]
        total = sum((each.quantity for each in entries), Decimal())
        alike = [each for each in tallies if each.answer.mode is mode]
        exact = (
            sum(
                Decimal(sum(map(int, each.answer.band.split("-"))))
                * each.answers
                / (each.answer.persons if counted.per == "vehicle" else 1)
                for each in alike
            )
            * Decimal(answers + more)
            / Decimal(answers)
        )
        assert exact - Decimal("0.000001") <= total <= exact + Decimal("0.002")
