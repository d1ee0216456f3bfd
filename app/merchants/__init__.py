"""Merchants (商户): who sells for points, the people who work there, and their tills.

Any organisation applies; two of the operator's desk approve it, which opens its owner in the
books. Its people log in as clerks do, by an enrolment of their own, password and TOTP. A till signs
each request with a key that only it holds, and works while a person's shift is open at it. A
suspension stops all of it at the next request.
"""

from app.merchants.deeds import DEEDS
from app.merchants.members import Member, Owner, console
from app.merchants.people import merchant_scopes
from app.merchants.registry import (
    Merchant,
    MerchantKind,
    NewMerchant,
    Terms,
    find_merchant,
    merchants,
    open_merchant,
)
from app.merchants.tills import Till, add_till

__all__ = [
    "DEEDS",
    "Member",
    "Merchant",
    "MerchantKind",
    "NewMerchant",
    "Owner",
    "Terms",
    "Till",
    "add_till",
    "console",
    "find_merchant",
    "merchant_scopes",
    "merchants",
    "open_merchant",
]
