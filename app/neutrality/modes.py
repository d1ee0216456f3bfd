"""How people travel to a gathering (出行方式), and the published row that each way is counted by.

No Chinese figure per passenger and kilometre is published, so each row is DESNZ's and says that it
stands in. Rows of electric cars hold British electricity and are not used: an electric car counts
as an average one, unless its kilowatt-hours are told as energy. Electric trains hold it too, and
nothing better is published.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Literal

from methodologies.published import DESNZ


class Mode(StrEnum):
    """A way of travelling."""

    WALK = "walk"
    """步行"""
    BIKE = "bike"
    """自行车"""
    MOTORBIKE = "motorbike"
    """摩托车、电动自行车"""
    METRO = "metro"
    """地铁"""
    BUS = "bus"
    """公交"""
    COACH = "coach"
    """大巴"""
    TRAIN = "train"
    """火车、高铁"""
    TAXI = "taxi"
    """出租车、网约车"""
    CAR = "car"
    """私家车"""
    FERRY = "ferry"
    """轮渡"""
    FLIGHT = "flight"
    """飞机"""


@dataclass(frozen=True, slots=True)
class Counted:
    """By what a way of travelling is counted."""

    row: str
    """Of DESNZ's table."""
    per: Literal["person", "vehicle"]
    """Whose kilometres are multiplied: [pkm] or [km]."""

    @property
    def unit(self) -> str:
        """In which its kilometres are told."""
        return "pkm" if self.per == "person" else "km"


TABLE: Final = DESNZ
COUNTED: Final[Mapping[Mode, Counted | None]] = MappingProxyType(
    {
        Mode.WALK: None,
        Mode.BIKE: None,
        Mode.MOTORBIKE: Counted("25_302_3080_4_1", "vehicle"),
        Mode.METRO: Counted("25_315_3150_11_1", "person"),
        Mode.BUS: Counted("25_314_3143_11_1", "person"),
        Mode.COACH: Counted("25_314_3146_11_1", "person"),
        Mode.TRAIN: Counted("25_315_3147_11_1", "person"),
        Mode.TAXI: Counted("25_313_3141_11_1", "person"),
        Mode.CAR: Counted("25_301_3074_4_1", "vehicle"),
        Mode.FERRY: Counted("23_318_3188_11_1", "person"),
        Mode.FLIGHT: Counted("21_316_3178_11_1", "person"),
    }
)
"""None: it emits nothing that an inventory counts."""


def distance(mode: Mode, one_way_km: Decimal, persons: int, vehicles: int) -> Decimal:
    """Give what is multiplied for people who go and come back together [pkm] or [km].

    >>> distance(Mode.TRAIN, Decimal(100), 3, 1), distance(Mode.CAR, Decimal(100), 3, 1)
    (Decimal('600'), Decimal('200'))
    """
    counted = COUNTED[mode]
    if counted is None:
        return Decimal()
    return 2 * one_way_km * (persons if counted.per == "person" else vehicles)
