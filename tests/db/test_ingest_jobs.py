"""What happens after an upload: whereabouts are forgotten, months are settled, once."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from sqlmodel import Session

from app.activities import Choice, purge, settle
from app.activities.choice import chosen
from app.kernel.clock import SHANGHAI, day_of, now
from app.kernel.db import Database, driver
from app.kernel.secrets import Keys
from app.kernel.settings import Settings
from methodologies import load
from tests.support.acts import (
    SETTINGS,
    TODAY,
    balances,
    counts,
    item,
    one,
    people,
    provider,
    rows,
    same_person,
    send,
)
from tests.support.homes import LAST_MONTH, home, month_of, readings


def household(*, proposal: bool = False) -> Choice:
    """A household against its own past: as of a text when not our proposal."""
    return chosen(load(home(proposal=proposal).encode(), name="home.toml"))


def test_it_settles_a_month_once_as_one_posting(db: Database, keys: Keys) -> None:
    own, grid = household(), provider(db, "grid")
    people(db, keys, grid, ["meter-1", "meter-2"], choice=own)
    uses = month_of(8, 6)
    result = send(db, keys, grid, readings(uses) + readings(month_of(8, 8), "meter-2"), own)
    assert counts(result) == {"accepted": 2 * len(uses)}
    assert balances(db) == {}
    settled = settle(db, own, LAST_MONTH.date(), at=now())
    # Σ(MA7 − a): the mean falls from 8 to 6 over a week: 2 + 12/7 + 10/7 + … + 2/7 = 8 kWh
    expected_mg = 8 * 500_000
    assert settled.people == 2
    assert abs(settled.reduction_mg - expected_mg) <= 1
    assert list(balances(db).values()) == [settled.reduction_mg]
    assert settle(db, own, LAST_MONTH.date(), at=now()) == (0, 0)
    late = readings(uses)[-1:]
    late = [item(1, external_id="late", subject="meter-1", inputs=late[0].inputs,
                 occurred_at=late[0].occurred_at)]  # fmt: skip
    assert counts(send(db, keys, grid, late, own)) == {"ineligible": 1}


def test_it_records_that_a_proposal_posts_nothing(db: Database, keys: Keys) -> None:
    own, grid = household(proposal=True), provider(db, "grid")
    people(db, keys, grid, ["meter-1"], choice=own)
    send(db, keys, grid, readings(month_of(8, 6)), own)
    assert settle(db, own, LAST_MONTH.date(), at=now()) == (1, 0)
    assert one(db, "select reduction_mg, days from month_settlement")[0] == 0
    assert rows(db, "select 1 from transfer") == []


def test_it_refuses_a_reading_that_is_none(db: Database, keys: Keys) -> None:
    own, grid = household(), provider(db, "grid")
    people(db, keys, grid, ["meter-1"], choice=own)
    worthless: list[dict[str, object]] = [
        {},
        {"energy": Decimal(-1)},
        {"energy": Decimal("Infinity")},
        {"energy": "x"},
    ]
    bad = [item(n, subject="meter-1", inputs=told) for n, told in enumerate(worthless, 1)]
    assert counts(send(db, keys, grid, bad, own)) == {"malformed": 4}


def test_it_forgets_whereabouts_after_the_deadline_and_merges_no_more(
    db: Database, worker_db: Database, keys: Keys
) -> None:
    metro, app = provider(db, "metro"), provider(db, "app")
    people(db, keys, metro, ["card-1"])
    same_person(db, keys, metro, app, {"card-1": "user-1"})
    send(db, keys, metro, [item(1, station="西丽", vehicle="K-7")])
    assert purge(worker_db, SETTINGS, at=now())["act_window"] == 0
    later = now() + timedelta(days=8)
    gone = purge(worker_db, SETTINGS, at=later)
    assert gone == {"act_window": 1, "accrual_day": 0, "activity_key": 0}
    told = [item(1, subject="user-1"), item(2, subject="user-1", mode="ride",
            occurred_at=TODAY - timedelta(days=2, hours=20))]  # fmt: skip
    result = send(db, keys, app, told, at=later)
    assert counts(result) == {"merged": 1, "accepted": 1}
    assert one(db, "select reason from act_merge")[0] == "merge.deadline_passed"


def test_it_keeps_keys_as_long_as_their_acts_are_taken(
    db: Database, worker_db: Database, keys: Keys
) -> None:
    metro = provider(db)
    people(db, keys, metro, ["card-1"])
    send(db, keys, metro, [item()])
    settings = Settings(acceptance_window_days=30)
    assert purge(worker_db, settings, at=now() + timedelta(days=29))["activity_key"] == 0
    gone = purge(worker_db, settings, at=now() + timedelta(days=33))
    assert (gone["activity_key"], gone["accrual_day"]) == (1, 1)
    refused = send(db, keys, metro, [item()], at=now() + timedelta(days=33), settings=settings)
    assert counts(refused) == {"refused": 1}


@pytest.mark.parametrize(
    "statement",
    [
        "update activity set raw_mg = 1",
        "update activity set reason = 'x'",
        "delete from activity",
        "truncate activity",
        "update act_merge set counted = null",
        "delete from upload_chunk",
        "update activity_key set content = content",
    ],
)
def test_it_lets_the_application_change_no_act(db: Database, keys: Keys, statement: str) -> None:
    metro = provider(db)
    people(db, keys, metro, ["card-1"])
    send(db, keys, metro, [item()])
    with pytest.raises(Exception, match=r"permission denied|TP001|refused|forgotten"):
        db.transact(lambda session: driver(session).execute(statement.encode()))
    assert one(db, "select raw_mg from activity")[0] == 1_000_000


def test_it_lets_the_worker_forget_what_an_act_said_and_nothing_else(
    db: Database, worker_db: Database, keys: Keys
) -> None:
    metro = provider(db)
    people(db, keys, metro, ["card-1"])
    send(db, keys, metro, [item(place="here")])

    def forget(session: Session) -> None:
        driver(session).execute("update activity set inputs = null, place = 'elsewhere'")

    worker_db.transact(forget)
    assert one(db, "select inputs, place, raw_mg from activity") == (None, None, 1_000_000)


def test_it_makes_partitions_for_acts_as_for_transfers(db: Database) -> None:
    db.transact(lambda session: driver(session).execute("select ensure_partitions(5)"))
    month = day_of(datetime.now(SHANGHAI))
    last = date(month.year + (month.month + 4) // 12, (month.month + 4) % 12 + 1, 1)
    for parent in ("activity", "transfer"):
        part = f"{parent}_{last:%Y%m}"
        assert one(db, "select to_regclass(%s) is not null", part) == (True,)
        triggers = "select count(*) from pg_trigger where tgrelid = to_regclass(%s)"
        assert one(db, triggers, part)[0] >= 1
