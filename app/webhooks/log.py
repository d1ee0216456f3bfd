"""The delivery log (投递记录), and sending again: one message, or everything since an instant."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Literal, NamedTuple
from uuid import UUID

from sqlmodel import Session

from app.kernel.db import driver
from app.webhooks.endpoints import Endpoint
from app.webhooks.errors import EndpointOff, MessageUnknown
from app.webhooks.messages import News
from app.webhooks.rules import NewsKind

TRIES_SHOWN: Final = 20
REPLAY_MAX: Final = 10_000
"""Messages of one replay; the answer says from when the next one goes on."""

_PAGE: Final = """
select d.message, m.type, m.told_at, d.state, d.due_at, d.tries
  from webhook_delivery d
  join webhook_message m on m.id = d.message
  join webhook_endpoint e on e.id = d.endpoint
 where e.owner = %(owner)s and d.endpoint = %(endpoint)s
   and (%(before)s::uuid is null or d.message < %(before)s)
 order by d.message desc limit %(limit)s"""
_TRIES: Final = """
select a.message, a.number, a.begun_at, a.ended_at, a.status, a.fault
  from webhook_attempt a
  join webhook_delivery d on d.endpoint = a.endpoint and d.message = a.message
  join webhook_endpoint e on e.id = a.endpoint
 where e.owner = %s and a.endpoint = %s and a.message = any(%s) and a.number > d.tries - %s
 order by a.message, a.number"""
_REPLAY_ONE: Final = """
insert into webhook_delivery (endpoint, message, due_at)
select e.id, m.id, now() from webhook_message m join webhook_endpoint e on e.owner = m.owner
 where e.owner = %s and e.id = %s and m.id = %s
on conflict (endpoint, message) do update
   set state = 'waiting', due_at = excluded.due_at, step = 0"""
_REPLAY: Final = """
with chosen as (
  select e.id as endpoint, m.id as message, m.told_at
    from webhook_endpoint e
    join webhook_message m on m.owner = e.owner and m.type = any(e.types)
   where e.owner = %(owner)s and e.id = %(endpoint)s and m.told_at >= %(since)s
   order by m.told_at, m.id limit %(limit)s),
again as (
  insert into webhook_delivery (endpoint, message, due_at)
  select endpoint, message, now() from chosen
  on conflict (endpoint, message) do update
     set state = 'waiting', due_at = excluded.due_at, step = 0)
select count(*), max(told_at) from chosen"""
_PING: Final = """
with told as (
  insert into webhook_message (id, owner, type, cause, body, told_at)
  values (%(message)s, %(owner)s, %(type)s, %(cause)s, %(body)s, %(at)s) returning id, owner)
insert into webhook_delivery (endpoint, message, due_at)
select e.id, t.id, now() from told t join webhook_endpoint e on e.owner = t.owner
 where e.id = %(endpoint)s"""


class Tried(NamedTuple):
    """One try of a delivery."""

    number: int
    begun_at: datetime
    ended_at: datetime | None
    status: int | None
    fault: str | None


class Delivery(NamedTuple):
    """What became of a message at an endpoint."""

    message: UUID
    kind: NewsKind
    told_at: datetime
    state: Literal["waiting", "delivered", "failed"]
    due_at: datetime
    tries: int
    tried: Sequence[Tried] = ()


class Replayed(NamedTuple):
    """How many messages are sent again; and when the last of them was told, if there are more."""

    messages: int
    until: datetime | None


def deliveries(
    session: Session, endpoint: Endpoint, *, before: UUID | None, limit: int
) -> list[Delivery]:
    """List an endpoint's deliveries, the newest message first, with their latest tries."""
    connection, place = driver(session), (endpoint.owner, endpoint.id)
    asked = {"owner": endpoint.owner, "endpoint": endpoint.id, "before": before, "limit": limit}
    found = [
        Delivery(message, NewsKind(kind), *rest)
        for message, kind, *rest in connection.execute(_PAGE, asked).fetchall()
    ]
    tried: dict[UUID, list[Tried]] = {each.message: [] for each in found}
    for message, *rest in connection.execute(_TRIES, (*place, list(tried), TRIES_SHOWN)):
        tried[message].append(Tried(*rest))
    return [each._replace(tried=tried[each.message]) for each in found]


def replay_message(session: Session, endpoint: Endpoint, message: UUID | None) -> Replayed:
    """Send one message again, whether it arrived or not.

    Raises:
        EndpointOff, MessageUnknown: See their own words.
    """
    _check(endpoint)
    facts = (endpoint.owner, endpoint.id, message)
    if message is None or not driver(session).execute(_REPLAY_ONE, facts).rowcount:
        raise MessageUnknown
    return Replayed(1, None)


def replay_since(session: Session, endpoint: Endpoint, since: datetime) -> Replayed:
    """Send again what the endpoint wants of what was told since an instant.

    Raises:
        EndpointOff: Nothing is sent there.
    """
    _check(endpoint)
    asked = {"owner": endpoint.owner, "endpoint": endpoint.id, "since": since, "limit": REPLAY_MAX}
    row = driver(session).execute(_REPLAY, asked).fetchone()
    assert row is not None
    return Replayed(row[0], row[1] if row[0] == REPLAY_MAX else None)


def ping(session: Session, endpoint: Endpoint, *, message: UUID, at: datetime) -> None:
    """Send a message that says nothing but that it came.

    Raises:
        EndpointOff: Nothing is sent there.
    """
    _check(endpoint)
    news = News(
        message, endpoint.owner, NewsKind.PING, str(message), {"endpoint": endpoint.public}, at
    )
    facts = {"type": news.kind.value, "cause": news.cause, "body": news.body, "at": at}
    place = {"message": message, "owner": endpoint.owner, "endpoint": endpoint.id}
    driver(session).execute(_PING, {**facts, **place})


def _check(endpoint: Endpoint) -> None:
    if endpoint.off_at is not None:
        raise EndpointOff
