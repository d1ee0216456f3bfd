"""Units out of milligrams, and what a sample says of a lot."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.registry.rules import Z_95, error_rate, issue_of, units_at
from ledger.assets import MG_PER_KG


@given(st.integers(0, 10**16), st.integers(0, 1000))
def test_units_and_what_is_left_are_all_there_was(mg: int, permille: int) -> None:
    made = issue_of(mg, permille)
    assert made.quantity_kg * MG_PER_KG + made.residue_mg == mg
    assert 0 <= made.residue_mg < MG_PER_KG
    assert 0 <= made.buffer_kg <= made.quantity_kg
    # Rounded up: never below the share, and by less than a unit above it.
    assert 0 <= made.buffer_kg * 1000 - made.quantity_kg * permille < 1000


@given(st.integers(0, 10**12), st.integers(0, 10**9), st.integers(1, 10**8))
def test_a_row_is_in_the_units_that_hold_its_milligrams(first: int, skip: int, mg: int) -> None:
    start = first + skip
    units = units_at(first, start, start + mg)
    assert first + (units.first - 1) * MG_PER_KG <= start < first + units.first * MG_PER_KG
    last = start + mg - 1
    assert first + (units.last - 1) * MG_PER_KG <= last < first + units.last * MG_PER_KG


# Newcombe (1998), "Two-sided confidence intervals for the single proportion", Statistics in
# Medicine 17, 857-872, table I, method 3 (score without continuity correction).
NEWCOMBE = [
    (81, 263, "0.2553", "0.3662"),
    (15, 148, "0.0624", "0.1605"),
    (0, 20, "0.0000", "0.1611"),
    (1, 29, "0.0061", "0.1718"),
]


@pytest.mark.parametrize(("wrong", "sampled", "low", "high"), NEWCOMBE)
def test_the_interval_is_the_published_one(wrong: int, sampled: int, low: str, high: str) -> None:
    found = error_rate([True] * wrong + [False] * (sampled - wrong))
    assert found is not None
    assert (found.wrong, found.sampled) == (wrong, sampled)
    assert round(found.low, 4) == Decimal(low)
    assert round(found.high, 4) == Decimal(high)


@given(st.integers(1, 2000), st.data())
def test_its_ends_are_where_the_share_is_just_not_surprising(n: int, data: st.DataObject) -> None:
    wrong = data.draw(st.integers(0, n))
    found = error_rate([True] * wrong + [False] * (n - wrong))
    assert found is not None
    assert 0 <= found.low <= found.rate <= found.high <= 1
    share = Decimal(wrong) / n
    for end in (found.low, found.high):
        surprise = abs(share - end) - Z_95 * (end * (1 - end) / n).sqrt()
        assert abs(surprise) < Decimal("0.0005"), (end, surprise)


def test_of_nothing_looked_at_nothing_is_said() -> None:
    assert error_rate([]) is None
