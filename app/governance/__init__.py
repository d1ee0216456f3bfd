"""The governance of methodologies (方法学治理): how a text becomes what a city computes with.

A document is proposed, looked over by a machine and judged by experts; two people publish it,
withdraw it, approve its scenario, or order that another version's factor holds for a period. A
candidate can be held against live acts beforehand. Nothing is edited: a past record keeps the
version that it was computed with, and what a corrected factor changes is posted and signed for.
"""

from app.governance.deeds import DEEDS
from app.governance.jobs import carry_out_corrections, run_shadows, warn_of_renewals

__all__ = ["DEEDS", "carry_out_corrections", "run_shadows", "warn_of_renewals"]
