"""Calendar and trends are sums of the same rows (日历与趋势之和): nothing lost, nothing twice."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.wallet.rules import DayPart, Span, by_day, by_span, first_of, months_before

FIRST, LAST = date(2024, 1, 1), date(2026, 12, 31)
CODES = ("SZ-METRO", "TP-RECYCLING", "SHCER-PV", "TP-WATER", "UNKNOWN", None)
parts = st.lists(
    st.builds(
        DayPart,
        st.dates(FIRST, LAST),
        st.sampled_from(CODES),
        st.integers(0, 9),
        st.integers(0, 10**9),
    ),
    max_size=60,
)


@given(parts)
def test_days_add_up_to_the_rows(rows: list[DayPart]) -> None:
    days = by_day(rows)
    assert set(days) == {row.day for row in rows}
    assert sum(total.mg for total in days.values()) == sum(row.mg for row in rows)
    assert sum(total.acts for total in days.values()) == sum(row.acts for row in rows)
    assert all(sum(total.fields.values()) == total.mg for total in days.values())


@given(parts, st.sampled_from(("month", "week")))
def test_spans_add_up_to_their_days_and_leave_no_gap(rows: list[DayPart], span: Span) -> None:
    days, spans = by_day(rows), by_span(rows, span, FIRST, LAST)
    for first, total in spans.items():
        assert first == first_of(span, first)
        assert total.mg == sum(day.mg for at, day in days.items() if first_of(span, at) == first)
    every = {first_of(span, FIRST + timedelta(days=n)) for n in range((LAST - FIRST).days + 1)}
    assert set(spans) == every


@given(st.dates(FIRST, LAST), st.integers(0, 36))
def test_months_go_back_one_by_one(day: date, months: int) -> None:
    first = months_before(day, months)
    assert first.day == 1
    assert (day.year - first.year) * 12 + day.month - first.month == months
