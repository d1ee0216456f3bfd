"""Erasing an owner from the books (销户): secret and key go, what was posted stays (R20).

The rows of an erased owner keep its number, which then leads to nobody. The database is asked to
let nothing slip in: balances are deleted first, so that a posting that is under way either is seen
here or finds the owner gone (``lapsing``).
"""

from typing import Final

from app.kernel.db import Connection

_LOCK: Final = "select 1 from account where bucket = %s and id = %s for update"
_SWEEP: Final = """
delete from balance where bucket = %s and account in (%s, %s) and credits = debits"""
_HELD: Final = "select 1 from balance where bucket = %s and account in (%s, %s) limit 1"
_SECRET: Final = "delete from account_secret where bucket = %s and account = %s"  # noqa: S105 -- a statement
_KEY: Final = "update account set akey = null where bucket = %s and id = %s"


def erase_owner(connection: Connection, bucket: int, owner: int) -> bool:
    """Destroy an owner's secret and key, unless it holds anything; says whether it was done.

    Runs as the worker, once every entry of the owner is final. Idempotent.
    """
    holdings = (bucket, owner, owner + 1)
    connection.execute(_LOCK, (bucket, owner))
    connection.execute(_SWEEP, holdings)
    if connection.execute(_HELD, holdings).fetchone() is not None:
        return False
    connection.execute(_SECRET, (bucket, owner))
    connection.execute(_KEY, (bucket, owner))
    return True
