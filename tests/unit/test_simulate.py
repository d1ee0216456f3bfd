"""Simulated rides: one seed, one city; labelled; within the line that they are made of."""

import json
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.activities.choice import catalogued
from app.activities.items import Malformed
from app.activities.reading import wire_of
from app.kernel.clock import SHANGHAI
from app.simulate import great_circle_m, lines, rides

DAY = datetime(2026, 3, 1, 23, 59, tzinfo=SHANGHAI)


def made(**more: int) -> list[dict[str, str]]:
    facts = {"citizens": 30, "activities": 200, "seed": 1, **more}
    return list(rides(**facts, day=DAY))


def test_a_seed_is_a_city() -> None:
    assert made() == made()
    assert made() != made(seed=2)
    assert len({ride["external_id"] for ride in made()}) == 200
    assert {ride["external_id"] for ride in made()}.isdisjoint(
        ride["external_id"] for ride in made(seed=2)
    )


def test_more_of_a_city_begins_as_less_of_it() -> None:
    assert made(activities=300)[:200] == made()


@given(st.integers(1, 50), st.integers(0, 60), st.integers(0, 2**40))
def test_every_ride_is_labelled_and_within_its_day_and_line(
    citizens: int, activities: int, seed: int
) -> None:
    longest = max(sum(line.lengths_m) for line in lines())
    for ride in rides(citizens=citizens, activities=activities, seed=seed, day=DAY):
        assert ride["external_id"].startswith("sim-")
        assert ride["subject"].startswith(f"sim-{seed}-")
        assert 0 <= int(ride["subject"].rpartition("-")[2]) < citizens
        assert "simulated" in ride["place"]
        assert "模拟" in ride["place"]
        begun, ended = (datetime.fromisoformat(ride[at]) for at in ("occurred_at", "ended_at"))
        assert begun.astimezone(SHANGHAI).date() == DAY.date()
        assert timedelta(0) < ended - begun < timedelta(hours=3)
        assert 0 < Decimal(ride["distance"]) * 1000 <= longest


def test_a_ride_is_a_well_formed_item_of_a_methodology() -> None:
    read = wire_of(catalogued("SZ-METRO")).from_json
    for number, ride in enumerate(made(), start=1):
        item = read(number, json.dumps(ride).encode())
        assert not isinstance(item, Malformed), item


def test_the_lines_are_real_ones() -> None:
    one, other = lines()
    assert one.stops == tuple(reversed(other.stops))
    for line in (one, other):
        assert len(line.stops) == len(line.flows) + 1 == len(line.lengths_m) + 1
        assert all(300 < metres < 8_000 for metres in line.lengths_m)
        assert all(flow >= 0 for flow in line.flows)
        assert all(
            boarded >= after - before
            for boarded, (before, after) in zip(
                line.boardings, pairwise((0, *line.flows)), strict=True
            )
        )


@pytest.mark.parametrize(
    ("a", "b", "metres"),
    [
        ((0.0, 0.0), (0.0, 0.0), 0),
        ((0.0, 0.0), (180.0, 0.0), 20_015_086),
        ((121.4737, 31.2304), (116.4074, 39.9042), 1_067_000),
    ],
)
def test_great_circles_are_those_of_the_books(
    a: tuple[float, float], b: tuple[float, float], metres: int
) -> None:
    assert abs(great_circle_m(a, b) - metres) <= metres // 200
    assert great_circle_m(a, b) == great_circle_m(b, a)
