"""A project's design (项目设计文件): its boundary and what its owner declares, as it is kept.

A meter's or vehicle's number is kept as keyed hashes alone, as those of acts are: one that tells
the same thing apart in the whole city, and one by which the boundary list knows it. What is said
to people, and the site, is sealed: a citizen's roof is where the citizen lives.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from hashlib import sha256
from typing import Any, Final, Literal

DECLARED: Final = ("ets_site", "green_certificate", "other_mechanism")
"""What an owner declares of where else this might be counted; each has to be no."""
MeterKind = Literal["meter", "vehicle"]


@dataclass(frozen=True, slots=True)
class Meter:
    """What measures (计量点): a meter, or a vehicle."""

    kind: MeterKind
    label: str
    """As its owner calls it."""
    provider: str
    """Under whose numbers it might be told as acts of somebody; empty if nobody's."""
    mark: str
    """Keyed hash that is the same in every project [hex]."""
    listed: str
    """As acts of that provider carry it, and the boundary list [hex]."""


@dataclass(frozen=True, slots=True)
class Design:
    """A project's design."""

    code: str
    version: int
    place: str
    """Keyed hash of the site, as the boundary list would have it [hex]."""
    started_on: date
    """First day in operation; ages count from it."""
    since: date
    """First day of the crediting period."""
    until: date
    """Last day of it."""
    quantities: Mapping[str, str]
    """Inputs that are the same every day, with their units."""
    declarations: Mapping[str, bool]
    meters: Sequence[Meter]

    def written(self) -> str:
        """Write it as it is stored: canonical JSON."""
        return _canonical(asdict(self))


@dataclass(frozen=True, slots=True)
class Words:
    """What a design says to people, and where it is; kept sealed."""

    title_zh: str
    title_en: str
    text: str
    site: str

    def written(self) -> bytes:
        """Write them as they are sealed: canonical JSON."""
        return _canonical(asdict(self)).encode()


def digest_of(design: Design, words: Words) -> bytes:
    """Hash a design with its words, as both are written."""
    return sha256(_canonical({**asdict(design), **asdict(words)}).encode()).digest()


def _canonical(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)


def design_of(stored: Mapping[str, Any]) -> Design:
    """Read a design as it is stored."""
    days = {name: date.fromisoformat(stored[name]) for name in ("started_on", "since", "until")}
    facts: dict[str, Any] = {
        **stored,
        **days,
        "meters": [Meter(**each) for each in stored["meters"]],
    }
    return Design(**facts)
