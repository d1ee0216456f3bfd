"""The published rules of growth and of the score (公开规则): versioned documents, as values.

A version is never edited: ``documents.lock`` has its digest, and one that differs does not load.
Anybody recomputes a level or a score from this text and a person's rows; the digest of the text
stands in every answer. Both are Tanpu proposals and say so (``label``).
"""

import tomllib
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Annotated, Final, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

from methodologies.digest import parse_lock, sha256

SCORE_MAX: Final = 1000
Kind = Literal["growth", "score"]
Whole = Annotated[int, Field(ge=1, le=10**9)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Words(_Part):
    """The same words in Chinese and English."""

    zh: str
    en: str


class Head(_Part):
    """What every document begins with."""

    code: str
    version: Whole
    effective: date
    proposal: Literal[True]
    title: Words
    label: Words
    notes: tuple[Words, ...]
    sha256: str
    """Of the file's bytes."""


class Weighed(_Part):
    """What every component of the score has: its most points, and why."""

    points: Whole
    formula: str
    title: Words
    reason: Words


class ByMass(Weighed):
    """Points by the logarithm of a mass [kg]."""

    full_kg: Whole


class Regularity(Weighed):
    """Points by active weeks."""

    weeks: Whole


class Breadth(Weighed):
    """Points by fields of life."""

    fields: Whole
    days_min: Whole


class Proof(Weighed):
    """Points by the share of proved acts."""

    acts_min: Whole


class Deduction(_Part):
    """What rows take away, and at most how much."""

    each: Whole
    at_most: Whole
    formula: str
    title: Words
    reason: Words


class Statable(_Part):
    """The only numbers that a statement may name."""

    kg_at_least: tuple[Whole, ...]
    score_at_least: tuple[Whole, ...]
    days_max: Whole
    reason: Words


class ScoreDocument(Head):
    """How the personal carbon score is computed (个人碳信用分计算规则)."""

    amount: ByMass
    regularity: Regularity
    breadth: Breadth
    evidence: Proof
    contribution: ByMass
    disproved: Deduction
    statement: Statable

    @model_validator(mode="after")
    def _points_add_up(self) -> "ScoreDocument":
        parts = (self.amount, self.regularity, self.breadth, self.evidence, self.contribution)
        if sum(part.points for part in parts) != SCORE_MAX:
            raise ValueError(f"the components' points must add up to {SCORE_MAX}")
        return self


class Worth(_Part):
    """What makes the growth value."""

    grams_each: Whole
    day_each: Whole
    formula: str
    reason: Words


class LevelRule(_Part):
    """A level, and the growth value that it begins at."""

    from_: Annotated[int, Field(ge=0, alias="from")]
    title: Words


class StreakRule(_Part):
    """How many missed weeks a streak forgives."""

    gaps_forgiven: Annotated[int, Field(ge=0, le=52)]
    reason: Words


Measure = Literal["active_days", "longest_streak_weeks", "fields", "reduction_kg", "contributed_kg"]


class BadgeRule(_Part):
    """A badge, and how much of what it needs."""

    code: str
    measure: Measure
    need: Whole
    title: Words


class TeamRule(_Part):
    """When a team is ranked."""

    participation_percent: Annotated[int, Field(ge=1, le=100)]
    members_min: Whole
    members_max: Whole
    reason: Words


class BoardRule(_Part):
    """When a board is shown, and how exactly."""

    shown_from: Whole
    shown_max: Whole
    step_grams: Whole
    reason: Words


class GrowthDocument(Head):
    """How levels, badges, streaks and ranks are read from rows (成长规则)."""

    value: Worth
    levels: tuple[LevelRule, ...]
    streak: StreakRule
    badges: tuple[BadgeRule, ...]
    team: TeamRule
    board: BoardRule

    @model_validator(mode="after")
    def _levels_rise(self) -> "GrowthDocument":
        starts = [level.from_ for level in self.levels]
        if not starts or starts[0] != 0 or starts != sorted(set(starts)):
            raise ValueError("levels begin at 0 and rise")
        return self


class DocumentAltered(Exception):  # noqa: N818 -- names a state, as refusals do
    """A published document differs from its digest in the lock (已发布规则被改动)."""


D = TypeVar("D", ScoreDocument, GrowthDocument)


def read_document(kind: type[D], source: bytes) -> D:
    """Read a document, strictly: an unknown key or a missing number is an error.

    Raises:
        pydantic.ValidationError, tomllib.TOMLDecodeError: It is not of the form.
    """
    raw = tomllib.loads(source.decode(), parse_float=Decimal)
    return kind.model_validate({**raw, "sha256": sha256(source)})


@cache
def source_of(kind: Kind, version: int) -> bytes:
    """Give the text of a published version, as it was published.

    Raises:
        KeyError: There is no such version.
        DocumentAltered: The file is not what the lock says.
    """
    folder = files("app.growth").joinpath("documents")
    lock = parse_lock(folder.joinpath("documents.lock").read_text(encoding="utf-8"))
    digest = lock[f"TANPU-{kind.upper()}", version]
    source = folder.joinpath(f"{kind}-{version}.toml").read_bytes()
    if sha256(source) != digest:
        raise DocumentAltered(f"{kind}-{version}.toml")
    return source


@cache
def _versions(kind: Kind) -> tuple[int, ...]:
    folder = files("app.growth").joinpath("documents")
    lock = parse_lock(folder.joinpath("documents.lock").read_text(encoding="utf-8"))
    return tuple(sorted(version for code, version in lock if code == f"TANPU-{kind.upper()}"))


@cache
def score_documents() -> Mapping[int, ScoreDocument]:
    """Give every published version of the score."""
    return {v: read_document(ScoreDocument, source_of("score", v)) for v in _versions("score")}


@cache
def growth_documents() -> Mapping[int, GrowthDocument]:
    """Give every published version of the growth rules."""
    return {v: read_document(GrowthDocument, source_of("growth", v)) for v in _versions("growth")}


def in_force(documents: Mapping[int, D], on: date) -> D:
    """Give the version that took effect last by a day; before the first, the first.

    >>> in_force(score_documents(), date(2026, 6, 1)).version
    1
    """
    versions = sorted(documents.values(), key=lambda each: (each.effective, each.version))
    return ([each for each in versions if each.effective <= on] or versions[:1])[-1]
