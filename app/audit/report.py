"""The report of an audit (审计报告): findings, notices, and how much was looked at.

A finding is a breach; a notice is what a reader should know and no breach. The list of
findings is bounded, their number is not: one wrong key would otherwise fill the memory.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, NamedTuple, TypeVar

from ledger.findings import Finding

T = TypeVar("T")

LISTED_MAX: Final = 1_000
"""Findings of one kind that are listed."""


class Kind(StrEnum):
    """What only the shell can find wrong; the pure core's kinds are in ``ledger.findings``."""

    QUEUE = "queue"
    """A row that is neither in the log nor waiting for it, or in both."""
    ASSET = "asset"
    """An asset class whose key is not the hash of what it says."""
    SECRET = "secret"  # noqa: S105 -- a word
    """An owner whose secret is gone or opens to nobody, with no erasure noted."""
    ACT = "act"
    """An act and its transfers that tell different stories."""
    DESK = "desk"
    """An entry of the desk's audit log that was edited, dropped or moved."""
    POINTS = "points"
    """A promise, an exchange, a debt or a reward that its transfers do not bear out."""
    ORDER = "order"
    """An order, a redemption or a reversal and its transfers that tell different stories."""
    SETTLEMENT = "settlement"
    """A merchant's statement that its lines, its redemptions or its transfers do not bear out."""
    PROJECT = "project"
    """A project's day or accrual that its readings, its version or its transfer do not bear out."""
    MARKET = "market"
    """A purchase, a payment or a payout that its terms, shares or transfers do not bear out."""
    CANCELLATION = "cancellation"
    """A cancellation that its transfers, its claim or its certificate do not bear out."""
    NEUTRALITY = "neutrality"
    """A gift, an inventory, a statement or a share that what it rests on does not bear out."""
    UNITS = "units"
    """A retirement that its transfers do not bear out, or what the chain is told of units."""
    REGISTRY = "registry"
    """A lot, a batch or a place that acts and transfers do not bear out."""
    SCHEMA = "schema"
    """A table that lost a guard: a trigger, a grant, the chart, a partition."""
    UNREADABLE = "unreadable"
    """A value that no row of ours can hold, so that a whole check could not be made."""


class Found(NamedTuple):
    """One thing that is wrong, and the narrowest place that the rows allow."""

    kind: str
    where: str
    detail: str


@dataclass(frozen=True, slots=True)
class Report:
    """What an audit found."""

    findings: tuple[Found, ...]
    notices: tuple[Found, ...]
    checked: Mapping[str, int]

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings

    def as_json(self) -> dict[str, object]:
        """Give the fixed form of ``tanpu audit --json``; ``notices`` stand beside it."""
        return {
            "ok": self.ok,
            "findings": [found._asdict() for found in self.findings],
            "checked": dict(self.checked),
            "notices": [notice._asdict() for notice in self.notices],
        }


@dataclass(slots=True)
class Sheet:
    """Where one audit writes down what it sees."""

    findings: list[Found] = field(default_factory=list[Found])
    notices: list[Found] = field(default_factory=list[Found])
    checked: Counter[str] = field(default_factory=Counter[str])
    kinds: Counter[str] = field(default_factory=Counter[str])

    def find(self, kind: str, where: str, detail: str) -> None:
        """Write down one breach."""
        self.kinds[kind] += 1
        if self.kinds[kind] <= LISTED_MAX:
            self.findings.append(Found(str(kind), where, detail))

    def add(self, findings: Iterable[Finding]) -> None:
        """Write down what a check of the pure core yields."""
        for kind, where, detail in findings:
            self.find(kind, where, detail)

    def note(self, kind: str, where: str, detail: str) -> None:
        """Write down what is no breach."""
        self.notices.append(Found(str(kind), where, detail))

    def counted(self, name: str, rows: Iterable[T]) -> Iterator[T]:
        """Pass rows on, and count them under a name."""
        number = 0
        try:
            for row in rows:
                number += 1
                yield row
        finally:
            self.checked[name] += number

    def report(self) -> Report:
        """Close the sheet."""
        for kind, number in self.kinds.items():
            if number > LISTED_MAX:
                self.note(kind, "findings", f"{number - LISTED_MAX} more are not listed")
        return Report(tuple(self.findings), tuple(self.notices), dict(self.checked))
