"""One tampering, found and undone (篡改演示): somebody with full access to the database.

The superuser of the embedded server switches the guards off and makes one transfer larger. The
audit names the row; then the row is put back, and the audit is clean. It needs a login that may
do such a thing, so it is shown on the embedded server alone.
"""

from typing import Final, NamedTuple
from uuid import UUID

import psycopg

EXTRA_MG: Final = 10_000_000_000
"""Ten tonnes that nobody saved."""
_LARGEST: Final = """
select id, amount from transfer where code = 1 order by amount desc, id limit 1 for update"""
_CHANGE: Final = "update transfer set amount = amount + %s where id = %s"


class Victim(NamedTuple):
    """The transfer that is changed."""

    id: UUID
    amount: int


def tamper(owner_url: str) -> Victim:
    """Add ten tonnes to the largest accrual, past every guard."""
    with psycopg.connect(owner_url) as connection:
        connection.execute("set session_replication_role = replica")
        victim = Victim(*connection.execute(_LARGEST).fetchall()[0])
        connection.execute(_CHANGE, (EXTRA_MG, victim.id))
    return victim


def restore(owner_url: str, victim: Victim) -> None:
    """Put the transfer back as it was."""
    with psycopg.connect(owner_url) as connection:
        connection.execute("set session_replication_role = replica")
        connection.execute(_CHANGE, (-EXTRA_MG, victim.id))
