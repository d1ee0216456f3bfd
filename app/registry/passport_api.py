"""Purpose passports over HTTP (用途护照接口): read by anybody, set by two of the desk."""

from functools import partial
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response
from sqlmodel import Session

from app.kernel.auth import DENIED, desk
from app.kernel.http import problems
from app.kernel.once import IdempotencyKey
from app.kernel.scopes import Scope
from app.kernel.tokens import Principal
from app.kernel.wiring import Db
from app.registry.passport import WISHED, passport_of, ratio_of
from app.registry.passport_deeds import ask_obligation, ask_passport, ask_ratio
from app.registry.passport_schemas import (
    PassportIn,
    PassportOut,
    PassportsOut,
    SurrenderObligationIn,
    SurrenderRatioIn,
    sort_out,
)
from app.staff import ApprovalOut, answer_asked

Setter = Annotated[Principal, desk(Scope.MARKET_MANAGE)]
KEYED: Final = "The Idempotency-Key is missing."
AWAITED: Final = "The same already awaits its second signature."
FORM: Final = "The request is not of the documented form, or its key was used before."
ASKED: Final = problems(**DENIED, s400=KEYED, s409=AWAITED, s422=FORM)

router = APIRouter(tags=["registry 登记"])


@router.get(
    "/v1/public/purpose-passports",
    operation_id="listPurposePassports",
    summary="Which units may serve which purpose 用途护照",
    responses=problems(s422="The year is not one."),
)
def list_passports(
    db: Db, year: Annotated[int, Query(ge=2020, le=2100, examples=[2026])]
) -> PassportsOut:
    """Give every purpose; for surrender a year without a passport and a ratio is closed."""

    def query(session: Session) -> PassportsOut:
        found = [passport_of(session, purpose, year) for purpose in sorted(WISHED)]
        told = [
            PassportOut(
                purpose=each.purpose, set_for=each.set_for, units=[*map(sort_out, each.sorts)]
            )
            for each in found
        ]
        ratio = ratio_of(session, year)
        return PassportsOut(year=year, surrender_ratio_permille=ratio, data=told)

    return db.read(query)


@router.post(
    "/v1/admin/purpose-passports",
    operation_id="askForPurposePassport",
    summary="Ask which units may serve a purpose 申请设定用途护照",
    status_code=201,
    response_model=ApprovalOut,
    responses=ASKED,
)
def post_passport(
    request: Request,
    body: PassportIn,
    who: Setter,
    db: Db,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Ask; signed by a second person it holds from its year on, until a later one's."""
    sorts = [each.sort() for each in body.units]
    asks = partial(ask_passport, purpose=body.purpose, year=body.year, sorts=sorts)
    return answer_asked(request, db, who, idempotency_key, body, asks, reason=body.reason)


@router.post(
    "/v1/admin/surrender-ratios",
    operation_id="askForSurrenderRatio",
    summary="Ask how much of a compliance year's obligation units may meet 申请设定抵销比例",
    status_code=201,
    response_model=ApprovalOut,
    responses=ASKED,
)
def post_ratio(
    request: Request,
    body: SurrenderRatioIn,
    who: Setter,
    db: Db,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Ask; until a second person signs, nothing is retired for surrender in that year."""
    asks = partial(ask_ratio, year=body.year, ratio_permille=body.ratio_permille)
    return answer_asked(request, db, who, idempotency_key, body, asks, reason=body.reason)


@router.post(
    "/v1/admin/surrender-obligations",
    operation_id="askForSurrenderObligation",
    summary="Ask what an organisation has to surrender 申请录入清缴义务",
    status_code=201,
    response_model=ApprovalOut,
    responses={**ASKED, **problems(s404="There is no such organisation.")},
)
def post_obligation(
    request: Request,
    body: SurrenderObligationIn,
    who: Setter,
    db: Db,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Ask; signed by a second person it replaces what was entered before."""
    facts = body.model_dump(include={"year", "organisation", "obligation_kg"})
    asks = partial(ask_obligation, **facts)
    return answer_asked(request, db, who, idempotency_key, body, asks, reason=body.reason)
