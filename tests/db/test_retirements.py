"""Retirements: held, reverted or taken, each serial once, and nobody's but their holder's."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import psycopg
import pytest
from sqlmodel import Session

from app.books import texts_of
from app.kernel.db import Database, driver
from app.kernel.ids import new_id
from app.kernel.secrets import Keys
from app.registry.passport_errors import PurposeReserved
from app.registry.retirement_errors import RetirementEnded, RetirementUnknown, UnitsLacking
from app.registry.retirements import (
    Retirement,
    RetirementState,
    find_retirement,
    retirements_of,
    taken_retirements,
)
from app.registry.retiring import revert_retirement
from app.registry.taking import claim_of, retire_at_once, take_retirement, take_retirements
from ledger.accounts import AccountKind, bucket_of
from ledger.certificate import Purpose, claim_commit
from ledger.chart import Code
from ledger.registry import from_json
from ledger.serials import parse_serial
from tests.support.anchoring import rows_of
from tests.support.owners import post_all, row
from tests.support.retirements import AT, Held, ask, issued, wish

NOW = timedelta(0)
CLIENTS = 32


@pytest.fixture
def held(db: Database, keys: Keys) -> Held:
    return issued(db, keys, 1000, at=AT)


def revert(db: Database, holder: int, asked: Retirement) -> Retirement:
    return db.transact(revert_retirement, holder, asked.id, new_id=new_id, at=AT)


def taken(db: Database, held: Held, quantity_kg: int) -> Retirement:
    asked = ask(db, wish(held, quantity_kg, cool_down=NOW))
    assert take_retirements(db, at=AT) == 1
    return db.read(find_retirement, held.holder, asked.id)


def execute(session: Session, statement: str) -> None:
    driver(session).execute(statement.encode())


def units(db: Database, held: Held) -> tuple[int, int, int]:
    """What the holder has free, and reserved, and where the cursor stands."""
    ((free, reserved, cursor),) = db.read(
        lambda session: (
            driver(session)
            .execute(
                """
