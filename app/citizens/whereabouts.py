"""Whereabouts (行踪): sensitive by law, so they have a consent of their own, per provider (R17).

It is a consent like any other, under a scene name that no methodology may have, and so with the
same intervals and as easy to withdraw. Whoever gives a scene alone has said nothing about where
and when they travel: an act that tells of it is refused as if there were no consent at all.
"""

from collections.abc import Iterable
from typing import Final

from methodologies import Document, Field

WHEREABOUTS: Final = "whereabouts"
"""In the place of a scene: this provider may tell station, vehicle and time."""


def scenes_of(documents: Iterable[Document]) -> list[str]:
    """Name every consent that acts under these documents may need.

    >>> from methodologies import CATALOG
    >>> scenes_of([CATALOG["SZ-METRO", 1]]), scenes_of([CATALOG["TP-WATER", 1]])
    (['sz-metro', 'whereabouts'], ['tp-water'])
    """
    known = list(documents)
    scenes = {each.scenario for each in known}
    return sorted(scenes | ({WHEREABOUTS} if travel_scenes(known) else set()))


def travel_scenes(documents: Iterable[Document]) -> frozenset[str]:
    """Name the scenes whose every act is a journey, whatever else it tells.

    Under any other scene an act tells whereabouts only where it names a station or a vehicle.
    """
    return frozenset(each.scenario for each in documents if each.field is Field.GREEN_TRAVEL)
