"""Gatherings over HTTP (大型活动接口): opened, told anew, planned and acted for."""

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter, Request, Response
from sqlmodel import Session

from app.kernel.clock import now
from app.kernel.http import problems
from app.kernel.ids import new_id, parse_public_id
from app.kernel.once import IdempotencyKey, answer_once
from app.kernel.paging import Cursor, Limit, page_of, read_cursor
from app.kernel.wiring import Db, Secrets
from app.neutrality.actions import Action, actions_of, record_action
from app.neutrality.gathering_schemas import (
    ActionIn,
    ActionOut,
    ActionPage,
    GatheringIn,
    GatheringOut,
    GatheringPage,
    PlanIn,
    PlanOut,
    PlanPage,
    PublicPlanOut,
    SituationIn,
    action_out,
    gathering_out,
    intent_in,
    occasion_in,
    plan_out,
)
from app.neutrality.gatherings import (
    PREFIX,
    Gathering,
    change_gathering,
    find_gathering,
    gatherings,
    open_gathering,
)
from app.neutrality.organising import (
    DENIED,
    GATHERINGS,
    OF_ONE,
    ONE,
    OWN,
    WRITING,
    GatheringId,
    Organiser,
    Own,
    gathering_of,
)
from app.neutrality.plans import make_plan, plans, public_plan
from app.organisations import find_organisation
from app.staff import note_act

router = APIRouter(tags=["gatherings 大型活动"])


@router.get(
    GATHERINGS,
    operation_id="listGatherings",
    summary="Your organisation's gatherings 本机构大型活动",
    responses=problems(**DENIED, s422="The cursor is not of this list."),
)
def list_gatherings(
    me: Organiser, db: Db, limit: Limit = 50, cursor: Cursor = None
) -> GatheringPage:
    """List gatherings, the newest first."""
    (before,) = read_cursor(cursor, UUID) if cursor else (None,)
    found = db.read(gatherings, me.organisation, before=before, limit=limit + 1)
    return page_of(GatheringPage, found, limit, gathering_out, lambda last: (last.id,))


@router.post(
    GATHERINGS,
    operation_id="openGathering",
    summary="Open a gathering 登记大型活动",
    status_code=201,
    response_model=GatheringOut,
    responses=problems(**WRITING),
)
def post_gathering(
    request: Request,
    body: GatheringIn,
    me: Organiser,
    db: Db,
    keys: Secrets,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Open a gathering and its owner in the books, classified by the thresholds of its place."""
    id_, at = new_id(), now()

    def deed(session: Session) -> GatheringOut:
        occasion = occasion_in(body, body.kind)
        made = open_gathering(session, keys, id_, me.organisation, occasion, at=at)
        note_act(session, me.who.name, "gatherings.open", made.public, at=at)
        return gathering_out(made)

    return answer_once(request, db, me.who, idempotency_key, body, deed)


@router.get(
    ONE,
    operation_id="getGathering",
    summary="One of your gatherings 查看大型活动",
    responses=problems(**DENIED, **OWN),
)
def get_gathering(me: Organiser, db: Db, gathering_id: GatheringId) -> GatheringOut:
    """Give a gathering, and how it was classified."""
    return gathering_out(db.read(gathering_of, me, gathering_id))


@router.put(
    ONE,
    operation_id="changeGathering",
    summary="Tell a gathering anew 更正大型活动",
    response_model=GatheringOut,
    responses=problems(**OF_ONE),
)
def put_gathering(body: SituationIn, own: Own) -> Response:
    """Tell all but its kind anew, until it starts; it is classified again."""

    def deed(session: Session, was: Gathering, at: datetime) -> GatheringOut:
        occasion = occasion_in(body, was.occasion.kind)
        return gathering_out(change_gathering(session, was, occasion, at=at))

    return own.once("gatherings.change", deed, body=body, status=200)


@router.post(
    ONE + "/plan",
    operation_id="planGathering",
    summary="Write a plan 制定碳中和实施计划",
    status_code=201,
    response_model=PlanOut,
    responses=problems(**OF_ONE),
)
def post_plan(body: PlanIn, own: Own) -> Response:
    """Write the next version; it is public, or is no more, as this version says."""

    def deed(session: Session, gathering: Gathering, at: datetime) -> PlanOut:
        return plan_out(make_plan(session, gathering, intent_in(body), at=at))

    return own.once("gatherings.plan", deed, body=body)


@router.get(
    ONE + "/plan",
    operation_id="listPlans",
    summary="Versions of a plan 计划各版本",
    responses=problems(**DENIED, **OWN, s422="The cursor is not of this list."),
)
def list_plans(
    me: Organiser, db: Db, gathering_id: GatheringId, limit: Limit = 20, cursor: Cursor = None
) -> PlanPage:
    """List the versions of a plan, the newest, which counts, first."""
    (before,) = read_cursor(cursor, int) if cursor else (None,)
    gathering = db.read(gathering_of, me, gathering_id)
    found = db.read(plans, gathering.id, before=before, limit=limit + 1)
    return page_of(PlanPage, found, limit, plan_out, lambda last: (last.version,))


@router.get(
    "/v1/public/gatherings/{gathering_id}/plan",
    operation_id="getPublicPlan",
    summary="A plan that its organiser shows 公开的实施计划",
    responses=problems(s404="There is no such plan, or it is not public."),
)
def get_public_plan(db: Db, gathering_id: GatheringId) -> PublicPlanOut:
    """Give the latest version of a plan, if that is public."""

    def query(session: Session) -> PublicPlanOut:
        id_ = parse_public_id(PREFIX, gathering_id)
        gathering = find_gathering(session, id_, organisation=None)
        plan = public_plan(session, gathering.id)
        organiser = find_organisation(session, gathering.organisation)
        return PublicPlanOut(
            gathering=gathering_out(gathering),
            organiser_zh=organiser.name_zh,
            organiser_en=organiser.name_en,
            plan=plan_out(plan),
        )

    return db.read(query)


@router.post(
    ONE + "/actions",
    operation_id="recordAction",
    summary="Record what was done 记录减排行动",
    status_code=201,
    response_model=ActionOut,
    responses=problems(**OF_ONE),
)
def post_action(body: ActionIn, own: Own) -> Response:
    """Record an action, with the digest of its evidence."""
    id_ = new_id()

    def deed(session: Session, gathering: Gathering, at: datetime) -> ActionOut:
        evidence = bytes.fromhex(body.evidence)
        action = Action(id_, body.category, body.text, body.taken_on, evidence, at)
        record_action(session, gathering, action)
        return action_out(action)

    return own.once("gatherings.action", deed, body=body)


@router.get(
    ONE + "/actions",
    operation_id="listActions",
    summary="What was done 减排行动列表",
    responses=problems(**DENIED, **OWN, s422="The cursor is not of this list."),
)
def list_actions(
    me: Organiser, db: Db, gathering_id: GatheringId, limit: Limit = 50, cursor: Cursor = None
) -> ActionPage:
    """List actions in the order in which they were told."""
    (after,) = read_cursor(cursor, UUID) if cursor else (None,)
    gathering = db.read(gathering_of, me, gathering_id)
    found = db.read(actions_of, gathering.id, after=after, limit=limit + 1)
    return page_of(ActionPage, found, limit, action_out, lambda last: (last.id,))
