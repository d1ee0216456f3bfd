"""The books on PostgreSQL: what the database itself refuses, and what posting keeps."""

from threading import Barrier, Thread

import psycopg
import pytest
from sqlmodel import Session

from app.books import AccountUnknown, Overdrawn
from app.books.places import account_id, chart_keys
from app.books.posting import copy_transfers
from app.kernel.clock import day_of, now
from app.kernel.db import Database, driver
from app.kernel.ids import new_id
from app.kernel.secrets import Keys
from ledger.accounts import SYSTEM_ACCOUNTS, AccountKind
from ledger.assets import Points
from ledger.chart import Code
from tests.support.owners import BUS, BUS_B, DAY, accrual, asset_number, owners, post_all, row


def balance(db: Database, owner: int, asset: int) -> int:
    def query(session: Session) -> int:
        found = driver(session).execute(
            "select credits - debits from balance where account = %s and asset = %s",
            (owner, asset),
        )
        return (found.fetchone() or (0,))[0]

    return db.read(query)


def run(db: Database, statement: str) -> int:
    def command(session: Session) -> int:
        cursor = driver(session).execute(statement.encode())
        return cursor.fetchall()[0][0] if cursor.description else 0

    return db.transact(command)


def count(db: Database, table: str) -> int:
    return run(db, f"select count(*) from {table}")


def test_a_batch_posts_transfers_balances_and_pending_rows_together(
    db: Database, worker_db: Database, keys: Keys
) -> None:
    one, two = owners(db, keys, 2)
    bus = asset_number(db, BUS)
    post_all(db, [accrual(one, bus, 70), accrual(one, bus, 30), accrual(two, bus, 5)])
    assert (balance(db, one, bus), balance(db, two, bus)) == (100, 5)
    assert count(db, "transfer") == 3
    assert count(worker_db, "log_pending") == 3


def test_a_holder_never_goes_below_zero_and_nothing_of_the_batch_stays(
    db: Database, keys: Keys
) -> None:
    (one,) = owners(db, keys, 1)
    bus = asset_number(db, BUS)
    post_all(db, [accrual(one, bus, 10)])
    too_much = row(Code.CANCEL, one, SYSTEM_ACCOUNTS["cancelled"], bus, 11)
    with pytest.raises(Overdrawn):
        post_all(db, [accrual(one, bus, 1), too_much, too_much._replace(id=new_id())])
    assert balance(db, one, bus) == 10
    assert count(db, "transfer") == 1


def test_a_debit_of_what_was_never_held_is_overdrawn(db: Database, keys: Keys) -> None:
    (one,) = owners(db, keys, 1)
    bus = asset_number(db, BUS)
    with pytest.raises(Overdrawn):
        post_all(db, [row(Code.CANCEL, one, SYSTEM_ACCOUNTS["cancelled"], bus, 1)])


def test_an_unknown_owner_is_refused_and_unbalances_nothing(db: Database, keys: Keys) -> None:
    owners(db, keys, 1)
    bus = asset_number(db, BUS)
    stranger = account_id(AccountKind.CITIZEN, 1 << 40)
    with pytest.raises(AccountUnknown):
        post_all(db, [accrual(stranger, bus, 5)])
    assert count(db, "transfer") == 0


def test_holding_and_releasing_move_within_one_owner(db: Database, keys: Keys) -> None:
    (one,) = owners(db, keys, 1)
    points = asset_number(db, Points("green", DAY, 1))
    post_all(db, [row(Code.GRANT_EXCHANGE, SYSTEM_ACCOUNTS["issuance/points"], one, points, 50)])
    post_all(db, [row(Code.HOLD, one, one + 1, points, 20)])
    assert (balance(db, one, points), balance(db, one + 1, points)) == (30, 20)
    post_all(db, [row(Code.RELEASE, one + 1, one, points, 20)])
    assert (balance(db, one, points), balance(db, one + 1, points)) == (50, 0)


@pytest.mark.parametrize(
    ("code", "target", "grade"),
    [
        (Code.EXCHANGE_POOL, "pool", "B"),
        (Code.EXCHANGE_ABSORB, "absorbed", "A"),
        (Code.GIVE, "given", "B"),
        (Code.CANCEL, "pool", "A"),
    ],
)
def test_the_database_refuses_what_the_chart_does_not_have(
    db: Database, keys: Keys, code: Code, target: str, grade: str
) -> None:
    (one,) = owners(db, keys, 1)
    asset = asset_number(db, BUS if grade == "A" else BUS_B)
    post_all(db, [accrual(one, asset, 100)])
    with pytest.raises(psycopg.errors.CheckViolation) as refused:
        post_all(db, [row(code, one, SYSTEM_ACCOUNTS[target], asset, 1)])
    assert refused.value.diag.constraint_name == "transfer_in_chart"


