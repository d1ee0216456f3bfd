"""The people of firms (单位人员): taken in, suspended, reset, and what they may at this moment."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Final, Generic, LiteralString, TypeVar
from uuid import UUID

from sqlmodel import Session

from app.firms.sort import Sort
from app.kernel.db import driver
from app.kernel.ids import public_id
from app.kernel.scopes import SCOPES, Role, Scope
from app.kernel.tokens import PREFIXES, Kind, Principal
from app.sessions import close_all
from app.staff import note_act
from app.staff.errors import LoginRefused, LoginTaken
from app.staff.roll import Attempt, Roll

USERS_MAX: Final = 200
"""Of one firm, suspended ones too."""


@dataclass(frozen=True, slots=True)
class FirmUser:
    """Somebody who works for a firm (单位人员)."""

    kind: ClassVar[Kind]
    id: UUID
    firm: UUID
    login: str
    name: str
    role: StrEnum
    opened_at: datetime
    suspended_at: datetime | None = None

    @property
    def public(self) -> str:
        """The public id, as tokens and records name them."""
        return public_id(PREFIXES[self.kind], self.id)


UserT = TypeVar("UserT", bound=FirmUser)


class People(Generic[UserT]):
    """Everybody who works for a firm of one sort."""

    def __init__(
        self,
        sort: Sort,
        roles: Mapping[str, Role],
        read: Callable[..., UserT],
        *,
        leave: Callable[[Session, UUID], None] | None = None,
    ) -> None:
        """Name their roles and what makes one of a row; ``leave`` ends what else they have open."""
        firm, users = sort.kind, f"{sort.kind}_user"
        columns = f"u.id, u.{firm}, u.login, u.name, u.role, u.opened_at, u.suspended_at"
        self.sort, self._roles, self._read, self._leave = sort, roles, read, leave
        theirs: LiteralString = f"""
select from {firm} f where f.id = p.{firm} and f.suspended_at is null"""  # bandit: S608 -- ours
        self.roll = Roll(
            sort.kind,
            users,
            f"{firm}_credential",
            standing=f"p.suspended_at is null and exists ({theirs})",
            enrolled=f"{sort.plural}.enrol",
        )
        """How they come in: not while they or their firm are suspended."""
        self._lock: LiteralString = f"""
select from {firm} where id = %s for no key update"""  # bandit: S608 -- likewise
        self._count: LiteralString = f"select count(*) from {users} where {firm} = %s"  # noqa: S608 -- likewise
        self._add: LiteralString = f"""
insert into {users} (id, {firm}, login, name, role, opened_at)
values (%s, %s, %s, %s, %s, %s) on conflict (login) do nothing"""  # noqa: S608 -- likewise
        self._named: LiteralString = f"""
select from {users} where login = %s"""  # bandit: S608 -- likewise
        self._find: LiteralString = f"""
select {columns} from {users} u where u.{firm} = %s and u.id = %s"""  # noqa: S608 -- likewise
        self._list: LiteralString = f"""
select {columns} from {users} u
 where u.{firm} = %s and (%s::uuid is null or u.id > %s) order by u.id limit %s"""  # noqa: S608 -- likewise
        self._standing: LiteralString = f"""
select {columns}, f.account from {users} u join {firm} f on f.id = u.{firm}
 where u.id = %s and u.suspended_at is null and f.suspended_at is null"""  # noqa: S608 -- likewise
        self._account: LiteralString = f"select account from {firm} where id = %s"  # noqa: S608 -- likewise
        self._suspend: LiteralString = f"""
