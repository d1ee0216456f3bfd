"""Bare posting through ``app.books`` beside the same statements from a bare script, in one run.

One connection, durable commits, batches of 1,000 and 10,000, in turns. The script sends what
``app.books.posting`` sends and nothing else: no session, no runner, rows made beforehand.

Run ``python -m benchmarks.posting [--rows N] [--people N] [--json]``.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import psycopg
from sqlmodel import Session

from app.books import Row, asset_ids, open_owners, post
from app.books.posting import ADD, COPY, PENDING, TYPES
from app.kernel.clock import day_of
from app.kernel.db import Database, driver
from app.kernel.ids import new_id
from benchmarks.cluster import Ground, ground
from ledger.accounts import AccountKind, bucket_of
from ledger.assets import Reduction

RATE_BUDGET: Final = 60_000
RATIO_BUDGET: Final = 0.75
BATCHES: Final = (1_000, 10_000)
ROUNDS: Final = 5


def made(owners: list[int], asset: int, count: int, batch: int) -> list[list[Row]]:
    """Make ``count`` accruals in batches, each sorted as the books lie."""
    today = day_of(datetime.now(UTC))
    batches: list[list[Row]] = []
    for start in range(0, count, batch):
        rows: list[Row] = []
        for place in range(start, start + batch):
            owner, act = owners[place % len(owners)], new_id()
            rows.append(
                Row(bucket_of(owner), today, act, 1, owner, asset, 1000, 1, act, today, None, None)
            )
        batches.append(sorted(rows))
    return batches


def through_books(db: Database, batches: list[list[Row]]) -> None:
    """Post as every domain does."""
    for rows in batches:
        db.transact(_post, rows)


def _post(session: Session, rows: list[Row]) -> None:
    post(driver(session), rows)


def bare(connection: psycopg.Connection, batches: list[list[Row]]) -> None:
    """Send the same statements."""
    for rows in batches:
        with connection.transaction(), connection.cursor() as cursor:
            with cursor.copy(COPY) as copy:
                copy.set_types(TYPES)
                for row in rows:
                    copy.write_row(row)
            sums: dict[tuple[int, int, int], int] = {}
            for row in rows:
                key = (row.bucket, row.target, row.asset)
                sums[key] = sums.get(key, 0) + row.amount
            held = sorted(sums)
            columns = [[key[n] for key in held] for n in range(3)]
            cursor.execute(ADD, [*columns, [sums[key] for key in held]])
            cursor.execute(PENDING, [[row[n] for row in rows] for n in range(3)])


def measure(city: Ground, rows: int, people: int) -> dict[str, float]:
    """Give the medians [transfers/s] and the ratios of the turns."""
    db, keys, at = city.database(), city.keys(), datetime.now(UTC)
    asset = Reduction("BENCH", 1, "bench", "B", day_of(at).replace(day=1))

    def prepare(session: Session) -> tuple[list[int], int]:
        owners = open_owners(driver(session), keys, AccountKind.CITIZEN, people, at=at)
        return list(owners), asset_ids(driver(session), [asset])[asset]

    owners, number = db.transact(prepare)
    found: dict[str, float] = {}
    with psycopg.connect(city.url, options="-c role=tanpu_app -c timezone=UTC") as connection:
        for batch in BATCHES:
            rates: dict[str, list[float]] = {"books": [], "bare": []}
            for _ in range(ROUNDS):
                told = made(owners, number, rows, batch)
                rates["bare"].append(rows / took(lambda told=told: bare(connection, told)))
                told = made(owners, number, rows, batch)
                rates["books"].append(rows / took(lambda told=told: through_books(db, told)))
            for name, values in rates.items():
                found[f"{name}_{batch}"] = statistics.median(values)
            pairs = zip(rates["books"], rates["bare"], strict=True)
            found[f"ratio_{batch}"] = statistics.median(a / b for a, b in pairs)
    return found


def took(work: Callable[[], None]) -> float:
    """Give the seconds that ``work`` takes."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def main() -> int:
    """Print the table, or JSON with ``--json``; 1 when the ratio is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--people", type=int, default=50_000)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    with ground() as city:
        found = measure(city, args.rows, args.people)
    if args.json:
        told = {name: round(value, 3) for name, value in found.items()}
        json.dump({"posting": told, "budget": RATIO_BUDGET, "rate": RATE_BUDGET}, sys.stdout)
        print()
    else:
        for batch in BATCHES:
            print(
                f"batches of {batch:6,}: app.books {found[f'books_{batch}']:10,.0f} transfers/s   "
                f"bare script {found[f'bare_{batch}']:10,.0f}   ratio {found[f'ratio_{batch}']:.2f}"
            )
        print(f"budget: ratio {RATIO_BUDGET}; {RATE_BUDGET:,} transfers/s on a quiet machine")
    return 0 if found["ratio_10000"] >= RATIO_BUDGET else 1


if __name__ == "__main__":
    sys.exit(main())