select coalesce(sum(h.credits - h.debits) filter (where h.account = %(holder)s), 0)::int8,
       coalesce(sum(h.credits - h.debits) filter (where h.account = %(holder)s + 1), 0)::int8,
       b.cursor_kg
  from issue_batch b join balance h on h.asset = b.asset where b.id = %(batch)s group by b.id""",
                {"holder": held.holder, "batch": held.batch},
            )
            .fetchall()
        )
    )
    return free, reserved, cursor


def test_what_is_requested_is_held_and_taken_after_the_cool_down(db: Database, held: Held) -> None:
    asked = ask(db, wish(held, 300))
    assert (asked.state, asked.serial, units(db, held)) == ("requested", None, (700, 300, 0))
    assert take_retirements(db, at=AT) == 0
    assert take_retirements(db, at=asked.due_at) == 1
    done = db.read(find_retirement, held.holder, asked.id)
    assert (done.state, units(db, held)) == (RetirementState.TAKEN, (700, 0, 300))
    assert done.serial is not None
    serial = parse_serial(done.serial)
    assert (serial.start, serial.end, serial.batch) == (1, 300, done.batch_number)
    assert take_retirements(db, at=asked.due_at) == 0


def test_units_are_taken_one_after_another_and_told_in_that_order(db: Database, held: Held) -> None:
    done = [taken(db, held, kg) for kg in (300, 1, 699)]
    assert [(each.range.lower, each.range.upper) for each in done if each.range] == [
        (1, 301), (301, 302), (302, 1001),
    ]  # fmt: skip
    told = [
        from_json(kind, payload)
        for kind, payload in rows_of(db, "select kind, payload from registry_message order by seq")
    ]
    assert [(each.kind, getattr(each, "start", None)) for each in told] == [
        ("issue", None), ("retire", 1), ("retire", 301), ("retire", 302),
    ]  # fmt: skip
    assert units(db, held) == (0, 0, 1000)


def test_its_transfer_carries_the_commitment_to_its_claim(db: Database, held: Held) -> None:
    done = taken(db, held, 300)
    claim = claim_of(done)
    assert claim["parts"][0]["serials"] == done.serial
    query = "select id, source, amount, evidence, cause from transfer where code = 17"
    assert rows_of(db, query) == [
        (done.transfer, held.holder + 1, 300, claim_commit(done.salt, claim), done.id)
    ]
    assert done.claim == claim_commit(done.salt, claim)


def test_a_claim_for_somebody_commits_to_them(db: Database, held: Held) -> None:
    done = taken(db, held, 1)
    texts = db.read(lambda session: texts_of(driver(session), held.holder, done.id))
    assert texts["beneficiary"].words == "Somebody else"
    assert claim_of(done)["beneficiary_commit"] == texts["beneficiary"].commit.hex()


def test_what_is_reverted_is_free_again_and_never_taken(db: Database, held: Held) -> None:
    asked = ask(db, wish(held, 300))
    assert revert(db, held.holder, asked).state is RetirementState.REVERTED
    assert units(db, held) == (1000, 0, 0)
    assert take_retirements(db, at=AT + timedelta(days=1)) == 0
    assert not db.transact(take_retirement, held.holder, asked.id, at=AT)
    with pytest.raises(RetirementEnded):
        revert(db, held.holder, asked)


def test_what_was_taken_stays(db: Database, held: Held) -> None:
    done = taken(db, held, 300)
    with pytest.raises(RetirementEnded):
        revert(db, held.holder, done)
    assert units(db, held) == (700, 0, 300)


def test_a_stranger_neither_finds_nor_reverts_nor_takes_it(
    db: Database, keys: Keys, held: Held
) -> None:
    asked, stranger = ask(db, wish(held, 300)), issued(db, keys, 10, at=AT).holder
    deeds: list[Callable[[], object]] = [
        lambda: db.read(find_retirement, stranger, asked.id),
        lambda: revert(db, stranger, asked),
        lambda: db.transact(take_retirement, stranger, asked.id, at=AT),
    ]
    for deed in deeds:
        with pytest.raises(RetirementUnknown):
            deed()
    assert db.read(retirements_of, stranger, before=None, limit=9) == []
    assert db.read(find_retirement, held.holder, asked.id).state is RetirementState.REQUESTED


def test_nobody_retires_what_they_do_not_have(db: Database, keys: Keys, held: Held) -> None:
    other = issued(db, keys, 10, at=AT)
    ask(db, wish(held, 600))
    for wished in (
        wish(held, 401),
        wish(Held(other.holder, held.batch), 1),
        wish(held, 1, from_held=True),
    ):
        with pytest.raises(UnitsLacking):
            ask(db, wished)
    with pytest.raises(PurposeReserved):
        ask(db, wish(held, 1, purpose=Purpose.REPLACEMENT))
    assert units(db, held) == (400, 600, 0)


def test_held_units_are_retired_once(db: Database, keys: Keys) -> None:
    held = issued(db, keys, 100, at=AT)
    ((asset,),) = rows_of(db, "select asset from issue_batch")
    post_all(db, [row(Code.HOLD, held.holder, held.holder + 1, asset, 80)])
    ask(db, wish(held, 50, from_held=True))
    with pytest.raises(UnitsLacking):
        ask(db, wish(held, 31, from_held=True))
    ask(db, wish(held, 30, from_held=True))
    assert take_retirements(db, at=AT + timedelta(hours=1)) == 2
    assert units(db, held) == (20, 0, 80)


def test_the_buffer_retires_at_once(db: Database, keys: Keys) -> None:
    held = issued(db, keys, 100, at=AT, kind=AccountKind.BUFFER)
    wished = wish(held, 40, purpose=Purpose.REPLACEMENT, cool_down=NOW)
    done = db.transact(
        retire_at_once, wished, source=held.holder, transfer=new_id(), salt=bytes(32), at=AT
    )
    assert (done.state, units(db, held)) == (RetirementState.TAKEN, (60, 0, 40))


def test_anybody_may_list_what_has_its_serials(db: Database, held: Held) -> None:
    first, second = taken(db, held, 1), taken(db, held, 2)
    ask(db, wish(held, 3))
    listed = db.read(taken_retirements, before=None, limit=9)
    assert {each.id for each in listed} == {first.id, second.id}
    last = listed[0]
    assert last.taken_at is not None
    rest = db.read(taken_retirements, before=(last.taken_at, last.id), limit=9)
    assert [each.id for each in rest] == [listed[1].id]


def test_clients_that_take_at_once_get_units_of_their_own(db: Database, held: Held) -> None:
    """Goal: each serial once under 32 clients. Method: all take all, and revert, at once."""
    asked = [ask(db, wish(held, 20, cool_down=NOW)) for _ in range(CLIENTS)]

    def attack(number: int) -> None:
        for each in asked[number:] + asked[:number]:
            try:
                if number % 4:
                    db.transact(take_retirement, held.holder, each.id, at=AT)
                else:
                    revert(db, held.holder, each)
            except RetirementEnded:
                continue

    with ThreadPoolExecutor(CLIENTS) as clients:
        list(clients.map(attack, range(CLIENTS)))
    done = db.read(retirements_of, held.holder, before=None, limit=CLIENTS)
    ranges = sorted((each.range.lower, each.range.upper) for each in done if each.range)
    assert [low for low, _ in ranges] == [1 + 20 * place for place in range(len(ranges))]
    reverted = sum(each.state is RetirementState.REVERTED for each in done)
    assert len(ranges) + reverted == CLIENTS
    assert units(db, held) == (1000 - 20 * len(ranges), 0, 20 * len(ranges))
    ((sent,),) = rows_of(db, "select count(*) from registry_message where kind = 'retire'")
    assert sent == len(ranges)


def test_the_database_itself_gives_a_serial_once(
    db: Database, held: Held, database_url: str
) -> None:
    first, second = taken(db, held, 5), taken(db, held, 5)
    assert first.range is not None
    with psycopg.connect(database_url) as connection, pytest.raises(psycopg.errors.Error) as said:
        connection.execute(
            "update retirement set range = int8range(3, 8) where id = %s", (second.id,)
        )
    assert said.value.diag.constraint_name == "retirement_serial_once"


def test_no_statement_of_the_application_moves_what_is_written(db: Database, held: Held) -> None:
    taken(db, held, 5)
    for statement in (
        "update retirement set holder = holder + 2",
        "update retirement set quantity_kg = 1",
        "delete from retirement",
        "update registry_message set payload = '{}'",
        "delete from registry_message",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            db.transact(execute, statement)


def test_whoever_holds_it_is_in_one_bucket(db: Database, held: Held) -> None:
    taken(db, held, 5)
    ((bucket,),) = rows_of(db, "select bucket from transfer where code = 17")
    assert bucket == bucket_of(held.holder)