update {users} set suspended_at = coalesce(suspended_at, %s) where id = %s"""  # noqa: S608 -- likewise
        self._return: LiteralString = f"update {users} set suspended_at = null where id = %s"  # noqa: S608 -- likewise

    def add(self, session: Session, user: UserT, enrolment: bytes) -> None:
        """Take somebody in, who enrols by the secret of this hash.

        Raises:
            LoginTaken: The login is another's, of any firm of this sort.
            Refusal: ``users_many``; there are ``USERS_MAX``.
        """
        connection = driver(session)
        connection.execute(self._lock, (user.firm,))
        counted = connection.execute(self._count, (user.firm,)).fetchone()
        if counted is not None and counted[0] >= USERS_MAX:
            raise self.sort.refusals.users_many(most=USERS_MAX)
        row = (user.id, user.firm, user.login, user.name, user.role.value, user.opened_at)
        if connection.execute(self._add, row).rowcount == 0:
            raise LoginTaken(login=user.login)
        self.roll.await_enrolment(session, user.id, enrolment, at=user.opened_at)

    def refuse_taken(self, session: Session, login: str) -> None:
        """Pass a login that nobody has.

        Raises:
            LoginTaken: Somebody has it.
        """
        if driver(session).execute(self._named, (login,)).rowcount > 0:
            raise LoginTaken(login=login)

    def suspend(self, session: Session, user: UserT, *, at: datetime) -> None:
        """Let somebody log in no more, and end all that they have open. Idempotent."""
        driver(session).execute(self._suspend, (at, user.id))
        self.end_all(session, user, at=at)

    def reset(self, session: Session, user: UserT, enrolment: bytes, *, at: datetime) -> None:
        """Forget password and TOTP; they enrol anew, and work again if suspended."""
        driver(session).execute(self._return, (user.id,))
        self.roll.await_enrolment(session, user.id, enrolment, at=at)
        self.end_all(session, user, at=at)

    def end_all(self, session: Session, user: UserT, *, at: datetime) -> None:
        """End somebody's sessions, and what else they have open. Idempotent."""
        if self._leave is not None:
            self._leave(session, user.id)
        row = driver(session).execute(self._account, (user.firm,)).fetchone()
        assert row is not None, user
        close_all(session, Principal(self.sort.kind, user.id, frozenset(), row[0]), at=at)

    def end_firm(self, session: Session, firm: UUID, *, at: datetime) -> None:
        """End what everybody of one firm has open. Idempotent."""
        for each in self.listed(session, firm, after=None, limit=USERS_MAX):
            self.end_all(session, each, at=at)

    def find(self, session: Session, firm: UUID, user: UUID | None) -> UserT:
        """Give somebody of one firm.

        Raises:
            Refusal: ``user_unknown``; it has nobody with this id.
        """
        row = None if user is None else driver(session).execute(self._find, (firm, user)).fetchone()
        if row is None:
            raise self.sort.refusals.user_unknown
        return self._read(*row)

    def other(self, session: Session, firm: UUID, who: Principal, user: str) -> UserT:
        """Give somebody else of one's own firm.

        Raises:
            Refusal: ``user_unknown``, ``user_self``.
        """
        found = self.find(session, firm, self.sort.user_of(user))
        if found.id == who.id:
            raise self.sort.refusals.user_self
        return found

    def listed(
        self, session: Session, firm: UUID, *, after: UUID | None, limit: int
    ) -> Sequence[UserT]:
        """List a firm's people, suspended ones too, in the order in which they came."""
        rows = driver(session).execute(self._list, (firm, after, after, limit)).fetchall()
        return [self._read(*row) for row in rows]

    def standing(self, session: Session, user: UUID) -> tuple[UserT, Principal] | None:
        """Give somebody with their rights of now; nothing if they or their firm are suspended."""
        row = driver(session).execute(self._standing, (user,)).fetchone()
        if row is None:
            return None
        *columns, owner = row
        found = self._read(*columns)
        scopes = SCOPES[self._roles[found.role]]
        return found, Principal(self.sort.kind, found.id, scopes, owner)

    def scopes(self, session: Session, who: Principal) -> frozenset[Scope]:
        """Give what the holder of a session may do at this moment."""
        found = self.standing(session, who.id)
        return frozenset() if found is None else found[1].scopes

    def log_in(self, session: Session, attempt: Attempt, step: int, *, at: datetime) -> Principal:
        """Let somebody in whose try was right; the code is used up with it.

        Raises:
            LoginRefused: The code was used before, or they were reset or suspended meanwhile.
        """
        self.roll.use_code(session, attempt, step)
        found = self.standing(session, attempt.person)
        if found is None:
            raise LoginRefused
        _, who = found
        note_act(session, who.name, f"{self.sort.plural}.log_in", who.name, at=at)
        return who
