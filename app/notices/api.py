"""The inbox over HTTP (收件箱接口)."""

from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path

from app.kernel.auth import Me
from app.kernel.clock import now
from app.kernel.http import problems
from app.kernel.ids import parse_public_id
from app.kernel.paging import Cursor, Limit, page_of, read_cursor
from app.kernel.wiring import Db
from app.notices.inbox import inbox, mark_read, unread
from app.notices.schemas import PREFIX, NoticeOut, NoticePage, notice_out

router = APIRouter(prefix="/v1/me/notices", tags=["citizens 市民"])

NoticeId = Annotated[str, Path(max_length=40, examples=["ntc_01k0000000000000000000000a"])]
DENIED = "No access token, or one that has ended."


@router.get(
    "",
    operation_id="listNotices",
    summary="My inbox 我的通知",
    responses=problems(s401=DENIED, s422="The cursor is not of the documented form."),
)
def list_notices(me: Me, db: Db, limit: Limit = 50, cursor: Cursor = None) -> NoticePage:
    """List what you were told, the newest first, and how much of it is unread."""
    (before,) = read_cursor(cursor, UUID) if cursor else (None,)
    found = db.read(inbox, me.bucket, me.owner, before=before, limit=limit + 1)
    page = partial(NoticePage, unread=db.read(unread, me.bucket, me.owner))
    return page_of(page, found, limit, notice_out, lambda last: (last.id,))


@router.post(
    "/{notice_id}/read",
    operation_id="readNotice",
    summary="Mark a notice as read 标记已读",
    responses=problems(s401=DENIED, s404="You have no such notice."),
)
def post_read(me: Me, db: Db, notice_id: NoticeId) -> NoticeOut:
    """Mark it; the first time counts, and again changes nothing."""
    notice = parse_public_id(PREFIX, notice_id)
    return notice_out(db.transact(mark_read, me.bucket, me.owner, notice, at=now()))
