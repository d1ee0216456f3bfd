"""How many balance rows a citizen has, by years, and what is left once closed classes are swept.

People ride and use power every month under three methodologies, exchange the whole points of each
class at the month's end, and let the points expire. The books are the real ones.
Run ``python -m benchmarks.balances [--json] [--small]``.
"""

import json
from argparse import ArgumentParser
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Final

import psycopg
from sqlmodel import Session

from app.books import Row, asset_ids, open_owners, post, sweep_balances
from app.kernel.db import Database, driver
from app.kernel.ids import new_id
from benchmarks.cluster import Ground, ground
from ledger.accounts import SYSTEM_ACCOUNTS, AccountKind, bucket_of
from ledger.assets import Points, Reduction
from ledger.chart import Code

METHODOLOGIES: Final = ("BENCH-BUS", "BENCH-METRO", "BENCH-BIKE")
MG_PER_POINT: Final = 10_000
MONTH_MG_MAX: Final = 30_000_000
FIRST_YEAR: Final = 2024
Move = tuple[int | str, int | str, int, int]
"""(from, to, asset, amount); system accounts by name."""
WINDOW: Final = timedelta(days=400)
_SIZE: Final = "select pg_total_relation_size('balance')"
_KINDS: Final = """
select count(*) filter (where asset & 7 in (1, 2)), count(*) filter (where asset & 7 = 3),
       count(*) filter (where credits = debits) from balance"""


@dataclass(frozen=True, slots=True)
class Year:
    """Rows a citizen at the end of a year."""

    year: int
    reduction_rows: float
    point_rows: float
    empty: float
    swept: float
    """Rows that the sweep of that day deleted."""
    left: float
    bytes_a_row: float
    """The table with its indexes, before the sweep."""


def live(db: Database, people: list[int], year: int, rng: Random) -> None:
    """Let a year pass: acts, exchanges, and at its end the expiry of the year before's points."""
    for month in range(1, 13):
        vintage = date(year, month, 1)
        kinds = [Reduction(code, 1, "ride", "A", vintage) for code in METHODOLOGIES]
        earned = Points("green", date(year + 1, 12, 31), 1)
        db.transact(_month, people, kinds, earned, vintage, rng)
    db.transact(_expire, Points("green", date(year, 12, 31), 1), date(year, 12, 31))


def _month(
    session: Session,
    people: list[int],
    kinds: list[Reduction],
    earned: Points,
    day: date,
    rng: Random,
) -> None:
    numbers = asset_ids(driver(session), [*kinds, earned])
    rows: list[Row] = []
    for owner in people:
        for kind in kinds:
            mg = rng.randint(1, MONTH_MG_MAX)
            points = mg // MG_PER_POINT
            taken = points * MG_PER_POINT
            moves: list[tuple[Code, Move]] = [
                (Code.ACCRUE, ("issuance/reduction", owner, numbers[kind], mg)),
                (Code.EXCHANGE_POOL, (owner, "pool", numbers[kind], taken)),
                (Code.GRANT_EXCHANGE, ("issuance/points", owner, numbers[earned], points)),
            ]
            rows += [_row(owner, code, move, day) for code, move in moves if move[3]]
    post(driver(session), rows)


def _expire(session: Session, ended: Points, day: date) -> None:
    connection = driver(session)
    number = asset_ids(connection, [ended])[ended]
    left = connection.execute(
        "select account, credits - debits from balance where asset = %s and credits > debits",
        (number,),
    ).fetchall()
    gone = [
        _row(owner, Code.EXPIRE, (owner, "expired", number, points), day) for owner, points in left
    ]
    post(connection, gone)


def _row(owner: int, code: Code, move: Move, day: date) -> Row:
    source, target, asset, amount = move
    source, target = (SYSTEM_ACCOUNTS.get(str(end), end) for end in (source, target))
    assert isinstance(source, int)
    assert isinstance(target, int)
    bucket, today, cause = bucket_of(owner), datetime.now(UTC).date(), new_id()
    return Row(bucket, today, new_id(), source, target, asset, amount, code, cause, day)


def run(city: Ground, people: int, years: int) -> list[Year]:
    """Give each year's end."""
    db, rng = city.database(), Random(1)
    made = db.transact(
        lambda session: list(
            open_owners(
                driver(session), city.keys(), AccountKind.CITIZEN, people, at=datetime.now(UTC)
            )
        )
    )
    found: list[Year] = []
    for year in range(FIRST_YEAR, FIRST_YEAR + years):
        live(db, made, year, rng)
        with psycopg.connect(city.url, autocommit=True) as connection:
            connection.execute("vacuum analyze balance")
            ((size,),) = connection.execute(_SIZE).fetchall()
            ((reductions, points, empty),) = connection.execute(_KINDS).fetchall()
        today = date(year + 1, 1, 1)
        swept = sweep_balances(db, before=today - WINDOW, today=today)
        rows = reductions + points
        found.append(
            Year(
                year,
                reductions / people,
                points / people,
                empty / people,
                swept / people,
                (rows - swept) / people,
                size / rows,
            )
        )
    db.dispose()
    return found


def main() -> None:
    """Measure and tell."""
    parser = ArgumentParser("benchmarks.balances")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--small", action="store_true")
    asked = parser.parse_args()
    with ground() as city:
        found = run(city, 50 if asked.small else 1_000, 2 if asked.small else 4)
    if asked.json:
        print(json.dumps([asdict(each) for each in found]))
        return
    print("| end of | reductions | points | of them empty | swept | left | bytes a row |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for e in found:
        counts = (
            f"{e.reduction_rows:.2f} | {e.point_rows:.2f} | {e.empty:.2f} | "
            f"{e.swept:.2f} | {e.left:.2f}"
        )
        print(f"| {e.year} | {counts} | {e.bytes_a_row:.0f} |")


if __name__ == "__main__":
    main()
