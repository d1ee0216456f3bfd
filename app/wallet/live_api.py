"""``GET /v1/me/live`` (实时更新接口): the one asynchronous endpoint, because it mostly waits."""

from collections.abc import AsyncIterator
from typing import Annotated, cast

from fastapi import APIRouter, Depends, Header, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent

from app.kernel.auth import Me
from app.kernel.clock import day_of, now
from app.kernel.http import problems
from app.kernel.tokens import LIFETIME
from app.kernel.wiring import Db
from app.wallet.live import LiveStreams, Pulse, pulse_of

LastId = Annotated[
    str | None,
    Header(alias="Last-Event-ID", max_length=200, description="Of the last event that was read."),
]

router = APIRouter(prefix="/v1/me", tags=["citizens 市民"])


async def a_stream(request: Request, me: Me) -> AsyncIterator[LiveStreams]:
    """Count this stream in, before a byte of it is sent, and out when it is over."""
    streams = cast("LiveStreams", request.app.state.live)
    streams.enter(me.id)
    try:
        yield streams
    finally:
        streams.leave(me.id)


@router.get(
    "/live",
    operation_id="followWallet",
    summary="Follow my balance and anchoring 实时关注余额与存证",
    response_class=EventSourceResponse,
    responses=problems(s429="Too many streams are open already."),
)
async def follow(
    db: Db,
    me: Me,
    streams: Annotated[LiveStreams, Depends(a_stream)],
    last_event_id: LastId = None,
) -> AsyncIterator[ServerSentEvent]:
    """Stream `balance`, `anchoring` and `end` events, until the access token ends."""

    def look() -> Pulse:
        return db.read(pulse_of, me.bucket, me.owner, today=day_of(now()))

    until = me.ends_at or now() + LIFETIME
    async for change in streams.follow(look, known=last_event_id, until=until):
        yield change
