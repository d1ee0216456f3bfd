"""Projects in tests (减排项目): a solar roof's design, and real readings of one, day by day."""

import csv
import gzip
from collections import defaultdict
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from importlib.resources import files
from typing import Any, Final

SHIFT: Final = timedelta(days=3652)
"""The readings are of 2016; ten years later they are of a crediting period."""
SINCE: Final = date(2026, 7, 1)
UNTIL: Final = date(2036, 6, 30)
FILE: Final = "nrel_serf_east_pv_15min_ac_power.csv.gz"
GRID_MG_PER_KWH: Final = 420_000
"""0.42 kg a kilowatt-hour, as the document quotes it."""


def design(number: int = 1, **changes: object) -> dict[str, Any]:
    """Write the design of a solar roof; ``number`` tells its meter from others'."""
    return {
        "code": "SHCER-PV",
        "version": 1,
        "title_zh": f"屋顶光伏{number}",
        "title_en": f"Solar roof {number}",
        "text": "屋顶光伏,自发自用。",
        "site": f"某某路{number}号",
        "started_on": "2025-07-01",
        "crediting_since": SINCE.isoformat(),
        "crediting_until": UNTIL.isoformat(),
        "quantities": {"capacity": "6 kW"},
        "declarations": {
            "ets_site": False,
            "green_certificate": False,
            "other_mechanism": False,
        },
        "meters": [{"label": "并网点", "provider": "sh-grid", "number": f"3101-{number:05d}"}],
        **changes,
    }


def solar_days() -> Mapping[date, Decimal]:
    """Give what a real roof generated each day [kWh]: its power [W], a quarter of an hour each."""
    told: dict[date, Decimal] = defaultdict(Decimal)
    packed = files("app").joinpath("demo_data", FILE).read_bytes()
    for row in csv.DictReader(gzip.decompress(packed).decode().splitlines()):
        power = Decimal(row["ac_power"] or 0)
        told[date.fromisoformat(row["measured_on"][:10])] += max(power, Decimal(0)) / 4000
    return told


def readings(first: date, last: date, meter: int = 0) -> list[dict[str, Any]]:
    """Write the real roof's days, ten years later, as a monitoring report has them."""
    return [
        {
            "day": (day + SHIFT).isoformat(),
            "meter": meter,
            "inputs": {"generation": str(kwh.quantize(Decimal("0.001")))},
        }
        for day, kwh in sorted(solar_days().items())
        if first <= day + SHIFT <= last
    ]


def report(first: date, last: date, **changes: object) -> dict[str, Any]:
    """Write a monitoring report of the real roof."""
    return {
        "first": first.isoformat(),
        "last": last.isoformat(),
        "readings": readings(first, last),
        "papers": [{"name": "invoice.pdf", "sha256": "9f" * 32}],
        **changes,
    }
