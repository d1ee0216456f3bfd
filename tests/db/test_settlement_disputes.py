"""What becomes of a statement (结算单状态): contested, answered, final, paid; it never changes."""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from app.kernel.db import Database
from app.kernel.ids import new_id
from app.kernel.secrets import Keys
from app.settlements import close_windows
from app.settlements.disputes import DisputeAnswer, NewDispute, answer_dispute, open_dispute
from app.settlements.payouts import pay_out
from app.settlements.showing import whole_settlement
from tests.support.acts import one, rows
from tests.support.auditing import assert_books_hold
from tests.support.orders import DAY, MINUTE, Street, said
from tests.support.points import slices
from tests.support.settlements import NOON, fen_of, settle, sold, statements


@pytest.fixture
def street(db: Database, keys: Keys) -> Street:
    return Street(db, keys, at=NOON)


def opened(street: Street, *places: int, at: datetime) -> UUID:
    (settlement,) = one(street.db, "select id from settlement order by day limit 1")
    dispute = new_id()
    new = NewDispute(dispute, settlement, places, "why", new_id())
    street.db.transact(open_dispute, street.shop, new, at=at)
    return dispute


def answered(street: Street, dispute: UUID, at: datetime, **granted: int) -> None:
    street.db.transact(answer_dispute, DisputeAnswer(dispute, "so", granted), at=at)


@pytest.mark.parametrize(
    ("granted", "expected"), [(25, 75), (-20, 30), (-80, 0)], ids=["more", "less", "all"]
)
def test_what_an_answer_grants_is_a_line_of_the_next_statement(
    street: Street, database_url: str, granted: int, expected: int
) -> None:
    sold(street, 40)
    settle(street)
    first = one(street.db, "select statement, signature, root from settlement")
    answered(street, opened(street, 0, at=NOON + 2 * DAY), NOON + 3 * DAY, green=granted)
    assert_books_hold(database_url)
    sold(street, 50, at=NOON + 3 * DAY)
    unpromised, promised = slices(street.db)
    assert settle(street, NOON + 4 * DAY) == 1
    assert statements(street)[1][1] == expected
    claimed = 50 + max(0, granted)
    assert slices(street.db) == (unpromised + claimed - expected, promised - claimed)
    assert one(street.db, "select statement, signature, root from settlement limit 1") == first


def test_an_adjustment_alone_makes_a_statement(street: Street) -> None:
    sold(street, 40)
    settle(street)
    answered(street, opened(street, at=NOON + DAY), NOON + DAY, green=7)
    assert settle(street, NOON + 3 * DAY) == 1
    assert statements(street)[1] == (1, 7, 0, 7)


def test_more_than_a_programme_has_left_is_not_granted(street: Street) -> None:
    sold(street, 40)
    settle(street)
    dispute = opened(street, at=NOON + DAY)
    deed: Callable[[], object] = lambda: answered(street, dispute, NOON + DAY, green=10**9)  # noqa: E731 -- a deed
    assert said(deed) == "settlement.budget_short"
    assert one(street.db, "select count(*) from settlement_adjustment") == (0,)
    assert one(street.db, "select answered_at from settlement_dispute") == (None,)


def test_the_states_of_a_statement(street: Street) -> None:
    sold(street, 40)
    settle(street)
    (settlement,) = one(street.db, "select id from settlement")

    def state() -> str:
        return street.db.read(whole_settlement, settlement).row.state.value

    def pay(reference: str = "ref") -> str:
        facts = (settlement, reference)
        when = NOON + 10 * DAY
        return said(lambda: street.db.transact(pay_out, *facts, transfer=new_id(), at=when))

    assert state() == "open"
    dispute = opened(street, 0, at=NOON + 2 * DAY)
    assert state() == "disputed"
    assert said(lambda: opened(street, 0, at=NOON + 2 * DAY)) == "settlement.dispute_open"
    assert close_windows(street.db, at=NOON + 9 * DAY) == 0
    answered(street, dispute, NOON + 9 * DAY)
    assert said(lambda: answered(street, dispute, NOON)) == "settlement.dispute_answered"
    assert state() == "resolved"
    assert pay() == "settlement.not_final"
    assert close_windows(street.db, at=NOON + 9 * DAY) == 1
    assert close_windows(street.db, at=NOON + 9 * DAY) == 0
    assert state() == "final"
    assert said(lambda: opened(street, at=NOON + 2 * DAY)) == "settlement.window_closed"
    assert pay() == "done"
    assert state() == "paid"
    assert pay("another") == "settlement.paid"
    assert fen_of(street, street.shop) == 0


def test_a_window_is_seven_days(street: Street) -> None:
    sold(street, 40)
    settle(street)
    end = NOON + 8 * DAY
    assert close_windows(street.db, at=end - timedelta(microseconds=1)) == 0
    assert said(lambda: opened(street, at=end)) == "settlement.window_closed"
    assert said(lambda: opened(street, 1, at=end - MINUTE)) == "settlement.line_unknown"
    opened(street, at=end - MINUTE)


def test_a_reference_pays_one_statement(street: Street) -> None:
    """However it is spelt, and whosever statement it is."""
    other = street.merchant()
    sold(street, 40)
    sold(street, 40, at=NOON + DAY)
    sold(street, 40, shop=other, till=street.open_till(other))
    settle(street, NOON + 2 * DAY)
    close_windows(street.db, at=NOON + 9 * DAY)
    found = rows(street.db, "select id, merchant from settlement order by merchant = %s, id", other)

    def pay(settlement: UUID, reference: str) -> str:
        facts = {"transfer": new_id(), "at": NOON + 9 * DAY}
        return said(lambda: street.db.transact(pay_out, settlement, reference, **facts))  # pyright: ignore[reportArgumentType] -- keywords

    spelt = zip(found, ("20261122-a1", "20261122 A1", "20261122A1"), strict=True)
    assert [pay(each, reference) for (each, _), reference in spelt] == ["done"] + 2 * [
        "settlement.paid"
    ]
    assert pay(found[2][0], "20261122-a2") == "done"
    assert (fen_of(street, street.shop), fen_of(street, other)) == (40, 0)
