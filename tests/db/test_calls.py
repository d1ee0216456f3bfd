"""Functions of the schema awaited on the event loop: as ``db.call`` does them, without a thread.

Goal: the laws of ``tests/db/test_call.py`` hold on the loop too, and whoever is cancelled spoils
nothing for the next. Method: a loop of its own for each, on a real server.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import aclosing
from typing import Any, TypeVar

import psycopg
import pytest
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.kernel.calls import Calls
from app.kernel.db import ATTEMPTS_MAX, Database
from tests.db.test_call import END_OTHERS, TAKE
from tests.support.acts import one

R = TypeVar("R")
SIZE = 2
SLEEP = "select pg_sleep(%s)::text, pg_backend_pid()"
WAITS_S = 30
BURST = [(SLEEP,) * 8, ((0.01,),) * 8]


@pytest.fixture
def small(database_url: str) -> Iterator[Database]:
    """Whose calls have two connections."""
    db = Database(database_url, pool_size=SIZE)
    yield db
    db.dispose()


def awaited(db: Database, deed: Callable[[Calls], Awaitable[R]]) -> R:
    async def run() -> R:
        async with asyncio.timeout(WAITS_S), aclosing(Calls(db)) as calls:
            return await deed(calls)

    return asyncio.run(run())


async def pid_of(calls: Calls) -> int:
    return (await calls.call("select pg_backend_pid()", ()))[0]


def test_what_it_ran_is_committed_and_was_the_applications(db: Database) -> None:
    assert awaited(db, lambda calls: calls.call(TAKE, ("a",))) == ("tanpu_app",)
    assert one(db, "select count(*) from desk_answer") == (1,)


def test_a_statement_that_fails_leaves_nothing_and_a_connection_that_works(db: Database) -> None:
    async def deed(calls: Calls) -> set[int]:
        pids: set[int] = set()
        for _ in range(3):
            with pytest.raises(psycopg.errors.DivisionByZero):
                await calls.call("select 1 / %s::int", (0,))
            pids.add(await pid_of(calls))
        return pids

    assert len(awaited(db, deed)) == 1


def test_a_server_that_went_away_and_came_back_costs_nobody_a_request(db: Database) -> None:
    async def deed(calls: Calls) -> list[int]:
        rows: list[tuple[Any, ...]] = []
        for _ in range(2):
            rows += await asyncio.gather(*(calls.call(SLEEP, (0.05,)) for _ in range(8)))
            with psycopg.connect(db.url, autocommit=True) as other:
                other.execute(END_OTHERS)
        return [pid for _, pid in rows]

    assert len(set(awaited(db, deed))) == 16


def test_one_that_goes_away_in_the_middle_is_said_and_not_tried_again(db: Database) -> None:
    async def deed(calls: Calls) -> int:
        pid = await pid_of(calls)
        asked = asyncio.create_task(calls.call(SLEEP, (20,)))
        await asyncio.sleep(0.2)
        with psycopg.connect(db.url, autocommit=True) as other:
            other.execute("select pg_terminate_backend(%s)", (pid,))
        with pytest.raises(psycopg.OperationalError):
            await asked
        return await pid_of(calls) - pid

    assert awaited(db, deed) != 0


def test_a_database_that_is_away_is_an_error() -> None:
    db = Database("postgresql://nobody@127.0.0.1:1/none", pool_size=1)

    async def deed(calls: Calls) -> None:
        for _ in range(3):
            with pytest.raises(psycopg.OperationalError):
                await calls.call("select 1", ())

    awaited(db, deed)


def test_what_another_holds_is_tried_again(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[str] = []
    execute = psycopg.AsyncCursor[Any].execute

    async def counted(self: psycopg.AsyncCursor[Any], statement: Any, values: Any) -> Any:  # noqa: ANN401 -- as it was called
        tries.append(statement)
        return await execute(self, statement, values)

    monkeypatch.setattr(psycopg.AsyncCursor, "execute", counted)

    async def deed(calls: Calls) -> None:
        await calls.call(TAKE, ("b",))
        with pytest.raises(psycopg.errors.UniqueViolation):
            await calls.call(TAKE, ("b",))

    awaited(db, deed)
    assert len(tries) == 1 + ATTEMPTS_MAX


def test_no_more_are_opened_than_are_kept(small: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever comes when all are taken waits a little and is told; the next is served again."""
    monkeypatch.setattr("app.kernel.calls.WAIT_S", 0.1)

    async def deed(calls: Calls) -> set[int]:
        held = [asyncio.create_task(calls.call(SLEEP, (0.5,))) for _ in range(SIZE)]
        await asyncio.sleep(0.2)
        with pytest.raises(PoolTimeout):
            await pid_of(calls)
        pids = {row[1] for row in await asyncio.gather(*held)}
        assert {row[1] for row in await asyncio.gather(*map(calls.call, *BURST))} == pids
        return pids

    assert len(awaited(small, deed)) == SIZE


def test_what_is_closed_keeps_nothing(small: Database) -> None:
    async def deed(calls: Calls) -> int:
        asked = asyncio.create_task(calls.call(SLEEP, (0.3,)))
        await asyncio.sleep(0.1)
        await calls.aclose()
        pid = (await asked)[1]
        await asyncio.sleep(0.1)
        return pid

    pid = awaited(small, deed)
    assert one(small, "select count(*) from pg_stat_activity where pid = %s", pid) == (0,)


def test_a_connection_left_in_the_middle_of_something_is_lent_to_nobody(small: Database) -> None:
    async def deed(calls: Calls) -> int:
        pid = await pid_of(calls)
        with pytest.raises(psycopg.ProgrammingError):  # it answers no row
            await calls.call("begin", ())
        return await pid_of(calls) - pid

    assert awaited(small, deed) != 0


def test_whoever_is_cancelled_spoils_nothing_for_the_next(small: Database) -> None:
    async def deed(calls: Calls) -> None:
        for _ in range(4 * SIZE):
            asked = asyncio.create_task(calls.call(SLEEP, (20,)))
            await asyncio.sleep(0.05)
            asked.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asked
        assert (await calls.call("select %s::int", (7,)))[0] == 7

    awaited(small, deed)
