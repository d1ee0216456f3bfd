"""The schema, audited (结构审计): the guards that make the laws hold between two audits.

Triggers and grants that keep rows append-only, on every partition; the chart of accounts in
the database against the one in the core; partitions for the month to come.
"""

import re
from collections.abc import Iterator
from typing import Final

from app.audit.report import Kind, Sheet
from app.books.places import chart_keys
from app.kernel.db import Connection
from ledger.accounts import SYSTEM_NAMES

APPEND_ONLY: Final = frozenset(
    {"system_account", "asset", "transfer", "log_note"}
    | {"epoch_cut", "epoch", "log_entry", "log_edge", "account_leaf", "cell", "supply"}
    | {"submission", "methodology_version", "upload", "upload_chunk", "upload_receipt"}
    | {"act_merge", "act_change", "month_settlement"}
)
FORGET_ONLY: Final = frozenset({"activity"})
"""Append-only, except that erasure forgets quantities."""
ROLES: Final = ("tanpu_app", "tanpu_worker", "tanpu_audit")

_TRIGGERS: Final = """
select c.relname, p.relname,
       coalesce(bool_or(t.tgname in ('append_only', 'forget_only') and t.tgenabled in ('O', 'A')
                        and t.tgfoid = 'refuse_change'::regproc and t.tgtype & 56 = 56 - 16
                            + case t.tgname when 'append_only' then 16 else 0 end), false),
       coalesce(bool_or(t.tgname = 'forget_only_rows' and t.tgenabled in ('O', 'A')), false)
  from pg_class c
  left join pg_inherits i on i.inhrelid = c.oid
  left join pg_class p on p.oid = i.inhparent
  left join pg_trigger t on t.tgrelid = c.oid
 where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
   and coalesce(p.relname, c.relname) = any(%s)
 group by 1, 2"""
_GRANTS: Final = """
select c.relname, r.name, p.name
  from pg_class c
  left join pg_inherits i on i.inhrelid = c.oid
  left join pg_class above on above.oid = i.inhparent
 cross join unnest(%s::text[]) as r (name)
 cross join unnest(array['UPDATE', 'DELETE', 'TRUNCATE']) as p (name)
 where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
   and coalesce(above.relname, c.relname) = any(%s)
   and has_table_privilege(r.name, c.oid, p.name)"""
_CHART: Final = """
select c.relname, k.convalidated and k.conenforced, pg_get_constraintdef(k.oid)
  from pg_class c
  left join pg_constraint k on k.conrelid = c.oid and k.conname = 'transfer_in_chart'
 where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
   and (c.relname = 'transfer' or exists (
     select from pg_inherits i where i.inhrelid = c.oid and i.inhparent = 'transfer'::regclass))"""
_AHEAD: Final = """
select c.relname || to_char(month, '"_"YYYYMM')
  from pg_partitioned_table p join pg_class c on c.oid = p.partrelid
 cross join lateral (
   select date_trunc('month', now() at time zone 'Asia/Shanghai') + make_interval(months => ahead)
     from generate_series(0, 1) as g (ahead)) as m (month)
 where p.partstrat = 'r' and c.relnamespace = 'public'::regnamespace
   and not exists (select from pg_inherits i join pg_class part on part.oid = i.inhrelid
                    where i.inhparent = c.oid
                      and part.relname = c.relname || to_char(month, '"_"YYYYMM'))"""
_NUMBER: Final = re.compile(r"\d{9,}")


def check_the_schema(connection: Connection, sheet: Sheet) -> None:
    """Hold the database's own guards to what the migrations made."""
    for where, detail in (
        *_unguarded(connection, sheet),
        *_granted(connection),
        *_chart(connection),
        *_systems(connection),
        *(
            (name, "this month's or the next one's partition is not there")
            for name in _ahead(connection)
        ),
    ):
        sheet.find(Kind.SCHEMA, where, detail)


def _unguarded(connection: Connection, sheet: Sheet) -> Iterator[tuple[str, str]]:
    expected = APPEND_ONLY | FORGET_ONLY
    rows = connection.execute(_TRIGGERS, (sorted(expected),)).fetchall()
    sheet.checked["guarded_tables"] = len(rows)
    for table, parent, is_guarded, is_forget_only in rows:
        if not is_guarded or ((parent or table) in FORGET_ONLY and not is_forget_only):
            yield table, "its append-only trigger is gone or off"
    for table in sorted(expected - {row[0] for row in rows}):
        yield table, "the table is gone"


def _granted(connection: Connection) -> Iterator[tuple[str, str]]:
    values = (list(ROLES), sorted(APPEND_ONLY | FORGET_ONLY))
    for table, role, privilege in connection.execute(_GRANTS, values):
        yield table, f"{role} may {privilege}"


def _chart(connection: Connection) -> Iterator[tuple[str, str]]:
    expected = set(chart_keys())
    for table, is_enforced, definition in connection.execute(_CHART):
        found = {int(number) for number in _NUMBER.findall(definition or "")}
        if not is_enforced or found != expected:
            yield table, "its chart of accounts is not the core's"


def _systems(connection: Connection) -> Iterator[tuple[str, str]]:
    found = dict(connection.execute("select id, name from system_account").fetchall())
    for number in sorted(found.items() ^ SYSTEM_NAMES.items()):
        yield f"system account {number[0]}", "is not the core's"


def _ahead(connection: Connection) -> list[str]:
    return [name for (name,) in connection.execute(_AHEAD)]
