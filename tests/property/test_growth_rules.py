"""The published rules of growth and score, each as a law (成长规则的性质)."""

import json
from base64 import urlsafe_b64decode
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_UP, getcontext, localcontext
from itertools import pairwise

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from app.growth.published import growth_documents, score_documents
from app.growth.rules import (
    WEEK,
    current_streak,
    grown,
    growth_value,
    level_at,
    longest_streak,
    shown_mg,
    streak_ending,
    team_mean_mg,
)
from app.growth.scoring import by_logarithm, scored
from app.growth.statements import Seal, Statement, token_of
from app.growth.year import Tally, Year, gathered, monday_of
from app.kernel.ids import new_id
from methodologies import Field

SCORE = score_documents()[1]
GROWTH = growth_documents()[1]
LAST = date(2026, 6, 30)
FIRST = LAST - timedelta(days=364)
KG = 1_000_000
masses = st.integers(min_value=0, max_value=10**12)
days = st.dates(FIRST, LAST)


@st.composite
def tallies(draw: st.DrawFn) -> Tally:
    acts = draw(st.integers(1, 5))
    field = draw(st.sampled_from(Field)).value
    return Tally(draw(days), field, acts, draw(st.integers(0, acts)), draw(masses))


years = st.builds(
    Year,
    st.just(FIRST),
    st.just(LAST),
    st.lists(tallies(), max_size=40).map(gathered),
    masses,
    st.integers(0, 50),
)
weeks = st.sets(st.integers(0, 52).map(lambda n: monday_of(LAST) - n * WEEK))


def points(year: Year) -> int:
    score = scored(SCORE, year)
    assert score is not None
    return score.points


@given(years)
def test_a_score_lies_between_0_and_1000_and_each_part_within_its_own(year: Year) -> None:
    score = scored(SCORE, year)
    if year.acts == 0:
        assert score is None
        return
    assert score is not None
    assert 0 <= score.points <= 1000
    *earned, taken = score.components
    for component in earned:
        assert 0 <= component.points <= component.rule.points  # type: ignore[union-attr]
    assert -SCORE.disproved.at_most <= taken.points <= 0
    assert score.points == max(0, sum(each.points for each in score.components))


@given(years, masses)
def test_more_reduction_and_more_given_never_score_less(year: Year, mg: int) -> None:
    if not year.tallies:
        return
    first, *rest = year.tallies
    more = replace(year, tallies=(replace(first, mg=first.mg + mg), *rest))
    assert points(more) >= points(year)
    assert points(replace(year, contributed_mg=year.contributed_mg + mg)) >= points(year)
    assert growth_value(GROWTH, more) >= growth_value(GROWTH, year)


@given(years, tallies())
def test_one_more_measured_act_never_scores_or_grows_less(year: Year, act: Tally) -> None:
    measured = replace(act, acts=1, proved=1)
    more = replace(year, tallies=gathered([*year.tallies, measured]))
    assert points(more) >= (points(year) if year.tallies else 0)
    assert growth_value(GROWTH, more) >= growth_value(GROWTH, year)
    assert grown(GROWTH, more).longest.weeks >= grown(GROWTH, year).longest.weeks


