"""A provider's own keys (密钥环): which there are, and ending one of them.

Nobody can lock themselves out: one key without an end always stays, unless the desk ends it.
"""

from datetime import datetime
from typing import Final, NamedTuple

from sqlmodel import Session

from app.kernel.db import driver
from app.providers.errors import KeyLast, KeyUnknown
from app.providers.registry import Provider, revoke_key

_KEYS: Final = """
select keyid, public_key, valid_from, valid_to from provider_key
 where provider = %s order by valid_from, keyid limit %s"""
_KEY: Final = """
select keyid, public_key, valid_from, valid_to from provider_key
 where provider = %s and keyid = %s and (valid_to is null or valid_to > %s)"""
_LOCK: Final = "select 1 from provider where id = %s for no key update"
_OTHERS: Final = """
select 1 from provider_key where provider = %s and keyid <> %s and valid_to is null limit 1"""
KEYS_MAX: Final = 1_000
"""More are not listed; nobody rotates that often."""


class KeyTerm(NamedTuple):
    """A key and the time in which its signatures count."""

    keyid: str
    public_key: bytes
    valid_from: datetime
    valid_to: datetime | None


def keys_of(session: Session, provider: Provider) -> list[KeyTerm]:
    """Give all keys that a provider ever had, the oldest first."""
    rows = driver(session).execute(_KEYS, (provider.id, KEYS_MAX)).fetchall()
    return [KeyTerm(keyid, bytes(key), since, until) for keyid, key, since, until in rows]


def find_own_key(session: Session, provider: Provider, keyid: str, at: datetime) -> KeyTerm:
    """Give one key that is in force.

    Raises:
        KeyUnknown: This provider has none with this id.
    """
    row = driver(session).execute(_KEY, (provider.id, keyid, at)).fetchone()
    if row is None:
        raise KeyUnknown
    return KeyTerm(row[0], bytes(row[1]), *row[2:])


def end_own_key(session: Session, provider: Provider, keyid: str, *, at: datetime) -> KeyTerm:
    """End one of the provider's keys at once.

    Raises:
        KeyUnknown: It has none with this id in force.
        KeyLast: None without an end would be left.
    """
    connection = driver(session)
    connection.execute(_LOCK, (provider.id,))
    found = find_own_key(session, provider, keyid, at)
    if connection.execute(_OTHERS, (provider.id, keyid)).fetchone() is None:
        raise KeyLast
    revoke_key(session, provider, keyid, at=at)
    return found._replace(valid_to=at)
