"""Endpoints (回调地址): where an owner is told things, which, and under which secret.

The owner stands in every statement, so another's endpoint is as if it were nobody's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple
from uuid import UUID

from sqlmodel import Session

from app.kernel.db import driver
from app.kernel.ids import public_id
from app.webhooks.errors import EndpointsMany, EndpointUnknown, NewsForeign
from app.webhooks.rules import NEWS, NewsKind
from app.webhooks.signing import Scheme

PREFIX: Final = "whk"
ENDPOINTS_MAX: Final = 10
"""Of one owner."""
OffFor = Literal["owner", "gone", "failing"]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where an owner is told things."""

    id: UUID
    owner: str
    url: str
    kinds: Sequence[NewsKind]
    scheme: Scheme
    secret: bytes
    """Sealed, as the next one is."""
    old_secret: bytes | None
    old_until: datetime | None
    created_at: datetime
    answered_at: datetime | None = None
    off_at: datetime | None = None
    off_for: OffFor | None = None

    @property
    def public(self) -> str:
        """The public id."""
        return public_id(PREFIX, self.id)

    def secrets(self, at: datetime) -> Sequence[bytes]:
        """Give what signs at an instant, the newest first; sealed."""
        if self.old_secret is None or self.old_until is None or self.old_until <= at:
            return [self.secret]
        return [self.secret, self.old_secret]


class EndpointChanges(NamedTuple):
    """What of an endpoint shall be otherwise."""

    url: str | None
    kinds: Sequence[NewsKind] | None
    is_on: bool | None


_COLUMNS: Final = """
id, owner, url, types, scheme, secret, old_secret, old_until, created_at, answered_at, off_at,
off_for"""
_TURN: Final = "select pg_advisory_xact_lock(hashtextextended('webhooks/' || %s, 0))"
_COUNT: Final = "select count(*) from webhook_endpoint where owner = %s"
_ADD: Final = """
insert into webhook_endpoint (id, owner, url, types, scheme, secret, created_at)
values (%s, %s, %s, %s, %s, %s, %s)"""
_FIND: Final = f"""
select {_COLUMNS} from webhook_endpoint where owner = %s and id = %s"""  # noqa: S608 -- columns of our own
_LIST: Final = f"""
select {_COLUMNS} from webhook_endpoint where owner = %s order by id"""  # noqa: S608 -- likewise
_CHANGE: Final = """
update webhook_endpoint
   set url = coalesce(%(url)s, url), types = coalesce(%(types)s, types),
       off_at = case when %(on)s then null when %(off)s then coalesce(off_at, %(at)s)
                     else off_at end,
       off_for = case when %(on)s then null when %(off)s then coalesce(off_for, 'owner')
                      else off_for end
 where owner = %(owner)s and id = %(id)s"""
_ROTATE: Final = """
update webhook_endpoint set secret = %s, old_secret = secret, old_until = %s
 where owner = %s and id = %s"""
_DELETE: Final = "delete from webhook_endpoint where owner = %s and id = %s"


def add_endpoint(session: Session, endpoint: Endpoint) -> None:
    """Add an endpoint.

    Raises:
        NewsForeign, EndpointsMany: See their own words.
    """
    connection, owner = driver(session), endpoint.owner
    _check(owner, endpoint.kinds)
    connection.execute(_TURN, (owner,))
    found = connection.execute(_COUNT, (owner,)).fetchone()
    assert found is not None
    if found[0] >= ENDPOINTS_MAX:
        raise EndpointsMany(most=ENDPOINTS_MAX)
    kinds = [kind.value for kind in endpoint.kinds]
    facts = (endpoint.url, kinds, endpoint.scheme.value, endpoint.secret, endpoint.created_at)
    connection.execute(_ADD, (endpoint.id, owner, *facts))


def find_endpoint(session: Session, owner: str, endpoint: UUID | None) -> Endpoint:
    """Give an endpoint of an owner.

    Raises:
        EndpointUnknown: There is none.
    """
    row = endpoint and driver(session).execute(_FIND, (owner, endpoint)).fetchone()
    if not row:
        raise EndpointUnknown
    return _endpoint(*row)


def endpoints(session: Session, owner: str) -> Sequence[Endpoint]:
    """List an owner's endpoints, the oldest first; there are few."""
    return [_endpoint(*row) for row in driver(session).execute(_LIST, (owner,)).fetchall()]


def change_endpoint(
    session: Session,
    owner: str,
    endpoint: UUID,
    changes: EndpointChanges,
    *,
    at: datetime,
) -> None:
    """Change what is named. What waited while it was off is sent once it is on again.

    Raises:
        NewsForeign, EndpointUnknown: See their own words.
    """
    url, kinds, is_on = changes
    _check(owner, kinds or ())
    types = kinds and [kind.value for kind in kinds]
    facts = {"url": url, "types": types, "on": is_on is True, "off": is_on is False}
    place = {"owner": owner, "id": endpoint, "at": at}
    if not driver(session).execute(_CHANGE, {**facts, **place}).rowcount:
        raise EndpointUnknown


def rotate_secret(
    session: Session, owner: str, endpoint: UUID, secret: bytes, *, old_until: datetime
) -> None:
    """Sign with another secret, and with the one before it until ``old_until``; never with three.

    Raises:
        EndpointUnknown: There is none.
    """
    if not driver(session).execute(_ROTATE, (secret, old_until, owner, endpoint)).rowcount:
        raise EndpointUnknown


def delete_endpoint(session: Session, owner: str, endpoint: UUID | None) -> None:
    """Delete an endpoint with its deliveries.

    Raises:
        EndpointUnknown: There is none.
    """
    if endpoint is None or not driver(session).execute(_DELETE, (owner, endpoint)).rowcount:
        raise EndpointUnknown


def _check(owner: str, kinds: Sequence[NewsKind]) -> None:
    allowed = NEWS[owner.partition(":")[0]]
    for kind in kinds:
        if kind not in allowed:
            raise NewsForeign(type=kind.value)


def _endpoint(
    id_: UUID,
    owner: str,
    url: str,
    types: list[str],
    scheme: str,
    *rest: Any,  # noqa: ANN401 -- likewise
) -> Endpoint:
    return Endpoint(id_, owner, url, [NewsKind(each) for each in types], Scheme(scheme), *rest)
