"""Certificates at the desk (证书后台): what names somebody against their will, or offends, goes."""

from typing import Annotated

from fastapi import APIRouter, Query

from app.certificates.api import Text
from app.certificates.public_api import CertificateId
from app.certificates.takedowns import PREFIX, TakedownReason
from app.certificates.withdrawing import take_down
from app.kernel.auth import DENIED, desk
from app.kernel.clock import now
from app.kernel.http import problems
from app.kernel.ids import new_id, parse_public_id
from app.kernel.scopes import Scope
from app.kernel.tokens import Principal
from app.kernel.wiring import Db

Operator = Annotated[Principal, desk(Scope.APPEALS_DECIDE)]
Reason = Annotated[TakedownReason, Query(description="Why; anybody reads it. 下架原因")]

router = APIRouter(prefix="/v1/admin/certificates", tags=["certificates 证书"])


@router.delete(
    "/{certificate_id}/{text}",
    operation_id="takeDownCertificateText",
    summary="Take down a name or message for ever 永久下架姓名或寄语",
    status_code=204,
    responses=problems(**DENIED, s404="No such certificate, or nothing of it to take down."),
)
def delete_text(
    certificate_id: CertificateId, text: Text, db: Db, who: Operator, reason: Reason
) -> None:
    """Destroy what opens it, as its owner could: the certificate says so, the log says who."""
    named = parse_public_id(PREFIX, certificate_id)
    db.transact(take_down, who, named, text, reason, notice=new_id(), at=now())
