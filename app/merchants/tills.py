"""Tills (终端): registered by an owner, each with an Ed25519 key of its own, and who signs as one.

Whoever holds the key is the till; whether the till may do anything now, its shift, its merchant's
standing and its revocation, is asked by the statement that does it. So a key that a process has
seen once needs no look-up again: its bytes never change for an id.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.openapi.models import APIKey, APIKeyIn
from fastapi.security.base import SecurityBase
from psycopg import errors as db_errors
from sqlmodel import Session

from app.kernel.clock import now
from app.kernel.db import Database, driver
from app.kernel.ids import parse_public_id, public_id
from app.kernel.one_form import verify_one_form
from app.kernel.signatures import TILL, read_signed
from app.kernel.wiring import city_of
from app.merchants.errors import MembersMany, TillKeyTaken, TillUnknown

PREFIX: Final = "til"
TILLS_MAX: Final = 1_000
"""In use at one merchant."""
REMEMBERED_MAX: Final = 100_000
"""Keys that one process keeps [some 20 MB]."""


@dataclass(frozen=True, slots=True)
class Till:
    """A device that redeems (终端), and the shift that is open at it."""

    id: UUID
    merchant: UUID
    label: str
    public_key: bytes
    opened_at: datetime
    revoked_at: datetime | None = None
    shift: UUID | None = None
    keeper: UUID | None = None
    shift_ends_at: datetime | None = None

    @property
    def public(self) -> str:
        """The public id: the ``keyid`` of its signatures."""
        return public_id(PREFIX, self.id)


@dataclass(frozen=True, slots=True)
class TillKey:
    """The key that a till signs with."""

    till: UUID
    public_key: bytes


_COLUMNS: Final = """
id, merchant, label, public_key, opened_at, revoked_at, shift, keeper, shift_ends_at"""
_LOCK: Final = "select from merchant where id = %s for no key update"
_COUNT: Final = "select count(*) from till where merchant = %s and revoked_at is null"
_ADD: Final = """
insert into till (id, merchant, label, public_key, opened_at) values (%s, %s, %s, %s, %s)"""
_FIND: Final = f"select {_COLUMNS} from till where merchant = %s and id = %s"  # noqa: S608 -- columns of our own
_LIST: Final = f"""
select {_COLUMNS} from till
 where merchant = %s and (%s::uuid is null or id > %s) order by id limit %s"""  # noqa: S608 -- likewise
_REVOKE: Final = """
update till set revoked_at = %s, shift = null, keeper = null, shift_ends_at = null
 where merchant = %s and id = %s and revoked_at is null"""
_KEY: Final = "select public_key from till where id = %s and revoked_at is null"


def add_till(session: Session, till: Till) -> None:
    """Register a till; it can do nothing before somebody opens a shift at it.

    Raises:
        TillKeyTaken: Its key was registered before, by anybody.
        MembersMany: ``TILLS_MAX`` are in use.
    """
    connection = driver(session)
    connection.execute(_LOCK, (till.merchant,))
    counted = connection.execute(_COUNT, (till.merchant,)).fetchone()
    if counted is not None and counted[0] >= TILLS_MAX:
        raise MembersMany(most=TILLS_MAX)
    row = (till.id, till.merchant, till.label, till.public_key, till.opened_at)
    try:
        connection.execute(_ADD, row)
    except db_errors.UniqueViolation as error:
        raise TillKeyTaken from error


def revoke_till(session: Session, merchant: UUID, till: UUID | None, *, at: datetime) -> Till:
    """End a till for good, and its shift with it.

    Raises:
        TillUnknown: The merchant has none with this id in use.
    """
    if driver(session).execute(_REVOKE, (at, merchant, till)).rowcount == 0:
        raise TillUnknown
    return find_till(session, merchant, till)


def find_till(session: Session, merchant: UUID, till: UUID | None) -> Till:
    """Give a till of one merchant, a revoked one too.

    Raises:
        TillUnknown: It has none with this id.
    """
    row = None if till is None else driver(session).execute(_FIND, (merchant, till)).fetchone()
    if row is None:
        raise TillUnknown
    return _till(*row)


def tills(session: Session, merchant: UUID, *, after: UUID | None, limit: int) -> Sequence[Till]:
    """List a merchant's tills, revoked ones too, in the order of their registration."""
    rows = driver(session).execute(_LIST, (merchant, after, after, limit)).fetchall()
    return [_till(*row) for row in rows]


def find_key(session: Session, till: UUID) -> TillKey | None:
    """Give the key of a till that is in use."""
    row = driver(session).execute(_KEY, (till,)).fetchone()
    return None if row is None else TillKey(till, bytes(row[0]))


_KNOWN: Final[dict[UUID, TillKey]] = {}
"""Keys of this process; only of tills that exist, so nobody fills it from outside."""


def _learn(db: Database, till: UUID) -> TillKey | None:
    found = db.read(find_key, till)
    if found is not None:
        if len(_KNOWN) >= REMEMBERED_MAX:
            _KNOWN.clear()
        _KNOWN[till] = found
    return found


class TillSignature(SecurityBase):
    """Asks for a till's signature over the whole request, and names it so in OpenAPI.

    One dependency without others, since each of them costs a redemption 3 % of its CPU; and
    asynchronous, since a key that is known leaves nothing to wait for.
    """

    def __init__(self) -> None:
        """Describe it."""
        self.scheme_name = "tillSignature"
        self.model = APIKey.model_validate(
            {
                "in": APIKeyIn.header,
                "name": "Signature",
                "description": "RFC 9421 with Ed25519, tag `till`; see docs/mall.md. 终端签名",
            }
        )

    async def __call__(self, request: Request) -> UUID:
        """Give the till that signed; what it may do now is for the deed to ask.

        Raises:
            SignatureMissing, SignatureInvalid, SignatureStale, SignatureKeyUnknown, DigestMismatch:
            See their own words.
        """
        city = city_of(request)
        at, message = now(), read_signed(request, city.settings, await request.body())
        till = claimed_till(message.headers.get("signature-input", ""))
        key = None if till is None else _KNOWN.get(till)
        if till is not None and key is None:
            key = await run_in_threadpool(_learn, city.db, till)

        def find(keyid: str) -> TillKey | None:
            return key if key is not None and parse_public_id(PREFIX, keyid) == key.till else None

        return verify_one_form(message, find, tag=TILL, at=at).key.till


signed_till: Final = TillSignature()
SignedTill = Annotated[UUID, Depends(signed_till)]
"""The till that signed the request."""


def claimed_till(signature_input: str) -> UUID | None:
    """Read which till a signature says it is of, before anything of it is believed."""
    _, _, rest = signature_input.partition(';keyid="')
    return parse_public_id(PREFIX, rest.partition('"')[0])


def _till(*row: Any) -> Till:  # noqa: ANN401 -- the columns of the statements
    id_, merchant, label, public_key, *times = row
    return Till(id_, merchant, label, bytes(public_key), *times)