def test_two_owners_never_share_a_transfer(db: Database, keys: Keys) -> None:
    one, two = owners(db, keys, 2)
    bus = asset_number(db, BUS)
    post_all(db, [accrual(one, bus, 10)])
    rows = [row(Code.CORRECT, one, two, bus, 1)]
    with pytest.raises(psycopg.errors.CheckViolation) as refused:
        db.transact(lambda session: copy_transfers(driver(session), rows))
    assert refused.value.diag.constraint_name in {"transfer_one_owner", "transfer_in_chart"}


def test_the_check_in_the_database_is_the_chart_of_the_core(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        (definition,) = connection.execute(
            "select pg_get_constraintdef(oid) from pg_constraint where conname = %s"
            " and conrelid = 'transfer'::regclass",
            ("transfer_in_chart",),
        ).fetchall()[0]
    inside = definition[definition.index("[") + 1 : definition.index("]")]
    listed = sorted(int(part.strip().strip("'").split("'")[0]) for part in inside.split(","))
    assert listed == chart_keys()


def test_the_same_transfer_id_twice_is_a_defect_that_aborts(db: Database, keys: Keys) -> None:
    (one,) = owners(db, keys, 1)
    bus = asset_number(db, BUS)
    transfer = accrual(one, bus, 10)
    post_all(db, [transfer])
    with pytest.raises(psycopg.errors.UniqueViolation):
        post_all(db, [transfer])
    assert balance(db, one, bus) == 10


CHANGES = [
    "update transfer set amount = amount + 1",
    "delete from transfer",
    "truncate transfer",
    "update asset set grade = 'A'",
    "delete from asset",
    "truncate log_note",
    "delete from system_account",
]


@pytest.mark.parametrize("statement", CHANGES)
def test_the_application_role_cannot_change_what_was_written(
    db: Database, keys: Keys, statement: str
) -> None:
    (one,) = owners(db, keys, 1)
    post_all(db, [accrual(one, asset_number(db, BUS), 10)])
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        run(db, statement)


@pytest.mark.parametrize("statement", CHANGES)
def test_not_even_the_owner_of_the_tables_can(
    database_url: str, db: Database, keys: Keys, statement: str
) -> None:
    (one,) = owners(db, keys, 1)
    post_all(db, [accrual(one, asset_number(db, BUS), 10)])
    with psycopg.connect(database_url) as connection, pytest.raises(psycopg.Error) as refused:
        connection.execute(statement.encode())
    assert refused.value.sqlstate == "TP001"


def test_nobody_reaches_a_partition_around_its_parent(database_url: str, db: Database) -> None:
    with psycopg.connect(database_url) as connection:
        parts = [
            name
            for (name,) in connection.execute(
                "select inhrelid::regclass::text from pg_inherits"
                " where inhparent = 'transfer'::regclass"
            ).fetchall()
        ]
    assert parts
    for part in parts:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            run(db, f"delete from {part}")
        with psycopg.connect(database_url) as connection, pytest.raises(psycopg.Error) as refused:
            connection.execute(f"truncate {part}".encode())
        assert refused.value.sqlstate == "TP001"


def test_partitions_are_made_ahead_and_once(database_url: str, db: Database) -> None:
    run(db, "select ensure_partitions(5)")
    assert run(db, "select ensure_partitions(5)") == 0
    with psycopg.connect(database_url) as connection:
        parts = {
            name
            for (name,) in connection.execute("""
            select inhrelid::regclass::text from pg_inherits
             where inhparent = 'transfer'::regclass""")
        }
    today = day_of(now())
    months = (divmod(today.year * 12 + today.month - 1 + ahead, 12) for ahead in range(-1, 6))
    assert {f"transfer_{year:04}{month + 1:02}" for year, month in months} <= parts


def test_batches_on_the_same_owners_wait_and_never_lose_an_amount(db: Database, keys: Keys) -> None:
    people = owners(db, keys, 8)
    bus = asset_number(db, BUS)
    post_all(db, [accrual(person, bus, 1_000) for person in people])
    threads, rounds = 4, 10
    start = Barrier(threads)
    failures: list[BaseException] = []

    def work(number: int) -> None:
        order = people if number % 2 else list(reversed(people))
        start.wait()
        try:
            for _ in range(rounds):
                cause = new_id()
                gains = [accrual(person, bus, 3, cause) for person in order]
                gone = [
                    row(Code.CANCEL, person, SYSTEM_ACCOUNTS["cancelled"], bus, 2)
                    for person in order
                ]
                post_all(db, gains + gone)
        except BaseException as error:  # noqa: BLE001 -- shown by the assertion below
            failures.append(error)

    workers = [Thread(target=work, args=(number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert failures == []
    assert {balance(db, person, bus) for person in people} == {1_000 + threads * rounds}
