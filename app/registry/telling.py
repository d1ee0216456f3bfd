"""What the chain is told, in one order (上链消息队列): a row comes with the deed that it tells.

Whoever issues, retires, invalidates or closes an epoch writes the message in the same
transaction, so nothing is told that did not happen, and nothing that happened stays untold.
Messages of one batch are written under the lock on it: their numbers are the order in which they
were committed, and that is the order in which the contract must hear them.
"""

from datetime import datetime
from typing import Final

from psycopg.types.json import Jsonb
from sqlmodel import Session

from app.kernel.db import driver
from ledger.registry import Told, to_json

_TELL: Final = """
insert into registry_message (kind, batch, subject, payload, created_at)
values (%s, %s, %s, %s, %s)"""


def tell_chain(session: Session, told: Told, *, at: datetime) -> None:
    """Queue a message; its batch, if it has one, is locked or new."""
    values = (told.kind, told.batch, told.subject, Jsonb(to_json(told)), at)
    driver(session).execute(_TELL, values)
