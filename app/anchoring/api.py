"""What anybody may fetch of the anchors (公开存证): epochs, headers, checkpoint, tiles.

Public, the same for everybody and open to other origins; CC-BY. Nothing here belongs to a
person: headers carry city totals, tiles carry hashes that open to nobody.
"""

import re
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict

from app.anchoring.explore import EpochRow, epoch_of, epochs_before
from app.anchoring.files import read_if_there
from app.anchoring.publishing import CHECKPOINT, HEADERS
from app.kernel.etags import OPEN, Known, tagged
from app.kernel.http import NotFound, problems
from app.kernel.secrets import written_key
from app.kernel.wiring import Configuration, Db, Secrets

PAGE_MAX: Final = 200
TILE: Final = re.compile(r"[0-7]/(x[0-9]{3}/){0,6}[0-9]{3}(\.p/[0-9]{1,3})?")
NONE_YET: Final = problems(s404="No epoch was closed yet.")
NO_TILE: Final = problems(s404="No such tile.")
FRESH: Final = {"cache-control": "public, max-age=5", **OPEN}
FOR_EVER: Final = {"cache-control": "public, max-age=31536000, immutable", **OPEN}

router = APIRouter(prefix="/v1/public", tags=["public 公开"])


class EpochOut(BaseModel):
    """One closed epoch (期)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    epoch: int
    header: str
    """The 324 bytes, in hex."""
    header_hash: str
    closed_at: str
    log_size: int
    accounts: int
    state: str
    """``pending``, ``anchored`` or ``final``."""
    chain: dict[str, str | int] | None
    """Where it was last seen on the chain."""
    aux: dict[str, str]
    """What the header's ``aux`` is made of: digests by registered name, in hex (R23)."""


class EpochPage(BaseModel):
    """Epochs, the newest first."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data: list[EpochOut]
    next_cursor: str | None


class ReceiptKeyOut(BaseModel):
    """What checks whatever this ledger signs for somebody (回执公钥)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    origin: str
    """Name of the ledger, as receipts carry it."""
    algorithm: Literal["Ed25519"] = "Ed25519"
    key: str
    """The 32 bytes in base64, as ``tanpu verify settlement --key`` takes them."""


@router.get("/receipt-key", operation_id="getReceiptKey")
def get_receipt_key(settings: Configuration, keys: Secrets, response: Response) -> ReceiptKeyOut:
    """Name the key that signs receipts, statements and offline vouchers: keep it, compare it."""
    response.headers.update(FRESH)
    return ReceiptKeyOut(origin=settings.origin, key=written_key(keys.receipt))


@router.get("/epochs")
def list_epochs(
    db: Db,
    response: Response,
    before: Annotated[int | None, Query(ge=1, le=2**62, description="Older than this.")] = None,
    limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 50,
) -> EpochPage:
    """List closed epochs, the newest first (各期存证)."""
    response.headers.update(FRESH)
    rows = db.read(epochs_before, before=before, limit=limit)
    following = str(rows[-1].epoch) if len(rows) == limit and rows[-1].epoch > 1 else None
    return EpochPage(data=[_shown(row) for row in rows], next_cursor=following)


@router.get("/epochs/{epoch}", responses=problems(s404="No such epoch."))
def get_epoch(epoch: int, db: Db, response: Response) -> EpochOut:
    """Show one epoch (一期存证)."""
    row = db.read(epoch_of, epoch=epoch) if 0 < epoch < 2**62 else None
    if row is None:
        raise NotFound(epoch=str(epoch)[:20])
    response.headers.update(FRESH)
    return _shown(row)


@router.get("/headers.jsonl", response_class=Response)
def get_headers(settings: Configuration, if_none_match: Known = None) -> Response:
    """Give every anchored header, a line each: mirror it, it is a root of trust (期头清单)."""
    data = read_if_there(settings.public_path / HEADERS)
    return tagged(data, "application/jsonl", FRESH, if_none_match)


@router.get("/checkpoint", response_class=Response, responses=NONE_YET)
def get_checkpoint(settings: Configuration, if_none_match: Known = None) -> Response:
    """Give the signed note over the log of headers (C2SP checkpoint)."""
    return _file(settings, CHECKPOINT, "text/plain; charset=utf-8", FRESH, if_none_match)


@router.get("/tile/{path:path}", response_class=Response, responses=NO_TILE)
def get_anchor_tile(path: str, settings: Configuration, if_none_match: Known = None) -> Response:
    """Give a tile of the log of headers (C2SP tlog-tiles); its name says which bytes."""
    return _tile(settings, "tile", path, if_none_match)


@router.get("/log/tile/{path:path}", response_class=Response, responses=NO_TILE)
def get_log_tile(path: str, settings: Configuration, if_none_match: Known = None) -> Response:
    """Give a tile of the journal log; a tile never changes (流水日志分块)."""
    return _tile(settings, "log/tile", path, if_none_match)


def _tile(settings: Configuration, folder: str, path: str, known: str | None) -> Response:
    if not TILE.fullmatch(path):
        raise NotFound
    return _file(settings, f"{folder}/{path}", "application/octet-stream", FOR_EVER, known)


def _file(
    settings: Configuration, name: str, kind: str, headers: dict[str, str], known: str | None
) -> Response:
    data = read_if_there(settings.public_path / name)
    if not data:
        raise NotFound
    return tagged(data, kind, headers, known)


def _shown(row: EpochRow) -> EpochOut:
    return EpochOut(
        epoch=row.epoch,
        header=row.header.to_bytes().hex(),
        header_hash=row.header.hash().hex(),
        closed_at=row.closed_at.isoformat(),
        log_size=row.header.log_size,
        accounts=row.header.account_count,
        state="pending" if row.chain is None else "final" if row.is_final else "anchored",
        chain=None
        if row.chain is None
        else {
            "chain_id": row.chain.chain_id,
            "contract": row.chain.contract,
            "block": row.chain.block,
            "block_hash": row.chain.block_hash,
            "tx": row.chain.tx,
        },
        aux=dict(row.aux),
    )
