"""Retiring at once what was bought (购后即注销), in the buyer's name."""

from typing import NamedTuple
from uuid import UUID


class Retired(NamedTuple):
    """What became of a plan to retire: one of the two, or none where there was no plan."""

    retirement: UUID | None = None
    unretired: str | None = None


def retire(session, paid, *, new_id, at):  # waits for the registry's retirements
    raise NotImplementedError
