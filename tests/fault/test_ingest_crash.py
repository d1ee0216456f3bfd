"""A crash at every commit of an upload, its effect lost and landed: each act is posted once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from uuid import UUID

import pytest
from sqlmodel import Session

from app.activities import Outcome, UploadResult
from app.activities.items import Item
from app.kernel.db import Database, driver
from app.kernel.ids import new_id
from app.kernel.secrets import Keys
from methodologies import Evidence
from tests.support.acts import (
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
from tests.support.tripwire import crossing

COMMITS = 6
"""Open, asset, three chunks, receipt."""


CHUNK_LINES = 4
LOST_WITH_A_NODE = (
    "activity", "transfer", "act_window", "accrual_day", "balance", "log_pending",
)  # fmt: skip


def rides() -> list[Item]:
    return [item(n, subject=f"card-{n % 3}", distance=str(n)) for n in range(1, 13)]


def crash(url: str, keys: Keys, at: int, *, landed: bool, upload: UUID | None) -> int:
    """Send with a wire across the commits; returns how many passed."""

    def deed(database: Database) -> None:
        send(database, keys, "metro", rides(), upload=upload, chunk_lines=CHUNK_LINES)

    return crossing(url, at, deed, landed=landed)


def posted_once(db: Database) -> None:
    assert one(db, "select count(*), count(distinct cause) from transfer") == (12, 12)
    assert one(db, "select count(*) from activity")[0] == 12
    assert sum(balances(db).values()) == 78 * 100_000
    pending = "select count(*), count(distinct id) from log_pending"
    with_owner = Database(db.url, role="tanpu_audit")
    assert one(with_owner, pending) == (12, 12)
    with_owner.dispose()


@pytest.mark.parametrize("landed", [False, True], ids=["lost", "landed"])
@pytest.mark.parametrize("crash_at", range(1, COMMITS + 1))
@pytest.mark.parametrize("resumed", [False, True], ids=["again", "resumed"])
def test_it_posts_each_act_once_through_a_crash(
    database_url: str, db: Database, keys: Keys, crash_at: int, *, landed: bool, resumed: bool
) -> None:
    people(db, keys, provider(db), ["card-0", "card-1", "card-2"])
    upload = new_id() if resumed else None
    crash(database_url, keys, crash_at, landed=landed, upload=upload)
    result = send(db, keys, "metro", rides(), upload=upload, chunk_lines=CHUNK_LINES)
    posted_once(db)
    if resumed:
        assert counts(result) == {"accepted": 12}
    else:
        assert set(counts(result)) <= {"accepted", "duplicate"}
        assert sum(result.counts.values()) == 12
    keys.receipt.public_key().verify(result.signature, result.receipt)


def test_it_commits_as_often_as_the_crashes_are_counted(
    database_url: str, db: Database, keys: Keys
) -> None:
    people(db, keys, provider(db), ["card-0", "card-1", "card-2"])
    assert crash(database_url, keys, 0, landed=False, upload=None) == COMMITS


@pytest.mark.parametrize("threads", [2, 4])
def test_it_takes_one_file_in_once_from_many_at_a_time(
    database_url: str, db: Database, keys: Keys, threads: int
) -> None:
    people(db, keys, provider(db), ["card-0", "card-1", "card-2"])
    databases = [Database(database_url) for _ in range(threads)]
    with ThreadPoolExecutor(threads) as pool:
        tell = partial(send, keys=keys, sender="metro", items=rides(), chunk_lines=CHUNK_LINES)
        results = list(pool.map(tell, databases))
    for each in databases:
        each.dispose()
    posted_once(db)
    assert sum(result.counts[Outcome.ACCEPTED] for result in results) == 12
    assert sum(result.counts[Outcome.DUPLICATE] for result in results) == 12 * (threads - 1)


def test_it_merges_what_two_providers_tell_at_one_time(
    database_url: str, db: Database, keys: Keys
) -> None:
    subjects = [f"card-{n}" for n in range(12)]
    metro, app = provider(db, "metro"), provider(db, "app")
    people(db, keys, metro, subjects)
    same_person(db, keys, metro, app, {subject: subject for subject in subjects})

    def tell(sender: str, evidence: Evidence) -> UploadResult:
        told = [
            item(n, subject=subject, evidence=evidence, occurred_at=start)
            for n, subject in enumerate(subjects, 1)
            for start in [item().occurred_at + timedelta(minutes=n % 5)]
        ]
        each = Database(database_url)
        result = send(each, keys, sender, told)
        each.dispose()
        return result

    with ThreadPoolExecutor(2) as pool:
        one_way = pool.submit(tell, "metro", Evidence.PROVIDER_MEASURED)
        other = pool.submit(tell, "app", Evidence.SELF_DECLARED)
        results = [one_way.result(), other.result()]
    assert sum(balances(db).values()) == 12 * 1_000_000
    assert sum(sum(result.counts.values()) for result in results) == 24
    assert len(rows(db, "select 1 from act_window where counted is null")) == 12


def test_it_takes_up_a_key_whose_act_is_absent(database_url: str, db: Database, keys: Keys) -> None:
    """As after a crash between two nodes: the key landed, the citizen's node did not (R3)."""
    people(db, keys, provider(db), ["card-1"])
    assert counts(send(db, keys, "metro", [item()])) == {"accepted": 1}
    before = one(db, "select activity, recorded_on from activity_key")
    lose_node(database_url)
    result = send(db, keys, "metro", [item()])
    assert counts(result) == {"accepted": 1}
    assert one(db, "select id, recorded_on from activity") == before
    assert one(db, "select id, recorded_on from transfer") == before
    assert counts(send(db, keys, "metro", [item()])) == {"duplicate": 1}


def lose_node(owner_url: str) -> None:
    owner = Database(owner_url, role="postgres")

    def command(session: Session) -> None:
        connection = driver(session)
        connection.execute("set local session_replication_role = replica")
        for table in (
            "activity",
            "transfer",
            "act_window",
            "accrual_day",
            "balance",
            "log_pending",
        ):
            connection.execute(f"delete from {table}".encode())

    owner.transact(command)
    owner.dispose()
