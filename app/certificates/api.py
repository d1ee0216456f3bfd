"""One's own certificates over HTTP (我的证书接口): everything opened, and names withdrawn."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path
from fastapi.responses import JSONResponse

from app.cancellations.holders import Holder
from app.certificates.public_api import UNKNOWN, CertificateId
from app.certificates.reading import find_certificate
from app.certificates.takedowns import PREFIX
from app.certificates.withdrawing import withdraw
from app.kernel.clock import now
from app.kernel.http import problems
from app.kernel.ids import parse_public_id
from app.kernel.wiring import Configuration, Db, Secrets

Text = Annotated[
    Literal["holder", "beneficiary", "message"], Path(description="持有人、受益人或寄语")
]

router = APIRouter(prefix="/v1/certificates", tags=["certificates 证书"])


@router.get(
    "/{certificate_id}",
    operation_id="getOwnCertificate",
    summary="My certificate, everything opened 我的证书（含未公开文字）",
    response_class=JSONResponse,
    responses=problems(s404=UNKNOWN),
)
def get_own_certificate(
    certificate_id: CertificateId, db: Db, keys: Secrets, settings: Configuration, holder: Holder
) -> JSONResponse:
    """Give my own copy, which proves whom it names: to hand on to whomever I choose."""
    named = parse_public_id(PREFIX, certificate_id)
    found = db.read(find_certificate, settings.origin, named, owner=holder.who.owner)
    return JSONResponse(found.to_json(keys.receipt, at=now()))


@router.delete(
    "/{certificate_id}/{text}",
    operation_id="withdrawCertificateText",
    summary="Withdraw a name or message for ever 永久撤回姓名或寄语",
    status_code=204,
    responses=problems(s404="There is nothing of it to withdraw."),
)
def delete_text(certificate_id: CertificateId, text: Text, db: Db, holder: Holder) -> None:
    """Destroy what opens it, before or after the certificate is issued; its commitment stays."""
    named = parse_public_id(PREFIX, certificate_id)
    db.transact(withdraw, holder.who.owner, named, [text])
