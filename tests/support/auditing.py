"""Audits in tests (测试审计): a clean bill after any scenario, and tampering that is undone."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Final

import psycopg
from psycopg import sql
from sqlmodel import Session

from app.audit import Headers, Report, Sums, audit, check_the_books
from app.audit.acts import check_acts
from app.audit.cancellations import check_cancellations
from app.audit.holds import check_holds
from app.audit.market import check_market
from app.audit.orders import check_orders
from app.audit.points import check_points
from app.audit.report import Sheet
from app.audit.settlements import check_settlements
from app.audit.streams import prepare
from app.kernel.db import Connection, Database, driver
from app.kernel.secrets import Keys

_BACK: Final = "insert into public.{0} ({1}) overriding system value select {1} from kept.{0}"
_COLUMNS: Final = """
select array_agg(attname::text order by attnum) from pg_attribute
 where attrelid = %s::text::regclass and attnum > 0 and not attisdropped and attgenerated = ''"""
_TABLES: Final = """
select relname from pg_class
 where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition
   and relname <> 'alembic_version'"""


Check = Callable[[Connection, Sheet], None]
BOOKS: Final[tuple[Check, ...]] = (
    check_the_books,
    check_points,
    check_orders,
    check_cancellations,
    check_market,
    check_holds,
    lambda connection, sheet: check_settlements(connection, sheet, lambda _signature, _text: True),
)


@contextmanager
def auditor(url: str) -> Generator[Database]:
    """Open the database at an address as the auditor's role, who may read everything."""
    db = Database(url, role="tanpu_audit", pool_size=1)
    try:
        yield db
    finally:
        db.dispose()


def audited(
    url: str,
    keys: Keys,
    origin: str,
    chain: Headers | None = None,
    registry: Sums | None = None,
) -> Report:
    """Audit the database at an address."""
    with auditor(url) as db:
        return audit(db, keys, origin, chain, registry)


def checked(url: str, *checks: Check) -> Sheet:
    """Give what some checks of an audit find."""
    sheet = Sheet()

    def query(session: Session) -> None:
        prepare(driver(session))
        for check in checks:
            check(driver(session), sheet)

    with auditor(url) as db:
        db.read(query)
    return sheet


def assert_clean(url: str, keys: Keys, origin: str, chain: Headers | None = None) -> Report:
    """Assert that a whole audit finds nothing; with a chain, headers are held to it."""
    report = audited(url, keys, origin, chain)
    assert report.ok, "\n".join(map(str, report.findings))
    return report


def assert_books_hold(url: str) -> None:
    """Assert laws, chart, the replay of every balance, and points; needs no keys and no chain."""
    sheet = checked(url, *BOOKS)
    assert not sheet.findings, "\n".join(map(str, sheet.findings))


def assert_acts_hold(url: str) -> None:
    """Assert that every act, change, day and correction has the transfers it implies."""
    sheet = checked(url, check_acts)
    assert not sheet.findings, "\n".join(map(str, sheet.findings))


@contextmanager
def tampered(owner_url: str, *statements: str) -> Generator[None]:
    """Run statements as superuser with triggers off, and put every row back afterwards."""
    with psycopg.connect(owner_url, autocommit=True) as connection:
        connection.execute("set session_replication_role = replica")
        names = [name for (name,) in connection.execute(_TABLES).fetchall()]
        connection.execute("create schema kept")
        for name in names:
            connection.execute(
                sql.SQL("create table kept.{0} as table public.{0}").format(sql.Identifier(name))
            )
        try:
            for statement in statements:
                done = connection.execute(statement.encode())
                assert done.rowcount != 0, f"nothing changed: {statement}"
            yield
        finally:
            for name in names:
                table = sql.Identifier(name)
                connection.execute(sql.SQL("delete from public.{}").format(table))
                (columns,) = connection.execute(_COLUMNS, (name,)).fetchall()[0]
                listed = sql.SQL(", ").join(map(sql.Identifier, columns))
                connection.execute(sql.SQL(_BACK).format(table, listed))
            connection.execute("drop schema kept cascade")
