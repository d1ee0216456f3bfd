"""The provider's HTTP API (数据提供方接口): send a batch, signed; read one's own batches back.

Who is asking is what the key of the signature says (RFC 9421), never what the body says. The
signature is checked over the raw bytes, before any of them is parsed.
"""

from functools import partial
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response

from app.activities.batch_errors import BatchUnknown, MediaTypeUnknown
from app.activities.batches import BODY_MAX, Batch, find_batch, receive
from app.activities.schemas import BatchOut
from app.kernel.clock import now
from app.kernel.http import problem, problems
from app.kernel.ids import new_id, parse_public_id
from app.kernel.once import readable_key, rendered
from app.kernel.problems import Refusal
from app.kernel.signing import NDJSON
from app.kernel.wiring import Configuration, Db, Secrets
from app.providers.senders import DENIED, Body, Reader, Sender

PATH: Final = "/v1/activity-batches"
LARGER_BODIES: Final = {PATH: BODY_MAX}
"""For ``app.kernel.http.install``: which path takes how much [bytes]."""
router = APIRouter(prefix=PATH, tags=["providers 数据提供方"])


Code = Annotated[
    str, Query(min_length=1, max_length=64, pattern=r"^[A-Z0-9-]+$", alias="methodology")
]


def ndjson_only(_signed: Sender, content_type: Annotated[str, Header()] = "") -> None:
    """Pass newline-delimited JSON of somebody who may send.

    Raises:
        MediaTypeUnknown: The body is said to be something else.
    """
    if content_type.split(";")[0].strip().lower() != NDJSON:
        raise MediaTypeUnknown(expected=NDJSON)


def batch_of(
    signed: Sender,
    body: Body,
    methodology: Code,
    version: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
    idempotency_key: Annotated[str | None, Header()] = None,
) -> Batch:
    """Put the parts of a signed upload together.

    Raises:
        IdempotencyKeyMissing: See its own words.
    """
    key = readable_key(idempotency_key)
    return Batch(signed, key, methodology, version, body, now(), new_id())


@router.post(
    "",
    operation_id="sendActivityBatch",
    summary="Send a batch of activities 上传一批低碳行为",
    status_code=201,
    response_model=BatchOut,
    responses=problems(
        s400="The body is not the signed one, or the Idempotency-Key is missing.",
        **DENIED,
        s404="No such methodology.",
        s409="A published methodology version differs from the one used before.",
        s413="More than 16 MB or 10,000 lines.",
        s415="Not application/x-ndjson.",
        s422="The batch is refused whole, or the Idempotency-Key was used for another.",
        s503="A server that this needs is away; send it again.",
    ),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                NDJSON: {
                    "schema": {"type": "string"},
                    "example": (
                        '{"external_id":"ride-0001","subject":"CARD-1",'
                        '"occurred_at":"2026-06-01T08:00:00+08:00","distance":"10.3"}\n'
                    ),
                }
            },
        }
    },
    dependencies=[Depends(ndjson_only)],
)
def send_batch(
    request: Request,
    db: Db,
    keys: Secrets,
    settings: Configuration,
    batch: Annotated[Batch, Depends(batch_of)],
) -> Response:
    """Take a batch in: one outcome a line, and a signed receipt over all of it."""
    return rendered(*receive(db, keys, settings, batch, partial(_said, request)))


def _said(request: Request, refusal: Refusal) -> bytes:
    return bytes(problem(request, refusal).body)


@router.get(
    "/{batch_id}",
    operation_id="getActivityBatch",
    summary="Read one of one's own batches 查询本方批次",
    responses=problems(
        **DENIED,
        s404="No such batch of this provider.",
        s503="A server that this needs is away; ask again.",
    ),
)
def read_batch(
    db: Db,
    keys: Secrets,
    sender: Reader,
    batch_id: Annotated[str, Path(max_length=40)],
) -> BatchOut:
    """Give an upload as it stands; its lines without the provider's ids, which are not kept."""
    upload = parse_public_id("bat", batch_id)
    if upload is None:
        raise BatchUnknown
    return db.read(find_batch, sender, upload, keys.receipt)
