"""What anybody reads of closings (守恒结账的展示)."""

from datetime import date, datetime

from pydantic import BaseModel, ConfigDict, Field

from app.registry.conservation import ClosedDay


class ClosedDayOut(BaseModel):
    """A day that was closed (已结账日)."""

    model_config = ConfigDict(frozen=True)

    day: date = Field(description="In Asia/Shanghai. 日期")
    sha256: str = Field(description="Of the signed body; the next epoch's header commits to it.")
    is_kept: bool = Field(description="Whether every equation in it holds. 等式是否成立")
    closed_at: datetime


class ClosingPage(BaseModel):
    """Days that were closed, the newest first."""

    model_config = ConfigDict(frozen=True)

    data: list[ClosedDayOut]
    next_cursor: str | None


def shown_day(found: ClosedDay) -> ClosedDayOut:
    """Show a day of the list."""
    return ClosedDayOut(
        day=found.day,
        sha256=found.sha256.hex(),
        is_kept=found.is_kept,
        closed_at=found.closed_at,
    )
