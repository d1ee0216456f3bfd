"""The wire form of teams, challenges and boards (小队、挑战与榜单的对外形式)."""

from datetime import date, datetime
from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

from app.growth.answers import FROZEN, WordsOut
from app.growth.challenges import Challenge, Progress
from app.growth.teams import TeamView
from app.kernel.http import Day, Int, Str
from app.kernel.ids import public_id
from app.kernel.quantities import ReductionOut, mass
from methodologies import Field as Fields

Title = Annotated[Str, StringConstraints(min_length=1, max_length=100)]


class TeamIn(BaseModel):
    """A team to open."""

    model_config = FROZEN

    name: Annotated[Str, StringConstraints(max_length=80)] = Field(examples=["绿骑士 Green Riders"])


class TeamCodeIn(BaseModel):
    """The code of a team."""

    model_config = FROZEN

    code: Annotated[Str, StringConstraints(max_length=40)] = Field(examples=["7k3mz0q2xw"])


class TeamOut(BaseModel):
    """The team that one is in, this month so far; nobody sees who else is."""

    model_config = FROZEN

    name: str
    code: str = Field(description="Whoever knows it may join.")
    joined_at: datetime
    since: date
    until: date
    members: int
    active_members: int | None = Field(description="Absent while too few are in the team.")
    mean: ReductionOut | None = Field(
        description="Per head; absent while too few are in the team, or too few of them active."
    )
    is_ranked: bool


class ChallengeIn(BaseModel):
    """A challenge to open: one goal, of days with an act or of a mass."""

    model_config = FROZEN

    title_zh: Title = Field(examples=["绿色出行周"])
    title_en: Title = Field(examples=["Green travel week"])
    field: Fields | None = Field(default=None, description="Acts of any field where absent.")
    goal_days: Int | None = Field(default=None, ge=1, le=366, examples=[5])
    goal_co2e_mg: Int | None = Field(default=None, ge=1, le=10**15)
    starts_on: Day
    ends_on: Day


class ProgressOut(BaseModel):
    """How far one is, read from one's acts."""

    model_config = FROZEN

    have: int = Field(description="Days, or milligrams, as the goal is.")
    need: int
    is_done: bool


class ChallengeOut(BaseModel):
    """A challenge, with one's own progress where one takes part."""

    model_config = FROZEN

    id: str = Field(examples=["chl_01k0000000000000000000000a"])
    title: WordsOut
    field: str | None
    goal_days: int | None
    goal: ReductionOut | None
    starts_on: date
    ends_on: date
    progress: ProgressOut | None = Field(description="Absent for who does not take part.")


class ChallengePage(BaseModel):
    """Challenges that are not over, those that end first before the others."""

    model_config = FROZEN

    data: list[ChallengeOut]
    next_cursor: str | None


class PseudonymIn(BaseModel):
    """The name under which one wants to be on boards."""

    model_config = FROZEN

    pseudonym: Annotated[Str, StringConstraints(max_length=80)] = Field(examples=["小绿"])


class EntrantOut(BaseModel):
    """Whether one is on boards, and how."""

    model_config = FROZEN

    is_shown: bool
    pseudonym: str | None = None
    since: datetime | None = None


class RankOut(BaseModel):
    """A line of a board; equal amounts have equal ranks."""

    model_config = FROZEN

    rank: int
    name: str
    reduction: ReductionOut = Field(description="Rounded down; a team's is its mean per head.")
    is_me: bool


class LeaderboardOut(BaseModel):
    """A board as of an instant; not shown while too few are on it."""

    model_config = FROZEN

    id: str = Field(examples=["week.green_travel"])
    since: date
    until: date
    as_of: datetime
    is_shown: bool
    shown_from: int = Field(description="How many must be on it for it to be shown.")
    data: list[RankOut]
    me: RankOut | None = Field(description="One's own line, also far down; absent if not on it.")


def shown_team(view: TeamView, members_min: int) -> TeamOut:
    """Show a team to a member."""
    is_large = view.total.members >= members_min
    return TeamOut(
        name=view.name,
        code=view.code,
        joined_at=view.joined_at,
        since=view.period.since,
        until=view.period.until,
        members=view.total.members,
        active_members=view.total.active if is_large else None,
        mean=None if view.mean_mg is None else mass(view.mean_mg),
        is_ranked=view.mean_mg is not None,
    )


def shown_challenge(challenge: Challenge, progress: Progress | None) -> ChallengeOut:
    """Show a challenge, and one's progress."""
    return ChallengeOut(
        id=public_id("chl", challenge.id),
        title=WordsOut(zh=challenge.title_zh, en=challenge.title_en),
        field=challenge.field,
        goal_days=challenge.goal_days,
        goal=None if challenge.goal_mg is None else mass(challenge.goal_mg),
        starts_on=challenge.starts_on,
        ends_on=challenge.ends_on,
        progress=None
        if progress is None
        else ProgressOut(have=progress.have, need=progress.need, is_done=progress.is_done),
    )
