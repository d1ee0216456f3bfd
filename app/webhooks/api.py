"""Endpoints over HTTP (回调地址接口): list, add, change, delete, rotate, and their secret.

Whatever has an id here is looked for among one's own: another's is as if it were nobody's.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from secrets import token_bytes
from typing import Annotated, Final

from fastapi import APIRouter, Path, Request, Response
from sqlmodel import Session

from app.kernel.clock import now
from app.kernel.http import problems
from app.kernel.ids import new_id, parse_public_id
from app.kernel.once import IdempotencyKey, answer_once
from app.kernel.settings import Settings
from app.kernel.wiring import Configuration, Db, Secrets
from app.staff import note_act
from app.staff.credentials import seal_owner
from app.webhooks.asking import Asker, Manager
from app.webhooks.endpoints import (
    PREFIX,
    Endpoint,
    EndpointChanges,
    add_endpoint,
    change_endpoint,
    delete_endpoint,
    endpoints,
    find_endpoint,
    rotate_secret,
)
from app.webhooks.errors import NoSharedSecret, UrlRefused
from app.webhooks.rules import Reach, read_url
from app.webhooks.schemas import (
    EndpointChangeIn,
    EndpointIn,
    EndpointList,
    EndpointOut,
    RotationIn,
    SecretOut,
    endpoint_out,
)
from app.webhooks.signing import Scheme, shared_secret

router = APIRouter(prefix="/v1/webhook-endpoints", tags=["webhooks 网络回调"])

SECRET_BYTES: Final = 32
EndpointId = Annotated[str, Path(max_length=40, examples=["whk_01k0000000000000000000000a"])]
DENIED: Final = {
    "s401": "No access token, or one that has ended.",
    "s403": "Your role may not do this, or you are suspended.",
}
OWN: Final = {**DENIED, "s404": "No such endpoint of yours."}
WRITING: Final = {
    "s400": "The Idempotency-Key is missing.",
    "s422": "The request is not of the documented form, or its key was used before.",
}


def reach_of(settings: Settings) -> Reach:
    """Give how far messages may go here."""
    return Reach(plain=not settings.is_production, loopback=settings.webhooks_loopback)


def note(session: Session, me: Asker, act: str, endpoint: Endpoint, *, at: datetime) -> None:
    """Write into the desk's log what was done to an endpoint."""
    note_act(session, me.who.name, f"webhooks.{act}", endpoint.public, at=at)


@router.get(
    "",
    operation_id="listWebhookEndpoints",
    summary="Your endpoints 回调地址列表",
    responses=problems(**DENIED),
)
def list_endpoints(me: Manager, db: Db, keys: Secrets) -> EndpointList:
    """List every endpoint that you have, those that are off too."""
    at, found = now(), db.read(endpoints, me.owner)
    return EndpointList(data=[endpoint_out(each, keys, at=at) for each in found])


