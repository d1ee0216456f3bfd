"""The sample of a lot (抽样): drawn by a seed that nobody could choose alone (R25).

Verifier and regulator each commit to a nonce while the epoch that decides is open, and reveal it
after: that epoch is the first one that closes after the lot was frozen, and the hash of the block
that anchors it is the third part of the seed. Who misses their time lets the lot be thawed and
frozen anew, under another epoch.
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
    NobodyLate,
    NonceEarly,
    NonceLate,
    NonceTaken,
    NonceWrong,
)
from app.registry.lots import Lot, LotOutcome, LotStep, close_lot, lock_lot
from app.staff import note_act
from ledger.lots import draw, nonce_commitment, sample_seed

REVEALED_WITHIN: Final = timedelta(days=7)
"""After the epoch that decides was closed."""
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
        LotUnknown, LotState, NonceLate, NonceTaken: See their own words.
    """
    found = lock_lot(session, lot, LotStep.FROZEN)
    if deciding(session, found) is not None:
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
    """
    found = lock_lot(session, lot, LotStep.FROZEN)
    if deciding(session, found) is None:
        raise NonceEarly
    connection = driver(session)
    part = next((each for each in seed_parts(session, found.id) if each.party is party), None)
    if part is None or part.commitment != nonce_commitment(found.id, nonce):
        raise NonceWrong
    if part.nonce is not None:
        raise NonceTaken
    connection.execute(_REVEAL, (nonce, at, found.id, party))
    note_act(session, who, "lots.reveal_nonce", found.public, at=at, party=party.value)
    return found


def draw_sample(session: Session, who: str, lot: UUID | None, *, at: datetime) -> Lot:
    """Draw the rows that the verifier looks at; everybody can draw them again.

    Raises:
        LotUnknown, LotState: See their own words.
        NonceEarly: A nonce is not revealed yet.
        BlockNotFinal: The block may still change.
    """
    found = lock_lot(session, lot, LotStep.FROZEN)
    connection = driver(session)
    decides = deciding(session, found)
    nonces = {each.party: each.nonce for each in seed_parts(session, found.id)}
    verifier, regulator = nonces.get(Party.VERIFIER), nonces.get(Party.REGULATOR)
    if decides is None or verifier is None or regulator is None:
        raise NonceEarly
    if decides.block_hash is None or not decides.is_final:
        raise BlockNotFinal(epoch=decides.epoch)
    seed = sample_seed(decides.block_hash, verifier, regulator)
    drawn = draw(seed, _leaves(connection, found.id), found.sample_rows)
    connection.execute(_SAMPLE, (found.id, decides.epoch, decides.block_hash, seed, at))
    connection.execute(_DRAW, (found.id, [position for position, _ in drawn]))
    note_act(session, who, "lots.draw", found.public, at=at, seed=seed.hex(), rows=len(drawn))
    return found


def thaw_lot(session: Session, who: str, lot: UUID | None, *, at: datetime) -> Lot:
    """Thaw a lot of which a party missed its time; it is frozen anew as another lot.

    Raises:
        LotUnknown, LotState: See their own words.
        NobodyLate: Nobody has.
    """
    found = lock_lot(session, lot, LotStep.FROZEN)
    decides = deciding(session, found)
    late = () if decides is None else late_parties(session, found, decides, at=at)
    if not late:
        raise NobodyLate
    reason = f"missed its time: {', '.join(late)}"
    close_lot(driver(session), found.id, LotOutcome.THAWED, reason, at=at)
    note_act(session, who, "lots.thaw", found.public, at=at, late=", ".join(late))
    return found


def deciding(session: Session, lot: Lot) -> Deciding | None:
    """Give the first epoch that was closed after a lot was frozen; None while there is none."""
    row = driver(session).execute(_DECIDES, (lot.frozen_at,)).fetchone()
    return None if row is None else Deciding(*row)


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


def late_parties(session: Session, lot: Lot, decides: Deciding, *, at: datetime) -> Sequence[Party]:
    """Give who has not committed by the close, or not revealed in time."""
    nonces = {each.party: each.nonce for each in seed_parts(session, lot.id)}
    is_over = at > decides.closed_at + REVEALED_WITHIN
    return [party for party in Party if party not in nonces or (is_over and nonces[party] is None)]


def _leaves(connection: Connection, lot: UUID) -> Iterator[bytes]:
    with connection.cursor(name="drawing", binary=True) as cursor:
        cursor.itersize = LEAVES_AT_ONCE
        cursor.execute(_LEAVES, (lot,))
        for (leaf,) in cursor:
            yield bytes(leaf)
