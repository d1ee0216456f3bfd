"""What experts vote (评审投票): on revisions of a text, each of which is voted on anew."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final, Literal, NamedTuple

Vote = Literal["approve", "reject", "abstain"]
APPROVALS_MIN: Final = 2


class Review(NamedTuple):
    """What one expert said of one revision (评审意见)."""

    revision: int
    reviewer: str
    vote: Vote
    comment: str
    reviewed_at: datetime


def votes_on(reviews: Sequence[Review], revision: int) -> list[Vote]:
    """Give the votes that stand: those on the newest revision."""
    return [each.vote for each in reviews if each.revision == revision]


def lacks_votes(votes: Iterable[Vote]) -> list[str]:
    """Say what a revision lacks: the fewest approvals, or more of them than rejections.

    >>> lacks_votes(["approve", "approve", "reject"]), lacks_votes(["approve"])
    ([], ['approvals: 1 of 2'])
    >>> lacks_votes(["approve", "approve", "reject", "reject"])
    ['more approvals than rejections']
    """
    cast = list(votes)
    approvals, rejections = cast.count("approve"), cast.count("reject")
    if approvals < APPROVALS_MIN:
        return [f"approvals: {approvals} of {APPROVALS_MIN}"]
    return [] if approvals > rejections else ["more approvals than rejections"]
