"""The replay of a quarter against the naive one, which knows the whole quarter at once."""

from collections import defaultdict
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.campaigns.rules import (
    Acted,
    Sum,
    Taken,
    Terms,
    cut_by_budget,
    exchanged,
    first_below,
    of_crowds,
    path,
    rewarded,
)

DAY = date(2026, 7, 1)
days = st.integers(0, 91).map(lambda n: DAY + timedelta(days=n))
rates = st.integers(1, 30_000)


@st.composite
def takings(draw: st.DrawFn) -> tuple[list[Taken], int]:
    """Exchanges at one rate, as the programme makes them: of people and classes in their order."""
    rate = draw(rates)
    facts = draw(
        st.lists(st.tuples(st.integers(1, 3), st.integers(1, 2), days, st.integers(1, 50)))
    )
    made = [Taken(owner, asset, day, points * rate, points) for owner, asset, day, points in facts]
    return sorted(made, key=lambda each: each[:3]), rate


@given(takings())
def test_the_present_rate_gives_what_was_granted_to_the_point(
    made: tuple[list[Taken], int],
) -> None:
    facts, rate = made
    assert all(points == each.points for each, points in exchanged(facts, lambda _taken: rate))


@given(takings(), rates)
def test_another_rate_takes_whole_points_of_all_that_was_offered(
    made: tuple[list[Taken], int], rate: int
) -> None:
    facts, _ = made
    offered: dict[tuple[int, int], int] = defaultdict(int)
    granted: dict[tuple[int, int], int] = defaultdict(int)
    for each, points in exchanged(facts, lambda _taken: rate):
        offered[each.owner, each.asset] += each.mg
        granted[each.owner, each.asset] += points
        # At every moment, as if the whole offer had come at once.
        assert granted[each.owner, each.asset] == offered[each.owner, each.asset] // rate


acts = st.lists(
    st.builds(
        Acted,
        owner=st.integers(1, 3),
        methodology=st.sampled_from(["BAG", "CUP"]),
        day=st.just(DAY) | st.just(DAY + timedelta(days=1)),
        recorded_on=st.just(DAY + timedelta(days=1)) | st.just(DAY + timedelta(days=2)),
        acts=st.integers(1, 9),
    )
)


@given(acts, st.integers(1, 9), st.none() | st.integers(0, 60))
def test_a_persons_day_comes_to_the_capped_sum(
    facts: list[Acted], points: int, cap: int | None
) -> None:
    done: dict[tuple[int, str, date], int] = defaultdict(int)
    earned: dict[tuple[int, str, date], int] = defaultdict(int)
    for each, share in rewarded(facts, lambda _code, _day: Terms(points, cap, None)):
        assert share >= 0
        place = (each.owner, each.methodology, each.day)
        done[place] += each.acts
        earned[place] += share
    naive = {place: done[place] * points for place in done}
    assert earned == {
        place: min(all_, all_ if cap is None else cap) for place, all_ in naive.items()
    }
    assert all(share == 0 for _, share in rewarded(facts, lambda _code, _day: None))


@given(
    st.dictionaries(days, st.integers(0, 40)), st.integers(1, 9), st.none() | st.integers(0, 200)
)
def test_a_budgets_day_takes_whole_acts_until_nothing_fits(
    told: dict[date, int], points: int, cap: int | None
) -> None:
    whole = {day: acts * points for day, acts in told.items()}
    cut = cut_by_budget(whole, Terms(points, None, cap))
    fits = 0
    for _ in range(sum(told.values())):
        fits += points if cap is None or fits + points <= cap else 0
    assert sum(whole.values()) - sum(cut.values()) == fits
    assert all(0 < part <= whole[day] for day, part in cut.items())


@given(
    st.dictionaries(
        st.integers(0, 9).map(lambda n: (str(n),)),
        st.builds(Sum, st.integers(0, 30), st.integers(0, 9), st.integers(0, 9)),
    ),
    st.integers(1, 40),
)
def test_no_cell_that_is_told_is_of_few_and_nothing_is_lost(
    cells: dict[tuple[str, ...], Sum], crowd_min: int
) -> None:
    told, rest = of_crowds(cells, crowd_min)
    assert all(each.persons >= crowd_min for each in told.values())
    assert not told or rest.persons >= crowd_min or rest == (0, 0, 0)
    everything = [*told.values(), rest]
    for place in range(3):
        assert sum(each[place] for each in everything) == sum(c[place] for c in cells.values())


@given(st.dictionaries(days, st.integers(0, 500)), st.integers(0, 5_000), st.integers(0, 500))
def test_the_throttle_acts_on_the_first_day_that_passes_its_mark(
    by_day: dict[date, int], more: int, promised: int
) -> None:
    marks = path(by_day, promised + more, promised)
    first = first_below(marks, 1_000)
    passed = [
        day
        for day in sorted(by_day)
        if promised + sum(fen for each, fen in by_day.items() if each <= day) > promised + more
    ]
    assert first == (passed[0] if passed else None)
