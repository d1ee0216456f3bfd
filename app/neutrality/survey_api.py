"""Travel surveys over HTTP (出行问卷接口): opened and read by organisers, answered by anybody."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse
from pydantic import ValidationError
from sqlmodel import Session

from app.kernel.clock import day_of, now
from app.kernel.http import problems, title_of
from app.kernel.ids import new_id
from app.kernel.limits import Limit
from app.kernel.networks import count_of_network
from app.kernel.wiring import Configuration, Db, Limited, Secrets
from app.neutrality.gathering_errors import (
    SurveyAnswered,
    SurveyOpen,
    SurveyThin,
    SurveyUnfit,
    SurveyUnknown,
    TicketUnknown,
)
from app.neutrality.gathering_schemas import COUNT_MAX
from app.neutrality.gatherings import Gathering
from app.neutrality.inventory_rules import LINES_MAX, Stage, line_of
from app.neutrality.inventory_schemas import LinesOut, line_out
from app.neutrality.lines import replace_lines
from app.neutrality.organising import (
    DENIED,
    OF_ONE,
    ONE,
    OWN,
    GatheringId,
    Organiser,
    Own,
    gathering_of,
    raw_body,
)
from app.neutrality.survey_page import HEADERS, code_of, form_of, page_of
from app.neutrality.survey_rules import document, scaled
from app.neutrality.survey_schemas import (
    AttendanceIn,
    CountedOut,
    PublicSurveyOut,
    SurveyAnswerIn,
    SurveyFormIn,
    SurveyIn,
    SurveyOut,
    TicketsOut,
    answer_in,
    modes_out,
)
from app.neutrality.surveys import (
    TravelSurvey,
    answer_survey,
    answered,
    link_of,
    open_survey,
    survey_at,
    survey_of,
    tallies_of,
    ticket_of,
)

router = APIRouter(tags=["gatherings 大型活动"])

SURVEY: Final = ONE + "/survey"
PUBLIC: Final = "/v1/public/surveys/{link}"
MISSES: Final = Limit("surveys.misses", 60, timedelta(hours=1))
"""Of a network: tries with no survey, no ticket of it, or one that has answered. Who is at a
gathering shares a network with thousands, so what counts is never limited."""
TICKETS_MAX: Final = 1000
THANKS: Final = "谢谢，已计入。 Thank you, it is counted."
UNKNOWN: Final = "There is no such survey, or it has closed."
NONE_OPENED: Final = {"s404": "Your organisation has no such gathering, or it has no survey."}


def _misses(request: Request, limits: Limited, keys: Secrets) -> Callable[[], None]:
    return partial(count_of_network, MISSES, request, limits, keys)


Missed = Annotated[Callable[[], None], Depends(_misses)]
"""Counts a try that came to nothing; raises LimitExceeded where there were too many."""
Link = Annotated[str, Path(max_length=60, pattern=r"^[a-z2-7]+$", examples=["k5qzw3x2"])]


@router.post(
    SURVEY,
    operation_id="openTravelSurvey",
    summary="Open a travel survey, or move its end 开启出行问卷",
    status_code=201,
    response_model=SurveyOut,
    responses=problems(**OF_ONE),
)
def post_survey(body: SurveyIn, own: Own, keys: Secrets, settings: Configuration) -> Response:
    """Open a survey at an address that nobody guesses; asked again, at the same one."""

    def deed(session: Session, gathering: Gathering, at: datetime) -> SurveyOut:
        open_survey(session, keys, gathering, body.closes_at, at=at)
        address = _address(settings.site, link_of(keys, gathering.id))
        return _told(session, gathering, address, at=at)

    return own.once("gatherings.survey", deed, body=body)


@router.get(
    SURVEY,
    operation_id="getTravelSurvey",
    summary="A travel survey 查看出行问卷",
    responses=problems(**DENIED, **NONE_OPENED),
)
def get_survey(
    me: Organiser, db: Db, keys: Secrets, settings: Configuration, gathering_id: GatheringId
) -> SurveyOut:
    """Give how many have answered, and once it has closed what."""
    at = now()

    def query(session: Session) -> SurveyOut:
        gathering = gathering_of(session, me, gathering_id)
        address = _address(settings.site, link_of(keys, gathering.id))
        return _told(session, gathering, address, at=at)

    return db.read(query)


@router.get(
    SURVEY + "/qr.svg",
    operation_id="getTravelSurveyCode",
    summary="A survey's QR code 问卷二维码",
    response_class=Response,
    responses={
        200: {"description": "To be put up where people arrive.", "content": {"image/svg+xml": {}}},
        **problems(**DENIED, **NONE_OPENED),
    },
)
def get_code(
    me: Organiser, db: Db, keys: Secrets, settings: Configuration, gathering_id: GatheringId
) -> Response:
    """Draw the address."""

    def query(session: Session) -> TravelSurvey:
        return survey_of(session, gathering_of(session, me, gathering_id).id)

    link = link_of(keys, db.read(query).gathering)
    return Response(code_of(_address(settings.site, link)), media_type="image/svg+xml")


@router.get(
    SURVEY + "/tickets",
    operation_id="listSurveyTickets",
    summary="Words for tickets 问卷票码",
    responses=problems(**DENIED, **OWN, s422="The numbers are out of bounds."),
)
def list_tickets(
    me: Organiser,
    db: Db,
    keys: Secrets,
    gathering_id: GatheringId,
    first: Annotated[int, Query(ge=1, le=COUNT_MAX, description="Number of the first. 起号")] = 1,
    count: Annotated[int, Query(ge=1, le=TICKETS_MAX, description="How many. 数量")] = 100,
) -> TicketsOut:
    """Give the words of tickets by number: the same for the same number ever, kept nowhere."""
    gathering = db.read(gathering_of, me, gathering_id).id
    numbers = range(first, first + count)
    return TicketsOut(data=[ticket_of(keys, gathering, number) for number in numbers])


@router.post(
    SURVEY + "/lines",
    operation_id="useTravelSurvey",
    summary="Make lines of the answers 由问卷生成清单条目",
    status_code=201,
    response_model=LinesOut,
    responses=problems(
        **OF_ONE
        | {
            "s404": NONE_OPENED["s404"],
            "s409": "The survey is open, or too few have answered.",
        }
    ),
)
def post_survey_lines(body: AttendanceIn, own: Own) -> Response:
    """Put what was answered, scaled to all who came, in the place of earlier lines of it."""
    ids = [new_id() for _ in range(LINES_MAX)]

    def deed(session: Session, gathering: Gathering, at: datetime) -> LinesOut:
        tallies = tallies_of(session, gathering.id, at=at)
        entries = scaled(gathering.public, tallies, body.attendance)
        told = zip(ids, entries, strict=False)
        lines = [line_of(gathering, Stage.ACTUAL, "survey", id_, each) for id_, each in told]
        replace_lines(session, gathering, Stage.ACTUAL, "survey", lines, at=at)
        return LinesOut(data=[line_out(each) for each in lines])

    return own.once("gatherings.survey_lines", deed, body=body)


@router.get(
    PUBLIC,
    operation_id="getPublicSurvey",
    summary="What a survey asks 问卷内容",
    response_model=PublicSurveyOut,
    responses={
        200: {"description": "As JSON, or as a page for whoever asks for one."},
        **problems(s404=UNKNOWN, s429="Too many tries from one network."),
    },
)
def get_public_survey(
    link: Link,
    db: Db,
    missed: Missed,
    ticket: Annotated[str, Query(max_length=60, pattern=r"^[A-Za-z2-7]*$")] = "",
    accept: Annotated[str, Header(max_length=1000)] = "",
) -> Response:
    """Show the survey at an address; a ticket's own QR code fills its words in."""
    try:
        survey = db.read(survey_at, link, at=now())
    except SurveyUnknown:
        missed()
        raise
    if "text/html" in accept:
        return HTMLResponse(page_of(survey, link, ticket=ticket, done=False), headers=HEADERS)
    told = PublicSurveyOut(
        title_zh=survey.title_zh,
        title_en=survey.title_en,
        closes_at=survey.closes_at,
        modes=modes_out(),
    )
    return Response(told.model_dump_json(), media_type="application/json")


