"""What the demo city is made of (演示数据): real files, who tells them, and what they are worth.

Each file's last reading is moved to the day before the demo was first loaded; that shift is
kept in the home, so that loading again tells the same acts.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from app.points import NewProgramme


@dataclass(frozen=True, slots=True)
class DemoFile:
    """A shipped file of real readings."""

    title: str
    file: str
    """In ``app/demo_data``."""
    importer: str
    provider: str
    methodology: str
    last_reading: date
    """The day of its last reading, in its own place."""
    weighed_on: date | None = None
    """For a file that does not tell its day."""
    declared: Mapping[str, str] = field(default_factory=dict[str, str])
    """What the owner would declare; a demonstration's assumption, shown with each act."""


@dataclass(frozen=True, slots=True)
class DemoProvider:
    """Who tells a file."""

    code: str
    name_zh: str
    name_en: str


PROVIDERS: Final = (
    DemoProvider("demo-transit", "深圳通刷卡(演示)", "Shenzhen transit cards (demo)"),
    DemoProvider("demo-taxi", "深圳出租车(演示)", "Shenzhen taxis (demo)"),
    DemoProvider("demo-meter", "家庭电表(演示)", "Household meter (demo)"),
    DemoProvider("demo-solar", "屋顶光伏(演示)", "Rooftop photovoltaics (demo)"),
    DemoProvider("demo-recycling", "称重回收(演示)", "Weighed recycling (demo)"),
    DemoProvider("demo-rides", "模拟地铁出行(演示)", "Simulated metro rides (demo)"),
)
SOLAR: Final = {
    "capacity": "6",
    "age": "8",
    "ets_site": "no",
    "green_certificate": "no",
    "other_mechanism": "no",
}
"""Demonstration: capacity [kW] above the measured peak of 5.426 kW, age [years], exclusions."""
FILES: Final = (
    DemoFile(
        "刷卡 transit taps",
        "shenzhen_afc_100.csv",
        "shenzhen-afc",
        "demo-transit",
        "TP-TRIP",
        date(2018, 9, 1),
    ),
    DemoFile(
        "电表 household meter",
        "uci_household_power_daily.csv.gz",
        "uci-household",
        "demo-meter",
        "TP-HOUSEHOLD",
        date(2010, 11, 26),
    ),
    DemoFile(
        "光伏 rooftop solar",
        "nrel_serf_east_pv_15min_ac_power.csv.gz",
        "nrel-pv",
        "demo-solar",
        "SHCER-PV",
        date(2016, 10, 13),
        declared=SOLAR,
    ),
    DemoFile(
        "回收 recycling, bins",
        "zurich_bellevue_bins.csv",
        "zurich-recycling",
        "demo-recycling",
        "TP-RECYCLING",
        date(2022, 4, 7),
        date(2022, 4, 7),
    ),
    DemoFile(
        "回收 recycling, sub-bins",
        "zurich_bellevue_recycling_subbins.csv",
        "zurich-recycling",
        "demo-recycling",
        "TP-RECYCLING",
        date(2022, 4, 7),
        date(2022, 4, 7),
    ),
    DemoFile(
        "回收 recycling, campus",
        "zurich_eth_bins.csv",
        "zurich-recycling",
        "demo-recycling",
        "TP-RECYCLING",
        date(2022, 7, 4),
    ),
    DemoFile(
        "回收 recycling, stations",
        "zurich_stations_bins.csv",
        "zurich-recycling",
        "demo-recycling",
        "TP-RECYCLING",
        date(2022, 4, 7),
    ),
    DemoFile(
        "回收 recycling, bags",
        "zurich_party_bags.csv",
        "zurich-recycling",
        "demo-recycling",
        "TP-RECYCLING",
        date(2022, 4, 8),
        date(2022, 4, 8),
    ),
    DemoFile(
        "出租车 taxi trips",
        "shenzhen_taxi_trips.csv.gz",
        "shenzhen-taxi",
        "demo-taxi",
        "TP-TAXI",
        date(2020, 1, 20),
    ),
)
SIMULATED: Final = ("demo-rides", "SZ-METRO")
"""Who tells the simulated rides, and what they are worth: grade A by the demo's sign-offs."""
RIDES: Final = 400
RIDERS: Final = 120
REVIEWERS: Final = ("演示复核人甲 Demo reviewer A", "演示复核人乙 Demo reviewer B")
NOTE: Final = "演示签字,非正式决定 demonstration, not a real decision"
PROGRAMME: Final = NewProgramme(
    code="demo",
    name_zh="演示积分计划",
    name_en="Demo points programme",
    note="演示资金,并无真实付款 demonstration: nobody paid this money",
)
FUNDS_FEN: Final = 1_000_000
"""Ten thousand yuan for a million points, which nobody paid in."""
