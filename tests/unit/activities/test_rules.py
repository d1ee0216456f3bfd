"""Merging and caps, decided without a database."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from app.activities.rules import Act, allocate, decide, is_same, standing

START = datetime(2026, 3, 1, 8, tzinfo=UTC)
DAY = date(2026, 3, 1)
CELL = (DAY, 7)


def act(number: int, provider: str = "p", minute: int = 0, **facts: object) -> Act:
    begun = START + timedelta(minutes=minute)
    made = Act(
        id=UUID(int=number),
        provider=provider,
        external_hash=bytes([number]),
        mode="metro",
        evidence=3,
        started_at=begun,
        ended_at=begun,
        vehicle=None,
        station=None,
        day=DAY,
        asset=7,
        raw_mg=100,
        is_new=True,
    )
    return replace(made, **facts)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] -- any field


def test_it_compares_across_ten_minutes_and_no_more() -> None:
    assert is_same(act(1), act(2, "q", 10))
    assert not is_same(act(1), act(2, "q", 11))
    assert is_same(act(1, ended_at=START + timedelta(minutes=5)), act(2, "q", 15))


def test_it_never_merges_what_one_provider_told_or_another_mode() -> None:
    assert not is_same(act(1), act(2))
    assert not is_same(act(1), act(2, "q", mode="bus"))


def test_it_needs_one_name_in_common_where_both_name_something() -> None:
    assert not is_same(act(1, vehicle=b"a"), act(2, "q", vehicle=b"b"))
    assert is_same(act(1, vehicle=b"a", station=b"s"), act(2, "q", vehicle=b"b", station=b"s"))
    assert is_same(act(1, vehicle=b"a"), act(2, "q", station=b"s"))


def test_it_takes_evidence_before_time_and_time_before_name() -> None:
    early, better = act(1, "p", 0, evidence=1), act(2, "q", 5)
    assert standing([early, better]) == {early.id: better.id, better.id: better.id}
    first, second = act(1, "q", 0), act(2, "p", 1)
    assert standing([second, first]) == {first.id: first.id, second.id: first.id}
    one, other = act(1, "q", 0), act(2, "p", 0)
    assert standing([one, other])[one.id] == other.id


def test_it_lets_one_stand_again_when_what_displaced_it_falls() -> None:
    last = act(1, "p", 20)
    middle = act(2, "q", 10)
    assert standing([last, middle])[last.id] == middle.id
    first = act(3, "r", 0)
    assert standing([last, middle, first]) == {
        first.id: first.id,
        middle.id: first.id,
        last.id: last.id,
    }


def test_it_leaves_alone_what_was_merged_into_an_act_past_its_deadline() -> None:
    gone = UUID(int=99)
    frozen = act(1, is_new=False, counted=gone)
    fresh = act(2, "q", 5)
    verdict = decide([frozen, fresh])
    assert verdict.counted == {fresh.id: fresh.id}
    assert verdict.raw_changes == {CELL: 100}


def test_it_moves_a_sum_from_the_displaced_to_the_better() -> None:
    old = act(1, "p", 5, evidence=1, is_new=False, counted=UUID(int=1), raw_mg=40, granted_mg=40)
    verdict = decide([old, act(2, "q")])
    assert verdict.raw_changes == {CELL: 60}
    assert verdict.counted == {old.id: UUID(int=2), UUID(int=2): UUID(int=2)}


def test_it_hands_room_to_the_short_in_the_order_of_the_day() -> None:
    short = act(1, minute=1, is_new=False, counted=UUID(int=1), granted_mg=30)
    fresh = act(2, minute=30)
    verdict = decide([short, fresh])
    given = [(each.id.int, mg) for each, mg in allocate([short, fresh], verdict, {CELL: 90})]
    assert given == [(1, 70), (2, 20)]
