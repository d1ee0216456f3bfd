"""The schema's history runs both ways (迁移可逆): up from nothing, down again, up to the same."""

from collections.abc import Iterator
from typing import Any, LiteralString

import psycopg
import pytest
from alembic import command
from alembic.script import ScriptDirectory

from app.embedded.postgres import Postgres
from app.migrations import config, current, migrate, newest
from tests.support.postgres import create, drop

REVISIONS = [
    revision.revision
    for revision in reversed(
        list(ScriptDirectory.from_config(config("postgresql:///x")).walk_revisions())
    )
]
PARTS: dict[str, LiteralString] = {
    "tables": """
select table_name, column_name, data_type, is_nullable, column_default
  from information_schema.columns where table_schema = 'public'""",
    "constraints": """
select conrelid::regclass::text, conname, pg_get_constraintdef(oid) from pg_constraint
 where connamespace = 'public'::regnamespace""",
    "indexes": "select indexname, indexdef from pg_indexes where schemaname = 'public'",
    "functions": """
select p.oid::regprocedure::text, md5(prosrc), proacl::text from pg_proc p
 where pronamespace = 'public'::regnamespace
   and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')""",
    "triggers": """
select tgrelid::regclass::text, tgname, tgenabled::text from pg_trigger where not tgisinternal""",
    "rights": """
select relname, relkind::text, relacl::text from pg_class
 where relnamespace = 'public'::regnamespace""",
}


@pytest.fixture
def url(postgres: Postgres) -> Iterator[str]:
    made = create(postgres, "tanpu_history")
    yield made
    drop(postgres, "tanpu_history")


def schema(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """What the catalogue says, without Alembic's own table."""
    with psycopg.connect(url) as connection:
        return {
            part: sorted(
                (row for row in connection.execute(query) if "alembic_version" not in str(row[0])),
                key=str,
            )
            for part, query in PARTS.items()
        }


def test_each_revision_can_be_taken_back_and_made_again(url: str) -> None:
    assert newest() == REVISIONS[-1]
    for revision in REVISIONS:
        before = schema(url)
        migrate(url, revision)
        after = schema(url)
        assert after != before, f"{revision} changes nothing"
        command.downgrade(config(url), "-1")
        assert schema(url) == before, f"{revision} is not taken back whole"
        migrate(url, revision)
        assert schema(url) == after, f"{revision} is not made again as it was"
    assert current(url) == newest()


def test_the_whole_can_be_taken_back(url: str) -> None:
    migrate(url)
    command.downgrade(config(url), "base")
    assert current(url) is None
    assert schema(url)["tables"] == []
    assert schema(url)["functions"] == []
