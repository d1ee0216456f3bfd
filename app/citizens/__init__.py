"""Citizens (市民): people who joined, what they consented to, and which cards are theirs.

A person is never called an account. A provider is known here by its number alone, and a card,
meter or account number as a keyed hash (``Keys.subject_hash``): the number itself is not kept.
The phone or WeChat id somebody logs in with is a keyed hash in the index, and itself sealed under
a key of that person's own.
"""

from app.citizens.codes import sweep_codes
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
from app.citizens.identities import IdentityProvider, Subject, wechat_of
from app.citizens.logins import (
    Login,
    link_login,
    log_in,
    logins_of,
    rights_of_citizen,
    unlink_logins,
)
from app.citizens.personal import open_personal, seal_personal
from app.citizens.sms import SmsProvider, sms_of
from app.citizens.staying import lock_citizen
from app.citizens.whereabouts import WHEREABOUTS, scenes_of, travel_scenes

__all__ = [
    "WHEREABOUTS",
    "Basis",
    "Citizen",
    "EnrolmentRefused",
    "IdentityProvider",
    "Login",
    "SmsProvider",
    "Subject",
    "enrol_unknown",
    "give_consent",
    "link_instrument",
    "link_login",
    "lock_citizen",
    "log_in",
    "logins_of",
    "open_citizens",
    "open_personal",
    "rights_of_citizen",
    "scenes_of",
    "seal_personal",
    "sms_of",
    "sweep_codes",
    "travel_scenes",
    "unlink_instrument",
    "unlink_logins",
    "wechat_of",
    "withdraw_consent",
]
