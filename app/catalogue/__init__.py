"""The catalogue as a city adopts it (方法学库): its versions, who signed them, what is approved.

A grade is a pure function of a document and of these decisions (``methodologies.grade``), so
they are recorded with their dates and never edited: a signature or an approval can only end.
Versions come with the release or were published at run time; both are frozen.
"""

from app.catalogue.anchors import Anchor, anchors, note_anchored, unanchored
from app.catalogue.commands import (
    approve_scenario,
    end_approval,
    sign_off,
    withdraw_signature,
)
from app.catalogue.errors import (
    ScenarioApprovalUnknown,
    ScenarioUnknown,
    SignatureUnknown,
    VersionConflict,
    VersionUnknown,
)
from app.catalogue.library import (
    DIGESTS,
    FactorCorrection,
    Holding,
    applicable,
    corrections_of,
    digests,
    document_of,
    holding,
    is_read,
    last_days,
    library,
    library_over,
    settled_by_month,
    source_of,
    versions_of,
)
from app.catalogue.queries import (
    Decisions,
    Register,
    ScenarioApproval,
    Signature,
    approval_on,
    decisions_on,
    register,
)
from app.catalogue.standings import (
    STANDINGS,
    Leaving,
    leavings,
    leavings_on,
    note_standings,
    unseen,
)

__all__ = [
    "DIGESTS",
    "STANDINGS",
    "Anchor",
    "Decisions",
    "FactorCorrection",
    "Holding",
    "Leaving",
    "Register",
    "ScenarioApproval",
    "ScenarioApprovalUnknown",
    "ScenarioUnknown",
    "Signature",
    "SignatureUnknown",
    "VersionConflict",
    "VersionUnknown",
    "anchors",
    "applicable",
    "approval_on",
    "approve_scenario",
    "corrections_of",
    "decisions_on",
    "digests",
    "document_of",
    "end_approval",
    "holding",
    "is_read",
    "last_days",
    "leavings",
    "leavings_on",
    "library",
    "library_over",
    "note_anchored",
    "note_standings",
    "register",
    "settled_by_month",
    "sign_off",
    "source_of",
    "unanchored",
    "unseen",
    "versions_of",
    "withdraw_signature",
]
