"""A crash at every commit of settling, lost and landed: each day is settled once, and paid once."""

import pytest

from app.kernel.db import Database
from app.kernel.ids import new_id
from app.kernel.secrets import Keys
from app.settlements import close_windows
from app.settlements.payouts import pay_out
from tests.support.acts import one, rows
from tests.support.auditing import assert_clean
from tests.support.orders import DAY, Street, said
from tests.support.settlements import NOON, ORIGIN, fee, fen_of, settle, sold, statements
from tests.support.tripwire import Crash, Tripwire, crossing

COMMITS = 6
"""Two days: two merchants and the day itself."""
WINDOWS = 3


@pytest.fixture
def street(db: Database, keys: Keys) -> Street:
    """Two merchants, of which one sold on both days."""
    made = Street(db, keys, at=NOON)
    other = made.merchant()
    fee(made, 7)
    sold(made, 200)
    sold(made, 300, at=NOON + DAY)
    sold(made, 400, shop=other, till=made.open_till(other))
    return made


def through(street: Street, at: int, *, landed: bool, what: str) -> int:
    """Run a job on a database of its own, whose ``at``-th commit is lost, or landed and untold."""

    def deed(database: Database) -> None:
        if what == "settle":
            settle(street, NOON + 2 * DAY, database)
        else:
            close_windows(database, at=NOON + 9 * DAY)

    return crossing(street.db.url, at, deed, landed=landed)


def settled_once(street: Street) -> None:
    assert sorted(statements(street)) == [(1, 200, 1, 199), (1, 300, 2, 298), (1, 400, 2, 398)]
    assert fen_of(street, street.shop) == 497
    assert one(street.db, "select count(*) from transfer where code = 22") == (6,)
    assert one(street.db, "select count(*) from settlement_day") == (2,)


@pytest.mark.parametrize("landed", [False, True], ids=["lost", "landed"])
@pytest.mark.parametrize("crash_at", range(1, COMMITS + 1))
def test_each_day_is_settled_once_through_a_crash(
    street: Street, database_url: str, keys: Keys, crash_at: int, *, landed: bool
) -> None:
    through(street, crash_at, landed=landed, what="settle")
    settle(street, NOON + 2 * DAY)
    settled_once(street)
    assert_clean(database_url, keys, ORIGIN)


def test_it_commits_as_often_as_the_crashes_are_counted(street: Street) -> None:
    assert through(street, 0, landed=False, what="settle") == COMMITS
    settled_once(street)
    assert through(street, 0, landed=False, what="close") == WINDOWS


@pytest.mark.parametrize("landed", [False, True], ids=["lost", "landed"])
@pytest.mark.parametrize("crash_at", range(1, WINDOWS + 1))
def test_each_window_is_closed_once_through_a_crash(
    street: Street, crash_at: int, *, landed: bool
) -> None:
    settle(street, NOON + 2 * DAY)
    through(street, crash_at, landed=landed, what="close")
    close_windows(street.db, at=NOON + 9 * DAY)
    assert one(street.db, "select count(*) from settlement_final") == (WINDOWS,)


@pytest.mark.parametrize("landed", [False, True], ids=["lost", "landed"])
def test_a_statement_is_paid_once_through_a_crash(
    street: Street, database_url: str, keys: Keys, *, landed: bool
) -> None:
    settle(street, NOON + 2 * DAY)
    close_windows(street.db, at=NOON + 9 * DAY)
    (first,), transfer = rows(street.db, "select id from settlement")[0], new_id()

    def pay() -> object:
        facts = (first, "bank-1")
        return street.db.transact(pay_out, *facts, transfer=transfer, at=NOON + 9 * DAY)

    with pytest.MonkeyPatch.context() as patched:
        wire = Tripwire(1, landed=landed)
        patched.setattr(street.db, "transact", wire.wrap(street.db.transact))
        with pytest.raises(Crash):
            pay()
    assert said(pay) == ("settlement.paid" if landed else "done")
    assert one(street.db, "select count(*) from transfer where code = 23") == (1,)
    assert one(street.db, "select count(*) from settlement_payout") == (1,)
    assert_clean(database_url, keys, ORIGIN)
