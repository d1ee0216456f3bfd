"""The daily cap of a methodology (R9): a total that does not depend on the order of arrival.

A cap is per person, day, methodology version, scenario and grade. What counts of a day is
min(cap, Σ); an item shows the part of that total which it added when it came.
"""

from .document import Document


def cap(document: Document, before_mg: int, mg: int) -> int:
    """Give what of ``mg`` still counts, after ``before_mg`` uncapped on that person-day [mg].

    ``before_mg`` is the sum of the *uncapped* reductions, so that any order adds up to the same.

    >>> from . import get
    >>> metro = get("SZ-METRO", 1)
    >>> cap(metro, 0, 3_000_000), cap(metro, 3_000_000, 3_000_000), cap(metro, 6_000_000, 1)
    (3000000, 1000000, 0)
    """
    assert before_mg >= 0, before_mg
    assert mg >= 0, mg
    if document.cap_mg is None:
        return mg
    return min(document.cap_mg, before_mg + mg) - min(document.cap_mg, before_mg)