@router.post(
    "",
    operation_id="addWebhookEndpoint",
    summary="Add an endpoint 新增回调地址",
    status_code=201,
    response_model=EndpointOut,
    responses=problems(**DENIED, **WRITING, s409="You have ten endpoints already."),
)
def post_endpoint(
    request: Request,
    body: EndpointIn,
    me: Manager,
    db: Db,
    *,
    keys: Secrets,
    settings: Configuration,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Add an endpoint; messages name the key by which to check them, so it must know that first."""
    _check_url(body.url, settings)
    made, at = new_id(), now()
    secret = keys.seal(token_bytes(SECRET_BYTES), owner=seal_owner(made))
    new = Endpoint(made, me.owner, body.url, body.types, body.scheme, secret, None, None, at)

    def deed(session: Session) -> EndpointOut:
        add_endpoint(session, new)
        note(session, me, "add", new, at=at)
        return endpoint_out(new, keys, at=at)

    return answer_once(request, db, me.who, idempotency_key, body, deed)


@router.get(
    "/{endpoint_id}",
    operation_id="getWebhookEndpoint",
    summary="One endpoint 回调地址",
    responses=problems(**OWN),
)
def read_endpoint(me: Manager, db: Db, keys: Secrets, endpoint_id: EndpointId) -> EndpointOut:
    """Give an endpoint of yours, with the public keys that its messages are checked by."""
    found = db.read(find_endpoint, me.owner, parse_public_id(PREFIX, endpoint_id))
    return endpoint_out(found, keys, at=now())


@router.patch(
    "/{endpoint_id}",
    operation_id="changeWebhookEndpoint",
    summary="Change an endpoint, put it on or off 修改或停用回调地址",
    responses=problems(**OWN, s422="The request is not of the documented form."),
)
def patch_endpoint(
    body: EndpointChangeIn,
    me: Manager,
    db: Db,
    keys: Secrets,
    settings: Configuration,
    endpoint_id: EndpointId,
) -> EndpointOut:
    """Change what is named; what waited while it was off is sent once it is on."""
    _check_url(body.url, settings)
    at, changes = now(), EndpointChanges(body.url, body.types, body.is_on)

    def act(session: Session, found: Endpoint) -> None:
        change_endpoint(session, me.owner, found.id, changes, at=at)

    return endpoint_out(db.transact(_act, me, endpoint_id, "change", act, at=at), keys, at=at)


@router.delete(
    "/{endpoint_id}",
    operation_id="deleteWebhookEndpoint",
    summary="Delete an endpoint and its log 删除回调地址",
    status_code=204,
    responses=problems(**OWN),
)
def remove_endpoint(me: Manager, db: Db, endpoint_id: EndpointId) -> None:
    """Delete an endpoint with all that waits for it."""
    at = now()

    def command(session: Session) -> None:
        found = find_endpoint(session, me.owner, parse_public_id(PREFIX, endpoint_id))
        delete_endpoint(session, me.owner, found.id)
        note(session, me, "delete", found, at=at)

    db.transact(command)


@router.post(
    "/{endpoint_id}/rotation",
    operation_id="rotateWebhookSecret",
    summary="Sign with another secret 轮换签名密钥",
    response_model=EndpointOut,
    responses=problems(**OWN, **WRITING),
)
def post_rotation(
    request: Request,
    body: RotationIn,
    me: Manager,
    db: Db,
    *,
    keys: Secrets,
    endpoint_id: EndpointId,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Sign anew, and with the secret before it for the overlap: messages carry both signatures."""
    at, wanted = now(), parse_public_id(PREFIX, endpoint_id)
    until, fresh = at + timedelta(hours=body.overlap_hours), token_bytes(SECRET_BYTES)
    secret = b"" if wanted is None else keys.seal(fresh, owner=seal_owner(wanted))

    def act(session: Session, found: Endpoint) -> None:
        rotate_secret(session, me.owner, found.id, secret, old_until=until)

    def deed(session: Session) -> EndpointOut:
        return endpoint_out(_act(session, me, endpoint_id, "rotate", act, at=at), keys, at=at)

    return answer_once(request, db, me.who, idempotency_key, body, deed, status=200)


@router.get(
    "/{endpoint_id}/secret",
    operation_id="getWebhookSecret",
    summary="The shared secret of an endpoint signed with HMAC 共享密钥",
    responses=problems(**OWN, s409="It is signed with Ed25519."),
)
def read_secret(me: Manager, db: Db, keys: Secrets, endpoint_id: EndpointId) -> SecretOut:
    """Give the newest secret; the desk's log says who asked for it."""

    def act(_session: Session, found: Endpoint) -> None:
        if found.scheme is not Scheme.HMAC:
            raise NoSharedSecret

    found = db.transact(_act, me, endpoint_id, "read_secret", act, at=now())
    return SecretOut(secret=shared_secret(keys.open(found.secret, owner=seal_owner(found.id))))


def _act(
    session: Session,
    me: Asker,
    endpoint_id: str,
    act: str,
    deed: Callable[[Session, Endpoint], None],
    *,
    at: datetime,
) -> Endpoint:
    """Do something to an endpoint of one's own, note it, and give what the endpoint is then."""
    found = find_endpoint(session, me.owner, parse_public_id(PREFIX, endpoint_id))
    deed(session, found)
    note(session, me, act, found, at=at)
    return find_endpoint(session, me.owner, found.id)


def _check_url(url: str | None, settings: Settings) -> None:
    if url is not None and read_url(url, reach_of(settings)) is None:
        raise UrlRefused
