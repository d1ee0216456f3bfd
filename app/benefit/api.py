"""Giving over HTTP (公益接口): my choice, public cancellations, and their opening at the desk."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response
from sqlmodel import Session

from app.benefit.cancellations import (
    PREFIX,
    NewCancellation,
    Shown,
    cancellations,
    open_cancellation,
    shown_of,
)
from app.benefit.choices import choice_of, choose, withdraw
from app.benefit.errors import CancellationUnknown, DonationUnknown
from app.benefit.schemas import (
    OFFER,
    BenefitIn,
    BenefitOut,
    CancellationIn,
    CancellationOut,
    CancellationPage,
    shown_cancellation,
    shown_choice,
)
from app.kernel.auth import DENIED, Me, desk
from app.kernel.clock import now
from app.kernel.http import problems
from app.kernel.ids import new_id, parse_public_id
from app.kernel.once import IdempotencyKey, answer_once
from app.kernel.paging import Cursor, Limit, page_of, read_cursor
from app.kernel.problems import Refusal
from app.kernel.scopes import Scope
from app.kernel.tokens import Principal
from app.kernel.wiring import Db

LAST: Final = UUID(int=2**128 - 1)
PUBLIC: Final = "public, max-age=60"
Operator = Annotated[Principal, desk(Scope.PROGRAMMES_MANAGE)]
Named = Annotated[str, Path(max_length=40, examples=["pca_01k0000000000000000000000a"])]

router = APIRouter(prefix="/v1", tags=["benefit 公益"])


@router.get("/me/benefit", operation_id="getBenefit", summary="What I let be given 公益设置")
def get_benefit(db: Db, me: Me) -> BenefitOut:
    """Show what I chose; nothing, until I choose it."""
    return shown_choice(db.read(choice_of, me.owner))


@router.put(
    "/me/benefit",
    operation_id="putBenefit",
    summary="Choose what may be given 设置公益",
    responses=problems(
        s404="No such public cancellation, or no such donation on sale.",
        s409="The public cancellation has ended.",
        s422="The request is not of the documented form.",
    ),
)
def put_benefit(db: Db, me: Me, body: BenefitIn) -> BenefitOut:
    """Make my choice exactly this: dust to a public cancellation, ending points to a donation."""
    cause = _parsed(PREFIX, body.cancellation, CancellationUnknown)
    offer = _parsed(OFFER, body.donation, DonationUnknown)
    return shown_choice(db.transact(choose, me.owner, cause, offer, at=now()))


@router.delete(
    "/me/benefit",
    operation_id="withdrawBenefit",
    summary="Give nothing any more 撤回公益设置",
    status_code=204,
)
def delete_benefit(db: Db, me: Me) -> None:
    """Withdraw it; the next night gives nothing of mine."""
    db.transact(withdraw, me.owner)


@router.get(
    "/public/cancellations",
    operation_id="listCancellations",
    summary="Public cancellations 公益注销列表",
    responses=problems(s422="The cursor is not of the documented form."),
)
def list_cancellations(
    db: Db, response: Response, cursor: Cursor = None, limit: Limit = 50
) -> CancellationPage:
    """List every public cancellation, the newest first, with totals of crowds."""
    (before,) = read_cursor(cursor, UUID) if cursor else (LAST,)
    found = db.read(cancellations, before=before, limit=limit + 1)
    response.headers["Cache-Control"] = PUBLIC
    return page_of(
        CancellationPage, found, limit, shown_cancellation, lambda last: (last.cancellation.id,)
    )


@router.get(
    "/public/cancellations/{cancellation_id}",
    operation_id="getCancellation",
    summary="One public cancellation 公益注销详情",
    responses=problems(s404="No such public cancellation."),
)
def get_cancellation(cancellation_id: Named, db: Db, response: Response) -> CancellationOut:
    """Show one: its purpose, its organiser, and what was given by grade."""
    response.headers["Cache-Control"] = PUBLIC
    return shown_cancellation(db.read(shown_of, parse_public_id(PREFIX, cancellation_id)))


@router.post(
    "/admin/cancellations",
    operation_id="openCancellation",
    summary="Open a public cancellation 开设公益注销",
    status_code=201,
    response_model=CancellationOut,
    responses=problems(
        **DENIED,
        s400="The Idempotency-Key is missing.",
        s422="The request is not of the documented form, or its key was used before.",
    ),
)
def post_cancellation(
    request: Request,
    db: Db,
    who: Operator,
    body: CancellationIn,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Open it; what it says is never changed, and it ends by its last day."""
    id_, at, new = new_id(), now(), NewCancellation(**dict(body))

    def deed(session: Session) -> CancellationOut:
        made = open_cancellation(session, who, new, cancellation=id_, at=at)
        return shown_cancellation(Shown(made, []))

    return answer_once(request, db, who, idempotency_key, body, deed)


def _parsed(prefix: str, given: str | None, unknown: type[Refusal]) -> UUID | None:
    """Read an id; one that is none of ours names nothing."""
    if given is None:
        return None
    found = parse_public_id(prefix, given)
    if found is None:
        raise unknown
    return found
