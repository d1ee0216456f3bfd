"""What the ledger says when the state of the books forbids a movement.

A refusal is well formed and untimely; its ``code`` is public API and is never reworded.
What could never be right is a defect and an assertion instead.
"""

from typing import ClassVar


class LedgerError(Exception):
    """The books say no."""

    code: ClassVar[str]

    def __init__(self, **facts: str | int) -> None:
        """Keep the facts beside the code; the words are the caller's."""
        super().__init__(self.code, facts)
        self.facts = facts


class Overdrawn(LedgerError):  # noqa: N818 -- refusals are states of the world
    """A holder would go below zero (余额不足)."""

    code = "ledger.overdrawn"


class NotInChart(LedgerError):  # noqa: N818 -- refusals are states of the world
    """The chart of accounts has no such movement (科目表不允许)."""

    code = "ledger.not_in_chart"


class GradeNotRecorded(LedgerError):  # noqa: N818 -- refusals are states of the world
    """Only grades A and B are reductions; grade C earns points alone (丙级不记减排量)."""

    code = "ledger.grade_not_recorded"
