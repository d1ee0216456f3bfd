"""Refusals (拒绝): requests that are well formed, to which the state of the world says no.

A refusal's ``code`` is public API: listed in docs/errors.md, translated, never reworded.
"""

from collections.abc import Mapping
from typing import ClassVar

Fact = str | int | bool | None


class Refusal(Exception):  # noqa: N818 -- a refusal names a state of the world, not an error
    """The request is well formed; the state of the world says no."""

    code: ClassVar[str]
    status: ClassVar[int] = 409
    title_zh: ClassVar[str]
    """What a person reads in Chinese; the English is the class docstring's first line."""

    def __init__(self, **facts: "Fact") -> None:
        """Keep the ``facts`` that tell this refusal from another of its kind."""
        super().__init__(self.code, facts)
        self.facts = facts

    def headers(self) -> Mapping[str, str]:
        """Give what the answer over HTTP says in its headers besides."""
        return {}
