"""The sample of a lot (抽样): drawn by a seed that nobody could choose alone (R25).

Verifier and regulator each commit to a nonce. The epoch that decides is the first one that closes
after both have, or after the time for it is over; the hash of the block that anchors it is the
third part of the seed. Then they reveal. A nonce that is not revealed in time counts as zeros, and
is shown as withheld: it stops nothing. Only where nobody revealed any would the block alone decide;
then nothing is drawn, and the lot can be thawed and frozen anew.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple
from uuid import UUID

from sqlmodel import Session

from app.kernel.db import Connection, driver
from app.registry.errors import (
    BlockNotFinal,
    LotGoesOn,
    NobodyRevealed,
    NonceEarly,
    NonceLate,
    NonceTaken,
    NonceWrong,
)
from app.registry.lots import Lot, LotOutcome, LotStep, close_lot, lock_lot
from app.staff import note_act
from ledger.lots import WITHHELD, draw, nonce_commitment, sample_seed

COMMITTED_WITHIN: Final = timedelta(days=7)
"""After the lot was frozen."""
REVEALED_WITHIN: Final = timedelta(days=7)
"""After the epoch that decides was closed."""
UNREVEALED: Final = "nobody revealed a nonce"
LEAVES_AT_ONCE: Final = 10_000
_DECIDES: Final = """
select e.epoch, e.closed_at, a.block_hash, a.final_at is not null
  from epoch e left join anchored a on a.epoch = e.epoch
 where e.closed_at > %s order by e.epoch limit 1"""
_COMMIT: Final = """
insert into lot_nonce (lot, party, commitment, committed_by, committed_at)
values (%s, %s, %s, %s, %s) on conflict do nothing"""
_REVEAL: Final = """
update lot_nonce set nonce = %s, revealed_at = %s where lot = %s and party = %s"""
_LEAVES: Final = "select leaf from lot_leaf where lot = %s order by position"
_SAMPLE: Final = """
insert into lot_sample (lot, epoch, block_hash, seed, drawn_at) values (%s, %s, %s, %s, %s)"""
_DRAW: Final = """
insert into sampled_row (lot, draw, position)
select %s, draw, position from unnest(%s::int4[]) with ordinality as q (position, draw)"""


_PARTS: Final = """
select party, commitment, committed_at, nonce from lot_nonce where lot = %s order by party desc"""
_DRAWN: Final = "select seed, drawn_at from lot_sample where lot = %s"
_EARLIER: Final = """
select count(*) from lot
 where asset = %s and begun_at < %s and frozen_at is not null
   and outcome in ('rejected', 'thawed')"""


class Party(StrEnum):
    """Who has a part in the seed."""

    VERIFIER = "verifier"
    REGULATOR = "regulator"


class Deciding(NamedTuple):
    """The epoch whose block decides."""

    epoch: int
    closed_at: datetime
    block_hash: bytes | None
    is_final: bool

    @property
    def reveal_until(self) -> datetime:
        """When the time to reveal a nonce is over."""
        return self.closed_at + REVEALED_WITHIN


class SeedPart(NamedTuple):
    """A party's part of a seed."""

    party: Party
    commitment: bytes
    committed_at: datetime
    nonce: bytes | None


class Drawn(NamedTuple):
    """By what a sample was drawn."""

    seed: bytes
    drawn_at: datetime


def commit_nonce(
    session: Session, who: str, lot: UUID | None, party: Party, commitment: bytes, *, at: datetime
) -> Lot:
    """Commit to a nonce, while nobody can know the block.

    Raises:
        LotUnknown, LotState: See their own words.
        NonceTaken: This party has, or the other one with the same commitment.
        NonceLate: The time for it is over.
    """
    found = lock_lot(session, lot, LotStep.FROZEN)
    if at > commit_until(found):
        raise NonceLate
    connection = driver(session)
    if connection.execute(_COMMIT, (found.id, party, commitment, who, at)).rowcount == 0:
        raise NonceTaken
    note_act(session, who, "lots.commit_nonce", found.public, at=at, party=party.value)
    return found


def reveal_nonce(
    session: Session, who: str, lot: UUID | None, party: Party, nonce: bytes, *, at: datetime
) -> Lot:
    """Reveal the nonce that was committed to, once the epoch is closed.

    Raises:
        LotUnknown, LotState, NonceEarly, NonceWrong, NonceTaken: See their own words.
        NonceLate: The time for it is over: it counts as withheld.
    """
    found = lock_lot(session, lot, LotStep.FROZEN)
    parts = seed_parts(session, found.id)
    decides = deciding(session, found, parts)
    if decides is None:
        raise NonceEarly
    part = next((each for each in parts if each.party is party), None)
    if part is None or part.commitment != nonce_commitment(found.id, party, nonce):
        raise NonceWrong
    if part.nonce is not None:
        raise NonceTaken
    if at > decides.reveal_until:
        raise NonceLate
    driver(session).execute(_REVEAL, (nonce, at, found.id, party))
    note_act(session, who, "lots.reveal_nonce", found.public, at=at, party=party.value)
    return found


