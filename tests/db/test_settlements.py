"""Merchants' statements (结算): what a day comes to, once, and what the fen do meanwhile."""

import json
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from threading import Barrier
from uuid import UUID

import psycopg
import pytest

from app.kernel.clock import day_of
from app.kernel.db import Database
from app.kernel.ids import new_id
from app.kernel.secrets import Keys
from app.points import NewProgramme
from app.settlements import close_windows, settle_day
from app.settlements.payouts import pay_out
from app.settlements.showing import shown_whole, whole_settlement
from ledger.settlement import check_settlement
from tests.support.acts import one, rows
from tests.support.auditing import assert_books_hold, assert_clean
from tests.support.orders import DAY, HOUR, MINUTE, Street, said
from tests.support.points import programme, slices
from tests.support.settlements import NOON, ORIGIN, fee, fen_of, seal, settle, sold, statements

WORKERS = 4


@pytest.fixture
def street(db: Database, keys: Keys) -> Street:
    return Street(db, keys, at=NOON)


def settle_at(street: Street, merchant: UUID, day: date, at: datetime) -> bool:
    """Settle one merchant at a time at which the job would still wait."""
    return street.db.transact(
        settle_day, seal(street.keys), merchant, day, settlement=new_id(), new_id=new_id, at=at
    )


# a day -------------------------------------------------------------------------------------------
def test_a_day_is_settled_the_day_after_and_once(street: Street, database_url: str) -> None:
    fee(street, 6)
    for _ in range(2):
        sold(street, 777)
    assert_books_hold(database_url)
    unpromised, promised = slices(street.db)
    midnight = NOON.replace(hour=0) + DAY
    assert settle(street, midnight + 59 * MINUTE) == 0
    assert settle(street, midnight + HOUR) == 1
    assert settle(street) == 0
    assert statements(street) == [(2, 1554, 9, 1545)]
    assert slices(street.db) == (unpromised + 9, promised - 1554)
    assert fen_of(street, street.shop) == 1545


def test_the_books_hold_before_between_and_after(
    street: Street, database_url: str, keys: Keys
) -> None:
    fee(street, 13)
    sold(street, 100)
    assert_clean(database_url, keys, ORIGIN)
    settle(street)
    assert_clean(database_url, keys, ORIGIN)
    sold(street, 60, at=NOON + DAY)
    assert_clean(database_url, keys, ORIGIN)
    settle(street, NOON + 2 * DAY)
    close_windows(street.db, at=NOON + 9 * DAY)
    for (settlement,) in rows(street.db, "select id from settlement"):
        facts = (settlement, f"bank {settlement}")
        street.db.transact(pay_out, *facts, transfer=new_id(), at=NOON + 9 * DAY)
    assert_clean(database_url, keys, ORIGIN)
    assert fen_of(street, street.shop) == 0


def test_a_reversed_redemption_is_two_lines_that_come_to_nothing(street: Street) -> None:
    sold(street, 50)
    street.reverse(sold(street, 30))
    unpromised, promised = slices(street.db)
    assert settle(street) == 1
    assert statements(street) == [(3, 50, 0, 50)]
    assert slices(street.db) == (unpromised, promised - 50)


def test_a_day_that_comes_to_nothing_has_a_statement_that_pays_nothing(street: Street) -> None:
    street.reverse(sold(street, 30))
    assert settle(street) == 1
    assert statements(street) == [(2, 0, 0, 0)]
    assert one(street.db, "select count(*) from transfer where code = 22") == (0,)


def test_a_day_without_sales_has_no_statement(street: Street) -> None:
    assert settle(street) == 0
    sold(street)
    street.merchant()
    assert settle(street) == 1
    assert settle(street, NOON + 3 * DAY) == 0


def test_days_that_nobody_settled_are_made_up_for_one_by_one(street: Street) -> None:
    for days in (0, 1, 3):
        sold(street, 10 + days, at=NOON + days * DAY)
    assert settle(street, NOON + 4 * DAY) == 3
    assert [row[1] for row in statements(street)] == [10, 11, 13]
    closed = rows(street.db, "select day from settlement_day order by day")
    assert [day for (day,) in closed] == [day_of(NOON + n * DAY) for n in range(4)]


def test_two_merchants_get_what_is_theirs(street: Street) -> None:
    other = street.merchant()
    till = street.open_till(other)
    sold(street, 40)
    sold(street, 70, shop=other, till=till)
    assert settle(street) == 2
    assert (fen_of(street, street.shop), fen_of(street, other)) == (40, 70)
    found = rows(
        street.db,
        """select s.merchant, l.fen from settlement_line l
             join settlement s on s.id = l.settlement order by l.fen""",
    )
    assert found == [(street.shop, 40), (other, 70)]


