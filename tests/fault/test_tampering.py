"""Tampering by whoever owns the database (篡改), each case detected, located, and undone.

Goal: the eight attacks of the design, and a few more, done as superuser with triggers off, are
named by row, account or cell; with the rows put back, the audit is clean again. Method: one
city of three anchored epochs; the chain is a fake that keeps the contract's promises.
"""

from dataclasses import replace

import psycopg
import pytest

from app.audit.report import Found
from app.books.places import account_id
from ledger.account_map import cell_number
from ledger.accounts import AccountKind, bucket_of
from ledger.encoding import AccountState, account_leaf, leaf_salt
from tests.support.anchoring import ORIGIN
from tests.support.audited_city import (
    AuditedCity,
    an_entry,
    found_after,
    kinds,
    one,
    places,
    rewritten,
)
from tests.support.auditing import audited, tampered

PHANTOM = account_id(AccountKind.CITIZEN, 5_000_000)
TEN_TONNES_MG = 10_000_000_000


def place_of(city: AuditedCity, owner: int) -> str:
    """How the audit of the map names an owner."""
    akey, bits = one(
        city,
        f"select akey, (select bits from epoch order by epoch desc limit 1) "
        f"from account where id = {owner}",
    )
    return f"account {akey.hex()}, cell {cell_number(akey, bits)}"


def test_1_a_balance_that_grew_is_named(city: AuditedCity) -> None:
    owner = city.citizens[0]
    found = found_after(
        city,
        f"update balance set credits = credits + 1 where account = {owner} and asset = {city.bus}",
    )
    assert places(found, "balance") == {f"account {owner}, asset {city.bus}"}
    assert places(found, "live") == {f"account {owner}, unit 1"}
    assert kinds(found) == {"balance", "live"}


def test_1_an_anchored_counter_that_grew_is_named_with_its_cell(city: AuditedCity) -> None:
    owner = city.citizens[0]
    found = found_after(
        city, f"update account_anchor set mg_credits = mg_credits + 1 where owner = {owner}"
    )
    place = place_of(city, owner)
    assert places(found, "account") == {place}
    assert place in places(found, "leaf")
    assert places(found, "cell") == {place.partition(", ")[2]}


def test_2_an_amount_changed_in_one_row_is_named_with_its_account(city: AuditedCity) -> None:
    row, owner, entry = an_entry(city)
    found = found_after(city, f"update transfer set amount = amount + 1 where {row}")
    assert places(found, "entry") == {entry}
    assert places(found, "account") == {place_of(city, owner)}
    assert places(found, "balance") == {f"account {owner}, asset {city.bus}"}


def test_3_a_deleted_row_is_named_with_its_account(city: AuditedCity) -> None:
    row, owner, entry = an_entry(city)
    found = found_after(city, f"delete from transfer where {row}")
    assert Found("entry", entry, "its row is gone") in found
    assert places(found, "account") == {place_of(city, owner)}


def test_3_a_row_deleted_from_the_log_too_leaves_a_gap(city: AuditedCity) -> None:
    row, owner, entry = an_entry(city)
    found = found_after(
        city, f"delete from log_entry where {row}", f"delete from transfer where {row}"
    )
    assert entry.partition(",")[0] in places(found, "order")
    assert places(found, "account") == {place_of(city, owner)}


def test_4_a_row_moved_to_another_account_is_named_with_both(city: AuditedCity) -> None:
    row, owner, entry = an_entry(city)
    other = next(each for each in city.citizens if each != owner)
    found = found_after(city, f"update transfer set target = {other} where {row}")
    assert entry in places(found, "entry")
    assert places(found, "account") == {place_of(city, owner), place_of(city, other)}
    assert {where.partition(",")[0] for where in places(found, "balance")} == {
        f"account {owner}",
        f"account {other}",
    }


def test_4_a_row_moved_with_its_bucket_is_seen_on_both_sides(city: AuditedCity) -> None:
    row, owner, entry = an_entry(city)
    other = next(each for each in city.citizens if bucket_of(each) != bucket_of(owner))
    found = found_after(
        city, f"update transfer set target = {other}, bucket = {bucket_of(other)} where {row}"
    )
    assert Found("entry", entry, "its row is gone") in found
    assert places(found, "queue") == {f"transfer {entry.rpartition(' ')[2]}"}


