"""Firms at the desk over HTTP (单位管理接口): applications, suspension, lost logins."""

from typing import Annotated, Any, Final, NamedTuple
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel
from sqlmodel import Session

from app.firms.deeds import Firms, Reasoned
from app.firms.people_api import user_path
from app.firms.schemas import ReachIn, ReachOut, Wires, application_out, reach_in, user_out
from app.kernel.auth import DENIED, desk
from app.kernel.clock import now
from app.kernel.http import problems
from app.kernel.once import IdempotencyKey, answer_once
from app.kernel.paging import Cursor, Limit, page_of, read_cursor
from app.kernel.tokens import Principal
from app.kernel.wiring import Db, Secrets
from app.staff import Approval, ApprovalOut, Asking, answer_asked, note_act
from app.staff.schemas import ReasonIn, ResetIn

LISTED: Final = problems(**DENIED, s422="The cursor or a filter is not of the documented form.")
ASKED: Final = problems(
    **DENIED,
    s400="The Idempotency-Key is missing.",
    s404="No such application, firm or person.",
    s409="It is decided or so already, or the same awaits its second signature.",
    s422="The request is not of the documented form, or its key was used before.",
)
Open = Annotated[bool | None, Query(alias="open", description="Undecided ones only.")]


class Desk(NamedTuple):
    """The desk of one sort of firm: where its endpoints go, and what they need."""

    router: APIRouter
    firms: Firms[Any, Any, Any]
    wires: Wires[Any]

    @property
    def who(self) -> Any:  # noqa: ANN401 -- stands as a default of a Principal
        """Ask for a clerk who keeps firms of this sort."""
        return desk(self.firms.sort.manage)

    @property
    def firm(self) -> Any:  # noqa: ANN401 -- stands as a default of a text
        """Take a firm's id from a path, under the name that its sort has there."""
        sort = self.firms.sort
        examples = [f"{sort.prefix}_01k0000000000000000000000a"]
        return Path(alias=f"{sort.kind}_id", max_length=40, examples=examples)

    @property
    def application_path(self) -> str:
        """Where one application is."""
        kind = self.firms.sort.kind
        return f"/v1/admin/{kind}-applications/{{{kind}_id}}"

    @property
    def firm_path(self) -> str:
        """Where one firm is."""
        sort = self.firms.sort
        return f"/v1/admin/{sort.plural}/{{{sort.kind}_id}}"


def add_desk(router: APIRouter, firms: Firms[Any, Any, Any], wires: Wires[Any]) -> None:
    """Add what the desk asks about one sort of firm, but for the approval of an application."""
    of = Desk(router, firms, wires)
    for add in (
        _add_applications,
        _add_contact,
        _add_contact_change,
        _add_firms,
        _add_users,
        _add_refusal,
        _add_suspension,
        _add_resumption,
        _add_reset,
    ):
        add(of)


