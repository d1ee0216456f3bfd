"""Which versions the registry is to say have left, and in which order."""

from dataclasses import replace
from datetime import date

from app.catalogue import leavings
from methodologies import get

METRO = get("SZ-METRO", 1)
DAYS = [date(2026, month, 1) for month in (1, 2, 3)]
THREE = [
    replace(METRO, version=number, effective=day, until=None) for number, day in enumerate(DAYS, 1)
]


def left(withdrawn: dict[int, str], today: date) -> list[tuple[int, str, int | None]]:
    reasons = {("SZ-METRO", version): reason for version, reason in withdrawn.items()}
    return [(e.version, e.standing, e.successor) for e in leavings(THREE[::-1], reasons, today)]


def test_a_version_is_superseded_on_the_first_day_of_the_next() -> None:
    assert left({}, date(2026, 1, 31)) == []
    assert left({}, DAYS[1]) == [(1, "superseded", 2)]
    assert left({}, DAYS[2]) == [(1, "superseded", 2), (2, "superseded", 3)]


def test_a_version_that_had_ended_by_its_own_words_is_not_superseded() -> None:
    ended = replace(THREE[0], until=date(2026, 1, 31))
    assert leavings([ended, THREE[1]], {}, DAYS[2]) == []
    last = replace(THREE[0], until=DAYS[1])
    assert [each.version for each in leavings([last, THREE[1]], {}, DAYS[2])] == [1]


def test_a_withdrawal_comes_after_what_it_superseded_and_not_before_its_day() -> None:
    assert left({2: "wrong"}, date(2026, 1, 31)) == []
    assert left({2: "wrong"}, DAYS[1]) == [(1, "superseded", 2), (2, "withdrawn", None)]
    assert left({1: "wrong"}, DAYS[0]) == [(1, "withdrawn", None)]


def test_versions_of_other_codes_are_no_successors() -> None:
    other = replace(THREE[1], code="SZ-OTHER")
    assert leavings([THREE[0], other], {}, DAYS[2]) == []
