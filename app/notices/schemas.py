"""The wire forms of notices (通知的对外形式)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from app.kernel.ids import public_id
from app.notices.inbox import Notice
from app.notices.rules import NoticeKind, words_of

PREFIX: Final = "ntc"
_FROZEN: Final = ConfigDict(extra="forbid", frozen=True)


class NoticeOut(BaseModel):
    """A notice, in words and as facts."""

    model_config = _FROZEN

    id: str = Field(examples=["ntc_01k0000000000000000000000a"])
    kind: NoticeKind
    title_zh: str
    title_en: str
    text_zh: str
    text_en: str
    facts: Mapping[str, str | int] = Field(examples=[{"points": 120, "expires": "2027-06-30"}])
    noted_at: datetime
    read_at: datetime | None


class NoticePage(BaseModel):
    """Some notices, the newest first."""

    model_config = _FROZEN

    data: Sequence[NoticeOut]
    next_cursor: str | None
    unread: int = Field(description="Of all, not of this page. 未读数")


def notice_out(notice: Notice) -> NoticeOut:
    """Write a notice as the API gives it."""
    return NoticeOut(
        id=public_id(PREFIX, notice.id),
        kind=notice.kind,
        **words_of(notice.kind, notice.facts)._asdict(),
        facts=notice.facts,
        noted_at=notice.noted_at,
        read_at=notice.read_at,
    )
