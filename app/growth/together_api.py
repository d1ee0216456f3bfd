"""Teams, challenges and boards over HTTP (小队、挑战与榜单接口)."""

import secrets
from datetime import date
from typing import Annotated, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Request, Response
from sqlmodel import Session

from app.growth.board_cache import BoardCache
from app.growth.boards import board_named, period_of
from app.growth.challenges import (
    Challenge,
    challenges_after,
    join_challenge,
    leave_challenge,
    open_challenge,
    progress_in,
)
from app.growth.entrants import enter_boards, entrant_of, leave_boards
from app.growth.errors import ChallengeUnknown
from app.growth.published import growth_documents, in_force
from app.growth.showing import Asked, shown_board
from app.growth.teams import TeamView, join_team, leave_team, open_team, team_of
from app.growth.together_schemas import (
    ChallengeIn,
    ChallengeOut,
    ChallengePage,
    EntrantOut,
    LeaderboardOut,
    PseudonymIn,
    TeamCodeIn,
    TeamIn,
    TeamOut,
    shown_challenge,
    shown_team,
)
from app.kernel.auth import Me, desk
from app.kernel.clock import day_of, now
from app.kernel.http import problems
from app.kernel.ids import ALPHABET, new_id, parse_public_id
from app.kernel.once import IdempotencyKey, answer_once
from app.kernel.paging import Cursor, Limit, page_of, read_cursor
from app.kernel.scopes import Scope
from app.kernel.tokens import Principal
from app.kernel.wiring import Db

CHALLENGE: Final = "chl"
CODE_DIGITS: Final = 10
"""Of base 32: fifty bits, which nobody guesses."""
FIRST: Final = (date.min, UUID(int=0))
Operator = Annotated[Principal, desk(Scope.PROGRAMMES_MANAGE)]
ChallengeId = Annotated[str, Path(max_length=40)]
BoardId = Annotated[str, Path(max_length=60, description="For example `week.all`, `team.month`.")]
NO_CHALLENGE: Final = problems(s404="No such challenge.")

router = APIRouter(prefix="/v1", tags=["growth 成长"])


def boards_of(request: Request) -> BoardCache:
    """Give the boards of the running city."""
    return BoardCache(request.app.state.city.redis)


@router.post(
    "/teams",
    operation_id="openTeam",
    summary="Open a team and join it 创建小队",
    status_code=201,
    response_model=TeamOut,
    responses=problems(
        s400="The Idempotency-Key is missing.",
        s409="You are in a team already.",
        s422="The name is not of the form, or the Idempotency-Key was used for another.",
    ),
)
def post_team(
    body: TeamIn, request: Request, db: Db, me: Me, idempotency_key: IdempotencyKey = None
) -> Response:
    """Open a team; its code is for those whom one invites."""
    team, at = new_id(), now()
    code = "".join(secrets.choice(ALPHABET) for _ in range(CODE_DIGITS))

    def deed(session: Session) -> TeamOut:
        return _team(open_team(session, me, body.name, team=team, code=code, at=at))

    return answer_once(request, db, me, idempotency_key, body, deed)


@router.put(
    "/me/team",
    operation_id="joinTeam",
    summary="Join a team by its code 加入小队",
    responses=problems(
        s404="Nobody gave this code out.", s409="You are in another, or it is full."
    ),
)
def put_team(body: TeamCodeIn, db: Db, me: Me) -> TeamOut:
    """Join the team of a code; again changes nothing."""
    return _team(db.transact(join_team, me, body.code.strip().lower(), at=now()))


@router.get(
    "/me/team",
    operation_id="getTeam",
    summary="My team 我的小队",
    responses=problems(s404="You are in no team."),
)
def get_team(db: Db, me: Me) -> TeamOut:
    """Show the team that one is in, this month so far."""
    return _team(db.read(team_of, me, at=now()))


@router.delete(
    "/me/team", operation_id="leaveTeam", summary="Leave my team 退出小队", status_code=204
)
def delete_team(db: Db, me: Me) -> None:
    """Leave the team that one is in, if any."""
    db.transact(leave_team, me, at=now())


