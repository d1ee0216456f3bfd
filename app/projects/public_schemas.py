"""The wire forms of what anybody sees of projects (减排项目公示的对外形式)."""

from collections.abc import Sequence
from datetime import date

from pydantic import BaseModel, ConfigDict, Field

from app.kernel.quantities import ReductionOut
from app.projects.registry import OwnerKind, ProjectState

_FROZEN = ConfigDict(extra="forbid", frozen=True)


class PublicProjectOut(BaseModel):
    """A registered project as anybody sees it, in days and kilograms; of a citizen nothing."""

    model_config = _FROZEN

    id: str = Field(examples=["prj_01k0000000000000000000000a"])
    owner_kind: OwnerKind
    organisation_zh: str | None = Field(description="None for a citizen's.")
    organisation_en: str | None
    title_zh: str | None
    title_en: str | None
    site: str | None
    methodology: str
    version: int
    state: ProjectState
    registered_on: date
    crediting_since: date
    crediting_until: date
    ended_on: date | None
    reduction: ReductionOut = Field(
        description="Accrued to its owner so far, in whole kilograms, rounded down."
    )


class PublicProjectPage(BaseModel):
    """Some registered projects, the newest first."""

    model_config = _FROZEN

    data: Sequence[PublicProjectOut]
    next_cursor: str | None
