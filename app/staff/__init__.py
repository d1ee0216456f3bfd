"""The desk (办事台): clerks and their roles, what they did, and what needs two of them.

Every act of a clerk or a partner is a row of a hash-chained log whose newest hash enters each
epoch's header; whoever later drops or edits one is found by the audit. A clerk logs in with a
password and a code of the half minute; the operator makes none of those who oversee it.
"""

from app.staff.answers import answer_asked
from app.staff.approvals import Approval, Asking, Deed, Signing, ask, sign
from app.staff.audit_log import head_digest, note_act
from app.staff.deeds import DEEDS, clerk_scopes
from app.staff.schemas import ApprovalOut

__all__ = [
    "DEEDS",
    "Approval",
    "ApprovalOut",
    "Asking",
    "Deed",
    "Signing",
    "answer_asked",
    "ask",
    "clerk_scopes",
    "head_digest",
    "note_act",
    "sign",
]
