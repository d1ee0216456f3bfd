"""Clerks (工作人员): who they are in tests, and how they enrol and log in."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from app.kernel.clock import now
from app.kernel.db import Database
from app.kernel.ids import new_id
from app.kernel.scopes import Role, scopes_of
from app.kernel.secrets import Keys
from app.kernel.tokens import Principal
from app.staff.clerks import Clerk, add_clerk
from app.staff.credentials import STEP_S, code_at, commitment, new_enrolment, new_totp
from app.staff.deeds import principal_of
from app.staff.login import enrol

PASSWORD = "correct horse battery"


def principal(*roles: Role) -> Principal:
    """Give a clerk whom only a token knows."""
    return Principal("clerk", new_id(), scopes_of(roles))


def known(db: Database, *roles: Role) -> Principal:
    """Give a clerk whom the desk knows as well."""
    made, _ = admitted(db, f"c{new_id().hex}", *roles, at=now())
    return principal_of(made)


def code_of(totp: bytes, at: datetime, *, steps: int = 0) -> str:
    """Read an authenticator with this secret."""
    return code_at(totp, int(at.timestamp()) // STEP_S + steps)


@dataclass
class Enrolled:
    """A clerk with a password and an authenticator."""

    clerk: Clerk
    totp: bytes
    password: str = PASSWORD

    def code(self, at: datetime, *, steps: int = 0) -> str:
        """Read the authenticator, some steps away."""
        return code_of(self.totp, at, steps=steps)


def admitted(db: Database, login: str, *roles: Role, at: datetime) -> tuple[Clerk, str]:
    """Admit a clerk; gives the secret by which they enrol."""
    secret = new_enrolment()
    clerk = Clerk(new_id(), login, "李安", "某市生态环境局", frozenset(roles), at)
    db.transact(add_clerk, clerk, commitment(secret))
    return clerk, secret


def enrolled(db: Database, keys: Keys, login: str, *roles: Role, at: datetime) -> Enrolled:
    """Admit a clerk who has enrolled."""
    clerk, secret = admitted(db, login, *roles, at=at)
    made = Enrolled(clerk, new_totp())
    enrol(db, keys, login, secret, made.password, made.totp, at=at)
    return made


def later(at: datetime, seconds: float) -> datetime:
    """Give an instant so many seconds on."""
    return at + timedelta(seconds=seconds)
