"""The wire form of growth and score (成长与分数的对外形式), with the rules that made them."""

from datetime import date

from pydantic import BaseModel, Field

from app.growth.answers import FROZEN, WordsOut
from app.growth.published import GrowthDocument, Head, ScoreDocument, Words
from app.growth.rules import Badge, Growth, Level, Streak
from app.growth.scoring import Component, Score
from app.growth.year import Year
from app.kernel.quantities import ReductionOut, mass


class RulesOut(BaseModel):
    """Which published rules an answer was computed by."""

    model_config = FROZEN

    code: str = Field(examples=["TANPU-SCORE"])
    version: int = Field(examples=[1])
    sha256: str = Field(description="Of the document's bytes, as the address below gives them.")
    url: str = Field(examples=["/v1/score-documents/1"])
    label: WordsOut


class DocumentOut(RulesOut):
    """A published version of the rules, with its very text."""

    title: WordsOut
    effective: date
    source: str = Field(description="TOML; its UTF-8 bytes have the digest above.")


class LevelOut(BaseModel):
    """A level, and where the next begins."""

    model_config = FROZEN

    number: int = Field(examples=[4])
    title: WordsOut
    growth_from: int
    next_from: int | None = Field(description="Absent at the highest.")


class StreakOut(BaseModel):
    """Weeks in a row with an act; a forgiven week is not counted among them."""

    model_config = FROZEN

    weeks: int
    forgiven: int


class BadgeOut(BaseModel):
    """A badge, held or on the way."""

    model_config = FROZEN

    code: str = Field(examples=["three-fields"])
    title: WordsOut
    measure: str
    have: int
    need: int
    is_held: bool


class GrowthOut(BaseModel):
    """Where a person stands, over the twelve months that end on a day."""

    model_config = FROZEN

    since: date
    as_of: date
    growth: int = Field(description="The growth value.", examples=[740])
    reduction: ReductionOut
    active_days: int
    active_weeks: int
    fields: list[str] = Field(examples=[["green_travel"]])
    level: LevelOut
    streak: StreakOut
    longest_streak: StreakOut
    badges: list[BadgeOut]
    rules: RulesOut


class ComponentOut(BaseModel):
    """One line of the score: inputs counted from rows, the formula over them, the points."""

    model_config = FROZEN

    name: str = Field(examples=["regularity"])
    title: WordsOut
    inputs: dict[str, str] = Field(examples=[{"active_weeks": "40"}])
    parameters: dict[str, int] = Field(examples=[{"points": 250, "weeks": 52}])
    formula: str
    points: int = Field(description="Below zero for a deduction.")
    reason: WordsOut


class ScoreOut(BaseModel):
    """A person's score with every point explained; a proposal."""

    model_config = FROZEN

    since: date
    as_of: date
    score: int | None = Field(
        ge=0, le=1000, description="Absent, not 0, for somebody without an act in these months."
    )
    components: list[ComponentOut]
    rules: RulesOut


def shown_rules(document: Head, kind: str) -> RulesOut:
    """Say which document an answer was computed by."""
    return RulesOut(
        code=document.code,
        version=document.version,
        sha256=document.sha256,
        url=f"/v1/{kind}-documents/{document.version}",
        label=both(document.label),
    )


def shown_document(document: Head, kind: str, source: bytes) -> DocumentOut:
    """Show a document with its text."""
    return DocumentOut(
        **dict(shown_rules(document, kind)),
        title=both(document.title),
        effective=document.effective,
        source=source.decode(),
    )


def shown_growth(document: GrowthDocument, year: Year, grown: Growth) -> GrowthOut:
    """Show growth with what it was read from."""
    return GrowthOut(
        since=year.since,
        as_of=year.until,
        growth=grown.value,
        reduction=mass(year.amount_mg),
        active_days=len(year.active_days),
        active_weeks=len(year.active_weeks),
        fields=sorted(year.fields()),
        level=shown_level(grown.level),
        streak=_streak(grown.streak),
        longest_streak=_streak(grown.longest),
        badges=[_badge(each) for each in grown.badges],
        rules=shown_rules(document, "growth"),
    )


def shown_level(level: Level) -> LevelOut:
    """Show a level, and where the next begins."""
    return LevelOut(
        number=level.number,
        title=both(level.rule.title),
        growth_from=level.rule.from_,
        next_from=level.next_from,
    )


def shown_score(document: ScoreDocument, year: Year, score: Score | None) -> ScoreOut:
    """Show a score with its explanation."""
    return ScoreOut(
        since=year.since,
        as_of=year.until,
        score=None if score is None else score.points,
        components=[] if score is None else [_component(each) for each in score.components],
        rules=shown_rules(document, "score"),
    )


def both(words: Words) -> WordsOut:
    """Show words in both languages."""
    return WordsOut(zh=words.zh, en=words.en)


def _streak(streak: Streak) -> StreakOut:
    return StreakOut(weeks=streak.weeks, forgiven=streak.forgiven)


def _badge(badge: Badge) -> BadgeOut:
    return BadgeOut(
        code=badge.rule.code,
        title=both(badge.rule.title),
        measure=badge.rule.measure,
        have=badge.have,
        need=badge.rule.need,
        is_held=badge.is_held,
    )


def _component(component: Component) -> ComponentOut:
    rule = component.rule
    written = rule.model_dump(exclude={"formula", "title", "reason"})
    return ComponentOut(
        name=component.name,
        title=both(rule.title),
        inputs=dict(component.inputs),
        parameters=written,
        formula=rule.formula,
        points=component.points,
        reason=both(rule.reason),
    )
