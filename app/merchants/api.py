"""Coming in as a merchant (商户入驻与登录接口): apply, enrol, log in."""

from fastapi import APIRouter

from app.firms.entrance import (
    APPLIED,
    add_enrolment,
    add_login,
    few_applications,
    take_application,
)
from app.firms.schemas import ApplicationReceivedOut
from app.kernel.ids import new_id
from app.kernel.wiring import Db, Secrets
from app.merchants.applications import APPLICATIONS
from app.merchants.people import PEOPLE
from app.merchants.registry import SORT, NewMerchant
from app.merchants.schemas import ApplicationIn

router = APIRouter(tags=["merchants 商户"])


@router.post(
    "/v1/merchant-applications",
    operation_id="applyAsMerchant",
    summary="Apply to sell for points 商户入驻申请",
    status_code=201,
    dependencies=[few_applications(SORT.plural)],
    responses=APPLIED,
)
def apply_as_merchant(body: ApplicationIn, db: Db, keys: Secrets) -> ApplicationReceivedOut:
    """Apply; the hash of the owner's secret names the application, so sending it again is safe."""
    firm = NewMerchant(new_id(), body.kind, body.name_zh, body.name_en, body.registration)
    return take_application(db, keys, APPLICATIONS, firm, body)


add_enrolment(router, PEOPLE)
add_login(router, PEOPLE)
