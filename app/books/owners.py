"""Owners on disk (持有人账户): an account, its held twin, a random key and a sealed secret."""

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from app.books.places import ACCOUNT_SHIFT
from app.kernel.db import Connection
from app.kernel.secrets import Keys
from ledger.accounts import HELD_OF, AccountKind, bucket_of

SECRET_BYTES: Final = 32
_NEXT = "select nextval('account_sequence') from generate_series(1, %s)"
_OPEN = """
insert into account (bucket, id, akey, opened_at)
select b, i, k, %s from unnest(%s::int2[], %s::int8[], %s::bytea[]) as t (b, i, k)"""
_SEAL = """
insert into account_secret (bucket, account, sealed)
select * from unnest(%s::int2[], %s::int8[], %s::bytea[])"""


def open_owners(
    connection: Connection, keys: Keys, kind: AccountKind, count: int, *, at: datetime
) -> Sequence[int]:
    """Open ``count`` owners of one kind; returns their account ids.

    The id decides the bucket (``ledger.accounts.bucket_of``). The account key is random, so
    destroying the row that holds it unlinks the leaf; the secret derives every salt.
    """
    ids = [
        int(number) << ACCOUNT_SHIFT | kind << 1
        for (number,) in connection.execute(_NEXT, (count,)).fetchall()
    ]
    rows = [(bucket_of(number), number, secrets.token_bytes(SECRET_BYTES)) for number in ids]
    sealed = [
        (bucket, number, keys.seal(secrets.token_bytes(SECRET_BYTES), owner=number))
        for bucket, number, _ in rows
    ]
    held = [(bucket, number + 1, None) for bucket, number, _ in rows] if kind in HELD_OF else []
    connection.execute(_OPEN, (at, *_columns([*rows, *held])))
    connection.execute(_SEAL, _columns(sealed))
    return ids


def _columns(rows: Sequence[tuple[int, int, bytes | None]]) -> list[list[object]]:
    return [list(column) for column in zip(*rows, strict=True)]
