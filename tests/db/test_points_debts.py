"""What a correction of exchanged grams takes back, leaves owing, and how later earnings pay it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import Session

from app.kernel.clock import day_of, now
from app.kernel.db import Database, driver
from app.kernel.ids import new_id
from app.kernel.secrets import Keys
from app.points import return_earmarks, write_off_debts
from ledger.accounts import bucket_of
from ledger.chart import Code
from ledger.extras import DebtTotal, debts_digest
from methodologies import Evidence
from tests.support.acts import item, one, people, provider, rows, same_person, send
from tests.support.anchoring import ORIGIN, notary_over
from tests.support.auditing import assert_clean, audited, tampered
from tests.support.owners import BUS, asset_number
from tests.support.points import (
    POOL,
    accrue,
    citizens,
    owed,
    points,
    programme,
    slices,
    spend,
    swap,
    take_back,
)

NOW = now()
TODAY = day_of(NOW)


@pytest.fixture
def ann(db: Database, keys: Keys) -> int:
    """Somebody with 100 grams exchanged for ten points."""
    programme(db, keys, 1_000)
    (owner,) = citizens(db, keys, 1)
    accrue(db, owner, asset_number(db, BUS), 100_000)
    swap(db, owner)
    return owner


def codes(db: Database) -> dict[int, int]:
    return dict(rows(db, "select code, sum(amount)::int8 from transfer group by code"))


def test_points_that_are_there_are_taken_at_once(
    db: Database, worker_db: Database, ann: int
) -> None:
    take_back(db, ann, asset_number(db, BUS), 25_000, POOL, at=NOW)
    assert sum(points(db, ann).values()) == 7
    assert owed(db, ann) == 0
    assert one(db, "select mg, points from exchange_recovery") == (25_000, 3)
    assert slices(db) == (990, 10)
    assert return_earmarks(worker_db) == 3
    assert slices(db) == (993, 7)
    assert return_earmarks(worker_db) == 0


def test_the_class_that_was_granted_goes_first_then_the_earliest(db: Database, ann: int) -> None:
    bus, later = asset_number(db, BUS), datetime(TODAY.year + 1, 1, 10, 3, tzinfo=UTC)
    accrue(db, ann, bus, 50_000)
    swap(db, ann, at=later)
    early, late = points(db, ann)
    take_back(db, ann, bus, 20_000, POOL, at=later)
    assert points(db, ann) == {early: 10, late: 3}
    spend(db, ann, 9, today=day_of(later))
    take_back(db, ann, bus, 30_000, POOL, at=later)
    assert points(db, ann) == {early: 1}


def test_what_is_spent_is_owed_and_paid_by_the_next_exchange(
    db: Database, worker_db: Database, ann: int
) -> None:
    bus = asset_number(db, BUS)
    spend(db, ann, 8, today=TODAY)
    cause = take_back(db, ann, bus, 60_000, POOL, at=NOW)
    assert points(db, ann) == {}
    assert one(db, "select cause, points, paid from points_debt") == (cause, 4, 0)
    debt = one(db, "select id from points_debt")[0]
    assert one(db, "select id, code, account, cause from log_note") == (
        debt,
        Code.DEBT_OPENED,
        ann,
        cause,
    )
    accrue(db, ann, bus, 30_000)
    assert swap(db, ann).paid_points == 3
    assert (owed(db, ann), sum(points(db, ann).values())) == (1, 0)
    accrue(db, ann, bus, 50_000)
    assert swap(db, ann).paid_points == 1
    assert (owed(db, ann), sum(points(db, ann).values())) == (0, 4)
    paid = rows(db, "select amount, cause from transfer where code = %s order by amount", 14)
    assert paid == [(1, debt), (3, debt)]
    assert return_earmarks(worker_db) == 2 + 4


def test_a_line_is_taken_to_its_end_and_no_further(db: Database, ann: int) -> None:
    bus = asset_number(db, BUS)
    accrue(db, ann, bus, 20_000)
    swap(db, ann)
    take_back(db, ann, bus, 15_000, POOL, at=NOW)
    take_back(db, ann, bus, 15_000, POOL, at=NOW)
    taken = rows(db, "select exchange, mg, points from exchange_recovery order by id")
    assert [row[1:] for row in taken] == [(15_000, 2), (5_000, 0), (10_000, 1)]
    assert taken[0][0] == taken[1][0] > taken[2][0]


def test_a_debt_is_written_off_with_a_note(db: Database, ann: int) -> None:
    spend(db, ann, 10, today=TODAY)
    take_back(db, ann, asset_number(db, BUS), 100_000, POOL, at=NOW)
    cause = new_id()

    def command(session: Session) -> int:
        return write_off_debts(driver(session), ann, cause=cause, today=TODAY, new_id=new_id)

    assert db.transact(command) == 10
    assert db.transact(command) == 0
    assert owed(db, ann) == 0
    note = one(db, "select id, account, cause from log_note where code = %s", Code.DEBT_WRITTEN_OFF)
    assert note == (one(db, "select forgiven_note from points_debt")[0], ann, cause)


def test_nothing_is_owed_for_grams_that_no_exchange_took(db: Database, ann: int) -> None:
    bus = asset_number(db, BUS)
    accrue(db, ann, bus, 5_000)
    take_back(db, ann, bus, 5_000, at=NOW)
    assert rows(db, "select 1 from exchange_recovery") == []
    assert sum(points(db, ann).values()) == 10


def test_a_better_record_of_an_exchanged_act_takes_its_points(db: Database, keys: Keys) -> None:
    """A declared ride of 500 g is exchanged, then told by the metro as measured, 300 g."""
    programme(db, keys, 1_000)
    app_, metro = provider(db, "app"), provider(db, "metro")
    people(db, keys, app_, ["card-1"])
    same_person(db, keys, app_, metro, {"card-1": "card-1"})
    declared = item(1, evidence=Evidence.SELF_DECLARED, distance="10", vehicle="K7")
    send(db, keys, app_, [declared])
    (owner,) = one(db, "select account from subject")
    swap(db, owner)
    assert sum(points(db, owner).values()) == 50
    spend(db, owner, 45, today=TODAY)
    measured = item(2, distance="3", vehicle="K7")
    assert send(db, keys, metro, [measured]).corrected_mg == 500_000
    assert (sum(points(db, owner).values()), owed(db, owner)) == (0, 45)
    made = swap(db, owner)
    assert (made.exchange.points, made.paid_points, owed(db, owner)) == (30, 30, 15)
    assert codes(db)[Code.CORRECT] == 500_000 + 5
    assert bucket_of(owner) == one(db, "select distinct bucket from points_debt")[0]


def test_what_is_owed_in_all_is_in_every_header(
    db: Database, worker_db: Database, keys: Keys, ann: int, tmp_path: Path
) -> None:
    notary, bus = notary_over(worker_db, keys, tmp_path), asset_number(db, BUS)
    assert notary.close(at=NOW) is not None
    spend(db, ann, 8, today=TODAY)
    take_back(db, ann, bus, 60_000, POOL, at=NOW)
    assert notary.close(at=NOW + timedelta(days=1)) is not None
    accrue(db, ann, bus, 30_000)
    swap(db, ann)
    assert notary.close(at=NOW + timedelta(days=2)) is not None
    told = rows(db, "select extras -> 'aux' ->> 'debts' from epoch order by epoch")
    expected = [debts_digest(DebtTotal(4, paid, 0)).hex() for paid in (0, 3)]
    assert [row[0] for row in told] == [None, *expected]
    assert_clean(db.url, keys, ORIGIN)
    with tampered(db.url, "update debt_total set paid = paid + 1 where epoch = 3"):
        found = audited(db.url, keys, ORIGIN).findings
        assert [(each.kind, each.where) for each in found] == [("points", "debts of epoch 3")]


@pytest.mark.parametrize(
    ("statement", "where"),
    [
        ("update exchange set points = points + 1", "exchange "),
        ("update exchange_class set mg_per_point = 5000, points = 20", "exchange "),
        ("update points_debt set paid = 1", "debt "),
        ("delete from log_note", "debt "),
        (
            "update budget_slice set unpromised_fen = unpromised_fen + 1 where slice = 3",
            "programme",
        ),
        ("update budget_slice set promised_fen = promised_fen - 1 where slice = 3", "programme"),
        ("update exchange_recovery set points = points + 1", "exchange "),
        ("delete from exchange_class", "exchange "),
    ],
)
def test_the_audit_names_what_was_tampered_with(
    db: Database, keys: Keys, ann: int, statement: str, where: str
) -> None:
    spend(db, ann, 8, today=TODAY)
    take_back(db, ann, asset_number(db, BUS), 60_000, POOL, at=NOW)
    assert_clean(db.url, keys, ORIGIN)
    with tampered(db.url, statement):
        found = [each for each in audited(db.url, keys, ORIGIN).findings if each.kind == "points"]
        assert any(each.where.startswith(where) for each in found), found
