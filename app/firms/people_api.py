"""A firm's own people over HTTP (单位人员接口): an owner takes them in, suspends and resets them.

Whatever has an id here is looked for among one's own: another firm's is as if it were nobody's.
"""

from collections.abc import Callable
from typing import Any, Final, NamedTuple, TypeVar
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel
from sqlmodel import Session

from app.firms.people import FirmUser, People
from app.firms.schemas import FirmUserIn, UserResetIn, Wires, user_out
from app.firms.sort import Sort
from app.firms.standing import standing
from app.kernel.clock import now
from app.kernel.db import Database
from app.kernel.http import problems
from app.kernel.once import IdempotencyKey, answer_once
from app.kernel.paging import Cursor, Limit, page_of, read_cursor
from app.kernel.scopes import Scope
from app.kernel.tokens import PREFIXES, Principal
from app.kernel.wiring import Db
from app.staff import note_act

UserT = TypeVar("UserT", bound=FirmUser)
DENIED: Final = {
    "s401": "No access token, or one that has ended.",
    "s403": "You are not an owner there, or one of the two is suspended.",
}
WRITING: Final = problems(
    **DENIED,
    s400="The Idempotency-Key is missing.",
    s404="Yours has no such person.",
    s409="The login or the key is another's, there are too many, or it is yourself.",
    s422="The request is not of the documented form, or its key was used before.",
)


def user_path(sort: Sort) -> Any:  # noqa: ANN401 -- stands as a default of a text
    """Take the id of one of a firm's people from a path."""
    examples = [f"{PREFIXES[sort.kind]}_01k0000000000000000000000a"]
    return Path(max_length=40, examples=examples)


class FirmOwner(NamedTuple):
    """Somebody who keeps a firm's affairs, and which."""

    who: Principal
    firm: UUID


def take_in(  # noqa: PLR0917 -- the request, its key, who, whom, and how they are written
    request: Request,
    db: Database,
    people: People[UserT],
    by: Principal,
    user: UserT,
    body: FirmUserIn,
    wires: Wires[Any],
    key: str | None,
) -> Response:
    """Take somebody in, who enrols by the secret of the given hash within three days."""

    def deed(session: Session) -> BaseModel:
        people.add(session, user, bytes.fromhex(body.enrolment_sha256))
        act = f"{people.sort.plural}.add_user"
        note_act(session, by.name, act, user.public, at=user.opened_at, role=user.role.value)
        return user_out(user, wires.user)

    return answer_once(request, db, by, key, body, deed)


def add_own_people(
    router: APIRouter, people: People[UserT], wires: Wires[Any], scope: Scope
) -> None:
    """Add what an owner, who needs ``scope``, asks about their firm's people."""
    sort = people.sort
    own: Any = standing(people, scope, FirmOwner)
    path = f"/v1/{sort.kind}/users"

    @router.get(
        path,
        operation_id=f"list{sort.word}Users",
        summary=f"Your people {sort.zh}人员列表",
        response_model=wires.users,
        responses=problems(**DENIED, s422="The cursor is not of the documented form."),
    )
    def list_users(
        db: Db, me: FirmOwner = own, limit: Limit = 50, cursor: Cursor = None
    ) -> BaseModel:
        """List everybody who works or worked for you."""
        (after,) = read_cursor(cursor, UUID) if cursor else (None,)
        found = db.read(people.listed, me.firm, after=after, limit=limit + 1)
        return page_of(
            wires.users, found, limit, lambda each: user_out(each, wires.user), lambda u: (u.id,)
        )

    _ = list_users
    _add_suspension(router, people, wires, own)
    _add_reset(router, people, wires, own)


def _add_suspension(
    router: APIRouter,
    people: People[UserT],
    wires: Wires[Any],
    own: Any,  # noqa: ANN401 -- stands as a default of a FirmOwner
) -> None:
    sort, user = people.sort, user_path(people.sort)

    @router.post(
        f"/v1/{sort.kind}/users/{{user_id}}/suspension",
        operation_id=f"suspend{sort.word}User",
        summary=f"Suspend somebody at once 停用{sort.zh}人员",
        response_model=wires.user,
        responses=WRITING,
    )
    def suspend(
        request: Request,
        db: Db,
        user_id: str = user,
        me: FirmOwner = own,
        idempotency_key: IdempotencyKey = None,
    ) -> Response:
        """End somebody's sessions and all that they have open, and let them log in no more."""
        at = now()

        def do(session: Session, user: UserT) -> None:
            people.suspend(session, user, at=at)

        change = _change(people, wires, me, user_id, "suspend_user", do)
        return answer_once(request, db, me.who, idempotency_key, None, change, status=200)

    _ = suspend


def _add_reset(
    router: APIRouter,
    people: People[UserT],
    wires: Wires[Any],
    own: Any,  # noqa: ANN401 -- likewise
) -> None:
    sort, user = people.sort, user_path(people.sort)

    @router.post(
        f"/v1/{sort.kind}/users/{{user_id}}/reset",
        operation_id=f"reset{sort.word}User",
        summary=f"Let somebody enrol anew 重新登记{sort.zh}人员",
        response_model=wires.user,
        responses=WRITING,
    )
    def reset(
        request: Request,
        body: UserResetIn,
        db: Db,
        user_id: str = user,
        me: FirmOwner = own,
        idempotency_key: IdempotencyKey = None,
    ) -> Response:
        """For somebody who lost phone or password, or shall come back from a suspension."""
        at, enrolment = now(), bytes.fromhex(body.enrolment_sha256)

        def do(session: Session, user: UserT) -> None:
            people.reset(session, user, enrolment, at=at)

        change = _change(people, wires, me, user_id, "reset_user", do)
        return answer_once(request, db, me.who, idempotency_key, body, change, status=200)

    _ = reset


def _change(
    people: People[UserT],
    wires: Wires[Any],
    me: FirmOwner,
    user_id: str,
    verb: str,
    do: Callable[[Session, UserT], None],
) -> Callable[[Session], BaseModel]:
    """Change somebody else of one's own firm, note it, and tell what they are now."""

    def deed(session: Session) -> BaseModel:
        user = people.other(session, me.firm, me.who, user_id)
        do(session, user)
        act = f"{people.sort.plural}.{verb}"
        note_act(session, me.who.name, act, user.public, at=now())
        return user_out(people.find(session, me.firm, user.id), wires.user)

    return deed
