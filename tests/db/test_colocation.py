"""The co-location law (R2), over every table, key and statement.

Goal: the schema distributes by `bucket` unchanged. Method: the catalogue of a migrated database
for tables, keys and foreign keys; the SQL constants of `app/`, parsed, for statements.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlglot
from sqlglot import exp

from tests.support.placement import CENTRAL, LOOKED_UP_FIRST, OWNED, REFERENCE

APP = Path(__file__).parents[2] / "app"
SHARED_SCOPE = {"anchoring", "audit", "demo", "migrations"}
"""Central by nature: the close and the audit read every bucket (R22), the demo counts a city."""

TABLES = """
select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
 where n.nspname = 'public' and c.relkind in ('r', 'p') and not c.relispartition"""
KEYS = """
select t.relname, i.relname, array_agg(a.attname order by k.position)
  from pg_index x
  join pg_class t on t.oid = x.indrelid join pg_class i on i.oid = x.indexrelid
  join pg_namespace n on n.oid = t.relnamespace
  cross join unnest(x.indkey) with ordinality as k (attnum, position)
  join pg_attribute a on a.attrelid = t.oid and a.attnum = k.attnum
 where n.nspname = 'public' and not t.relispartition and x.indisunique
 group by 1, 2"""
FOREIGN = """
select k.conname, s.relname, t.relname,
       (select array_agg(attname order by attnum) from pg_attribute
         where attrelid = k.conrelid and attnum = any(k.conkey)),
       (select array_agg(attname order by attnum) from pg_attribute
         where attrelid = k.confrelid and attnum = any(k.confkey))
  from pg_constraint k join pg_class s on s.oid = k.conrelid join pg_class t on t.oid = k.confrelid
 where k.contype = 'f' and not s.relispartition and k.conparentid = 0"""
TRIGGERS_AND_EXCLUSIONS = """
select c.relname, k.conname from pg_constraint k join pg_class c on c.oid = k.conrelid
 where k.contype = 'x' or k.condeferrable"""


@pytest.fixture
def catalogue(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(database_url) as connection:
        yield connection


def test_every_table_has_its_place(catalogue: psycopg.Connection[Any]) -> None:
    found = {name for (name,) in catalogue.execute(TABLES).fetchall()}
    assert found == OWNED | REFERENCE | CENTRAL | LOOKED_UP_FIRST


def test_bucket_leads_every_unique_key_of_an_owned_table(
    catalogue: psycopg.Connection[Any],
) -> None:
    wrong = [
        (table, index, columns)
        for table, index, columns in catalogue.execute(KEYS).fetchall()
        if table in OWNED and columns[0] != "bucket"
    ]
    assert wrong == []


def test_no_foreign_key_leaves_its_bucket(catalogue: psycopg.Connection[Any]) -> None:
    wrong: list[str] = []
    for name, source, target, from_columns, to_columns in catalogue.execute(FOREIGN).fetchall():
        if source in OWNED and target in OWNED:
            within = "bucket" in from_columns and "bucket" in to_columns
        else:
            within = target in REFERENCE or (source in CENTRAL and target in CENTRAL)
        if not within:
            wrong.append(f"{name}: {source} -> {target}")
    assert wrong == []


def test_owned_tables_have_no_deferred_and_no_exclusion_constraint(
    catalogue: psycopg.Connection[Any],
) -> None:
    wrong = [row for row in catalogue.execute(TRIGGERS_AND_EXCLUSIONS) if row[0] in OWNED]
    assert wrong == []


def statements() -> Iterator[tuple[str, str]]:
    """Every SQL constant of the shell, with its place."""
    for path in sorted(APP.rglob("*.py")):
        if path.relative_to(APP).parts[0] in SHARED_SCOPE:
            continue
        for line, text in texts(ast.parse(path.read_text(encoding="utf-8"))):
            if re.match(r"(?i)(select|insert into|update|delete from|with)\s+\S+\s", text):
                yield f"{path.relative_to(APP)}:{line}", text


def texts(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """The string constants of a module; what an f-string interpolates reads as a column."""
    inside: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            inside.update(node.values)
            parts = [
                part.value if isinstance(part, ast.Constant) else "interpolated"
                for part in node.values
            ]
            yield node.lineno, "".join(map(str, parts)).strip()
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in inside:
            yield node.lineno, node.value.strip()


def owned_references(tree: exp.Expr) -> dict[str, str]:
    """The owned tables that a statement names: alias → table."""
    named = {cte.alias for cte in tree.find_all(exp.CTE)}
    return {
        table.alias_or_name: table.name
        for table in tree.find_all(exp.Table)
        if table.name in OWNED and table.name not in named
    }


def linked_by_bucket(tree: exp.Expr) -> bool:
    """Whether some condition of the statement equates buckets."""
    for using in tree.find_all(exp.Join):
        if any(name.name == "bucket" for name in using.args.get("using") or ()):
            return True
    for equality in tree.find_all(exp.EQ):
        sides = [list(side.find_all(exp.Column)) for side in (equality.left, equality.right)]
        if all(any(column.name == "bucket" for column in side) for side in sides):
            return True
    return False


def within_one(tree: exp.Expr, owned: set[str]) -> bool:
    """Whether every owned table is held to one and the same bucket that the caller gives."""
    held = {
        equality.left.table
        for equality in tree.find_all(exp.EQ)
        if isinstance(equality.left, exp.Column)
        and equality.left.name == "bucket"
        and equality.right.name == "given_bucket"
    }
    return owned <= held


def handed_on(tree: exp.Expr) -> list[exp.Expr] | None:
    """Take a chain of inserts apart, each of which takes the rows, and the bucket, of the last."""
    written = [cte.this for cte in tree.find_all(exp.CTE)]
    if not isinstance(tree, exp.Insert) or not all(isinstance(w, exp.Insert) for w in written):
        return None
    named = {cte.alias for cte in tree.find_all(exp.CTE)}
    last = tree.copy()
    last.args.pop("with_", last.args.pop("with", None))
    read = {table.name for table in last.expression.find_all(exp.Table)}
    return [*written, last] if written and read <= named else None


def faults(sql: str) -> list[str]:
    """What of a statement breaks the law."""
    plain = re.sub(r"%\((\w+)\)s", r"given_\1", sql)
    plain = plain.replace("%s", "null").replace("%%", "%")
    plain = re.sub(r"\{\w*\}", "interpolated", plain)
    return _faults(sqlglot.parse_one(plain, read="postgres"))


def _faults(tree: exp.Expr) -> list[str]:
    if (written := handed_on(tree)) is not None:
        return [fault for each in written for fault in _faults(each)]
    plain = tree.sql(dialect="postgres")
    owned = owned_references(tree)
    found: list[str] = []
    if len(owned) > 1 and not linked_by_bucket(tree) and not within_one(tree, set(owned)):
        found.append(f"joins {sorted(owned.values())} without bucket")
    if isinstance(tree, exp.Update | exp.Delete) and owned and "bucket" not in plain.lower():
        found.append(f"changes {sorted(owned.values())} without bucket")
    if isinstance(tree, exp.Insert) and owned and "bucket" not in plain.lower():
        found.append(f"inserts into {sorted(owned.values())} without bucket")
    return found


def test_every_statement_stays_in_its_bucket() -> None:
    seen = list(statements())
    assert len(seen) > 10
    assert {place: found for place, sql in seen if (found := faults(sql))} == {}


@pytest.mark.parametrize(
    "sql",
    [
        "select 1 from balance b join account a on a.id = b.account",
        "update balance set debits = 1 where account = 5",
        "select 1 from balance b, consent c where b.bucket = %(bucket)s and c.account = b.account",
        "insert into balance (account, asset) select account, 1 from consent",
        """with n as (insert into log_note (bucket, id) values (1, 2) returning id)
           insert into log_pending (id) select id from n""",
    ],
)
def test_the_check_on_statements_can_fail(sql: str) -> None:
    assert faults(sql)


def test_the_check_on_statements_passes_what_is_lawful() -> None:
    assert faults("select 1 from balance b join account a using (bucket)") == []
    assert faults("update balance b set debits = 1 where (b.bucket, b.account) = (1, 2)") == []
    assert not faults(
        """select 1 from balance b, consent c
            where b.bucket = %(bucket)s and c.bucket = %(bucket)s and c.account = b.account"""
    )
    assert not faults(
        """with n as (insert into log_note (bucket, id) values (1, 2) returning bucket, id)
           insert into log_pending (bucket, id) select bucket, id from n"""
    )
