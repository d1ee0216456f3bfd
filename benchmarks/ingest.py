"""Ingest end to end beside bare posting, in one run: the gate of R28 and what growth costs.

Ingest is all of it: NDJSON bytes, parsed, matched, deduplicated, quantified, compared with other
providers, capped, posted, committed, receipt signed. The floor posts as many transfers, in
batches as large, through ``app.books`` alone. Both run with one and with two processes at once,
in turns, and the best of each are compared: other work on the machine only ever slows.
``--rows N`` first fills this month's tables with N acts.

Run ``python -m benchmarks.ingest [--lines N] [--rows N] [--people N] [--json]``.
"""

import argparse
import json
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlmodel import Session

from app.activities import catalogued, ingest, read_items
from app.books import Row, asset_ids, post
from app.kernel.clock import day_of
from app.kernel.db import driver
from app.kernel.ids import new_id
from app.kernel.settings import Settings
from benchmarks.cluster import Ground, enrol, ground, together
from benchmarks.filling import fill
from ledger.accounts import bucket_of
from ledger.assets import Reduction
from methodologies import get

GATE: Final = 0.25
AIM: Final = 0.5
CHUNK: Final = 10_000
METHODOLOGIES: Final = ("SZ-METRO", "SZ-BUS")
"""One for each process: two providers of different modes, over the same people."""


def content(provider: str, people: int, lines: int, run: int) -> bytes:
    """Write a morning of rides as NDJSON."""
    day = datetime.now(UTC) - timedelta(hours=20)
    made: list[str] = []
    for number in range(lines):
        person = (number * 7919 + run * 104_729) % people
        at = (day + timedelta(seconds=number % 3600)).isoformat(timespec="seconds")
        made.append(
            f'{{"external_id":"{provider}-{run}-{number}","subject":"card-{person}",'
            f'"occurred_at":"{at}","distance":"{1 + number % 140 / 10:.1f}"}}\n'
        )
    return "".join(made).encode()


def ingest_once(barrier: Any, city: Ground, provider: str, code: str, body: bytes) -> float:  # noqa: ANN401 -- of multiprocessing
    """Ingest one body; returns the seconds it took."""
    db, keys, settings, choice = city.database(), city.keys(), Settings(), catalogued(code)
    db.read(lambda session: driver(session).execute("select 1"))
    barrier.wait()
    begun = time.perf_counter()
    result = ingest(
        db, keys, settings, provider, choice, read_items(body, choice), at=datetime.now(UTC)
    )
    took = time.perf_counter() - begun
    accepted = result.counts["accepted"]  # pyright: ignore[reportArgumentType] -- a str enum's value
    assert accepted == body.count(b"\n"), result.counts
    return took


def post_once(barrier: Any, city: Ground, scene: str, lines: int, owners: list[int]) -> float:  # noqa: ANN401 -- of multiprocessing
    """Post as many accruals through the books alone; returns the seconds it took."""
    db, today = city.database(), day_of(datetime.now(UTC))
    asset = Reduction(f"BENCH-{scene}", 1, scene, "B", today.replace(day=1))
    number = db.transact(lambda session: asset_ids(driver(session), [asset])[asset])
    barrier.wait()
    begun = time.perf_counter()
    for start in range(0, lines, CHUNK):
        rows: list[Row] = []
        for place in range(start, min(start + CHUNK, lines)):
            owner, act = owners[place % len(owners)], new_id()
            rows.append(
                Row(
                    bucket_of(owner), today, act, 1, owner, number, 1000 + place, 1, act, today,
                    None, None, bytes(32),
                )
            )  # fmt: skip
        rows.sort()
        db.transact(_post, rows)
    return time.perf_counter() - begun


def _post(session: Session, rows: list[Row]) -> None:
    post(driver(session), rows)


def measure(city: Ground, args: argparse.Namespace, people: int, series: int) -> dict[str, float]:
    """Run floor and ingest in turns, with one and two processes."""
    db = city.database()
    owners = db.read(
        lambda session: [
            row[0]
            for row in driver(session).execute(
                "select account from subject order by md5(account::text) limit %s", (people,)
            )
        ]
    )
    rates: dict[str, list[float]] = {}
    for run in range(args.rounds):
        for processes in (1, 2):
            base = series * 1000 + run * 10 + processes
            bodies = [
                (
                    city,
                    f"line-{n}",
                    METHODOLOGIES[n],
                    content(f"line-{n}", people, args.lines, base),
                )
                for n in range(processes)
            ]
            took = together(
                post_once, [(city, f"s{n}", args.lines, owners) for n in range(processes)]
            )
            rates.setdefault(f"floor_{processes}", []).append(processes * args.lines / max(took))
            took = together(ingest_once, bodies)
            rates.setdefault(f"ingest_{processes}", []).append(processes * args.lines / max(took))
    best = {name: max(values) for name, values in rates.items()}
    for processes in (1, 2):
        best[f"ratio_{processes}"] = best[f"ingest_{processes}"] / best[f"floor_{processes}"]
    return best


def main() -> int:
    """Print the table, or JSON with ``--json``; 1 when the gate is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=40_000)
    parser.add_argument("--people", type=int, default=40_000)
    parser.add_argument("--rows", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    with ground() as city:
        subjects = [f"card-{number}" for number in range(args.people)]
        for n, code in enumerate(METHODOLOGIES):
            enrol(city, f"line-{n}", subjects, get(code, 1).scenario)
        measured = {"empty": measure(city, args, args.people, 1)}
        if args.rows:
            fill(city, args.rows)
            measured["filled"] = measure(city, args, args.people, 2)
    report(measured, args)
    return 0 if measured["empty"]["ratio_2"] >= GATE else 1


def report(measured: dict[str, dict[str, float]], args: argparse.Namespace) -> None:
    """Print what was measured."""
    if args.json:
        told = {
            state: {name: round(value, 3) for name, value in values.items()}
            for state, values in measured.items()
        }
        json.dump({"ingest": told, "gate": GATE, "aim": AIM, "rows": args.rows}, sys.stdout)
        print()
        return
    print(f"ingest, {args.lines:,} lines a process, {args.people:,} people, floor: app.books.post")
    for state, values in measured.items():
        for processes in (1, 2):
            print(
                f"  {state:6} {processes} process(es): "
                f"{values[f'ingest_{processes}']:10,.0f} acts/s   "
                f"floor {values[f'floor_{processes}']:10,.0f} transfers/s   "
                f"ratio {values[f'ratio_{processes}']:.2f}"
            )
    if "filled" in measured:
        cost = measured["empty"]["ingest_1"] / measured["filled"]["ingest_1"]
        print(f"  cost an act with {args.rows:,} rows before it: {cost:.2f} x (budget 1.2 x)")
    print(f"  gate {GATE}, aim {AIM} with two processes (R28)")


if __name__ == "__main__":
    sys.exit(main())
