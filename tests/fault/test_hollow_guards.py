"""Guards hollowed out (架空的防线) by whoever owns the schema, and values made to blind the audit.

Goal: a trigger is worth no more than its function, its condition and the tables that it is on,
and one row that cannot be read must not hide another. Method: the city of `test_tampering`.
"""

import psycopg
import pytest

from tests.support.anchoring import ORIGIN
from tests.support.audited_city import AuditedCity, an_entry, found_after, kinds, places
from tests.support.auditing import audited


@pytest.mark.parametrize(
    ("table", "on", "off"),
    [
        (
            "transfer",
            ["grant update (amount) on transfer to tanpu_app"],
            ["revoke update (amount) on transfer from tanpu_app"],
        ),
        (
            "activity_key",
            ["grant delete on activity_key to tanpu_app"],
            ["revoke delete on activity_key from tanpu_app"],
        ),
        (
            "refuse_change",
            [
                "alter function refuse_change() rename to kept_change",
                (
                    "create function refuse_change() returns trigger language plpgsql"
                    " as $$ begin return null; end $$"
                ),
            ],
            [
                "drop function refuse_change()",
                "alter function kept_change() rename to refuse_change",
            ],
        ),
        (
            "give_cap_back",
            [
                "alter function give_cap_back rename to kept_cap",
                (
                    "create function give_cap_back(_order mall_order) returns void"
                    " language sql as ''"
                ),
            ],
            ["drop function give_cap_back", "alter function kept_cap rename to give_cap_back"],
        ),
        (
            "redeem_voucher",
            ["create function redeem_voucher(_voucher uuid) returns void language sql as ''"],
            ["drop function redeem_voucher(uuid)"],
        ),
        (
            "end_offline",
            ["alter function end_offline rename to kept_end"],
            ["alter function kept_end rename to end_offline"],
        ),
        (
            "log_note",
            [
                "drop trigger append_only on log_note",
                (
                    "create trigger append_only before update or delete or truncate on log_note"
                    " for each statement when (false) execute function refuse_change()"
                ),
            ],
            ["drop trigger append_only on log_note", "select make_append_only('log_note')"],
        ),
        (
            "transfer",
            [
                (
                    "create trigger more before insert on transfer for each row"
                    " execute function suppress_redundant_updates_trigger()"
                )
            ],
            ["drop trigger more on transfer"],
        ),
        (
            "transfer",
            ["alter table transfer enable row level security"],
            ["alter table transfer disable row level security"],
        ),
        (
            "log_note",
            ["create rule kept as on delete to log_note do instead nothing"],
            ["drop rule kept on log_note"],
        ),
        (
            "balance",
            ["alter table balance drop constraint balance_not_overdrawn"],
            ["alter table balance add constraint balance_not_overdrawn check (credits >= debits)"],
        ),
        (
            "door",
            [
                (
                    "create function door() returns void language sql security definer"
                    " as 'delete from log_note'"
                )
            ],
            ["drop function door()"],
        ),
    ],
)
def test_a_guard_that_was_hollowed_out_is_named(
    city: AuditedCity, table: str, on: list[str], off: list[str]
) -> None:
    with psycopg.connect(city.url, autocommit=True) as connection:
        for statement in on:
            connection.execute(statement.encode())
        found = set(audited(city.url, city.keys, ORIGIN, city.chain).findings)
        for statement in off:
            connection.execute(statement.encode())
    assert "schema" in kinds(found)
    assert table in places(found, "schema")


def test_a_shadow_of_a_table_is_not_what_is_read(city: AuditedCity) -> None:
    name = city.url.partition("?")[0].rpartition("/")[2]
    with psycopg.connect(city.url, autocommit=True) as connection:
        for statement in (
            "create schema shadow",
            "create table shadow.transfer as table transfer with no data",
            "grant usage on schema shadow to public",
            "grant select on shadow.transfer to public",
            f"alter database {name} set search_path = shadow, public",
        ):
            connection.execute(statement.encode())
        report = audited(city.url, city.keys, ORIGIN, city.chain)
        connection.execute(f"alter database {name} reset search_path".encode())
        connection.execute("drop schema shadow cascade")
    assert report.ok
    assert report.checked["transfers"]


@pytest.mark.parametrize(
    "statement",
    [
        "update transfer set occurred_on = 'infinity' where {row}",
        "update transfer set occurred_on = '0044-03-15 BC' where {row}",
        "update transfer set amount = 9223372036854775807 where code = 1",
        "update epoch set closed_at = 'infinity' where epoch = 2",
        "update epoch set extras = '[]' where epoch = 2",
        "update epoch set extras = '{{\"aux\": 5}}' where epoch = 2",
    ],
)
def test_a_poisoned_value_blinds_one_check_and_is_a_finding(
    city: AuditedCity, statement: str
) -> None:
    row, owner, _ = an_entry(city)
    found = found_after(
        city,
        statement.format(row=row),
        f"update balance set debits = credits where account = {owner} and asset = {city.bus}",
    )
    assert kinds(found) & {"unreadable", "header"}
    assert f"account {owner}, asset {city.bus}" in places(found, "balance")