@pytest.mark.parametrize("table", ["account_anchor", "account_leaf", "account"])
def test_5_a_deleted_account_is_named(city: AuditedCity, table: str) -> None:
    owner = city.citizens[3]
    column = {"account_anchor": "owner", "account": "id"}.get(table)
    akey = one(city, f"select akey from account where id = {owner}")[0].hex()
    where = f"{column} = {owner}" if column else f"akey = '\\x{akey}'"
    place = place_of(city, owner)
    found = found_after(city, f"delete from {table} where {where}")
    assert place in places(found, "account") | places(found, "leaf")


def test_6_a_phantom_account_with_ten_tonnes_is_named_with_its_cell(city: AuditedCity) -> None:
    akey, secret = bytes([0xC1]) * 32, bytes(32)
    sealed = city.keys.seal(secret, owner=PHANTOM).hex()
    state = AccountState(akey, 1, 1, 1, (TEN_TONNES_MG, 0, 0, 0), bytes(32))
    leaf = account_leaf(state, leaf_salt(secret, 1)).hex()
    bucket = bucket_of(PHANTOM)
    counters = f"1, 1, 1, {TEN_TONNES_MG}, 0, 0, 0, '\\x{bytes(32).hex()}', '\\x{leaf}'"
    columns = (
        "epoch_from, ver, entries, mg_credits, mg_debits, points_credits, points_debits, head, leaf"
    )
    found = found_after(
        city,
        f"insert into account values ({bucket}, {PHANTOM}, '\\x{akey.hex()}', now())",
        f"insert into account_secret values ({bucket}, {PHANTOM}, '\\x{sealed}')",
        f"insert into balance values ({bucket}, {PHANTOM}, {city.bus}, {TEN_TONNES_MG}, 0)",
        f"insert into account_anchor (akey, owner, {columns})"
        f" values ('\\x{akey.hex()}', {PHANTOM}, {counters})",
        f"insert into account_leaf (akey, {columns}) values ('\\x{akey.hex()}', {counters})",
    )
    bits = one(city, "select bits from epoch order by epoch desc limit 1")[0]
    cell = f"cell {cell_number(akey, bits)}"
    assert places(found, "account") == {f"account {akey.hex()}, {cell}"}
    assert places(found, "cell") == {cell}
    assert places(found, "balance") == {f"account {PHANTOM}, asset {city.bus}"}


def test_7_an_edited_cell_is_named(city: AuditedCity) -> None:
    found = found_after(
        city,
        "update cell set mg_credits = mg_credits + 1 where cell = 1"
        " and epoch_from = (select max(epoch_from) from cell where cell = 1)",
    )
    assert places(found, "cell") == {"cell 1"}
    assert kinds(found) == {"cell"}


def test_8_a_history_rewritten_with_its_headers_is_not_the_chains(city: AuditedCity) -> None:
    bus, (row, owner, _) = city.bus, an_entry(city)
    statements = (
        f"update transfer set amount = amount + 1000 where {row}",
        f"update balance set credits = credits + 1000 where (account, asset) = ({owner}, {bus})",
    )
    epoch = one(city, f"select epoch from log_entry where {row}")[0]
    with tampered(city.url, *statements):
        rewritten(city)
        assert audited(city.url, city.keys, ORIGIN).ok, "only the chain can tell"
        found = set(audited(city.url, city.keys, ORIGIN, city.chain).findings)
    assert kinds(found) == {"chain"}
    assert places(found, "chain") == {f"epoch {each}" for each in range(epoch, 4)}


def test_an_edited_asset_is_named(city: AuditedCity) -> None:
    found = found_after(city, f"update asset set scenario = 'metro' where id = {city.bus}")
    assert places(found, "asset") == {f"asset {city.bus}"}


def test_an_edited_leaf_in_the_log_is_named(city: AuditedCity) -> None:
    row, owner, entry = an_entry(city)
    found = found_after(city, f"update log_entry set leaf = sha256(leaf) where {row}")
    assert places(found, "entry") == {entry}
    assert places(found, "account") == {place_of(city, owner)}
    assert "log_root" in kinds(found)


