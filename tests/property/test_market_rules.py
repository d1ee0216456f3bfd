"""What something costs and whom the money reaches, over any numbers (市场规则)."""

from fractions import Fraction
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from app.market.proceeds import BatchShare, reached
from app.market.rules import due_fen, is_enough, split

WHOLE = st.integers(0, 10**15)
WEIGHTS = st.lists(st.integers(0, 10**16), min_size=1, max_size=20).filter(any)


@given(WHOLE, WEIGHTS)
def test_parts_are_the_sum_and_within_one_of_their_due(whole: int, weights: list[int]) -> None:
    parts = split(whole, weights)
    assert sum(parts) == whole
    total = sum(weights)
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part - Fraction(whole * weight, total)) < 1
        assert part == 0 or weight > 0


@given(WHOLE, WEIGHTS)
def test_no_part_that_is_owed_less_gets_more(whole: int, weights: list[int]) -> None:
    by_weight = sorted(zip(weights, split(whole, weights), strict=True))
    for (lighter, less), (heavier, more) in pairwise(by_weight):
        assert less <= more or lighter == heavier


@given(st.integers(1, 10**10), st.integers(1, 10**8))
def test_the_price_is_rounded_up_once(kg: int, price: int) -> None:
    assert 0 <= due_fen(kg, price) * 1_000 - kg * price < 1_000


@given(st.integers(1, 10**10), st.integers(1, 10**8), st.integers(2, 9))
def test_buying_in_parts_is_never_cheaper(kg: int, price: int, times: int) -> None:
    assert times * due_fen(kg, price) >= due_fen(kg * times, price)


@given(st.integers(1, 100), st.integers(1, 100), st.integers(1, 100))
def test_what_is_left_can_always_be_bought_whole(kg: int, minimum: int, left: int) -> None:
    assert is_enough(left, minimum, left)
    assert is_enough(kg, minimum, left) is (kg >= minimum or kg >= left)


@given(st.integers(1, 10**10), st.integers(1, 10**12), WEIGHTS)
def test_milligrams_and_fen_both_come_to_the_whole(kg: int, fen: int, weights: list[int]) -> None:
    shares = [BatchShare(number, mg) for number, mg in enumerate(weights) if mg]
    parts = reached(shares, kg, fen)
    assert [part.programme for part in parts] == [share.programme for share in shares]
    assert (sum(part.mg for part in parts), sum(part.fen for part in parts)) == (kg * 10**6, fen)
