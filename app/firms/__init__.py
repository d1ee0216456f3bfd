"""Firms (单位): what merchants and organisations have alike.

Whoever has a unified social credit code applies, with a login for the first person of theirs; two
of the desk approve, which opens the firm's owner in the books; its people log in by password and
TOTP; a suspension stops all of them at the next request. A domain names its own sort of firm, with
its tables, words and refusals, and builds commands, deeds and endpoints from the parts here.
"""

from app.firms.applications import Application, Applications, FirstOwner, NewFirm, Reach
from app.firms.people import FirmUser, People
from app.firms.register import Firm, Register
from app.firms.rules import check_character, is_registration
from app.firms.sort import Refusals, Sort
from app.firms.standing import standing, stands

__all__ = [
    "Application",
    "Applications",
    "Firm",
    "FirmUser",
    "FirstOwner",
    "NewFirm",
    "People",
    "Reach",
    "Refusals",
    "Register",
    "Sort",
    "check_character",
    "is_registration",
    "standing",
    "stands",
]
