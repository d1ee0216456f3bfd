"""The track between metro stations (轨道里程图): shortest distances over drawn segments.

The file gives each segment's length along its drawn track [m]; 11 segments of Shenzhen had no
geometry and are absent, and a few are 0, so a path over them is too short and never too long:
in doubt the smaller figure. Station names are matched as people write them.
"""

import heapq
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from functools import cache
from pathlib import Path
from typing import Final

from app.activities.importers.tables import number, read_table

COLUMNS: Final = ("city", "from_name", "to_name", "distance_m")
ALIASES: Final[Mapping[str, str]] = {"深圳大学": "深大"}
"""Names that differ by more than 站 or a bracket; from what the city's own files use."""
_BRACKET: Final = re.compile(r"[((].*?[))]")
_METRE: Final = Decimal(1)

Graph = Mapping[str, Mapping[str, int]]


def station_name(text: str, known: Mapping[str, object] | frozenset[str] = frozenset()) -> str:
    """Give the name under which a station is known, else the bare name.

    >>> station_name("世界之窗站"), station_name("深圳大学"), station_name("红树湾南(南山)")
    ('世界之窗', '深大', '红树湾南')
    >>> station_name("深圳北", frozenset({"深圳北站"}))
    '深圳北站'
    """
    bare = _BRACKET.sub("", text).replace(" ", "")
    short = bare.removesuffix("站") or bare
    short = ALIASES.get(short, short)
    return next((name for name in (bare, short, f"{short}站") if name in known), short)


@dataclass(frozen=True, slots=True)
class Segments:
    """One city's track as a graph of whole metres, walked either way."""

    graph: Graph

    def name(self, text: str) -> str | None:
        """Give the graph's own name of a station, if it knows it."""
        found = station_name(text, self.graph)
        return found if found in self.graph else None

    def distance_m(self, a: str, b: str) -> int | None:
        """Measure the shortest track between two stations, named as in the graph [m]."""
        best: dict[str, int] = {a: 0}
        queue = [(0, a)]
        while queue:
            walked, here = heapq.heappop(queue)
            if here == b:
                return walked
            if walked > best[here]:
                continue
            for there, length in self.graph[here].items():
                if walked + length < best.get(there, walked + length + 1):
                    best[there] = walked + length
                    heapq.heappush(queue, (walked + length, there))
        return None


@cache
def read_segments(path: Path, city: str = "shenzhen") -> Segments:
    """Read the segments of one city; lengths round down to the metre.

    Raises:
        UploadRefused: The file is not a table of segments.
    """
    graph: dict[str, dict[str, int]] = {}
    for row in read_table(path, COLUMNS):
        length = number(row.cells.get("distance_m", ""))
        if row.cells.get("city") != city or length is None or length < 0:
            continue
        metres = int(length.quantize(_METRE, ROUND_FLOOR))
        one, other = row.cells["from_name"], row.cells["to_name"]
        for a, b in ((one, other), (other, one)):
            known = graph.setdefault(a, {})
            known[b] = min(known.get(b, metres), metres)
    return Segments(graph)
