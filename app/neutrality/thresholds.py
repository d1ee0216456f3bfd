"""Which gatherings are asked to be neutral (碳中和门槛): thresholds, each with its source.

A table is for one region, the nation's for wherever there is none; below every threshold, or where
none is published, a gathering is neutral by its organiser's own will.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, PositiveInt

from methodologies import Status

NATION: Final = "CN"
PROVINCES: Final[Mapping[str, str]] = {
    "11": "CN-BJ", "12": "CN-TJ", "13": "CN-HE", "14": "CN-SX", "15": "CN-NM", "21": "CN-LN",
    "22": "CN-JL", "23": "CN-HL", "31": "CN-SH", "32": "CN-JS", "33": "CN-ZJ", "34": "CN-AH",
    "35": "CN-FJ", "36": "CN-JX", "37": "CN-SD", "41": "CN-HA", "42": "CN-HB", "43": "CN-HN",
    "44": "CN-GD", "45": "CN-GX", "46": "CN-HI", "50": "CN-CQ", "51": "CN-SC", "52": "CN-GZ",
    "53": "CN-YN", "54": "CN-XZ", "61": "CN-SN", "62": "CN-GS", "63": "CN-QH", "64": "CN-NX",
    "65": "CN-XJ",
}  # fmt: skip
"""GB/T 2260 → ISO 3166-2, of the provinces that the grid's table may have."""

Measure = Literal["people", "visits", "area_m2"]


class GatheringKind(StrEnum):
    """What people come together for."""

    PERFORMANCE = "performance"
    """演出"""
    COMPETITION = "competition"
    """赛事"""
    CONFERENCE = "conference"
    """会议"""
    EXHIBITION = "exhibition"
    """展览"""
    OTHER = "other"
    """其他"""


class Threshold(BaseModel):
    """From where on a kind of gathering is asked for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: GatheringKind
    measure: Measure
    at_least: PositiveInt
    quote: str


class Policy(BaseModel):
    """A table of thresholds, and who published it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    code: str
    region: str
    title: str
    status: Status
    source: str
    threshold: tuple[Threshold, ...]

    def of_kind(self, kind: GatheringKind) -> Sequence[Threshold]:
        """Give the thresholds of a kind; a gathering at any of them is asked for."""
        return [each for each in self.threshold if each.kind is kind]


@dataclass(frozen=True, slots=True)
class Size:
    """How large a gathering is expected to be."""

    people: int
    """On the spot, performers and staff among them."""
    visits: int | None = None
    """A person counted each time (人次)."""
    area_m2: int | None = None

    def of(self, measure: Measure) -> int | None:
        """Give one measure of it, where that is known."""
        return {"people": self.people, "visits": self.visits, "area_m2": self.area_m2}[measure]


@cache
def policies() -> Mapping[str, Policy]:
    """Give every table that ships, by its region."""
    folder = files("app.neutrality").joinpath("policies")
    texts = [each.read_text(encoding="utf-8") for each in folder.iterdir()]
    found = [Policy.model_validate(tomllib.loads(text)) for text in texts]
    return {each.region: each for each in found}


def province_of(district: str) -> str | None:
    """Give the province of a district's code.

    >>> province_of("310115"), province_of("990000")
    ('CN-SH', None)
    """
    return PROVINCES.get(district[:2])


def policy_of(district: str) -> Policy:
    """Give the table that is in force at a place.

    >>> policy_of("310115").code, policy_of("420100").code
    ('SH-2025', 'CN-2019')
    """
    known = policies()
    return known.get(province_of(district) or NATION, known[NATION])


def missing_measures(policy: Policy, kind: GatheringKind, size: Size) -> Sequence[Measure]:
    """Name what must be known of a gathering before it can be classified.

    >>> missing_measures(policy_of("310115"), GatheringKind.EXHIBITION, Size(100, visits=9))
    ['area_m2']
    """
    return [each.measure for each in policy.of_kind(kind) if size.of(each.measure) is None]


def is_voluntary(policy: Policy, kind: GatheringKind, size: Size) -> bool:
    """Tell whether a gathering stays below every threshold of its kind.

    >>> shanghai = policy_of("310115")
    >>> is_voluntary(shanghai, GatheringKind.CONFERENCE, Size(399))
    True
    >>> is_voluntary(shanghai, GatheringKind.EXHIBITION, Size(1, visits=1, area_m2=5000))
    False
    """
    return all((size.of(each.measure) or 0) < each.at_least for each in policy.of_kind(kind))
