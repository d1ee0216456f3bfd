"""``tanpu staff`` (工作人员): the first clerks, and the way back when nobody can sign.

Who runs this holds the database and its keys, so four eyes would be a show here. What is done is
in the audit log all the same, as done by ``console``.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Final

import typer
from sqlmodel import Session

from app.city import open_city
from app.cli.screen import AsJson, answer, table
from app.kernel.clock import now
from app.kernel.ids import new_id
from app.kernel.scopes import Role
from app.kernel.settings import Settings
from app.sessions import close_all
from app.staff import note_act
from app.staff.clerks import (
    LOGIN,
    Clerk,
    add_clerk,
    allowed_roles,
    clerk_named,
    clerks,
    reset_clerk,
    suspend_clerk,
)
from app.staff.credentials import commitment, new_enrolment
from app.staff.deeds import principal_of

CONSOLE: Final = "console"
LISTED_MAX: Final = 10_000

commands = typer.Typer(help="工作人员 Clerks: who works at the desk.")


def _login(text: str) -> str:
    if not LOGIN.fullmatch(text):
        raise typer.BadParameter("2 to 40 of a-z 0-9 . -, a letter or digit first")
    return text


Login = Annotated[str, typer.Argument(help="2 to 40 of a-z 0-9 . -. 登录名", callback=_login)]


@commands.command()
def add(
    login: Login,
    name: Annotated[str, typer.Option(help="姓名")],
    organisation: Annotated[str, typer.Option(help="单位")],
    role: Annotated[list[Role], typer.Option(help="May be given more than once. 角色")],
    *,
    as_json: AsJson = False,
) -> None:
    """Admit a clerk, and say once by which secret they enrol (新增工作人员)."""
    at, enrolment = now(), new_enrolment()
    clerk = Clerk(new_id(), login, name, organisation, allowed_roles(role), at)

    def command(session: Session) -> None:
        add_clerk(session, clerk, commitment(enrolment))
        note_act(session, CONSOLE, "staff.admit", clerk.public, at=at, login=login)

    with open_city(Settings()) as city:
        city.db.transact(command)
    _say_secret(clerk, enrolment, as_json=as_json)


@commands.command(name="list")
def list_(*, as_json: AsJson = False) -> None:
    """Show who is or was a clerk (工作人员列表)."""
    with open_city(Settings()) as city:
        found = city.db.read(clerks, after=None, limit=LISTED_MAX)
    rows = [
        {
            "login": clerk.login,
            "id": clerk.public,
            "name": clerk.name,
            "organisation": clerk.organisation,
            "roles": ", ".join(sorted(clerk.roles)),
            "suspended_at": clerk.suspended_at,
        }
        for clerk in found
    ]
    columns = ("login", "id", "name", "organisation", "roles", "suspended_at")
    people = table("工作人员 Clerks", columns, ([row[each] for each in columns] for row in rows))
    answer({"clerks": rows}, as_json=as_json, people=people)


@commands.command()
def suspend(login: Login, *, as_json: AsJson = False) -> None:
    """Suspend a clerk and end their sessions (停用)."""

    def command(session: Session, clerk: Clerk, at: datetime) -> None:
        suspend_clerk(session, clerk.id, at=at)

    clerk = _do("staff.suspend", login, command)
    answer({"clerk": clerk.public}, as_json=as_json, people=f"{login}: 已停用 suspended")


@commands.command()
def reset(login: Login, *, as_json: AsJson = False) -> None:
    """Let a clerk enrol anew, by a secret that is said once; lifts a suspension (重置)."""
    enrolment = new_enrolment()

    def command(session: Session, clerk: Clerk, at: datetime) -> None:
        reset_clerk(session, clerk.id, commitment(enrolment), at=at)

    clerk = _do("staff.reset", login, command)
    _say_secret(clerk, enrolment, as_json=as_json)


def _do(act: str, login: str, deed: Callable[[Session, Clerk, datetime], None]) -> Clerk:
    at = now()

    def command(session: Session) -> Clerk:
        clerk = clerk_named(session, login)
        deed(session, clerk, at)
        close_all(session, principal_of(clerk), at=at)
        note_act(session, CONSOLE, act, clerk.public, at=at, login=login)
        return clerk

    with open_city(Settings()) as city:
        return city.db.transact(command)


def _say_secret(clerk: Clerk, enrolment: str, *, as_json: bool) -> None:
    told = {"clerk": clerk.public, "login": clerk.login, "enrolment": enrolment}
    people = (
        f"{clerk.login} ({clerk.public})\n"
        f"登记口令 Enrolment secret, shown once, for 72 hours: {enrolment}\n"
        "POST /v1/staff/enrolments {login, secret, password}"
    )
    answer(told, as_json=as_json, people=people)
