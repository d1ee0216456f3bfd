"""Growth, score and the documents that define them (成长与分数接口)."""

from datetime import date
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path, Query, Response

from app.growth.answers import Known, public
from app.growth.errors import DayOutOfRange, DocumentUnknown
from app.growth.published import (
    Kind,
    growth_documents,
    in_force,
    score_documents,
    source_of,
)
from app.growth.reading import year_of
from app.growth.rules import grown
from app.growth.schemas import (
    DocumentOut,
    GrowthOut,
    ScoreOut,
    shown_document,
    shown_growth,
    shown_score,
)
from app.growth.scoring import scored
from app.kernel.auth import Me
from app.kernel.clock import day_of, now
from app.kernel.http import problems
from app.kernel.wiring import Db

FIRST_DAY: Final = date(2000, 1, 1)
A_DAY_S: Final = 86_400
Version = Annotated[int, Path(ge=1, le=10_000)]
AsOf = Annotated[
    date | None,
    Query(description="Recompute as of this day, from what was known then. 按该日重算"),
]
NO_DOCUMENT: Final = problems(s404="No such version was published.")
NO_DAY: Final = problems(s422="The day is in the future.")

router = APIRouter(prefix="/v1/me", tags=["growth 成长"])
documents = APIRouter(prefix="/v1", tags=["growth 成长"])


def day_asked(as_of: AsOf = None) -> date:
    """Give the day that a question is about: today, unless it names another.

    Raises:
        DayOutOfRange: It is in the future.
    """
    today = day_of(now())
    if as_of is not None and not FIRST_DAY <= as_of <= today:
        raise DayOutOfRange(today=today.isoformat())
    return as_of or today


Day = Annotated[date, Depends(day_asked)]


@router.get(
    "/growth",
    operation_id="getGrowth",
    summary="My level, badges and streak 我的成长",
    responses=NO_DAY,
)
def get_growth(db: Db, me: Me, day: Day) -> GrowthOut:
    """Read level, badges and streak from the rows of twelve months."""
    document = in_force(growth_documents(), day)
    year = db.read(year_of, me.bucket, me.owner, day)
    return shown_growth(document, year, grown(document, year))


@router.get(
    "/score",
    operation_id="getScore",
    summary="My carbon score and every point of it 我的碳信用分",
    responses=NO_DAY,
)
def get_score(db: Db, me: Me, day: Day) -> ScoreOut:
    """Compute the score from the rows of twelve months, with its explanation."""
    document = in_force(score_documents(), day)
    year = db.read(year_of, me.bucket, me.owner, day)
    return shown_score(document, year, scored(document, year))


@documents.get(
    "/score-documents/{version}",
    operation_id="getScoreDocument",
    summary="How the score is computed 分数计算规则",
    response_model=DocumentOut,
    responses=NO_DOCUMENT,
)
def get_score_document(version: Version, known: Known = None) -> Response:
    """Give a published version of the score's rules; never edited."""
    return _document("score", version, known)


@documents.get(
    "/growth-documents/{version}",
    operation_id="getGrowthDocument",
    summary="How levels, badges and ranks are read 成长规则",
    response_model=DocumentOut,
    responses=NO_DOCUMENT,
)
def get_growth_document(version: Version, known: Known = None) -> Response:
    """Give a published version of the rules of growth; never edited."""
    return _document("growth", version, known)


def _document(kind: Kind, version: int, known: str | None) -> Response:
    published = {"score": score_documents(), "growth": growth_documents()}[kind]
    if version not in published:
        raise DocumentUnknown(version=version)
    shown = shown_document(published[version], kind, source_of(kind, version))
    return public(shown.model_dump_json().encode(), "application/json", age_s=A_DAY_S, known=known)
