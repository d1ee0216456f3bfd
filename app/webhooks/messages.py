"""Telling (发布消息): a message and what it owes to endpoints, in the transaction of the deed.

Nothing is written for an owner that nobody listens for. What is told twice under one cause is told
once, so whoever tells may begin again.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlmodel import Session

from app.kernel.db import driver
from app.kernel.ids import public_id
from app.webhooks.rules import NewsKind

PREFIX: Final = "msg"
# An endpoint that is off keeps its messages, for a replay. Locked, so that none is deleted between.
_TELL: Final = """
with told as (
  insert into webhook_message (id, owner, type, cause, body, told_at)
  select q.*
    from unnest(%s::uuid[], %s::text[], %s::text[], %s::text[], %s::text[], %s::timestamptz[])
      as q (id, owner, type, cause, body, told_at)
   where exists (select from webhook_endpoint e
                  where e.owner = q.owner and q.type = any(e.types))
  on conflict (owner, type, cause) do nothing returning id, owner, type)
insert into webhook_delivery (endpoint, message, due_at)
select e.id, t.id, now()
  from told t join webhook_endpoint e on e.owner = t.owner and t.type = any(e.types)
 where e.off_at is null
   for key share of e"""
_LISTENERS: Final = """
select distinct owner from webhook_endpoint
 where owner like %s and %s = any(types) order by owner"""


@dataclass(frozen=True, slots=True)
class News:
    """Something that an owner is told."""

    id: UUID
    owner: str
    kind: NewsKind
    cause: str
    """What it tells of; an owner is told of it once."""
    data: Mapping[str, object]
    """As JSON has it. It names no person."""
    at: datetime

    @property
    def body(self) -> str:
        """What is signed and sent."""
        told = {"type": self.kind.value, "timestamp": self.at.isoformat(), "data": self.data}
        return json.dumps(told, ensure_ascii=False, separators=(",", ":"))


def public_message(message: UUID) -> str:
    """Write a message's id as receivers see it, the same at each try."""
    return public_id(PREFIX, message)


def tell(session: Session, news: Iterable[News]) -> None:
    """Tell owners something; it is sent once the transaction is committed."""
    rows = [(each.id, each.owner, each.kind.value, each.cause, each.body, each.at) for each in news]
    if rows:
        columns = [list(column) for column in zip(*rows, strict=True)]
        driver(session).execute(_TELL, columns)


def listeners(session: Session, kind: NewsKind, *, among: str) -> list[str]:
    """Give the owners of one sort, ``merchant`` or ``partner``, who are told this kind."""
    rows = driver(session).execute(_LISTENERS, (f"{among}:%", kind.value)).fetchall()
    return [owner for (owner,) in rows]


def tell_partners(session: Session, news: News, new_id: Callable[[], UUID]) -> None:
    """Tell every partner that listens what ``news`` tells its own owner."""
    owners = listeners(session, news.kind, among="partner")
    tell(session, [replace(news, id=new_id(), owner=owner) for owner in owners])
