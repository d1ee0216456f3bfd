"""Where one's own batch is in the log, over HTTP (批次入账证明接口), for providers."""

from collections.abc import Sequence
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from app.activities import BatchUnknown
from app.anchoring.inclusion import Included, included
from app.kernel.http import problems
from app.kernel.ids import parse_public_id, public_id
from app.kernel.paging import Cursor, Limit, page_of, read_cursor
from app.kernel.wiring import Configuration, Db, Secrets
from app.providers.senders import DENIED, Reader
from ledger.encoding import Entry

_FROZEN: Final = ConfigDict(extra="forbid", frozen=True)
NIL: Final = UUID(int=0)
router = APIRouter(prefix="/v1/activity-batches", tags=["providers 数据提供方"])


class EntryOut(BaseModel):
    """An entry as the log has it; hashes in hex."""

    model_config = _FROZEN

    code: int
    asset_key: str
    day: int = Field(description="Of the act, since 1970-01-01.")
    unit: int
    amount: str = Field(examples=["482040"])
    debit_commit: str
    credit_commit: str
    evidence_commit: str = Field(description="Your own commitment to your record.")
    ref: int


class IncludedOut(BaseModel):
    """One act that counted, and where its entry is."""

    model_config = _FROZEN

    activity: str = Field(examples=["act_01k0000000000000000000000a"])
    entry: EntryOut | None = Field(description="Absent where its owner was erased.")
    log_index: int | None = Field(description="Absent while it waits for the next epoch.")
    epoch: int | None
    path: Sequence[str] = Field(description="To the log root in that epoch's header.")


class InclusionPage(BaseModel):
    """Some acts of a batch, in order of their ids."""

    model_config = _FROZEN

    data: Sequence[IncludedOut]
    next_cursor: str | None


@router.get(
    "/{batch_id}/inclusion",
    operation_id="getBatchInclusion",
    summary="Where one's own batch is in the log 本方批次的入账证明",
    responses=problems(
        **DENIED,
        s404="No such batch of this provider.",
        s422="The cursor is not one of this list's.",
    ),
)
def read_inclusion(  # noqa: PLR0917 -- who, what of, and what it stands on
    db: Db,
    keys: Secrets,
    settings: Configuration,
    sender: Reader,
    batch_id: Annotated[str, Path(max_length=40)],
    cursor: Cursor = None,
    limit: Limit = 200,
) -> InclusionPage:
    """Give what proves that the batch's receipt was honoured; see `tanpu verify upload-receipt`."""
    upload = parse_public_id("bat", batch_id)
    if upload is None:
        raise BatchUnknown
    (after,) = (NIL,) if cursor is None else read_cursor(cursor, UUID)
    found = db.read(
        included, keys, settings.public_path, sender, upload, after=after, limit=limit + 1
    )
    return page_of(InclusionPage, found, limit, _out, lambda last: (last.activity,))


def _out(each: Included) -> IncludedOut:
    return IncludedOut(
        activity=public_id("act", each.activity),
        entry=None if each.entry is None else _entry(each.entry, each.ref),
        log_index=each.log_index,
        epoch=each.epoch,
        path=[hash_.hex() for hash_ in each.path],
    )


def _entry(entry: Entry, ref: int) -> EntryOut:
    return EntryOut(
        code=entry.code,
        asset_key=entry.asset_key.hex(),
        day=entry.day,
        unit=entry.unit,
        amount=str(entry.amount),
        debit_commit=entry.debit_commit.hex(),
        credit_commit=entry.credit_commit.hex(),
        evidence_commit=entry.evidence_commit.hex(),
        ref=ref,
    )
