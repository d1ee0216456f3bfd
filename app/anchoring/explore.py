"""Questions about epochs that anybody may ask (各期查询)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, NamedTuple

from sqlmodel import Session

from app.anchoring.publishing import anchoring_of
from app.kernel.db import driver
from ledger.header import Header
from ledger.receipt import Anchoring

_COLUMNS: Final = """
select e.epoch, e.header, e.closed_at, a.chain_id, a.contract, a.block_number, a.block_hash,
       a.tx_hash, a.final_at is not null, e.extras -> 'aux'
  from epoch e left join anchored a on a.epoch = e.epoch"""
_BEFORE: Final = f"{_COLUMNS} where e.epoch < %s order by e.epoch desc limit %s"
_ONE: Final = f"{_COLUMNS} where e.epoch = %s"
_END: Final = 2**62


class EpochRow(NamedTuple):
    """An epoch, and where it was last seen."""

    epoch: int
    header: Header
    closed_at: datetime
    chain: Anchoring | None
    is_final: bool
    aux: Mapping[str, str]
    """What the header's ``aux`` is made of: digests by name, in hex (R23)."""


def epochs_before(session: Session, *, before: int | None, limit: int) -> list[EpochRow]:
    """Give the newest epochs before one, newest first."""
    rows = driver(session).execute(_BEFORE, (before or _END, limit)).fetchall()
    return [_row(*row) for row in rows]


def epoch_of(session: Session, *, epoch: int) -> EpochRow | None:
    """Give one epoch, if it was closed."""
    row = driver(session).execute(_ONE, (epoch,)).fetchone()
    return None if row is None else _row(*row)


def _row(  # noqa: PLR0913, PLR0917 -- the columns of the statement
    epoch: int,
    header: bytes,
    closed_at: datetime,
    chain_id: int | None,
    contract: bytes,
    block_number: int,
    block_hash: bytes,
    tx_hash: bytes,
    is_final: bool,  # noqa: FBT001 -- likewise
    aux: Mapping[str, str],
) -> EpochRow:
    place = (
        None
        if chain_id is None
        else anchoring_of(chain_id, contract, block_number, block_hash, tx_hash)
    )
    return EpochRow(epoch, Header.of(header), closed_at, place, is_final, aux)
