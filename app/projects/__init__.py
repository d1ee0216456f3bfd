"""Projects (减排项目): what a citizen or an organisation does to reduce emissions, measured.

An owner applies with a design; experts and verifiers review it; two of the desk register it, and
its meters count for it alone. Its monitoring reports are decided by a verifier, and what one is
worth by the methodology accrues to the owner, with the working of every day. Scenarios have
operators likewise: an organisation applies, and is appointed to an approval with its dates.
"""

from collections.abc import Mapping
from typing import Final

from app.projects import registering, scenarios
from app.projects.monitoring import reading_of, written_readings
from app.projects.rules import EVIDENCE
from app.staff import Deed

DEEDS: Final[Mapping[str, Deed]] = {**registering.DEEDS, **scenarios.DEEDS}

__all__ = ["DEEDS", "EVIDENCE", "reading_of", "written_readings"]
