"""Providers and their keys (数据提供方与密钥): who may send, and by which key, at an instant.

A key is never replaced in place: rotation registers a new one and closes the old one's
interval, so a signature of last month can still be checked against the key of last month.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlmodel import Session

from app.kernel.db import driver
from app.providers.errors import (
    KeyMalformed,
    KeyTaken,
    ProviderCodeTaken,
    ProviderMalformed,
    ProviderUnknown,
)

CODE: Final = re.compile(r"[a-z0-9][a-z0-9-]{1,39}")
NAME: Final = re.compile(r"[^\x00-\x1f\x7f]{1,200}")
KEYID: Final = re.compile(r"[\x21-\x7e]{1,200}")
PUBLIC_KEY_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Provider:
    """A data provider (数据提供方): a scenario operator that sends uploads."""

    id: int
    code: str
    name_zh: str
    name_en: str
    suspended_at: datetime | None


@dataclass(frozen=True, slots=True)
class ProviderKey:
    """An Ed25519 key in force, and whose it is."""

    keyid: str
    public_key: bytes
    provider: Provider


_COLUMNS: Final = "p.id, p.code, p.name_zh, p.name_en, p.suspended_at"
_ADD: Final = f"""
insert into provider as p (code, name_zh, name_en, opened_at) values (%s, %s, %s, %s)
on conflict (code) do nothing returning {_COLUMNS}"""  # noqa: S608 -- columns of our own
_FIND: Final = f"select {_COLUMNS} from provider p where p.code = %s"  # noqa: S608 -- likewise
_ADD_KEY: Final = """
insert into provider_key (keyid, provider, public_key, valid_from) values (%s, %s, %s, %s)
on conflict (keyid) do nothing"""
_FIND_KEY: Final = f"""
select k.keyid, k.public_key, {_COLUMNS} from provider_key k join provider p on p.id = k.provider
 where k.keyid = %s and k.valid_from <= %s and (k.valid_to is null or k.valid_to > %s)"""  # noqa: S608 -- likewise
_END_KEYS: Final = """
update provider_key set valid_to = greatest(%s, valid_from)
 where provider = %s and keyid <> %s and (valid_to is null or valid_to > %s)"""
_END_KEY: Final = """
update provider_key set valid_to = greatest(%s, valid_from)
 where provider = %s and keyid = %s and (valid_to is null or valid_to > %s)"""
_SUSPEND: Final = "update provider set suspended_at = %s where id = %s and suspended_at is null"
_RESUME: Final = """
update provider set suspended_at = null where id = %s and suspended_at is not null"""
_PAGE: Final = f"""
select {_COLUMNS} from provider p where p.code > %s order by p.code limit %s"""  # noqa: S608 -- likewise


def add_provider(
    session: Session, code: str, *, name_zh: str, name_en: str, at: datetime
) -> Provider:
    """Open a provider.

    Raises:
        ProviderMalformed: The code is not 2 to 40 of ``a-z 0-9 -``, or a name is unusable.
        ProviderCodeTaken: The code is another's.
    """
    for field, form, value in (
        ("code", CODE, code),
        ("name_zh", NAME, name_zh),
        ("name_en", NAME, name_en),
    ):
        if not form.fullmatch(value):
            raise ProviderMalformed(field=field)
    row = driver(session).execute(_ADD, (code, name_zh, name_en, at)).fetchone()
    if row is None:
        raise ProviderCodeTaken(provider=code)
    return Provider(*row)


def find_provider(session: Session, code: str) -> Provider:
    """Give the provider with this code.

    Raises:
        ProviderUnknown: There is none.
    """
    if CODE.fullmatch(code):
        row = driver(session).execute(_FIND, (code,)).fetchone()
        if row is not None:
            return Provider(*row)
    raise ProviderUnknown


def register_key(
    session: Session, provider: Provider, keyid: str, public_key: bytes, *, at: datetime
) -> None:
    """Put a key in force from ``at`` on, beside those that are.

    Raises:
        KeyMalformed: The key or its id is not of the required form.
        KeyTaken: The id was used before, by anybody.
    """
    if len(public_key) != PUBLIC_KEY_BYTES or not KEYID.fullmatch(keyid):
        raise KeyMalformed
    if driver(session).execute(_ADD_KEY, (keyid, provider.id, public_key, at)).rowcount == 0:
        raise KeyTaken


def rotate_key(
    session: Session,
    provider: Provider,
    keyid: str,
    public_key: bytes,
    *,
    at: datetime,
    old_until: datetime,
) -> None:
    """Put a key in force and let every other of the provider end at ``old_until``.

    Raises:
        KeyMalformed: As in :func:`register_key`.
        KeyTaken: As in :func:`register_key`.
    """
    register_key(session, provider, keyid, public_key, at=at)
    driver(session).execute(_END_KEYS, (old_until, provider.id, keyid, old_until))


def revoke_key(session: Session, provider: Provider, keyid: str, *, at: datetime) -> bool:
    """End a key of this provider; says whether one was in force. Idempotent."""
    return driver(session).execute(_END_KEY, (at, provider.id, keyid, at)).rowcount > 0


def suspend_provider(session: Session, provider: Provider, *, at: datetime) -> bool:
    """Let a provider send nothing from now on; says whether it could before. Idempotent."""
    return driver(session).execute(_SUSPEND, (at, provider.id)).rowcount > 0


def resume_provider(session: Session, provider: Provider) -> bool:
    """Let a suspended provider send again; says whether it was suspended. Idempotent."""
    return driver(session).execute(_RESUME, (provider.id,)).rowcount > 0


def providers_after(session: Session, code: str, *, limit: int) -> list[Provider]:
    """Give the providers whose code follows ``code``, in order."""
    return [Provider(*row) for row in driver(session).execute(_PAGE, (code, limit))]


def find_key(session: Session, keyid: str, at: datetime) -> ProviderKey | None:
    """Give the key that was in force at an instant, with its provider."""
    if not KEYID.fullmatch(keyid):
        return None
    row = driver(session).execute(_FIND_KEY, (keyid, at, at)).fetchone()
    return None if row is None else ProviderKey(row[0], bytes(row[1]), Provider(*row[2:]))
