"""The schema's history (迁移): plain SQL in ``sql/``, one file up and one down a revision.

Inside the package, so that a wheel can migrate; run with ``tanpu migrate`` as the schema's
owner. A published revision is never edited.
"""

import re
from importlib.resources import files
from typing import TYPE_CHECKING, Final, LiteralString, cast

import psycopg
from sqlalchemy.engine import make_url

if TYPE_CHECKING:
    from alembic.config import Config

_FUNCTION: Final = re.compile(
    r"^create (?:or replace )?function (\w+)(.*?)\bas \$\$(.*?)\$\$", re.DOTALL | re.MULTILINE
)
_TRIGGER: Final = re.compile(
    r"^create trigger (\w+)\b[^;]*? on (\w+)\b[^;]*? execute function (\w+)\(", re.MULTILINE
)
LOCATION: Final = str(files("app.migrations"))


def config(owner_url: str) -> "Config":
    """Give Alembic its configuration, without a file."""
    from alembic.config import Config  # noqa: PLC0415 -- not needed where nothing migrates

    made = Config()
    made.set_main_option("script_location", LOCATION)
    url = make_url(owner_url).set(drivername="postgresql+psycopg")
    made.attributes["url"] = url
    return made


def migrate(owner_url: str, revision: str = "head") -> None:
    """Bring the schema to ``revision``; the login must own it. Idempotent."""
    if revision == "head" and current(owner_url) == newest():
        return
    from alembic import command  # noqa: PLC0415 -- likewise

    command.upgrade(config(owner_url), revision)


def newest() -> str:
    """Name the newest revision that ships."""
    versions = files("app.migrations").joinpath("versions").iterdir()
    return max(each.name.removesuffix(".py") for each in versions if each.name[0].isdigit())


def current(owner_url: str) -> str | None:
    """Name the revision that a database is at; ``None`` before the first."""
    with psycopg.connect(owner_url, connect_timeout=5) as connection:
        if connection.execute("select to_regclass('alembic_version')").fetchone() == (None,):
            return None
        row = connection.execute("select version_num from alembic_version").fetchone()
        return None if row is None else row[0]


def functions() -> dict[str, tuple[str, bool]]:
    """Give each function of the schema by name, as the newest revision has it.

    Its body, which PostgreSQL keeps byte for byte, and whether it runs with its owner's rights.
    """
    found = _FUNCTION.findall(_ups())
    return {name: (body, "security definer" in head) for name, head, body in found}


def triggers() -> set[tuple[str, str, str]]:
    """Give table, name and function of each trigger that stands in a revision by itself."""
    return {(table, name, function) for name, table, function in _TRIGGER.findall(_ups())}


def _ups() -> str:
    """Give every revision's way up, the oldest first."""
    folder = files("app.migrations").joinpath("sql")
    ups = sorted(file.name for file in folder.iterdir() if file.name.endswith(".up.sql"))
    return "\n".join(folder.joinpath(name).read_text(encoding="utf-8") for name in ups)


def apply(name: str) -> None:
    """Run one step's SQL, as it stands, inside the migration's transaction."""
    text = files("app.migrations").joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")
    from alembic import op  # noqa: PLC0415 -- likewise

    raw = cast("psycopg.Connection", op.get_bind().connection.driver_connection)
    raw.execute(cast("LiteralString", text))