def _add_applications(of: Desk) -> None:
    sort, applications = of.firms.sort, of.firms.applications

    @of.router.get(
        f"/v1/admin/{sort.kind}-applications",
        operation_id=f"list{sort.word}Applications",
        summary=f"Applications {sort.zh}入驻申请列表",
        response_model=of.wires.applications,
        responses=LISTED,
    )
    def list_applications(
        db: Db,
        _who: Principal = of.who,
        *,
        is_open: Open = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> BaseModel:
        """List applications, the newest first."""
        (before,) = read_cursor(cursor, UUID) if cursor else (None,)
        found = db.read(applications.listed, is_open=is_open, before=before, limit=limit + 1)
        return page_of(of.wires.applications, found, limit, told, lambda last: (last.firm.id,))

    @of.router.get(
        of.application_path,
        operation_id=f"get{sort.word}Application",
        summary=f"An application 查看{sort.zh}入驻申请",
        response_model=of.wires.application,
        responses=problems(**DENIED, s404="No such application."),
    )
    def get_application(db: Db, _who: Principal = of.who, firm_id: str = of.firm) -> BaseModel:
        """Give an application, a decided one too."""
        return told(db.read(applications.find, sort.firm_of(firm_id)))

    def told(application: Any) -> BaseModel:  # noqa: ANN401 -- of any sort
        return application_out(application, sort.named(application.firm.id), of.wires.application)

    _ = list_applications, get_application


def _add_contact(of: Desk) -> None:
    sort, applications = of.firms.sort, of.firms.applications

    @of.router.get(
        f"{of.application_path}/contact",
        operation_id=f"get{sort.word}Contact",
        summary=f"Whom to reach and where to pay 查看{sort.zh}联系人与银行账户",
        responses=problems(**DENIED, s404="No such application, or it was refused."),
    )
    def get_contact(
        db: Db, keys: Secrets, who: Principal = of.who, firm_id: str = of.firm
    ) -> ReachOut:
        """Open contact and bank account of an applicant or a firm; every reading is logged."""
        at = now()

        def command(session: Session) -> ReachOut:
            reach = applications.reach(session, keys, sort.firm_of(firm_id))
            note_act(session, who.name, of.firms.act("read_contact"), firm_id, at=at)
            return ReachOut.model_validate(reach)

        return db.transact(command)

    _ = get_contact


def _add_contact_change(of: Desk) -> None:
    sort, applications = of.firms.sort, of.firms.applications
    path = f"{of.firm_path}/contact"

    @of.router.post(
        path,
        operation_id=f"askFor{sort.word}Contact",
        summary=f"Ask for another contact and bank account 申请变更{sort.zh}联系人与银行账户",
        status_code=201,
        response_model=ApprovalOut,
        responses=ASKED,
    )
    def ask_for_contact(  # noqa: PLR0917 -- the request, its body, who, and of which firm
        request: Request,
        body: ReachIn,
        db: Db,
        keys: Secrets,
        who: Principal = of.who,
        firm_id: str = of.firm,
        idempotency_key: IdempotencyKey = None,
    ) -> Response:
        """Ask; they are sealed, and the second person reads them before they sign."""

        def asks(session: Session, asking: Asking) -> Approval:
            return of.firms.ask_contact(session, asking, keys, firm_id, reach_in(body))

        return answer_asked(request, db, who, idempotency_key, body, asks, reason=body.reason)

    @of.router.get(
        path,
        operation_id=f"getWished{sort.word}Contact",
        summary=f"What awaits a second signature 查看待复核的{sort.zh}联系人与银行账户",
        responses=problems(**DENIED, s404="Nobody asked for others."),
    )
    def get_wished(
        db: Db, keys: Secrets, who: Principal = of.who, firm_id: str = of.firm
    ) -> ReachOut:
        """Open contact and bank account that were asked for; every reading is logged."""
        at = now()

        def command(session: Session) -> ReachOut:
            reach = applications.wished(session, keys, sort.firm_of(firm_id))
            note_act(session, who.name, of.firms.act("read_contact"), firm_id, at=at)
            return ReachOut.model_validate(reach)

        return db.transact(command)

    _ = ask_for_contact, get_wished


def _add_firms(of: Desk) -> None:
    sort, register = of.firms.sort, of.firms.register

    @of.router.get(
        f"/v1/admin/{sort.plural}",
        operation_id=f"list{sort.word}s",
        summary=f"All of them {sort.zh}列表",
        response_model=of.wires.firms,
        responses=LISTED,
    )
    def list_firms(
        db: Db, _who: Principal = of.who, limit: Limit = 50, cursor: Cursor = None
    ) -> BaseModel:
        """List every one, suspended ones too."""
        (after,) = read_cursor(cursor, UUID) if cursor else (None,)
        found = db.read(register.listed, after=after, limit=limit + 1)
        return page_of(of.wires.firms, found, limit, of.wires.write, lambda last: (last.id,))

    @of.router.get(
        of.firm_path,
        operation_id=f"get{sort.word}",
        summary=f"One of them 查看{sort.zh}",
        response_model=of.wires.firm,
        responses=problems(**DENIED, s404="There is none with this id."),
    )
    def get_firm(db: Db, _who: Principal = of.who, firm_id: str = of.firm) -> BaseModel:
        """Give one, and what is agreed with it."""
        return of.wires.write(db.read(register.find, sort.firm_of(firm_id)))

    _ = list_firms, get_firm


def _add_users(of: Desk) -> None:
    sort, people = of.firms.sort, of.firms.people

    @of.router.get(
        f"{of.firm_path}/users",
        operation_id=f"listUsersOf{sort.word}",
        summary=f"Its people 查看{sort.zh}人员",
        response_model=of.wires.users,
        responses=problems(**DENIED, s404="There is none.", s422="The cursor is malformed."),
    )
    def list_users(
        db: Db,
        _who: Principal = of.who,
        firm_id: str = of.firm,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> BaseModel:
        """List who works or worked there, to find whose login was lost."""
        (after,) = read_cursor(cursor, UUID) if cursor else (None,)
        firm = db.read(of.firms.register.find, sort.firm_of(firm_id))
        found = db.read(people.listed, firm.id, after=after, limit=limit + 1)
        return page_of(of.wires.users, found, limit, told, lambda last: (last.id,))

    def told(user: Any) -> BaseModel:  # noqa: ANN401 -- of any sort
        return user_out(user, of.wires.user)

    _ = list_users


def _add_refusal(of: Desk) -> None:
    sort = of.firms.sort

    @of.router.post(
        f"{of.application_path}/refusal",
        operation_id=f"askFor{sort.word}Refusal",
        summary=f"Ask that an application be refused 申请驳回{sort.zh}入驻",
        status_code=201,
        response_model=ApprovalOut,
        responses=ASKED,
    )
    def ask_for_refusal(
        request: Request,
        body: ReasonIn,
        db: Db,
        who: Principal = of.who,
        firm_id: str = of.firm,
        idempotency_key: IdempotencyKey = None,
    ) -> Response:
        """Ask; the second signature refuses, and forgets whom to reach and where to pay."""

        def asks(session: Session, asking: Asking) -> Approval:
            return of.firms.ask_refusal(session, asking, firm_id)

        return answer_asked(request, db, who, idempotency_key, body, asks, reason=body.reason)

    _ = ask_for_refusal


def _add_suspension(of: Desk) -> None:
    sort, register = of.firms.sort, of.firms.register

    @of.router.post(
        f"{of.firm_path}/suspension",
        operation_id=f"suspend{sort.word}",
        summary=f"Suspend it at once 立即暂停{sort.zh}",
        status_code=201,
        response_model=of.wires.firm,
        responses=ASKED,
    )
    def suspend(
        request: Request,
        body: ReasonIn,
        db: Db,
        who: Principal = of.who,
        firm_id: str = of.firm,
        idempotency_key: IdempotencyKey = None,
    ) -> Response:
        """Stop its logins, sessions and acts; one person is enough, and the log says why."""
        at, firm = now(), sort.firm_of(firm_id)

        def deed(session: Session) -> BaseModel:
            of.firms.suspend(session, Reasoned(who, body.reason), firm, at=at)
            return of.wires.write(register.find(session, firm))

        return answer_once(request, db, who, idempotency_key, body, deed)

    _ = suspend


def _add_resumption(of: Desk) -> None:
    sort = of.firms.sort

    @of.router.post(
        f"{of.firm_path}/resumption",
        operation_id=f"askFor{sort.word}Resumption",
        summary=f"Ask that it may work again 申请恢复{sort.zh}",
        status_code=201,
        response_model=ApprovalOut,
        responses=ASKED,
    )
    def ask_for_resumption(
        request: Request,
        body: ReasonIn,
        db: Db,
        who: Principal = of.who,
        firm_id: str = of.firm,
        idempotency_key: IdempotencyKey = None,
    ) -> Response:
        """Ask; after the second signature its people log in anew."""

        def asks(session: Session, asking: Asking) -> Approval:
            return of.firms.ask_resumption(session, asking, firm_id)

        return answer_asked(request, db, who, idempotency_key, body, asks, reason=body.reason)

    _ = ask_for_resumption


def _add_reset(of: Desk) -> None:
    sort, user = of.firms.sort, user_path(of.firms.sort)

    @of.router.post(
        f"{of.firm_path}/users/{{user_id}}/reset",
        operation_id=f"askFor{sort.word}UserReset",
        summary=f"Ask that one of its people may enrol anew 申请重新登记{sort.zh}人员",
        status_code=201,
        response_model=ApprovalOut,
        responses=ASKED,
    )
    def ask_for_reset(  # noqa: PLR0917 -- the request, its body, who, and whom of which firm
        request: Request,
        body: ResetIn,
        db: Db,
        user_id: str = user,
        who: Principal = of.who,
        firm_id: str = of.firm,
        idempotency_key: IdempotencyKey = None,
    ) -> Response:
        """Ask, for an owner who lost phone or password and has no other owner beside them."""
        enrolment = body.enrolment_sha256

        def asks(session: Session, asking: Asking) -> Approval:
            return of.firms.ask_reset(session, asking, firm_id, user_id, enrolment)

        return answer_asked(request, db, who, idempotency_key, body, asks, reason=body.reason)

    _ = ask_for_reset
