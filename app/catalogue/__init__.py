"""The catalogue as a city adopts it (方法学管理): who signed off a version, what is approved.

A grade is a pure function of a document and of these decisions (``methodologies.grade``), so
they are recorded with their dates and never edited: a signature or an approval can only end.
"""

from app.catalogue.commands import approve_scenario, sign_off
from app.catalogue.errors import DocumentNotSigned, ScenarioUnknown
from app.catalogue.queries import Decisions, decisions_on

__all__ = [
    "Decisions",
    "DocumentNotSigned",
    "ScenarioUnknown",
    "approve_scenario",
    "decisions_on",
    "sign_off",
]