@router.post(
    PUBLIC + "/answers",
    operation_id="answerTravelSurvey",
    summary="Answer a survey 填写问卷",
    status_code=201,
    responses=problems(
        s404=UNKNOWN,
        s409="This ticket has answered.",
        s422="It is no ticket of the gathering, or nobody travels so far in that way.",
        s429="Too many tries from one network that came to nothing.",
    ),
)
def post_answer(
    link: Link, body: SurveyAnswerIn, db: Db, keys: Secrets, missed: Missed
) -> CountedOut:
    """Count an answer, once a ticket; what was answered is kept beside nobody."""
    at = now()
    try:
        db.transact(answer_survey, keys, link, body.ticket, answer_in(body), at=at)
    except (SurveyUnknown, TicketUnknown, SurveyAnswered):
        missed()
        raise
    return CountedOut(on=day_of(at))


def form_in(body: Annotated[bytes, Depends(raw_body)]) -> SurveyFormIn:
    """Read the page's form.

    Raises:
        RequestValidationError: It is not of the form.
    """
    try:
        return SurveyFormIn.model_validate(form_of(body))
    except ValidationError as error:
        raise RequestValidationError(error.errors()) from error


Sent = Annotated[SurveyFormIn, Depends(form_in)]


@router.post(
    PUBLIC + "/form",
    operation_id="sendTravelSurveyForm",
    summary="Answer a survey from its page 网页填写问卷",
    response_class=HTMLResponse,
    status_code=201,
    responses=problems(s404=UNKNOWN, s422="It is not of the form.", s429="Too many tries."),
    include_in_schema=False,  # of the page; programs answer in JSON
)
def post_form(link: Link, body: Sent, db: Db, keys: Secrets, missed: Missed) -> HTMLResponse:
    """Count what a browser sends of the page's form, and show thanks or what is wrong."""
    try:
        post_answer(link, body, db, keys, missed)
        told, status = THANKS, HTTPStatus.CREATED
    except (SurveyAnswered, SurveyUnfit, TicketUnknown) as error:
        words = (title_of(type(error), chinese=chinese) for chinese in (True, False))
        told, status = " ".join(words), HTTPStatus(error.status)
    survey = db.read(survey_at, link, at=now())
    page = page_of(survey, link, ticket=body.ticket, told=told, done=told is THANKS)
    return HTMLResponse(page, status, HEADERS)


def _address(site: str, link: str) -> str:
    return f"{site}/v1/public/surveys/{link}"


def _told(session: Session, gathering: Gathering, address: str, *, at: datetime) -> SurveyOut:
    survey = survey_of(session, gathering.id)
    told: Mapping[str, Any] | None = None
    with suppress(SurveyOpen, SurveyThin):
        told = document(gathering.public, tallies_of(session, gathering.id, at=at))
    return SurveyOut(
        address=address,
        closes_at=survey.closes_at,
        answers=answered(session, gathering.id),
        document=told,
    )
