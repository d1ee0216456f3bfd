"""The desk (办事台): clerks and their roles, what they did, and what needs two of them.

Every act of a clerk or a partner is a row of a hash-chained log whose newest hash enters each
epoch's header; whoever later drops or edits one is found by the audit.
"""

from app.staff.approvals import Approval, Deed, Signing, ask, sign
from app.staff.audit_log import head_digest, note_act

__all__ = ["Approval", "Deed", "Signing", "ask", "head_digest", "note_act", "sign"]
