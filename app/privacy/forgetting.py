"""Forgetting a person (清除个人信息): every row that says more of them than a number."""

from typing import Final, LiteralString

from sqlmodel import Session

from app.citizens import Citizen
from app.citizens.personal import open_personal
from app.kernel.db import Connection, driver
from app.kernel.ids import public_id
from app.kernel.secrets import Keys
from app.privacy.register import FORGETS
from app.projects.registry import PREFIX as PROJECT
from ledger.accounts import bucket_of

WAYS: Final = ("phone", "wechat")
"""What a person logs in with; limits count them by keyed hash."""
APPEAL: Final = "apl"
"""Prefix of the ids of appeals, which a neighbour of this domain keeps."""
_PAIRS: Final = """
delete from guardianship where bucket = %s and account = %s returning id, other"""
_OTHER_SIDE: Final = "delete from guardianship where bucket = %s and account = %s and id = %s"
_PROJECTS: Final[LiteralString] = "select id from project where bucket = %s and account = %s"
_APPEALS: Final[LiteralString] = "select id from appeal where bucket = %s and account = %s"
_USES: Final = "delete from limit_use where who = any(%s)"


def forget(session: Session, keys: Keys, citizen: Citizen) -> None:
    """Delete or empty every row of somebody; runs as the worker. Idempotent."""
    connection, objects = driver(session), _objects(driver(session), citizen)
    facts = {
        "bucket": citizen.bucket,
        "account": citizen.number,
        "objects": objects,
        "mentions": [f"%{each}%" for each in objects],
    }
    fields = open_personal(keys, connection, citizen)
    hashes = [keys.login_hash(way, fields[way].encode()) for way in WAYS if way in fields]
    connection.execute(_USES, (hashes,))
    for statement in FORGETS:
        connection.execute(statement, facts)
    pairs = connection.execute(_PAIRS, (citizen.bucket, citizen.number)).fetchall()
    for pair, other in pairs:
        connection.execute(_OTHER_SIDE, (bucket_of(other), other, pair))


def _objects(connection: Connection, citizen: Citizen) -> list[str]:
    """Give the public ids under which the desk writes of what is somebody's."""
    owner = (citizen.bucket, citizen.number)
    projects, appeals = (connection.execute(each, owner) for each in (_PROJECTS, _APPEALS))
    return [
        *(public_id(PROJECT, id_) for (id_,) in projects),
        *(public_id(APPEAL, id_) for (id_,) in appeals),
    ]