def test_a_suspended_merchant_is_owed_what_it_took_and_not_paid(street: Street) -> None:
    sold(street, 40)
    street.run("update merchant set suspended_at = now() where id = %s", street.shop)
    assert settle(street) == 1
    close_windows(street.db, at=NOON + 9 * DAY)
    (settlement,) = one(street.db, "select id from settlement")

    def pay() -> None:
        street.db.transact(pay_out, settlement, "ref", transfer=new_id(), at=NOON + 9 * DAY)

    assert said(pay) == "merchants.suspended"
    street.run("update merchant set suspended_at = null")
    assert said(pay) == "done"


# midnight -----------------------------------------------------------------------------------------
LATE = NOON.replace(hour=23, minute=55)


def test_a_reversal_after_midnight_belongs_to_its_redemption(street: Street) -> None:
    order = sold(street, 30, at=LATE)
    street.reverse(order, at=LATE + 10 * MINUTE)
    assert settle(street) == 1
    assert statements(street) == [(2, 0, 0, 0)]
    assert settle(street, NOON + 2 * DAY) == 0


def test_a_reversal_after_its_statement_is_a_line_of_the_next_one(
    street: Street, database_url: str
) -> None:
    order = sold(street, 30, at=LATE)
    assert settle_at(street, street.shop, day_of(LATE), LATE + 6 * MINUTE)
    street.reverse(order, at=LATE + 10 * MINUTE)
    assert_books_hold(database_url)
    sold(street, 50, at=NOON + DAY)
    assert settle(street, NOON + 2 * DAY) == 1
    assert statements(street) == [(1, 30, 0, 30), (2, 20, 0, 20)]


def test_what_a_merchant_owes_is_carried_until_a_day_covers_it(
    street: Street, database_url: str
) -> None:
    """A late reversal on a day without a sale: the statement comes to nothing, and so on."""
    order = sold(street, 30, at=LATE)
    assert settle_at(street, street.shop, day_of(LATE), LATE + 6 * MINUTE)
    street.reverse(order, at=LATE + 10 * MINUTE)
    before = slices(street.db)
    assert settle(street, NOON + 2 * DAY) == 1
    assert slices(street.db) == (before[0] - 30, before[1] + 30)
    assert_books_hold(database_url)
    assert settle(street, NOON + 3 * DAY) == 0
    sold(street, 10, at=NOON + 3 * DAY)
    sold(street, 50, at=NOON + 4 * DAY)
    assert settle(street, NOON + 5 * DAY) == 2
    assert [row[1] for row in statements(street)] == [30, 0, 0, 30]
    assert fen_of(street, street.shop) == 60
    kinds = rows(
        street.db,
        """select s.day, l.kind, l.fen from settlement_line l
             join settlement s on s.id = l.settlement order by s.day, l.place""",
    )
    assert [tuple(each[1:]) for each in kinds[1:]] == [
        ("reversal", -30), ("carried", 30),
        ("brought", -30), ("redemption", 10), ("carried", 20),
        ("brought", -20), ("redemption", 50),
    ]  # fmt: skip


# programmes ---------------------------------------------------------------------------------------
def test_each_programme_pays_for_its_own_points(street: Street, database_url: str) -> None:
    fee(street, 100)
    blue = programme(street.db, street.keys, 1_000_000, NewProgramme("blue", "蓝", "Blue", "", 3))
    (ann,) = street.people(1, y2027=20)
    green = street.green
    street.green = blue
    street.give(ann, 15, date(2028, 12, 31))
    street.green = green
    street.redeem(street.order(ann, street.offer(price_points=30)))
    assert settle(street) == 1
    assert statements(street) == [(2, 50, 5, 45)]
    found = rows(
        street.db,
        """select p.code, s.gross_fen, s.fee_fen from settlement_share s
             join programme p on p.id = s.programme order by 1""",
    )
    assert found == [("blue", 30, 3), ("green", 20, 2)]
    paid = rows(
        street.db,
        """select p.code, t.amount from transfer t join programme p on p.budget = t.source
            where t.code = 22 order by 1""",
    )
    assert paid == [("blue", 27), ("green", 18)]
    assert_books_hold(database_url)


