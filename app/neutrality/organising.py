"""Who asks for a gathering (主办方), and how something is done for one: locked, once a key, noted.

Another organisation's gathering is as if it were nobody's.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

from fastapi import Depends, Path, Request, Response
from pydantic import BaseModel
from sqlmodel import Session

from app.kernel.clock import now
from app.kernel.ids import parse_public_id
from app.kernel.once import IdempotencyKey, answer_once
from app.kernel.scopes import Scope
from app.kernel.wiring import Db
from app.neutrality.gatherings import PREFIX, Gathering, find_gathering, lock_gathering
from app.organisations import OrganisationMember, member
from app.staff import note_act

GATHERINGS: Final = "/v1/gatherings"
ONE: Final = GATHERINGS + "/{gathering_id}"
Organiser = Annotated[OrganisationMember, member(Scope.GATHERINGS_MANAGE)]
GatheringId = Annotated[
    str, Path(pattern=r"^gth_[0-9a-z]{26}$", examples=["gth_01k0000000000000000000000a"])
]
DENIED: Final = {
    "s401": "No access token, or one that has ended.",
    "s403": "You may not manage your organisation's gatherings, or it is suspended.",
}
OWN: Final = {"s404": "Your organisation has no such gathering."}
WRITING: Final = {
    **DENIED,
    "s400": "The Idempotency-Key is missing.",
    "s422": "The request is not of the documented form, or its key was used before.",
}
OF_ONE: Final = {**WRITING, **OWN, "s409": "The gathering's state does not allow it."}

Deed = Callable[[Session, Gathering, datetime], BaseModel]


@dataclass(frozen=True, slots=True)
class Turn:
    """Somebody's turn to change a gathering of theirs."""

    request: Request
    db: Db
    me: OrganisationMember
    gathering: UUID | None
    key: str | None

    def once(
        self, act: str, deed: Deed, *, body: BaseModel | None = None, status: int = 201
    ) -> Response:
        """Do it to the locked gathering, at most once for the key, with a line in the log."""
        at = now()

        def noted(session: Session) -> BaseModel:
            locked = lock_gathering(session, self.gathering, organisation=self.me.organisation)
            made = deed(session, locked, at)
            note_act(session, self.me.who.name, act, locked.public, at=at)
            return made

        return answer_once(self.request, self.db, self.me.who, self.key, body, noted, status=status)


async def _turn(
    request: Request,
    me: Organiser,
    db: Db,
    gathering_id: GatheringId,
    idempotency_key: IdempotencyKey = None,
) -> Turn:
    return Turn(request, db, me, parse_public_id(PREFIX, gathering_id), idempotency_key)


Own = Annotated[Turn, Depends(_turn)]


async def raw_body(request: Request) -> bytes:
    """Give a body as it arrived."""
    return await request.body()


def gathering_of(session: Session, me: OrganisationMember, public: str) -> Gathering:
    """Give one of an organisation's gatherings.

    Raises:
        GatheringUnknown: It has none of that id.
    """
    found = parse_public_id(PREFIX, public)
    return find_gathering(session, found, organisation=me.organisation)
