"""What running a methodology can answer: a reduction, or a reason why not. Both are values."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reduction:
    """A reduction in CO2e (减排量), rounded down once, before any cap."""

    mg: int


@dataclass(frozen=True, slots=True)
class Ineligible:
    """The act counts for nothing, and why (不合格)."""

    reason: str
    """Public API: for example ``trip.too_short``; under ``input.`` the value itself was refused."""
    about: str = ""
    """The input or the parameters to blame, where one is."""

    @property
    def is_input(self) -> bool:
        """Whether the data was refused, and not the act."""
        return self.reason.startswith("input.")


@dataclass(frozen=True, slots=True)
class Working:
    """One line of "how was this computed" (计算过程)."""

    name: str
    expression: str
    value: str
    unit: str