@router.post(
    "/admin/challenges",
    operation_id="openChallenge",
    summary="Open a challenge 发布挑战",
    status_code=201,
    response_model=ChallengeOut,
    responses=problems(
        s400="The Idempotency-Key is missing.",
        s422="Its days or goal are not of the form, or the Idempotency-Key was used for another.",
    ),
)
def post_challenge(
    body: ChallengeIn,
    request: Request,
    db: Db,
    clerk: Operator,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Open a challenge; noted in the audit log. It is not edited afterwards."""
    field = None if body.field is None else body.field.value
    goals = (body.goal_days, body.goal_co2e_mg)
    days = (body.starts_on, body.ends_on)
    made, at = Challenge(new_id(), body.title_zh, body.title_en, field, *goals, *days), now()

    def deed(session: Session) -> ChallengeOut:
        open_challenge(session, clerk, made, at=at)
        return shown_challenge(made, None)

    return answer_once(request, db, clerk, idempotency_key, body, deed)


@router.get(
    "/challenges",
    operation_id="listChallenges",
    summary="Challenges and my progress 挑战",
    responses=problems(s422="The cursor is not one that this list gave."),
)
def list_challenges(db: Db, me: Me, limit: Limit = 20, cursor: Cursor = None) -> ChallengePage:
    """List the challenges that are not over, with one's progress in those that one joined."""
    at = now()
    after = read_cursor(cursor, date, UUID) if cursor else FIRST

    def query(session: Session) -> ChallengePage:
        found = challenges_after(session, day_of(at), after, limit + 1)
        mine = progress_in(session, me, found[:limit], at=at)
        return page_of(
            ChallengePage,
            found,
            limit,
            lambda each: shown_challenge(each, mine.get(each.id)),
            lambda last: (last.ends_on, last.id),
        )

    return db.read(query)


@router.put(
    "/me/challenges/{challenge_id}",
    operation_id="joinChallenge",
    summary="Take part in a challenge 参加挑战",
    responses={**NO_CHALLENGE, **problems(s409="It is over.")},
)
def put_challenge(challenge_id: ChallengeId, db: Db, me: Me) -> ChallengeOut:
    """Take part; again changes nothing."""
    at = now()
    found = db.transact(join_challenge, me, _challenge(challenge_id), at=at)
    mine = db.read(progress_in, me, [found], at=at)
    return shown_challenge(found, mine.get(found.id))


@router.delete(
    "/me/challenges/{challenge_id}",
    operation_id="leaveChallenge",
    summary="Leave a challenge 退出挑战",
    status_code=204,
    responses=NO_CHALLENGE,
)
def delete_challenge(challenge_id: ChallengeId, db: Db, me: Me) -> None:
    """Take part no longer."""
    db.transact(leave_challenge, me, _challenge(challenge_id))


@router.get(
    "/me/leaderboards",
    operation_id="getMyLeaderboards",
    summary="Whether I am on boards 我的上榜设置",
)
def get_entrant(db: Db, me: Me) -> EntrantOut:
    """Say whether one is on boards, and under which name."""
    found = db.read(entrant_of, me)
    return (
        EntrantOut(is_shown=False)
        if found is None
        else EntrantOut(is_shown=True, **found._asdict())
    )


@router.put(
    "/me/leaderboards",
    operation_id="enterLeaderboards",
    summary="Be on boards under a name 自愿上榜",
    responses=problems(s422="The name is not of the form."),
)
def put_entrant(body: PseudonymIn, db: Db, me: Me) -> EntrantOut:
    """Be on boards from their next building on; or change one's name, at once."""
    found = db.transact(enter_boards, me, body.pseudonym, at=now())
    return EntrantOut(is_shown=True, **found._asdict())


@router.delete(
    "/me/leaderboards",
    operation_id="leaveLeaderboards",
    summary="Be on no board 退出榜单",
    status_code=204,
)
def delete_entrant(db: Db, me: Me) -> None:
    """Be on no board any more, at once."""
    db.transact(leave_boards, me)


@router.get(
    "/leaderboards/{board_id}",
    operation_id="getLeaderboard",
    summary="A leaderboard 排行榜",
    responses=problems(
        s404="No such leaderboard.",
        s503="It is being built, or what keeps it is away; ask again.",
    ),
)
def get_leaderboard(
    board_id: BoardId,
    db: Db,
    me: Me,
    cache: Annotated[BoardCache, Depends(boards_of)],
    period: Literal["current", "previous"] = "current",
) -> LeaderboardOut:
    """Show a board of people who opted in, or of teams, for this week or month or the last."""
    board, at = board_named(board_id), now()
    days = period_of(board.span, day_of(at), before=period == "previous")
    asked = Asked(board, days, in_force(growth_documents(), days.since))
    return shown_board(db, cache, me, asked, at=at)


def _team(view: TeamView) -> TeamOut:
    return shown_team(view, in_force(growth_documents(), view.period.since).team.members_min)


def _challenge(text: str) -> UUID:
    challenge = parse_public_id(CHALLENGE, text)
    if challenge is None:
        raise ChallengeUnknown
    return challenge
