"""The wire forms of simulations (推演的对外形式), which are also how they are kept."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.campaigns.errors import TermsTwice
from app.kernel.http import Day, Int
from app.points.schemas import FromMg, MethodologyCode
from methodologies import Field as LifeField

FROZEN: Final = ConfigDict(extra="forbid", frozen=True)
TERMS_MAX: Final = 50


class TriedRate(BaseModel):
    """A rate to try: how many milligrams a point takes."""

    model_config = FROZEN

    grade: Literal["A", "B"]
    field: LifeField | None = None
    mg_per_point: Int = Field(ge=1, le=1_000_000_000, examples=[8_000])
    from_mg: FromMg = 0


class TriedReward(BaseModel):
    """A reward to try: what an act of grade C earns, and its caps."""

    model_config = FROZEN

    methodology: MethodologyCode
    points: Int = Field(ge=1, le=100_000, examples=[5])
    person_day_points: Int | None = Field(default=None, ge=0, le=1_000_000, examples=[10])
    budget_day_points: Int | None = Field(default=None, ge=0, le=10**12)


class CandidateIn(BaseModel):
    """Terms to try: exactly what can be asked for, and nothing that could not be launched."""

    model_config = FROZEN

    rates: Annotated[Sequence[TriedRate], Field(max_length=TERMS_MAX)] = ()
    rewards: Annotated[Sequence[TriedReward], Field(max_length=TERMS_MAX)] = ()

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        rates = [(each.grade, each.field, each.from_mg) for each in self.rates]
        rewards = [each.methodology for each in self.rewards]
        if len({*rates}) < len(rates) or len({*rewards}) < len(rewards):
            raise TermsTwice
        return self


class SimulationIn(BaseModel):
    """A candidate, and the days to replay; the present terms hold wherever it says nothing."""

    model_config = FROZEN

    candidate: CandidateIn
    since: Day = Field(description="The first day that is replayed.")
    until: Day = Field(description="The day after the last; 92 days later at most, today at most.")


class CellOut(BaseModel):
    """What a month, field and grade would have come to, beside what it did."""

    model_config = FROZEN

    month: str = Field(examples=["2026-08"])
    field: str = Field(examples=["green_travel"])
    grade: Literal["A", "B", "C"]
    persons: int
    simulated_points: int
    actual_points: int


class RestOut(BaseModel):
    """All cells that are of too few people to be told apart."""

    model_config = FROZEN

    simulated_points: int
    actual_points: int


class PeopleOut(BaseModel):
    """How many would have got more, less or the same; null: some, and too few to be told."""

    model_config = FROZEN

    more: int | None
    less: int | None
    same: int | None


class MarkOut(BaseModel):
    """Where the programme would stand after a day."""

    model_config = FROZEN

    day: date
    promised_fen: int
    solvency_permille: int | None


class SolvencyOut(BaseModel):
    """The same quarter again on the funds at hand, with nothing paid in, spent or expired."""

    model_config = FROZEN

    funds_fen: int
    promised_fen: int = Field(description="Before it begins.")
    path: Sequence[MarkOut]
    pauses_on: date | None = Field(description="The day automatic exchange would pause.")
    refuses_on: date | None = Field(description="The day exchange by hand would be refused.")
    exhausted_on: date | None = Field(description="The day its promises would pass its funds.")


class OutcomeOut(BaseModel):
    """What a candidate comes to, held against what happened."""

    model_config = FROZEN

    simulated_points: int
    simulated_fen: int
    actual_points: int
    actual_fen: int
    replayed_points: int = Field(
        description="By the present terms: what the replay is worth is how close this is to"
        " `actual_points`."
    )
    cells: Sequence[CellOut]
    rest: RestOut
    people: PeopleOut
    solvency: SolvencyOut


class SimulationOut(BaseModel):
    """A simulation of a programme (活动推演)."""

    model_config = FROZEN

    id: str = Field(examples=["sim_01k0000000000000000000000a"])
    programme: str = Field(examples=["green"])
    since: date
    until: date
    candidate: CandidateIn
    asked_by: str
    asked_at: datetime
    ran_at: datetime | None = Field(description="Null while it waits for its turn.")
    digest: str | None = Field(
        description="SHA-256 of candidate and outcome, as kept: terms that name this simulation"
        " are signed with it.",
        examples=["9f" * 32],
    )
    outcome: OutcomeOut | None
