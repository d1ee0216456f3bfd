"""Telling the registry (登记上链): issued, retired, void and cancelled, each once and in one order.

What it has is read from the contract and from nothing else: what it keeps under a message's name
is that message's record, or nothing. So a lost answer, a block that was taken back, and a chain
that lost everything are one case: what is not there is sent again, in the order of the messages.
Submitters may run at the same time: the contract knows what it was told, and a batch's cursor lets
nothing overtake.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from hmac import digest
from typing import Final, NamedTuple

from sqlmodel import Session

from app.anchoring.chain import Identity, Place, Register, Signed
from app.anchoring.errors import AnchorRefused, RegistrationConflict, WrongChain
from app.anchoring.finality import Finality
from app.anchoring.outbox import IN_FLIGHT_MAX, RECHECKED, Drawer, transactions
from app.kernel.db import Connection, Database, driver
from ledger.encoding import ZERO_HASH
from ledger.registry import Retirement, Told, from_json, record

SUBMISSIONS: Final = Drawer("registry_submission", "seq")

_UNSEEN: Final = """
select seq, kind, payload from registry_message
 where block_number is null order by seq limit %s"""
_OPEN: Final = """
select seq, kind, payload from registry_message
 where final_at is null order by seq limit %s"""
_NEWEST: Final = """
select seq, kind, payload from registry_message
 where final_at is not null order by block_number desc, seq desc limit 1"""
_ELSEWHERE: Final = """
select exists (select from registry_message where (chain_id, contract) <> (%s, %s))"""
_WAITING: Final = "select count(*) from registry_message where block_number is null"
_FORGET: Final = """
update registry_message
   set chain_id = null, contract = null, block_number = null, block_hash = null, tx_hash = null,
       final_at = null
 where block_number is not null"""
_SEEN: Final = """
update registry_message
   set chain_id = %s, contract = %s, block_number = %s, block_hash = %s, tx_hash = %s, final_at = %s
 where seq = %s and (block_hash is distinct from %s or final_at is distinct from %s)"""
_FINAL: Final = "update retirement set final_at = %s where id = %s and final_at is null"

Messages = Mapping[int, Told]
"""By number, in their order."""


class Registered(NamedTuple):
    """What one poll found and did."""

    sent: int
    """Transactions handed to the node."""
    waiting: int
    """Messages that the registry was not seen to have."""


def registrar_key(anchor_key: bytes) -> bytes:
    """Derive the key of the account that tells the registry: its nonces are nobody else's."""
    return digest(anchor_key, b"registrar", "sha256")


def register(
    db: Database,
    registry: Register,
    finality: Finality,
    *,
    at: datetime,
    new_chain: bool = False,
) -> Registered:
    """Bring the registry up to the last message, and note what it has.

    Args:
        db: Connected as ``tanpu_worker``.
        registry: Where to.
        finality: When a message counts as final.
        at: This instant.
        new_chain: Whether to tell everything again to a contract other than the last one.

    Raises:
        ChainUnavailable: The chain does not answer; the next poll goes on.
        RegistrationConflict: The contract has other words for something; never send on.
        WrongChain: What was told is at another contract.
        AnchorRefused: The contract refuses the next message.
    """
    if db.read(_is_elsewhere, registry.identity):
        if not new_chain:
            raise WrongChain(chain_id=registry.identity.chain_id)
        db.transact(_forget)
    elif not all(_is_there(registry, told) for told in db.read(_newest).values()):
        db.transact(_forget)
    lacking, sent = _observe(db, registry, finality, at=at), 0
    if lacking and _is_welcome(registry, next(iter(lacking.values()))):

        def sign(seq: int, nonce: int, fee_wei: int) -> Signed:
            return registry.sign(lacking[seq], nonce=nonce, fee_wei=fee_wei)

        due = list(lacking)[:IN_FLIGHT_MAX]
        for raw in transactions(db, registry, SUBMISSIONS, due, sign, at=at):
            registry.send(raw)
            sent += 1
        _observe(db, registry, finality, at=at)
    return Registered(sent, db.read(_waiting))


def _observe(db: Database, registry: Register, finality: Finality, *, at: datetime) -> Messages:
    """Hold what the contract has against the messages, note where; give what it lacks."""
    asked = db.read(_open)
    if not asked:
        return {}
    height = registry.final_height(finality)
    lacking = {seq: told for seq, told in asked.items() if not _is_there(registry, told)}
    seen = {
        seq: (told, place)
        for seq, told in asked.items()
        if seq not in lacking and (place := registry.place_of(told))
    }
    db.transact(_note, registry.identity, lacking, seen, height=height, at=at)
    return lacking


def _is_there(registry: Register, told: Told) -> bool:
    """Say whether the contract has a message.

    Raises:
        RegistrationConflict: It has something else under its name.
    """
    known = registry.record_of(told)
    if known not in {ZERO_HASH, record(told)}:
        raise RegistrationConflict(kind=told.kind, subject=told.subject.hex())
    return known != ZERO_HASH


def _is_welcome(registry: Register, told: Told) -> bool:
    """Try the next message first: a refusal must not cost a nonce in every poll."""
    try:
        registry.check(told)
    except AnchorRefused:
        if not _is_there(registry, told):
            raise
        return False  # another submitter told it meanwhile: the next poll sees
    return True


def _note(
    session: Session,
    identity: Identity,
    lacking: Messages,
    seen: Mapping[int, tuple[Told, Place]],
    *,
    height: int,
    at: datetime,
) -> None:
    connection = driver(session)
    connection.execute(f"{_FORGET} and seq = any(%s)".encode(), (list(lacking),))
    for seq, (told, place) in seen.items():
        final_at = at if place.block_number <= height else None
        connection.execute(_SEEN, (*identity, *place, final_at, seq, place.block_hash, final_at))
        if final_at is not None and isinstance(told, Retirement):
            connection.execute(_FINAL, (final_at, told.retirement))


def _forget(session: Session) -> None:
    driver(session).execute(_FORGET)


def _open(session: Session) -> Messages:
    """Give the oldest messages that are not final, and the oldest that were not seen."""
    connection = driver(session)
    found = _read(connection, _OPEN, RECHECKED) | _read(connection, _UNSEEN, IN_FLIGHT_MAX)
    return dict(sorted(found.items()))


def _newest(session: Session) -> Messages:
    return _read(driver(session), _NEWEST)


def _read(connection: Connection, query: str, *values: int) -> dict[int, Told]:
    rows: Sequence[tuple[int, str, Mapping[str, str]]]
    rows = connection.execute(query.encode(), values).fetchall()
    return {seq: from_json(kind, payload) for seq, kind, payload in rows}


def _waiting(session: Session) -> int:
    return int((driver(session).execute(_WAITING).fetchone() or (0,))[0])


def _is_elsewhere(session: Session, identity: Identity) -> bool:
    return bool((driver(session).execute(_ELSEWHERE, tuple(identity)).fetchone() or (False,))[0])
