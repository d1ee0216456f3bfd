"""What was sent, over HTTP (投递记录接口): the log, a replay, a ping."""

from datetime import timedelta
from hashlib import sha256
from typing import Final
from uuid import UUID

from fastapi import APIRouter, Request, Response
from sqlmodel import Session

from app.kernel.clock import now
from app.kernel.http import problems
from app.kernel.ids import new_id, parse_public_id
from app.kernel.limits import Limit as Rate
from app.kernel.limits import Limits
from app.kernel.once import IdempotencyKey, answer_once
from app.kernel.paging import Cursor, Limit, page_of, read_cursor
from app.kernel.wiring import Db, Limited
from app.webhooks.api import OWN, WRITING, EndpointId, note
from app.webhooks.asking import Asker, Manager
from app.webhooks.endpoints import PREFIX, Endpoint, find_endpoint
from app.webhooks.errors import ReplayUnclear
from app.webhooks.log import Replayed, deliveries, ping, replay_message, replay_since
from app.webhooks.messages import PREFIX as MESSAGE
from app.webhooks.messages import public_message
from app.webhooks.schemas import (
    DeliveryPage,
    PingOut,
    ReplayIn,
    ReplayOut,
    delivery_out,
    replay_out,
)

router = APIRouter(prefix="/v1/webhook-endpoints", tags=["webhooks 网络回调"])

ASKED: Final = Rate("webhooks.asked", 60, timedelta(hours=1))
"""Pings and replays of one owner: an endpoint may be anybody's address."""
SENDING: Final = {
    **OWN,
    **WRITING,
    "s409": "The endpoint is off.",
    "s429": "Too many pings and replays; Retry-After says when to come again.",
}


@router.get(
    "/{endpoint_id}/deliveries",
    operation_id="listWebhookDeliveries",
    summary="What was sent to an endpoint 投递记录",
    responses=problems(**OWN, s422="The cursor is not of the documented form."),
)
def list_deliveries(
    me: Manager, db: Db, endpoint_id: EndpointId, limit: Limit = 50, cursor: Cursor = None
) -> DeliveryPage:
    """List deliveries of the last thirty days, the newest message first, with the last tries."""
    (before,) = read_cursor(cursor, UUID) if cursor else (None,)
    endpoint = db.read(find_endpoint, me.owner, parse_public_id(PREFIX, endpoint_id))
    found = db.read(deliveries, endpoint, before=before, limit=limit + 1)
    return page_of(DeliveryPage, found, limit, delivery_out, lambda last: (last.message,))


@router.post(
    "/{endpoint_id}/replays",
    operation_id="replayWebhooks",
    summary="Send again 重新投递",
    status_code=202,
    response_model=ReplayOut,
    responses=problems(**SENDING),
)
def post_replay(
    request: Request,
    body: ReplayIn,
    me: Manager,
    db: Db,
    *,
    limits: Limited,
    endpoint_id: EndpointId,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Send again under the same `webhook-id`, whether it arrived or not."""
    _take(limits, me)
    at = now()

    def deed(session: Session) -> ReplayOut:
        found = find_endpoint(session, me.owner, parse_public_id(PREFIX, endpoint_id))
        replayed = _replay(session, found, body)
        note(session, me, "replay", found, at=at)
        return replay_out(replayed)

    return answer_once(request, db, me.who, idempotency_key, body, deed, status=202)


@router.post(
    "/{endpoint_id}/pings",
    operation_id="pingWebhookEndpoint",
    summary="Send a test message 发送测试消息",
    status_code=202,
    response_model=PingOut,
    responses=problems(**SENDING),
)
def post_ping(
    request: Request,
    me: Manager,
    db: Db,
    limits: Limited,
    endpoint_id: EndpointId,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Send `webhook.ping`; the log says what came of it."""
    _take(limits, me)
    message, at = new_id(), now()

    def deed(session: Session) -> PingOut:
        found = find_endpoint(session, me.owner, parse_public_id(PREFIX, endpoint_id))
        ping(session, found, message=message, at=at)
        return PingOut(message=public_message(message))

    return answer_once(request, db, me.who, idempotency_key, None, deed, status=202)


def _replay(session: Session, endpoint: Endpoint, body: ReplayIn) -> Replayed:
    if (body.message is None) == (body.since is None):
        raise ReplayUnclear
    if body.since is not None:
        return replay_since(session, endpoint, body.since)
    return replay_message(session, endpoint, parse_public_id(MESSAGE, body.message or ""))


def _take(limits: Limits, me: Asker) -> None:
    limits.take([(ASKED, sha256(me.owner.encode()).digest())], at=now())
