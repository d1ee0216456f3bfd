"""The outbox (发件箱): signed, stored, then sent, in one order, whatever happens in between.

A transaction is stored before it is sent, so the way through after a crash is the ordinary way.
What became of it is decided by asking the contract, never by having its hash.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from sqlmodel import Session

from app.anchoring.chain import Identity, Sender, Signed
from app.kernel.db import Database, driver

IN_FLIGHT_MAX: Final = 16
"""Messages sent in one go; the next poll sends the rest."""
RECHECKED: Final = 64
"""Messages that are not final and looked at again in each poll."""
BUMP_AFTER: Final = timedelta(minutes=10)
"""How long a transaction may wait for a block before it is offered at a higher fee."""

Sign = Callable[[int, int, int], Signed]
"""(message, nonce, fee [wei]) → its transaction."""


class Stored(NamedTuple):
    """A transaction that was signed before."""

    signed: Signed
    signed_at: datetime


class Drawer(NamedTuple):
    """The table that keeps what was signed, and its column that names the message."""

    table: str
    message: str

    def stored(
        self, session: Session, message: int, identity: Identity, nonce: int
    ) -> Stored | None:
        """Give what was last signed for a message and a nonce."""
        query = f"""
select raw, tx_hash, nonce, fee_wei, signed_at from {self.table}
 where {self.message} = %s and chain_id = %s and contract = %s and nonce = %s
 order by signed_at desc, fee_wei desc limit 1"""  # noqa: S608 -- names of our own
        row = driver(session).execute(query.encode(), (message, *identity, nonce)).fetchone()
        return Stored(Signed(*row[:4]), row[4]) if row else None

    def store(
        self, session: Session, message: int, identity: Identity, signed: Signed, *, at: datetime
    ) -> None:
        """Keep what was signed."""
        query = f"""
insert into {self.table} ({self.message}, tx_hash, chain_id, contract, nonce, fee_wei, raw,
                          signed_at)
values (%s, %s, %s, %s, %s, %s, %s, %s) on conflict ({self.message}, tx_hash) do nothing"""  # noqa: S608 -- likewise
        values = (message, signed.tx_hash, *identity, signed.nonce, signed.fee_wei, signed.raw, at)
        driver(session).execute(query.encode(), values)


def transactions(
    db: Database,
    sender: Sender,
    drawer: Drawer,
    messages: Iterable[int],
    sign: Sign,
    *,
    at: datetime,
) -> Iterator[bytes]:
    """Give what must be sent, in order of nonce: stored bytes again where their nonce is free."""
    nonce, fee_wei = sender.next_nonce(), sender.fee_wei()
    for message in messages:
        before = db.read(drawer.stored, message, sender.identity, nonce)
        if before is not None and at - before.signed_at < BUMP_AFTER:
            signed = before.signed
        else:
            # Nodes want an eighth more for the same nonce; what is stored stays valid.
            fee = max(fee_wei, before.signed.fee_wei * 9 // 8 + 1) if before else fee_wei
            signed = sign(message, nonce, fee)
            db.transact(drawer.store, message, sender.identity, signed, at=at)
        yield signed.raw
        nonce += 1
