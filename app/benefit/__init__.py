"""Giving to the public benefit (公益): what would be lost to its owner goes to a cause they named.

By a citizen's own choice, off until they make it and ended by one call: points on their last day
are a donation to a public-benefit merchant, so that the sponsors' money reaches it by settlement;
and milligrams too few for a point, in a class that nothing has touched for a while, join a public
cancellation. Each at most once a night. A public cancellation's totals are published for crowds
and never for persons (docs/decisions/0032).
"""

from app.benefit.cancellations import (
    NewCancellation,
    PublicCancellation,
    find_cancellation,
    open_cancellation,
)
from app.benefit.choices import Choice, choice_of, choose, withdraw
from app.benefit.giving import Given, give_dust, give_points
from app.benefit.jobs import give_by_night
from app.benefit.totals import count_totals

__all__ = [
    "Choice",
    "Given",
    "NewCancellation",
    "PublicCancellation",
    "choice_of",
    "choose",
    "count_totals",
    "find_cancellation",
    "give_by_night",
    "give_dust",
    "give_points",
    "open_cancellation",
    "withdraw",
]
