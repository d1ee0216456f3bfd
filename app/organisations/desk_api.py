"""Organisations at the desk over HTTP (机构管理接口): as firms, and the operator's own."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from sqlmodel import Session

from app.firms import is_registration
from app.firms.desk_api import ASKED, add_desk
from app.kernel.auth import desk
from app.kernel.ids import new_id, public_id
from app.kernel.once import IdempotencyKey
from app.kernel.scopes import Scope
from app.kernel.tokens import PREFIXES, Principal
from app.kernel.wiring import Db
from app.organisations.deeds import FIRMS
from app.organisations.errors import OrganisationRegistrationInvalid
from app.organisations.people import PEOPLE
from app.organisations.registry import SORT
from app.organisations.schemas import WIRES, OperatorIn
from app.staff import Approval, ApprovalOut, Asking, answer_asked
from app.staff.schemas import ReasonIn

router = APIRouter(tags=["organisations 机构"])

Manager = Annotated[Principal, desk(Scope.ORGANISATIONS_MANAGE)]
OrganisationId = Annotated[str, Path(max_length=40, examples=["org_01k0000000000000000000000a"])]


@router.post(
    "/v1/admin/organisation-applications/{organisation_id}/approval",
    operation_id="askForOrganisationApproval",
    summary="Ask that an application be approved 申请批准机构入驻",
    status_code=201,
    response_model=ApprovalOut,
    responses=ASKED,
)
def ask_for_approval(
    request: Request,
    body: ReasonIn,
    who: Manager,
    db: Db,
    organisation_id: OrganisationId,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Ask; the second signature opens the organisation, and its first owner may enrol."""
    owner = new_id()

    def asks(session: Session, asking: Asking) -> Approval:
        return FIRMS.ask_approval(session, asking, organisation_id, owner, {})

    return answer_asked(request, db, who, idempotency_key, body, asks, reason=body.reason)


@router.post(
    "/v1/admin/organisations/operator",
    operation_id="askForOperatorOrganisation",
    summary="Ask that the operator's own organisation be opened 申请开立运营方机构",
    status_code=201,
    response_model=ApprovalOut,
    responses=ASKED,
)
def ask_for_operator(
    request: Request, body: OperatorIn, who: Manager, db: Db, idempotency_key: IdempotencyKey = None
) -> Response:
    """Ask; the second signature opens it, if it is not, and whoever is named may enrol."""
    if not is_registration(body.registration):
        raise OrganisationRegistrationInvalid
    facts = {
        **body.model_dump(include={"name_zh", "name_en", "registration"}),
        "owner": public_id(PREFIXES[SORT.kind], new_id()),
        "login": body.owner.login,
        "name": body.owner.name,
        "enrolment": body.owner.enrolment_sha256,
    }
    opened = SORT.named(new_id())

    def asks(session: Session, asking: Asking) -> Approval:
        PEOPLE.refuse_taken(session, body.owner.login)
        return FIRMS.ask(session, asking, "operator", opened, facts)

    return answer_asked(request, db, who, idempotency_key, body, asks, reason=body.reason)


add_desk(router, FIRMS, WIRES)
