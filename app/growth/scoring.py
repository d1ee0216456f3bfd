"""The personal carbon score (个人碳信用分): 0 to 1000, each point with its inputs and formula.

Whole numbers and ``Decimal`` alone; ``ln`` of the decimal module is correctly rounded, so every
machine gives the same points. No acts, no score: not a score of zero.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Context, Decimal
from typing import Final

from app.growth.published import SCORE_MAX, ByMass, Deduction, ScoreDocument, Weighed
from app.growth.year import Year
from ledger.assets import MG_PER_KG

EXACT: Final = Context(prec=50, rounding=ROUND_HALF_EVEN)
"""Its own context: what another thread or library set does not reach here."""


@dataclass(frozen=True, slots=True)
class Component:
    """One line of the explanation: what went in, and what came out."""

    name: str
    rule: Weighed | Deduction
    inputs: Mapping[str, str]
    points: int
    """Below zero for a deduction."""


@dataclass(frozen=True, slots=True)
class Score:
    """A score and why (分数与说明)."""

    points: int
    components: tuple[Component, ...]


def scored(document: ScoreDocument, year: Year) -> Score | None:
    """Compute a score with its explanation; ``None`` where there is nothing to score."""
    if year.acts == 0:
        return None
    fields = len(year.fields(document.breadth.days_min))
    weeks, acts = len(year.active_weeks), year.acts
    components = (
        _by_mass("amount", document.amount, year.amount_mg),
        Component(
            "regularity",
            document.regularity,
            {"active_weeks": str(weeks)},
            share(document.regularity.points, weeks, document.regularity.weeks),
        ),
        Component(
            "breadth",
            document.breadth,
            {"fields_active": str(fields)},
            share(document.breadth.points, fields, document.breadth.fields),
        ),
        Component(
            "evidence",
            document.evidence,
            {"proved_acts": str(year.proved_acts), "acts": str(acts)},
            share(
                document.evidence.points, year.proved_acts, max(acts, document.evidence.acts_min)
            ),
        ),
        _by_mass("contribution", document.contribution, year.contributed_mg),
        Component(
            "disproved",
            document.disproved,
            {"disproved_acts": str(year.disproved)},
            -min(document.disproved.at_most, document.disproved.each * year.disproved),
        ),
    )
    points = max(0, sum(each.points for each in components))
    assert points <= SCORE_MAX, points
    return Score(points, components)


def share(points: int, have: int, full: int) -> int:
    """Give the part of the points that ``have`` of ``full`` earns, rounded down.

    >>> share(250, 26, 52), share(250, 53, 52), share(100, 0, 4)
    (125, 250, 0)
    """
    return points * min(have, full) // full


def by_logarithm(points: int, mg: int, full_kg: int) -> int:
    """Give the points of a mass on a logarithmic scale, full at ``full_kg``, rounded down.

    >>> by_logarithm(400, 0, 500), by_logarithm(400, 500 * MG_PER_KG, 500)
    (0, 400)
    >>> by_logarithm(400, 24 * MG_PER_KG, 500)
    207
    """
    if mg >= full_kg * MG_PER_KG:
        return points
    part = EXACT.ln(EXACT.add(1, kilograms(mg)))
    whole = EXACT.ln(Decimal(1 + full_kg))
    exact = EXACT.multiply(points, EXACT.divide(part, whole))
    return int(exact.to_integral_value(ROUND_FLOOR, EXACT))


def kilograms(mg: int) -> Decimal:
    """Write a mass in kilograms, exactly.

    >>> kilograms(482_040)
    Decimal('0.482040')
    """
    return Decimal(mg).scaleb(-6, EXACT)


def _by_mass(name: str, rule: ByMass, mg: int) -> Component:
    points = by_logarithm(rule.points, mg, rule.full_kg)
    return Component(name, rule, {"kg": str(kilograms(mg))}, points)
