"""Notices (通知): what a citizen finds in the inbox.

A notice keeps what it is about and numbers, days and ids; the words are made as it is read, in
both languages, so that none of a person's are stored. Of one thing somebody is told once.
"""

from app.notices.inbox import Notice, notify, sweep_notices
from app.notices.rules import NoticeKind

__all__ = ["Notice", "NoticeKind", "notify", "sweep_notices"]
