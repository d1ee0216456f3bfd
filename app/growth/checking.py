"""Checking a statement (查验声明): is it ours, as issued, for this reader, in force; and noted.

Whoever checks here is noted for the holder to see. Whoever checks offline, with the published key
and the status list, is not: a list is fetched whole, and nobody learns which place was looked at.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Final, Literal
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlmodel import Session

from app.growth import sd_jwt
from app.growth.errors import StatementInvalid, StatusListUnknown
from app.growth.statements import TYPE
from app.growth.status_list import PLACES, SHIFT
from app.kernel.db import driver
from app.kernel.ids import parse_public_id
from app.kernel.limits import Limit

CHECKED: Final = Limit("statements.checked", 60, timedelta(hours=1))
SHOWN: Final = ("reduction_12_months", "score")
Outcome = Literal["valid", "expired", "revoked", "other_audience"]

_FIND: Final = "select bucket, account, audience, is_revoked from statement where id = %s"
_NOTE: Final = """
insert into statement_check as c (bucket, account, statement, minute, verifier, outcome)
values (%s, %s, %s, %s, %s, %s)
on conflict (bucket, account, statement, minute, verifier, outcome)
do update set times = c.times + 1"""
_LAST_PLACE: Final = "select last_value from statement_place"
_REVOKED: Final = """
select place from statement
 where is_revoked and place >= %s and place < %s order by place"""


@dataclass(frozen=True, slots=True)
class Shown:
    """A statement that is ours and unaltered, as its bearer shows it."""

    id: UUID
    purpose: str
    audience: str
    issued_at: datetime
    expires_at: datetime
    said: dict[str, Any] = field(default_factory=dict[str, Any])
    """The claims that were disclosed."""

    @property
    def limited_as(self) -> bytes:
        """What the limit of checks counts."""
        return sha256(self.id.bytes).digest()


def shown_statement(text: str, key: Ed25519PublicKey, kid: str, issuer: str) -> Shown:
    """Read what a bearer shows.

    Raises:
        StatementInvalid: It is not ours, or was altered.
    """
    try:
        claims = sd_jwt.read(text, key, kid)
    except sd_jwt.SdJwtInvalid as error:
        raise StatementInvalid from error
    statement = parse_public_id("stm", str(claims.get("jti")))
    is_ours = claims.get("vct") == TYPE and claims.get("iss") == f"https://{issuer}"
    if statement is None or not is_ours:
        raise StatementInvalid
    return Shown(
        id=statement,
        purpose=claims["purpose"],
        audience=claims["aud"],
        issued_at=datetime.fromtimestamp(claims["iat"], UTC),
        expires_at=datetime.fromtimestamp(claims["exp"], UTC),
        said={name: claims[name] for name in SHOWN if name in claims},
    )


def check_statement(session: Session, shown: Shown, verifier: str, *, at: datetime) -> Outcome:
    """Say how a statement stands for this verifier, and note that it asked.

    Raises:
        StatementInvalid: No such statement was issued.
    """
    connection = driver(session)
    row = connection.execute(_FIND, (shown.id,)).fetchone()
    if row is None:
        raise StatementInvalid
    bucket, owner, audience, is_revoked = row
    outcome = _outcome(shown, verifier, at, is_revoked=is_revoked)
    if audience:
        # Blank once its holder was erased: nobody is left to tell.
        minute = at.replace(second=0, microsecond=0)
        connection.execute(_NOTE, (bucket, owner, shown.id, minute, verifier, outcome))
    return outcome


def revoked_places(session: Session, number: int) -> Sequence[int]:
    """Give the revoked places of one status list.

    Raises:
        StatusListUnknown: No statement lies in it yet.
    """
    connection = driver(session)
    last = connection.execute(_LAST_PLACE).fetchone()
    assert last is not None
    if number << SHIFT > last[0]:
        raise StatusListUnknown
    first = number << SHIFT
    rows = connection.execute(_REVOKED, (first, first + PLACES)).fetchall()
    return [place - first for (place,) in rows]


def _outcome(shown: Shown, verifier: str, at: datetime, *, is_revoked: bool) -> Outcome:
    if is_revoked:
        return "revoked"
    if at >= shown.expires_at:
        return "expired"
    return "valid" if verifier == shown.audience else "other_audience"
