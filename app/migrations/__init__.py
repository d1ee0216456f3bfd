"""The schema's history (迁移): plain SQL in ``sql/``, one file up and one down a revision.

Inside the package, so that a wheel can migrate; run with ``tanpu migrate`` as the schema's
owner. A published revision is never edited.
"""

from importlib.resources import files
from typing import Final, LiteralString, cast

import psycopg
from alembic import command, op
from alembic.config import Config
from sqlalchemy.engine import make_url

LOCATION: Final = str(files("app.migrations"))


def config(owner_url: str) -> Config:
    """Give Alembic its configuration, without a file."""
    made = Config()
    made.set_main_option("script_location", LOCATION)
    url = make_url(owner_url).set(drivername="postgresql+psycopg")
    made.attributes["url"] = url
    return made


def migrate(owner_url: str, revision: str = "head") -> None:
    """Bring the schema to ``revision``; the login must own it. Idempotent."""
    command.upgrade(config(owner_url), revision)


def apply(name: str) -> None:
    """Run one step's SQL, as it stands, inside the migration's transaction."""
    text = files("app.migrations").joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")
    raw = cast("psycopg.Connection", op.get_bind().connection.driver_connection)
    raw.execute(cast("LiteralString", text))
