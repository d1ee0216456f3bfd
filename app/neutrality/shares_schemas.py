"""The wire forms of shares (份额的对外形式)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import BaseModel, Field
from pydantic import StringConstraints as Text

from app.kernel.http import Int, Str
from app.kernel.ids import public_id
from app.kernel.quantities import ReductionOut, mass
from app.neutrality.gathering_schemas import FROZEN, GatheringId
from app.neutrality.gatherings import PREFIX
from app.neutrality.shares import TICKETS_MAX, Share, ShareIssue

SHARE_MG_MAX: Final = 10**13


class ShareIssueIn(BaseModel):
    """Tickets to seal, each of as much."""

    model_config = FROZEN

    tickets: Int = Field(ge=1, le=TICKETS_MAX, examples=[5_000])
    share_mg: Int = Field(ge=1, le=SHARE_MG_MAX, examples=[30_000_000])


class ShareIssueOut(BaseModel):
    """Tickets that were sealed (份额票); number and share never change."""

    model_config = FROZEN

    id: str = Field(examples=["shi_01k0000000000000000000000a"])
    tickets: int
    claimed: int
    share: ReductionOut
    issued_at: datetime


class ShareIssuePage(BaseModel):
    """Some issues of tickets, the newest first."""

    model_config = FROZEN

    data: Sequence[ShareIssueOut]
    next_cursor: str | None


class TicketsOut(BaseModel):
    """What to print on the tickets of one issue: whoever has it may claim."""

    model_config = FROZEN

    links: Sequence[str] = Field(description="One a ticket, for its QR code. 票面二维码链接")


class ShareClaimIn(BaseModel):
    """The words on a ticket."""

    model_config = FROZEN

    ticket: Annotated[Str, Text(pattern=r"^[a-z2-7]{32}$")] = Field(
        examples=["2k7q3w5m4x6r2k7q3w5m4x6r2k7q3w5m"]
    )


class ShareOut(BaseModel):
    """A share of what a gathering retired (份额)."""

    model_config = FROZEN

    state: Literal["valid", "reduced", "revoked"] = Field(
        description="Reduced where units that were retired stand for nothing and are not replaced."
    )
    remaining: ReductionOut = Field(description="What of it stands now. 现余")
    gathering: GatheringId
    share: ReductionOut = Field(description="What was claimed.")
    claimed_at: datetime


def issue_out(of: ShareIssue) -> ShareIssueOut:
    """Write an issue of tickets."""
    return ShareIssueOut(
        id=of.public,
        tickets=of.tickets,
        claimed=of.claimed,
        share=mass(of.share_mg),
        issued_at=of.issued_at,
    )


def share_out(of: Share) -> ShareOut:
    """Write a share."""
    return ShareOut(
        state=of.state,
        remaining=mass(of.remaining_mg),
        gathering=public_id(PREFIX, of.gathering),
        share=mass(of.share_mg),
        claimed_at=of.claimed_at,
    )
