"""Finality (终局): when an anchor can no longer be taken back, as the chain's operator says."""

from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Finality:
    """``instant`` (QBFT, a development chain) · ``depth:N`` blocks on top · ``tag:finalized``."""

    depth: int | None
    """Blocks that must lie on top; ``None`` asks the node for a tagged block."""
    tag: str | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a policy.

        >>> Finality.parse("depth:12").depth, Finality.parse("instant").depth
        (12, 0)
        >>> Finality.parse("tag:finalized").tag
        'finalized'

        Raises:
            ValueError: It is none of the three.
        """
        kind, _, value = text.partition(":")
        match kind, value:
            case "instant", "":
                return cls(0)
            case "depth", _ if value.isascii() and value.isdecimal():
                return cls(int(value))
            case "tag", "finalized" | "safe":
                return cls(None, value)
            case _:
                raise ValueError(f"finality is instant, depth:N or tag:finalized, not {text!r}")
