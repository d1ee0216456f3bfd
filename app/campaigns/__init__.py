"""Campaigns before they are launched (活动推演): the last quarter replayed under other terms.

Only terms that a programme can be given are tried: rates by grade and field, rewards with their
caps. Facts are real rows, read bucket by bucket over one snapshot; counts of few people are left
out; a request for a signature may name the simulation and its digest (docs/decisions/0032).
"""

from app.campaigns.simulating import ask_simulation, find_simulation, run_simulations

__all__ = [
    "ask_simulation",
    "find_simulation",
    "run_simulations",
]
