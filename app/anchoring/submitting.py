"""Submitting headers (上链): every closed epoch to the chain once, whatever happens.

What an epoch's state is, is read from the contract and from nothing else. Submitters may run at
the same time: the contract takes one header an epoch, and the loser wastes a nonce.
"""

from datetime import datetime
from typing import Final, NamedTuple

from sqlmodel import Session

from app.anchoring.chain import Chain, Identity, Place, Signed
from app.anchoring.closing import header_of, last_epoch
from app.anchoring.errors import (
    AnchorRefused,
    DatabaseRolledBack,
    Equivocation,
    GuardMissing,
    WrongChain,
)
from app.anchoring.finality import Finality
from app.anchoring.guard import Guard
from app.anchoring.outbox import IN_FLIGHT_MAX, RECHECKED, Drawer, transactions
from app.kernel.db import Database, driver
from ledger.encoding import ZERO_HASH

SUBMISSIONS: Final = Drawer("submission", "epoch")

_OPEN = """
select e.epoch, e.hash from epoch e left join anchored a on a.epoch = e.epoch
 where e.epoch <= %s and (a.final_at is null or e.epoch = %s) order by e.epoch limit %s"""
_SEEN = """
insert into anchored (epoch, chain_id, contract, block_number, block_hash, tx_hash, final_at)
values (%s, %s, %s, %s, %s, %s, %s)
on conflict (epoch) do update set
  chain_id = excluded.chain_id, contract = excluded.contract,
  block_number = excluded.block_number, block_hash = excluded.block_hash,
  tx_hash = excluded.tx_hash, final_at = excluded.final_at
 where (anchored.chain_id, anchored.contract, anchored.block_hash, anchored.final_at is null)
    is distinct from
       (excluded.chain_id, excluded.contract, excluded.block_hash, excluded.final_at is null)"""
_FORGET = "delete from anchored where epoch > %s"
_ELSEWHERE = "select exists (select from anchored where (chain_id, contract) <> (%s, %s))"
_SIGNED = "select exists (select from submission)"


class Submitted(NamedTuple):
    """What one poll found and did."""

    sent: int
    """Transactions handed to the node."""
    anchored: int
    """The chain's last epoch, after sending."""
    waiting: int
    """Closed epochs that the chain does not have yet."""


def submit(
    db: Database,
    chain: Chain,
    guard: Guard,
    finality: Finality,
    *,
    at: datetime,
    new_chain: bool = False,
) -> Submitted:
    """Bring the chain up to the last closed epoch, and note what it has.

    Args:
        db: Connected as ``tanpu_worker``.
        chain: Where to.
        guard: Moves before the first signature over a header.
        finality: When an anchor counts as final.
        at: This instant.
        new_chain: Whether to begin from the first epoch on a chain other than the last one.

    Raises:
        ChainUnavailable: The chain does not answer; the next poll goes on.
        DatabaseRolledBack: Chain or guard know later epochs. Restore; never close again.
        Equivocation: The chain or the guard has another header for an epoch.
        GuardMissing: Something was signed before, and the guard's file is gone.
        WrongChain: Anchors are on another chain, and this one has none.
        AnchorRefused: The contract refuses the next header.
    """
    latest = db.read(last_epoch)
    if guard.read() is None and db.read(_has_signed):
        raise GuardMissing(database=latest)
    guard.check(lambda epoch: db.read(header_of, epoch), latest)
    tip = chain.tip()
    if tip > latest:
        raise DatabaseRolledBack(known=tip, database=latest, by="chain")
    if tip == 0 and not new_chain and db.read(_is_elsewhere, chain.identity):
        raise WrongChain(chain_id=chain.identity.chain_id)
    _observe(db, chain, finality, tip=tip, at=at)
    sent = 0
    if tip < latest and _is_welcome(db, chain, tip=tip):
        sent = _send(db, chain, guard, tip=tip, latest=latest, at=at)
        tip = chain.tip()
        _observe(db, chain, finality, tip=tip, at=at)
    return Submitted(sent, tip, latest - tip)


def _send(db: Database, chain: Chain, guard: Guard, *, tip: int, latest: int, at: datetime) -> int:
    """Send the next headers; give how many."""

    def sign(epoch: int, nonce: int, fee_wei: int) -> Signed:
        header = db.read(header_of, epoch)
        guard.admit(header, lambda number: db.read(header_of, number), latest)
        return chain.sign(header, nonce=nonce, fee_wei=fee_wei)

    epochs = range(tip + 1, min(latest, tip + IN_FLIGHT_MAX) + 1)
    for raw in transactions(db, chain, SUBMISSIONS, epochs, sign, at=at):
        chain.send(raw)
    return len(epochs)


def _is_welcome(db: Database, chain: Chain, *, tip: int) -> bool:
    """Try the next header first: a refusal must not cost a nonce in every poll."""
    try:
        chain.check(db.read(header_of, tip + 1))
    except AnchorRefused:
        if chain.tip() == tip:
            raise
        return False  # somebody else anchored, or a block was taken back: the next poll sees
    return True


def _observe(db: Database, chain: Chain, finality: Finality, *, tip: int, at: datetime) -> None:
    """Hold what the chain has against the database, and note where it lies."""
    height = chain.final_height(finality)
    seen: list[tuple[int, Place]] = []
    for epoch, ours in db.read(_unsettled, tip):
        found = chain.hash_of(epoch)
        if found == ZERO_HASH:
            continue  # before this contract's first epoch
        if found != ours:
            raise Equivocation(epoch=epoch, chain=found.hex(), database=ours.hex())
        if place := chain.place_of(epoch):
            seen.append((epoch, place))
    db.transact(_note, chain.identity, seen, tip=tip, height=height, at=at)


def _note(
    session: Session,
    identity: Identity,
    seen: list[tuple[int, Place]],
    *,
    tip: int,
    height: int,
    at: datetime,
) -> None:
    connection = driver(session)
    connection.execute(_FORGET, (tip,))
    for epoch, place in seen:
        final_at = at if place.block_number <= height else None
        connection.execute(_SEEN, (epoch, *identity, *place, final_at))


def _unsettled(session: Session, tip: int) -> list[tuple[int, bytes]]:
    return driver(session).execute(_OPEN, (tip, tip, RECHECKED)).fetchall()


def _has_signed(session: Session) -> bool:
    return bool((driver(session).execute(_SIGNED).fetchone() or (False,))[0])


def _is_elsewhere(session: Session, identity: Identity) -> bool:
    return bool((driver(session).execute(_ELSEWHERE, tuple(identity)).fetchone() or (False,))[0])