@pytest.mark.usefixtures("books_left_broken")
def test_a_budget_that_cannot_pay_stops_one_merchant_and_nothing_is_half_done(
    street: Street,
) -> None:
    """Can't happen: a budget is emptied behind the books' back."""
    sold(street, 30)
    with psycopg.connect(street.db.url, autocommit=True) as owner:
        owner.execute(
            "update balance set debits = credits where account = %s", (street.green.budget,)
        )
    assert settle(street) == 0
    for table in ("settlement", "settlement_line", "settlement_share", "settlement_day"):
        assert one(street.db, f"select count(*) from {table}") == (0,)
    assert one(street.db, "select count(*) from transfer where code = 22") == (0,)


# what is handed out -------------------------------------------------------------------------------
def test_the_statement_is_signed_over_its_lines(street: Street) -> None:
    sold(street, 40)
    street.reverse(sold(street, 30))
    settle(street)
    (settlement,) = one(street.db, "select id from settlement")
    public = street.keys.receipt.public_key()
    told = shown_whole(street.db.read(whole_settlement, settlement), public)
    document = json.loads(told.model_dump_json())
    stated = check_settlement(document, lambda sig, text: public.verify(sig, text) is None)
    assert (stated["gross_fen"], stated["lines"], stated["day"]) == (40, 3, "2026-11-20")
    assert document["public_key"] == b64encode(public.public_bytes_raw()).decode()
    people = {str(owner) for (owner,) in rows(street.db, "select account from subject")}
    assert not any(owner in json.dumps(document) for owner in people)


def test_two_workers_settle_a_day_once(street: Street, database_url: str) -> None:
    sold(street, 40)
    other = street.merchant()
    sold(street, 70, shop=other, till=street.open_till(other))
    barrier = Barrier(WORKERS)

    def work(_: int) -> int:
        barrier.wait(timeout=30)
        return settle(street)

    with ThreadPoolExecutor(WORKERS) as workers:
        assert sum(workers.map(work, range(WORKERS))) == 2
    assert len(statements(street)) == 2
    assert (fen_of(street, street.shop), fen_of(street, other)) == (40, 70)
    assert_books_hold(database_url)


def test_a_merchant_that_is_short_holds_up_no_other(street: Street, database_url: str) -> None:
    """Of two programmes one budget is emptied behind the books' back; put back, the day closes."""
    sold(street, 40)
    other = street.merchant()
    till = street.open_till(other)
    blue = programme(street.db, street.keys, 1_000, NewProgramme("blue", "蓝", "Blue"))
    street.green, green = blue, street.green
    sold(street, 70, shop=other, till=till)
    street.green = green
    change = "update balance set debits = debits {} 1000 where account = %s"
    with psycopg.connect(database_url, autocommit=True) as owner:
        owner.execute(change.format("+").encode(), (blue.budget,))
        assert settle(street) == 1
        assert (fen_of(street, street.shop), fen_of(street, other)) == (40, 0)
        assert one(street.db, "select count(*) from settlement_day") == (0,)
        owner.execute(change.format("-").encode(), (blue.budget,))
    assert settle(street) == 1
    assert fen_of(street, other) == 70
    assert one(street.db, "select count(*) from settlement_day") == (1,)


def test_no_later_day_overtakes_one_that_could_not_be_settled(
    street: Street, database_url: str
) -> None:
    """A statement looks back three days: what a later one overtook would be a line of none."""
    blue = programme(street.db, street.keys, 1_000, NewProgramme("blue", "蓝", "Blue"))
    street.green, green = blue, street.green
    sold(street, 70)
    street.green = green
    street.at = NOON + 5 * DAY
    street.open_till(street.shop)
    sold(street, 40, at=street.at)
    change = "update balance set debits = debits {} 1000 where account = %s"
    with psycopg.connect(database_url, autocommit=True) as owner:
        owner.execute(change.format("+").encode(), (blue.budget,))
        assert settle(street, NOON + 6 * DAY) == 0
        owner.execute(change.format("-").encode(), (blue.budget,))
    assert settle(street, NOON + 6 * DAY) == 2
    assert fen_of(street, street.shop) == 110


def test_the_merchant_is_told_of_each_statement_once(street: Street) -> None:
    street.run(
        """insert into webhook_endpoint (id, owner, url, types, scheme, secret, created_at)
           values (uuidv7(), %s, 'https://shop.example', '{settlement.closed}', 'v1', '', now())""",
        f"merchant:{street.shop}",
    )
    sold(street, 40)
    other = street.merchant()
    sold(street, 70, shop=other, till=street.open_till(other))
    for _ in range(2):
        settle(street)
    ((body, cause),) = rows(street.db, "select body, cause from webhook_message")
    told = json.loads(body)
    assert told["type"] == "settlement.closed"
    assert told["data"] == {"settlement": cause, "day": "2026-11-20", "net_fen": 40}
    assert one(street.db, "select count(*) from webhook_delivery") == (1,)
