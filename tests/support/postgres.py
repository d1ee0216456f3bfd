"""A throw-away PostgreSQL for one test process (测试数据库): real commits, real roles, real checks.

The cluster starts once a session and is migrated once. Before each test every table is emptied as
superuser with triggers off (R32), which the application's own role can't do.
"""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, LiteralString, cast

import psycopg
from psycopg import sql

from app.embedded.postgres import Postgres
from app.migrations import migrate

MIGRATED: Final = "tanpu_migrated"
_KEPT: Final = frozenset({"alembic_version", "system_account"})
SMALL: Final = 1 << 20
"""A table up to this size [bytes] is quicker emptied row by row than with all that refer to it."""
_FILLED: Final = """
select relname, pg_relation_size(oid) from pg_class
 where relnamespace = 'public'::regnamespace and relkind = 'r' and pg_relation_size(oid) > 0"""
_SEQUENCES: Final = """
select setval(c.oid::regclass, s.seqstart, false)
  from pg_class c join pg_sequence s on s.seqrelid = c.oid
 where c.relnamespace = 'public'::regnamespace"""
_LEAVE: Final = "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s"


@contextmanager
def cluster(home: Path) -> Generator[Postgres]:
    """Run a cluster with one migrated database, without fsync, and remove nothing but processes."""
    with Postgres(home, tune="test", fsync=False) as server:
        create(server, MIGRATED)
        migrate(server.url_of(MIGRATED))
        yield server


def create(server: Postgres, name: str, template: str | None = None) -> str:
    """Create database ``name``, as a copy of ``template`` if given; returns its owner's address.

    A database is copied only while nobody is connected to it, and pools of earlier tests may be.
    """
    made = sql.SQL("create database {}").format(sql.Identifier(name))
    if template is not None:
        made += sql.SQL(" template {}").format(sql.Identifier(template))
    with psycopg.connect(server.maintenance_url, autocommit=True) as connection:
        if template is not None:
            connection.execute(_LEAVE, (template,))
        connection.execute(made)
    return server.url_of(name)


def drop(server: Postgres, name: str) -> None:
    """Drop a database and whoever is still connected to it."""
    with psycopg.connect(server.maintenance_url, autocommit=True) as connection:
        connection.execute(
            sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name))
        )


def empty(owner_url: str) -> None:
    """Empty every table but the registry of system accounts, and start the sequences again."""
    with psycopg.connect(owner_url) as connection:
        connection.execute("set session_replication_role = replica")
        filled = [row for row in connection.execute(_FILLED).fetchall() if row[0] not in _KEPT]
        for is_small, emptied in (
            (True, sql.SQL("delete from {};")),
            (False, sql.SQL("truncate {} cascade;")),
        ):
            names = [sql.Identifier(name) for name, size in filled if (size <= SMALL) is is_small]
            connection.execute(sql.Composed([emptied.format(name) for name in names]))
        connection.execute(cast("LiteralString", _SEQUENCES))
