"""Leaving over the API (导出与删除接口): everything in one file, an erasure, and its receipt."""

from base64 import b64encode, urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from datetime import timedelta
from secrets import token_bytes
from typing import Annotated, Final

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import StreamingResponse
from sqlmodel import Session

from app.kernel.auth import Me
from app.kernel.clock import day_of, now
from app.kernel.http import problems
from app.kernel.ids import new_id, public_id
from app.kernel.limits import Limit as Rate
from app.kernel.once import IdempotencyKey, answer_once
from app.kernel.secrets import Keys, written_key
from app.kernel.wiring import Db, Limited, Secrets
from app.privacy.api import citizen_of
from app.privacy.erasing import SECRET_BYTES, Erasure, ask_erasure, find_erasure
from app.privacy.errors import ErasureUnknown
from app.privacy.exporting import blocks, export
from app.privacy.schemas import ErasureAskedOut, ErasureIn, ErasureOut, ErasureReceiptOut
from ledger.accounts import BUCKETS

BUCKET_BYTES: Final = 2
EXPORTS: Final = Rate("exports.person", 10, timedelta(days=1))
"""Each reads everything that there is of somebody, whoever holds their token."""
Token = Annotated[str, Path(max_length=60, pattern=r"^[A-Za-z0-9_-]+$")]

router = APIRouter(prefix="/v1", tags=["citizens 市民"])


@router.get(
    "/me/export",
    operation_id="exportMe",
    summary="Everything about me 导出我的全部信息",
    response_class=Response,
    responses={
        200: {"content": {"application/zip": {}}, "description": "JSON and CSV, a ZIP."},
        **problems(s429="Ten in a day are enough; Retry-After says when again."),
    },
)
def export_me(db: Db, keys: Secrets, me: Me, limits: Limited) -> StreamingResponse:
    """Give everything that is stored about me, in one file, as JSON and as CSV."""
    at = now()
    limits.take([(EXPORTS, keys.login_hash("export", me.id.bytes))], at=at)
    made = db.read(export, keys, citizen_of(me), at=at)
    headers = {"Content-Disposition": f'attachment; filename="tanpu-{day_of(at)}.zip"'}
    return StreamingResponse(blocks(made), media_type="application/zip", headers=headers)


@router.post(
    "/me/erasure",
    operation_id="askErasure",
    summary="Erase me 删除我的全部信息",
    status_code=202,
    response_model=ErasureAskedOut,
    responses=problems(s409="An erasure is under way."),
)
def erase_me(
    request: Request,
    db: Db,
    keys: Secrets,
    me: Me,
    body: ErasureIn,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """End everything now, and destroy what leads to me once the log is final; keep the token."""
    named, secret, at = new_id(), token_bytes(SECRET_BYTES), now()

    def deed(session: Session) -> ErasureAskedOut:
        ask_erasure(session, keys, me, named=named, secret=secret, at=at)
        token = write_token(me.bucket, secret)
        path = f"/v1/erasures/{token}"
        return ErasureAskedOut(id=public_id("era", named), token=token, receipt_path=path)

    return answer_once(request, db, me, idempotency_key, body, deed, status=202)


@router.get(
    "/erasures/{token}",
    operation_id="getErasure",
    summary="How far an erasure has come 删除进度与回执",
    responses=problems(s404="There is no erasure under this token."),
)
def get_erasure(db: Db, keys: Secrets, token: Token) -> ErasureOut:
    """Show the stage, and in the end the signed receipt; the token is all that it takes."""
    known = read_token(token)
    found = None if known is None else db.read(find_erasure, *known)
    if found is None:
        raise ErasureUnknown
    return _shown(found, keys)


def write_token(bucket: int, secret: bytes) -> str:
    """Write what opens a receipt: a random secret, and where to look for its hash.

    >>> write_token(1, bytes(32))[:6], len(write_token(1, bytes(32)))
    ('AAEAAA', 46)
    """
    return urlsafe_b64encode(bucket.to_bytes(BUCKET_BYTES, "big") + secret).decode().rstrip("=")


def read_token(text: str) -> tuple[int, bytes] | None:
    """Read a token back; ``None`` if it is not of the form of one.

    >>> read_token(write_token(7, bytes(32))) == (7, bytes(32)), read_token("AAEAAA")
    (True, None)
    """
    try:
        packed = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except NotBase64:
        return None
    bucket, secret = int.from_bytes(packed[:BUCKET_BYTES], "big"), packed[BUCKET_BYTES:]
    return (bucket, secret) if len(secret) == SECRET_BYTES and bucket < BUCKETS else None


def _shown(erasure: Erasure, keys: Keys) -> ErasureOut:
    receipt = erasure.receipt and ErasureReceiptOut(
        statement=erasure.receipt.statement.decode(),
        signature=b64encode(erasure.receipt.signature).decode(),
        public_key=written_key(keys.receipt),
    )
    stage = str(erasure.stage)
    return ErasureOut(
        id=public_id("era", erasure.id), asked_at=erasure.asked_at, stage=stage, receipt=receipt
    )