@given(years, tallies())
def test_a_self_declared_act_costs_at_most_its_share_of_the_evidence(
    year: Year, act: Tally
) -> None:
    if not year.tallies:
        return
    more = replace(year, tallies=gathered([*year.tallies, replace(act, acts=1, proved=0)]))
    most = -(-SCORE.evidence.points // SCORE.evidence.acts_min)
    assert points(more) >= points(year) - most


@given(years, st.integers(0, 200))
def test_the_deduction_is_bounded_and_takes_nobody_below_nothing(year: Year, lies: int) -> None:
    if not year.tallies:
        return
    honest, other = replace(year, disproved=0), replace(year, disproved=lies)
    loss = points(honest) - points(other)
    assert 0 <= loss <= min(SCORE.disproved.at_most, SCORE.disproved.each * lies)


@given(masses, st.sampled_from([50, 500]))
def test_the_logarithm_is_the_same_whatever_the_thread_has_set(mg: int, full: int) -> None:
    plain = by_logarithm(400, mg, full)
    with localcontext() as context:
        context.prec, context.rounding = 3, ROUND_UP
        assert by_logarithm(400, mg, full) == plain
    assert getcontext().prec != 3
    assert by_logarithm(400, mg + 1, full) >= plain


@given(years, st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(year: Year, random: object) -> None:
    rows = [
        replace(each, acts=1, proved=int(number < each.proved), mg=each.mg if number == 0 else 0)
        for each in year.tallies
        for number in range(each.acts)
    ]
    random.shuffle(rows)  # type: ignore[attr-defined]
    same = replace(year, tallies=gathered(rows))
    assert same == year
    assert scored(SCORE, same) == scored(SCORE, year)


@given(st.integers(1, 50), st.integers(1, 50), st.integers(1, 3))
def test_a_streak_forgives_exactly_one_missed_week(before: int, after: int, missed: int) -> None:
    last = monday_of(LAST)
    late = [last - n * WEEK for n in range(after)]
    early = [late[-1] - (missed + 1 + n) * WEEK for n in range(before)]
    streak = current_streak({*late, *early}, LAST, GROWTH.streak.gaps_forgiven)
    expected = (before + after, 1) if missed == 1 else (after, 0)
    assert (streak.weeks, streak.forgiven) == expected


@given(weeks)
def test_a_second_missed_week_ends_a_streak(active: set[date]) -> None:
    streak, last = current_streak(active, LAST, 1), monday_of(LAST)
    whole = last if last in active else last - WEEK
    run = [whole + WEEK, *sorted(active - {last + WEEK}, reverse=True)[: streak.weeks]]
    gaps = sum((late - early) // WEEK - 1 for late, early in pairwise(run))
    assert gaps == streak.forgiven <= 1
    before = run[-1] - WEEK
    assert before not in active
    assert streak.forgiven == 1 or before - WEEK not in active or streak.weeks == 0
    assert longest_streak(active, 1).weeks >= streak.weeks
    assert longest_streak(active, 0).weeks <= longest_streak(active, 1).weeks


@given(weeks, st.integers(0, 6))
def test_the_week_that_runs_is_not_missed_and_adds_itself(active: set[date], day: int) -> None:
    monday = monday_of(LAST)
    before = active - {monday}
    running = current_streak(before, monday + timedelta(days=day), 1)
    assert running == streak_ending(before, monday - WEEK, 1)
    assert current_streak({*before, monday}, LAST, 1).weeks == running.weeks + 1


@given(st.integers(0, 10**7))
def test_levels_rise_with_the_value_and_say_where_the_next_begins(value: int) -> None:
    level = level_at(GROWTH, value)
    assert level.rule.from_ <= value
    assert level.next_from is None or value < level.next_from
    assert level_at(GROWTH, value + 1).number >= level.number


@given(st.integers(0, 200), st.integers(0, 200), masses)
def test_a_team_is_ranked_from_five_members_and_six_in_ten_active(
    members: int, active: int, mg: int
) -> None:
    mean = team_mean_mg(GROWTH, members=members, active=min(active, members), total_mg=mg)
    is_ranked = members >= 5 and min(active, members) * 10 >= members * 6
    assert (mean is not None) == is_ranked
    assert mean is None or mean * members <= mg < (mean + 1) * members


@given(masses)
def test_a_board_shows_a_hundred_grams_at_most_more_exactly(mg: int) -> None:
    shown = shown_mg(GROWTH, mg)
    assert shown % 100_000 == 0
    assert shown <= mg < shown + 100_000


@given(
    st.sampled_from(SCORE.statement.kg_at_least),
    st.sampled_from(SCORE.statement.score_at_least),
)
def test_a_statement_is_a_function_of_the_range_alone(kg: int, least: int) -> None:
    """What it is made of has no room for the exact number, and neither has what it says."""
    key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    seal = Seal("tanpu.example/ledger/1", key, ("salt-one", "salt-two"))
    at = datetime(2026, 6, 30, tzinfo=UTC)
    made = Statement(new_id(), "loan", "bank", kg, least, at, at + WEEK, None)
    token = token_of(made, SCORE, seal, place=7)
    assert token == token_of(made, SCORE, seal, place=7)
    signed, *disclosures, _ = token.split("~")
    said = {
        name: value
        for _, name, value in (
            json.loads(urlsafe_b64decode(each + "=" * (-len(each) % 4))) for each in disclosures
        )
    }
    assert said["reduction_12_months"] == {"at_least_kg": kg}
    assert set(said["score"]) == {"at_least", "of", "rules"}
    payload = jwt.decode(signed, options={"verify_signature": False})
    known = {"iss", "aud", "iat", "exp", "jti", "vct", "purpose", "status", "_sd", "_sd_alg"}
    assert set(payload) == known
