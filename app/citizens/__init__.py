"""Citizens (市民): people who joined, what they consented to, and which cards are theirs.

A person is never called an account. A provider is known here by its number alone, and a card,
meter or account number as a keyed hash (``Keys.subject_hash``): the number itself is not kept.
"""

from app.citizens.consents import (
    Basis,
    Citizen,
    give_consent,
    link_instrument,
    unlink_instrument,
    withdraw_consent,
)
from app.citizens.enrolment import enrol_unknown, open_citizens
from app.citizens.errors import EnrolmentRefused
from app.citizens.whereabouts import WHEREABOUTS, scenes_of, travel_scenes

__all__ = [
    "WHEREABOUTS",
    "Basis",
    "Citizen",
    "EnrolmentRefused",
    "enrol_unknown",
    "give_consent",
    "link_instrument",
    "open_citizens",
    "scenes_of",
    "travel_scenes",
    "unlink_instrument",
    "withdraw_consent",
]