def test_an_edited_note_is_named(city: AuditedCity) -> None:
    id_, log_index = one(
        city, "select n.id, e.log_index from log_note n join log_entry e on e.id = n.id"
    )
    found = found_after(city, f"update log_note set code = 202 where id = '{id_}'")
    assert places(found, "entry") == {f"log_index {log_index}, id {id_}"}


def test_a_posting_smuggled_past_the_queue_is_named(city: AuditedCity) -> None:
    late = city.unsequenced[0]
    found = found_after(city, f"delete from log_pending where id = '{late.id}'")
    assert places(found, "queue") == {f"transfer {late.id}"}
    assert places(found, "live") == {f"account {late.target}, unit 1"}


def test_a_destroyed_or_exchanged_secret_is_named(city: AuditedCity) -> None:
    one_, other = city.citizens[:2]
    found = found_after(city, f"delete from account_secret where account = {one_}")
    assert places(found, "secret") == {f"account {one_}"}
    assert "erasure" in kinds(found)
    found = found_after(
        city,
        f"update account_secret set sealed = (select sealed from account_secret"
        f" where account = {other}) where account = {one_}",
    )
    assert places(found, "secret") == {f"account {one_}"}


def test_two_accounts_with_one_key_are_named(city: AuditedCity) -> None:
    one_, other = city.citizens[:2]
    found = found_after(
        city,
        f"update account set akey = (select akey from account where id = {other})"
        f" where id = {one_}",
    )
    assert any(
        f"{min(one_, other)}, {max(one_, other)}" in each.detail
        for each in found
        if each.kind == "account"
    )


def test_edited_supply_and_extras_are_named(city: AuditedCity) -> None:
    found = found_after(city, "update supply set debits = debits + 1 where system = 1")
    assert all("issuance/reduction" in where for where in places(found, "supply"))
    found = found_after(
        city,
        "update epoch set extras = jsonb_set(extras, '{aux,supply}', to_jsonb(repeat('00', 32)))"
        " where epoch = 2",
    )
    assert places(found, "header") == places(found, "supply") == {"epoch 2"}


def test_a_row_of_an_epoch_that_says_otherwise_than_its_header_is_named(city: AuditedCity) -> None:
    found = found_after(city, "update epoch set log_size = log_size + 1 where epoch = 2")
    assert places(found, "header") == {"epoch 2"}
    found = found_after(city, "update log_edge set size = size + 1 where epoch = 3")
    assert places(found, "header") == {"epoch 3"}


def test_a_database_older_than_the_chain_is_said(city: AuditedCity) -> None:
    with tampered(
        city.url,
        *(f"delete from {table} where epoch = 3" for table in ("anchored", "submission")),
        "delete from log_edge where epoch = 3",
        "delete from epoch where epoch = 3",
    ):
        found = set(audited(city.url, city.keys, ORIGIN, city.chain).findings)
    assert (
        Found("chain", "epoch 2", "the chain goes to epoch 3: the database was rolled back")
        in found
    )


def test_a_chain_that_forgot_final_epochs_is_said(city: AuditedCity) -> None:
    older = replace(city.chain, blocks=city.chain.blocks[:2])
    report = audited(city.url, city.keys, ORIGIN, older)
    assert [each.where for each in report.findings] == ["epoch 3"]
    assert any("wait to be anchored" in each.detail for each in report.notices)


def test_a_guard_that_was_taken_off_is_named(city: AuditedCity) -> None:
    with psycopg.connect(city.url, autocommit=True) as connection:
        for off, on, table in (
            (
                "alter table transfer disable trigger append_only",
                "alter table transfer enable trigger append_only",
                "transfer",
            ),
            (
                "grant update on log_entry to tanpu_app",
                "revoke update on log_entry from tanpu_app",
                "log_entry",
            ),
            (
                "alter table activity disable trigger forget_only_rows",
                "alter table activity enable trigger forget_only_rows",
                "activity",
            ),
        ):
            connection.execute(off.encode())
            found = set(audited(city.url, city.keys, ORIGIN, city.chain).findings)
            connection.execute(on.encode())
            assert kinds(found) == {"schema"}
            assert table in places(found, "schema")
