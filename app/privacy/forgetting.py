"""Forgetting a person (清除个人信息): every row that says more of them than a number."""

from typing import Final

from sqlmodel import Session

from app.citizens import Citizen
from app.citizens.personal import open_personal
from app.kernel.db import driver
from app.kernel.secrets import Keys
from app.privacy.register import FORGETS
from ledger.accounts import bucket_of

WAYS: Final = ("phone", "wechat")
"""What a person logs in with; limits count them by keyed hash."""
_PAIRS: Final = """
delete from guardianship where bucket = %s and account = %s returning id, other"""
_OTHER_SIDE: Final = "delete from guardianship where bucket = %s and account = %s and id = %s"
_USES: Final = "delete from limit_use where who = any(%s)"


def forget(session: Session, keys: Keys, citizen: Citizen) -> None:
    """Delete or empty every row of somebody; runs as the worker. Idempotent."""
    connection, facts = driver(session), {"bucket": citizen.bucket, "account": citizen.number}
    fields = open_personal(keys, connection, citizen)
    hashes = [keys.login_hash(way, fields[way].encode()) for way in WAYS if way in fields]
    connection.execute(_USES, (hashes,))
    for statement in FORGETS:
        connection.execute(statement, facts)
    pairs = connection.execute(_PAIRS, (citizen.bucket, citizen.number)).fetchall()
    for pair, other in pairs:
        connection.execute(_OTHER_SIDE, (bucket_of(other), other, pair))