def draw_sample(session: Session, who: str, lot: UUID | None, *, at: datetime) -> Lot:
    """Draw the rows that the verifier looks at; everybody can draw them again.

    Raises:
        LotUnknown, LotState, NobodyRevealed: See their own words.
        NonceEarly: A nonce that was committed to may still be revealed.
        BlockNotFinal: The block may still change.
    """
    found = lock_lot(session, lot, LotStep.FROZEN)
    connection, parts = driver(session), seed_parts(session, found.id)
    decides = deciding(session, found, parts)
    if decides is None or may_reveal(parts, decides, at=at):
        raise NonceEarly
    nonces = {each.party: each.nonce for each in parts if each.nonce is not None}
    if not nonces:
        raise NobodyRevealed
    if decides.block_hash is None or not decides.is_final:
        raise BlockNotFinal(epoch=decides.epoch)
    seed = sample_seed(decides.block_hash, *(nonces.get(each, WITHHELD) for each in Party))
    drawn = draw(seed, _leaves(connection, found.id), found.sample_rows)
    connection.execute(_SAMPLE, (found.id, decides.epoch, decides.block_hash, seed, at))
    connection.execute(_DRAW, (found.id, [position for position, _ in drawn]))
    told = {"seed": seed.hex(), "rows": len(drawn)}
    withheld = ", ".join(each for each in Party if each not in nonces)
    note_act(session, who, "lots.draw", found.public, at=at, withheld=withheld, **told)
    return found


def thaw_lot(session: Session, who: str, lot: UUID | None, *, at: datetime) -> Lot:
    """Thaw a lot of which nobody revealed a nonce, nor can any more; another one is frozen anew.

    Raises:
        LotUnknown, LotState, LotGoesOn: See their own words.
    """
    found = lock_lot(session, lot, LotStep.FROZEN)
    parts = seed_parts(session, found.id)
    if parts:
        decides = deciding(session, found, parts)
        may_come = decides is None or may_reveal(parts, decides, at=at)
    else:
        may_come = at <= commit_until(found)
    if may_come or any(each.nonce is not None for each in parts):
        raise LotGoesOn
    close_lot(driver(session), found.id, LotOutcome.THAWED, UNREVEALED, at=at)
    note_act(session, who, "lots.thaw", found.public, at=at)
    return found


def commit_until(lot: Lot) -> datetime:
    """Give when the time to commit to a nonce is over."""
    assert lot.frozen_at is not None, lot
    return lot.frozen_at + COMMITTED_WITHIN


def deciding(session: Session, lot: Lot, parts: Sequence[SeedPart]) -> Deciding | None:
    """Give the first epoch that was closed after nobody could commit any more; None before it."""
    has_all = len(parts) == len(Party)
    since = max(each.committed_at for each in parts) if has_all else commit_until(lot)
    row = driver(session).execute(_DECIDES, (since,)).fetchone()
    return None if row is None else Deciding(*row)


def may_reveal(parts: Sequence[SeedPart], decides: Deciding, *, at: datetime) -> bool:
    """Say whether a nonce that was committed to may still be revealed."""
    return at <= decides.reveal_until and any(each.nonce is None for each in parts)


def earlier_draws(session: Session, lot: Lot) -> int:
    """Count the lots of this class that were frozen before it and ended without an issuance."""
    return driver(session).execute(_EARLIER, (lot.asset, lot.begun_at)).fetchall()[0][0]


def seed_parts(session: Session, lot: UUID) -> Sequence[SeedPart]:
    """Give what the parties committed to and revealed."""
    return [
        SeedPart(Party(party), bytes(commitment), at, None if nonce is None else bytes(nonce))
        for party, commitment, at, nonce in driver(session).execute(_PARTS, (lot,)).fetchall()
    ]


def drawn_of(session: Session, lot: UUID) -> Drawn | None:
    """Give by what a lot's sample was drawn."""
    row = driver(session).execute(_DRAWN, (lot,)).fetchone()
    return None if row is None else Drawn(bytes(row[0]), row[1])


def _leaves(connection: Connection, lot: UUID) -> Iterator[bytes]:
    with connection.cursor(name="drawing", binary=True) as cursor:
        cursor.itersize = LEAVES_AT_ONCE
        cursor.execute(_LEAVES, (lot,))
        for (leaf,) in cursor:
            yield bytes(leaf)
