"""Simulated rides (模拟出行), labelled so: a city of N citizens over real flows of Shanghai Line 2.

The flows (passengers between neighbouring stations) and the stops are real, the riders are
not. Boarding and alighting follow from the flows: where a link carries more than the one
before, the difference boarded. A ride's distance is the sum of great-circle distances between
its stops, rounded down to the metre: a lower bound of the track (R18). One seed, one city.
"""

import csv
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.resources import files
from itertools import pairwise
from random import Random
from typing import Final

from app.kernel.clock import SHANGHAI

EARTH_RADIUS_M: Final = 6_371_000
MINUTES_PER_STOP: Final = 3
FIRST_HOUR: Final = 6
SERVICE_MINUTES: Final = 16 * 60
METRES_PER_KM: Final = 1000


@dataclass(frozen=True, slots=True)
class Line:
    """One direction of a line: stops in order, and the flow and length of each link."""

    stops: tuple[str, ...]
    flows: tuple[int, ...]
    """Passengers on the link after each stop but the last."""
    lengths_m: tuple[int, ...]

    @property
    def boardings(self) -> list[int]:
        """At least how many boarded at each stop but the last."""
        return [max(0, now - before) for before, now in pairwise((0, *self.flows))]


def lines() -> tuple[Line, Line]:
    """Read both directions of Line 2 as shipped."""
    places: dict[str, list[tuple[str, float, float]]] = {}
    for row in _rows("shanghai_line2_stops.csv"):
        places.setdefault(row["linename"], []).append(
            (row["stationnames"], float(row["lon"]), float(row["lat"]))
        )
    flows = {
        (row["FROMSTATIONAME"], row["TOSTATIONAME"]): int(row["FLOW"])
        for row in _rows("shanghai_line2_link_flow.csv")
    }
    one, other = (
        Line(
            stops=tuple(name for name, _, _ in stops),
            flows=tuple(flows[a[0], b[0]] for a, b in pairwise(stops)),
            lengths_m=tuple(great_circle_m(a[1:], b[1:]) for a, b in pairwise(stops)),
        )
        for stops in places.values()
    )
    return one, other


def rides(*, citizens: int, activities: int, seed: int, day: datetime) -> Iterator[dict[str, str]]:
    """Make ``activities`` rides of ``citizens`` people on one day, as NDJSON items.

    Args:
        citizens: How many people share the rides.
        activities: How many rides to make.
        seed: The same seed makes the same city.
        day: Any instant of the day, in Asia/Shanghai.
    """
    chance = Random(seed)  # noqa: S311 -- a simulation, reproducible on purpose
    both = lines()
    weights = [sum(line.boardings) for line in both]
    morning = day.astimezone(SHANGHAI).replace(hour=FIRST_HOUR, minute=0, second=0, microsecond=0)
    for number in range(activities):
        line = chance.choices(both, weights)[0]
        start, end = _trip(line, chance)
        begun = morning + timedelta(seconds=chance.randrange(SERVICE_MINUTES * 60))
        ended = begun + timedelta(minutes=MINUTES_PER_STOP * (end - start))
        metres = sum(line.lengths_m[start:end])
        yield {
            "external_id": f"sim-{seed}-{day:%Y%m%d}-{number}",
            "subject": f"sim-{seed}-{chance.randrange(citizens)}",
            "occurred_at": begun.isoformat(),
            "ended_at": ended.isoformat(),
            "distance": f"{metres // METRES_PER_KM}.{metres % METRES_PER_KM:03d}",
            "mode": "metro",
            "place": "simulated over Shanghai Metro Line 2 flows (模拟)",
        }


def great_circle_m(a: tuple[float, float], b: tuple[float, float]) -> int:
    """Measure the great circle between two (longitude, latitude) pairs [m], rounded down.

    >>> great_circle_m((121.0, 31.0), (121.0, 32.0))
    111194
    """
    (lon_a, lat_a), (lon_b, lat_b) = (map(math.radians, point) for point in (a, b))
    h = (
        math.sin((lat_b - lat_a) / 2) ** 2
        + math.cos(lat_a) * math.cos(lat_b) * math.sin((lon_b - lon_a) / 2) ** 2
    )
    return math.floor(2 * EARTH_RADIUS_M * math.asin(math.sqrt(h)))


def _trip(line: Line, chance: Random) -> tuple[int, int]:
    """Choose where one rider boards and alights, as the flows have it."""
    links = len(line.flows)
    start = chance.choices(range(links), line.boardings)[0]
    end = start + 1
    while end < links and chance.randrange(line.flows[end - 1]) < line.flows[end]:
        end += 1
    return start, end


def _rows(name: str) -> Iterator[dict[str, str]]:
    text = files("app").joinpath("demo_data", name).read_text(encoding="utf-8-sig")
    yield from csv.DictReader(text.splitlines())
