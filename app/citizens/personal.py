"""Personal fields (个人信息): sealed under a key that only the account's own secret gives.

The secret is random, one a citizen, and itself sealed under the key-encryption key; erasure
destroys it, and with it every copy of these fields, backups included. The key is derived by HKDF,
so that it opens no salt of the ledger and the ledger's opens nothing here.
"""

import json
import secrets
from collections.abc import Mapping
from typing import Any, Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app.citizens.consents import Citizen
from app.citizens.errors import CitizenUnknown
from app.kernel.db import Connection
from app.kernel.secrets import NONCE_BYTES, SIZE_BYTES, Keys

PURPOSE: Final = b"tanpu/personal/v1"

_OWN: Final = "select sealed from account_secret where bucket = %s and account = %s"
_READ: Final = "select sealed from profile where bucket = %s and account = %s"
_LOCK: Final = "select sealed from profile where bucket = %s and account = %s for update"
_WRITE: Final = """
insert into profile (bucket, account, sealed) values (%s, %s, %s)
on conflict (bucket, account) do update set sealed = excluded.sealed"""


def seal_personal(
    keys: Keys, connection: Connection, citizen: Citizen, fields: Mapping[str, Any]
) -> None:
    """Replace all personal fields of a citizen; the values are what JSON has.

    Raises:
        CitizenUnknown: There is no such citizen, or the secret was destroyed.
    """
    nonce = secrets.token_bytes(NONCE_BYTES)
    plain = json.dumps(fields, ensure_ascii=False, sort_keys=True).encode()
    cipher = _cipher(keys, connection, citizen)
    sealed = nonce + cipher.encrypt(nonce, plain, _bound(citizen))
    connection.execute(_WRITE, (citizen.bucket, citizen.number, sealed))


def open_personal(
    keys: Keys, connection: Connection, citizen: Citizen, *, locking: bool = False
) -> dict[str, Any]:
    """Give the personal fields of a citizen; none where nothing was ever sealed.

    ``locking`` keeps others from changing them until this transaction ends: whoever seals what
    it has read needs that.

    Raises:
        CitizenUnknown: The fields are there and the secret was destroyed.
        cryptography.exceptions.InvalidTag: They are another citizen's, or were changed.
    """
    read = _LOCK if locking else _READ
    row = connection.execute(read, (citizen.bucket, citizen.number)).fetchone()
    if row is None:
        return {}
    sealed = bytes(row[0])
    nonce, body = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
    return json.loads(_cipher(keys, connection, citizen).decrypt(nonce, body, _bound(citizen)))


def _cipher(keys: Keys, connection: Connection, citizen: Citizen) -> AESGCM:
    row = connection.execute(_OWN, (citizen.bucket, citizen.number)).fetchone()
    if row is None:
        raise CitizenUnknown
    secret = keys.open(bytes(row[0]), owner=citizen.number)
    return AESGCM(HKDF(SHA256(), SIZE_BYTES, salt=None, info=PURPOSE).derive(secret))


def _bound(citizen: Citizen) -> bytes:
    return citizen.number.to_bytes(8, "big")
