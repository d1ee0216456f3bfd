"""Coming in as an organisation (机构入驻与登录接口): apply, enrol, log in; its own people."""

from fastapi import APIRouter, Request, Response

from app.firms.entrance import (
    APPLIED,
    add_enrolment,
    add_login,
    few_applications,
    take_application,
)
from app.firms.people_api import DENIED, WRITING, add_own_people, take_in
from app.firms.schemas import ApplicationReceivedOut
from app.kernel.clock import now
from app.kernel.http import problems
from app.kernel.ids import new_id
from app.kernel.once import IdempotencyKey
from app.kernel.scopes import Scope
from app.kernel.wiring import Db, Secrets
from app.organisations.applications import APPLICATIONS
from app.organisations.members import Owner
from app.organisations.people import PEOPLE, OrganisationUser
from app.organisations.registry import SORT, NewOrganisation, find_organisation
from app.organisations.schemas import (
    WIRES,
    OrganisationApplicationIn,
    OrganisationOut,
    OrganisationUserIn,
    OrganisationUserOut,
    organisation_out,
)

router = APIRouter(tags=["organisations 机构"])


@router.post(
    "/v1/organisation-applications",
    operation_id="applyAsOrganisation",
    summary="Apply to take part as an organisation 机构入驻申请",
    status_code=201,
    dependencies=[few_applications(SORT.plural)],
    responses=APPLIED,
)
def apply_as_organisation(
    body: OrganisationApplicationIn, db: Db, keys: Secrets
) -> ApplicationReceivedOut:
    """Apply; the hash of the owner's secret names the application, so sending it again is safe."""
    firm = NewOrganisation(new_id(), body.kind, body.name_zh, body.name_en, body.registration)
    return take_application(db, keys, APPLICATIONS, firm, body)


add_enrolment(router, PEOPLE)
add_login(router, PEOPLE)


@router.get(
    "/v1/organisation",
    operation_id="getMyOrganisation",
    summary="Your organisation 本机构信息",
    responses=problems(**DENIED),
)
def read_organisation(me: Owner, db: Db) -> OrganisationOut:
    """Give the organisation that you work for."""
    return organisation_out(db.read(find_organisation, me.organisation))


@router.post(
    "/v1/organisation/users",
    operation_id="addOrganisationUser",
    summary="Take somebody in 新增机构人员",
    status_code=201,
    response_model=OrganisationUserOut,
    responses=WRITING,
)
def post_user(
    request: Request,
    body: OrganisationUserIn,
    me: Owner,
    db: Db,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Take somebody in, who enrols by the secret of the given hash within three days."""
    user = OrganisationUser(new_id(), me.organisation, body.login, body.name, body.role, now())
    return take_in(request, db, PEOPLE, me.who, user, body, WIRES, idempotency_key)


add_own_people(router, PEOPLE, WIRES, Scope.ORGANISATION_MANAGE)
