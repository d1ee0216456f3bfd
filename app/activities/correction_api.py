"""Corrections over HTTP (更正接口): a provider makes good what it told, as new entries."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path, Request, Response
from sqlmodel import Session

from app.activities.api import PATH, ndjson_only
from app.activities.batch_errors import BatchUnknown
from app.activities.correction_batches import Terms, receive_corrections
from app.activities.correction_schemas import CorrectionsOut, corrections_out
from app.kernel.clock import now
from app.kernel.http import problems
from app.kernel.ids import new_id, parse_public_id
from app.kernel.once import IdempotencyKey
from app.kernel.signing import NDJSON
from app.kernel.wiring import Configuration, Db, Secrets
from app.providers.senders import DENIED, Body, Sender, answer_signed

EXAMPLE: Final = (
    '{"external_id":"ride-0001","reason":"trip.refunded","withdrawn":true}\n'
    '{"external_id":"ride-0002","reason":"odometer.recalibrated","inputs":{"distance":"9.1"}}\n'
)
router = APIRouter(prefix=PATH, tags=["providers 数据提供方"])


@router.post(
    "/{batch_id}/corrections",
    operation_id="correctActivityBatch",
    summary="Correct or withdraw acts of one's own batch 更正或撤回本方批次中的行为",
    status_code=201,
    response_model=CorrectionsOut,
    responses=problems(
        s400="The body is not the signed one, or the Idempotency-Key is missing.",
        **DENIED,
        s404="No such batch of this provider.",
        s413="More than 256 kB or 1,000 lines.",
        s415="Not application/x-ndjson.",
        s422="There is no line, or the Idempotency-Key was used for another request.",
        s503="A server that this needs is away; send it again.",
    ),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {NDJSON: {"schema": {"type": "string"}, "example": EXAMPLE}},
        }
    },
    dependencies=[Depends(ndjson_only)],
)
def correct_batch(  # noqa: PLR0917 -- the request, what it stands on, and what it names
    request: Request,
    db: Db,
    keys: Secrets,
    settings: Configuration,
    signed: Sender,
    body: Body,
    batch_id: Annotated[str, Path(max_length=40)],
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Correct acts: one outcome a line, and a signed receipt over all of it."""
    upload, batch, at = parse_public_id("bat", batch_id), new_id(), now()

    def deed(session: Session) -> CorrectionsOut:
        if upload is None:
            raise BatchUnknown
        terms = Terms(keys, settings, signed.key.provider, upload, batch, at)
        made = receive_corrections(session, terms, body)
        return corrections_out(made, keys.receipt.public_key())

    return answer_signed(request, db, signed, idempotency_key, body, deed)
