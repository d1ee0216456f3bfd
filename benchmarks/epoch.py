"""What closing an epoch costs on PostgreSQL, by phase, beside the floor of its hashes.

CPU seconds of this process and of the database server are measured apart. The floor is a bare
loop of SHA-256 over as many hashes as the close makes. A million owners are written straight
into the account map as weight; ten thousand of them are real and change.
Run ``python -m benchmarks.epoch [--json] [--small]``.
"""

import gc
import json
import os
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from time import process_time
from typing import Any, Final

import psycopg
from sqlmodel import Session

from app.anchoring import Finality, Guard, Notary, folding, sealing
from app.anchoring.cells import hash_cells, store_cells, sum_tree
from app.anchoring.closing import close_epoch
from app.anchoring.notary import no_digests
from app.anchoring.sealing import Contents
from app.books import Row as Movement
from app.books import asset_ids, open_owners, post
from app.kernel.clock import day_of
from app.kernel.db import Database, driver
from app.kernel.ids import new_id
from app.kernel.secrets import Keys
from benchmarks.cluster import Ground, ground
from ledger.account_map import bits_for
from ledger.accounts import SYSTEM_ACCOUNTS, AccountKind, bucket_of
from ledger.assets import Reduction
from ledger.chart import Code
from ledger.encoding import ZERO_HASH
from ledger.header import Header, origin_tag

ORIGIN: Final = "benchmark.example/ledger/1"
CLOSE_BUDGET_S: Final = 2.0
ENTRY_BUDGET_US: Final = 40.0
REBUILD_BUDGET_US: Final = 4.0
BUS: Final = Reduction("BENCH-BUS", 1, "bus", "A", date(2026, 1, 1))
TICKS: Final = os.sysconf("SC_CLK_TCK")
_WEIGHT = """
with o as (select sha256(('owner' || n)::bytea) as akey, sha256(('leaf' || n)::bytea) as leaf
             from generate_series(1, %s) n),
l as (insert into account_leaf select akey, 1, 1, 1, 1000, 0, 0, 0, leaf, leaf from o)
insert into account_anchor select akey, null, 1, 1, 1, 1000, 0, 0, 0, leaf, leaf from o"""


@dataclass(frozen=True, slots=True)
class Cost:
    """One measurement [CPU s]."""

    what: str
    count: int
    python_s: float
    server_s: float
    floor_s: float
    budget_s: float | None = None

    @property
    def total_s(self) -> float:
        """Both sides together."""
        return self.python_s + self.server_s

    @property
    def is_kept(self) -> bool:
        """Whether the budget is kept, where there is one."""
        return self.budget_s is None or self.total_s <= self.budget_s


@dataclass
class Meter:
    """CPU of this process and of every process of the database server."""

    server: int
    costs: list[Cost] = field(default_factory=list[Cost])

    def measured(
        self, what: str, count: int, work: Callable[[], Any], budget_s: float | None = None
    ) -> Any:  # noqa: ANN401 -- what the work gives
        """Run something and note its cost; floors are added by whoever knows the hashes."""
        python, server = process_time(), server_cpu(self.server)
        made = work()
        spent = process_time() - python, server_cpu(self.server) - server
        self.costs.append(Cost(what, count, *spent, 0.0, budget_s))
        return made


def server_cpu(postmaster: int) -> float:
    """Sum the CPU time of a postmaster and its children, the ended ones included [s]."""
    own = Path(f"/proc/{postmaster}")
    total = sum(map(int, _stat(own)[11:15]))
    for child in (own / "task" / str(postmaster) / "children").read_text().split():
        try:
            total += sum(map(int, _stat(Path(f"/proc/{child}"))[11:13]))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return total / TICKS


def _stat(process: Path) -> list[str]:
    return (process / "stat").read_text().rpartition(")")[2].split()


def hashing(count: int, size: int) -> float:
    """Give the floor: so many hashes of so many bytes [s]."""
    data = bytes(size)
    start = process_time()
    for _ in range(count):
        sha256(data).digest()
    return process_time() - start


def weigh(city: Ground, accounts: int) -> None:
    """Write owners into the map that nobody opened."""
    with psycopg.connect(city.url) as connection:
        connection.execute(_WEIGHT, (accounts,))
        connection.commit()
        connection.autocommit = True
        connection.execute("vacuum analyze account_anchor, account_leaf")


def rebuild(session: Session, accounts: int) -> Header:
    """Hash every cell anew and write the epoch that has them."""
    connection, bits = driver(session), bits_for(accounts)
    store_cells(connection, hash_cells(connection, range(1 << bits), bits), bits=bits, epoch=1)
    root = sum_tree(connection, bits=bits, epoch=1).root
    header = Header(
        origin_tag=origin_tag(ORIGIN),
        bits=bits,
        epoch=1,
        closed_at=0,
        log_size=0,
        account_count=root.accounts,
        log_root=ZERO_HASH,
        account_root=root.hash,
        methodology_root=ZERO_HASH,
        sums=root.sums,
    )
    connection.execute(
        "insert into epoch values (1, %s, %s, 0, %s, to_timestamp(0), '{}')",
        (header.to_bytes(), header.hash(), bits),
    )
    return header


def earn(city: Ground, owners: list[int], each: int, at: datetime) -> None:
    """Give every owner some reductions."""
    db = city.database()

    def command(session: Session) -> None:
        connection = driver(session)
        asset = asset_ids(connection, [BUS])[BUS]
        for start in range(0, len(owners), 10_000):
            post(
                connection,
                [
                    Movement(
                        bucket_of(owner),
                        day_of(at),
                        new_id(),
                        SYSTEM_ACCOUNTS["issuance/reduction"],
                        owner,
                        asset,
                        1000,
                        Code.ACCRUE,
                        new_id(),
                        day_of(at),
                    )
                    for owner in owners[start : start + 10_000]
                    for _ in range(each)
                ],
            )

    db.transact(command)
    db.dispose()


def phases(meter: Meter) -> Iterator[None]:
    """Measure the parts of the sealing transaction as they pass."""
    parts: list[tuple[Any, str, str]] = [
        (sealing, "hash_corrections", "  rounds of numbering"),
        (sealing, "_extend", "  log: edge and root"),
        (folding.Folder, "run", "  fold owners"),
        (sealing, "store_cells", "  touched cells"),
        (sealing, "sum_tree", "  sum tree"),
        (sealing, "append_supply", "  supply"),
    ]
    kept = [(where, name, getattr(where, name)) for where, name, _ in parts]
    for where, name, what in parts:
        effect = getattr(where, name)

        def timed(*args: Any, _effect: Any = effect, _what: str = what, **more: Any) -> Any:  # noqa: ANN401 -- any part
            return meter.measured(_what, 0, lambda: _effect(*args, **more))

        setattr(where, name, timed)
    yield
    for where, name, effect in kept:
        setattr(where, name, effect)


def close(
    meter: Meter, notary: Notary, what: str, count: int, at: datetime, budget_s: float
) -> None:
    """Close an epoch, measured as a whole and by phase."""
    watch = phases(meter)
    next(watch)
    contents = Contents(ORIGIN, {}, no_digests)
    before = len(meter.costs)
    gc.collect()
    meter.measured(
        what, count, lambda: close_epoch(notary.db, notary.keys, contents, at=at), budget_s
    )
    meter.costs.insert(before, meter.costs.pop())
    next(watch, None)


def run(accounts: int, changed: int, each: int) -> list[Cost]:
    """Measure a rebuild, a close with few changes, and one with many entries."""
    at = datetime.now(UTC)
    with ground() as city:
        meter, keys, db = Meter(postmaster_of(city)), city.keys(), city.database()
        worker = Database(city.url, role="tanpu_worker")

        def opened(session: Session) -> list[int]:
            return list(open_owners(driver(session), keys, AccountKind.CITIZEN, changed, at=at))

        owners = db.transact(opened)
        weigh(city, accounts)
        budget_s = REBUILD_BUDGET_US * accounts / 1e6
        meter.measured(
            "map rebuilt from leaves",
            accounts,
            lambda: worker.transact(rebuild, accounts),
            budget_s,
        )
        notary = notary_for(worker, keys, city)
        # Owners enter the map with their first entry; what is measured changes known ones.
        earn(city, owners, 1, at)
        close_epoch(worker, keys, Contents(ORIGIN, {}, no_digests), at=at)
        earn(city, owners, 1, at)
        what = f"close, {changed:,} of {accounts:,} changed"
        close(meter, notary, what, changed, at + timedelta(hours=1), CLOSE_BUDGET_S)
        earn(city, owners, each, at)
        what = f"close, {each} entries each"
        count = each * changed
        close(meter, notary, what, count, at + timedelta(hours=2), ENTRY_BUDGET_US * count / 1e6)
        worker.dispose()
        db.dispose()
    return [with_floor(cost, accounts, changed) for cost in meter.costs]


def with_floor(cost: Cost, accounts: int, changed: int) -> Cost:
    """Add the floor to a whole measurement: its hashes, bare."""
    if cost.what.startswith(" "):
        return cost
    cells = 1 << bits_for(accounts)
    if "rebuilt" in cost.what:
        floor_s = hashing(accounts, 65) + hashing(2 * cells, 209)
    else:
        touched = cells * (1 - (1 - 1 / cells) ** changed)
        inside = int(touched * accounts / cells)
        # An entry: two commitments of which one is public, the salt's HMAC (two), leaf, fold, log.
        floor_s = hashing(cost.count * 6, 97) + hashing(changed * 3, 181) + hashing(inside, 65)
        floor_s += hashing(2 * cells, 209)
    return Cost(cost.what, cost.count, cost.python_s, cost.server_s, floor_s, cost.budget_s)


def notary_for(worker: Database, keys: Keys, city: Ground) -> Notary:
    """Make the notary that closes."""
    guard = Guard(city.home / "signer.guard")
    return Notary(worker, keys, guard, city.home / "public", ORIGIN, {}, Finality(0))


def postmaster_of(city: Ground) -> int:
    """Find the server's own process."""
    with psycopg.connect(city.url) as connection:
        row = connection.execute("select pg_backend_pid()").fetchone()
        assert row is not None
        return int(_stat(Path(f"/proc/{row[0]}"))[1])


def main(arguments: list[str]) -> int:
    """Print the table, or JSON; 1 if a budget is missed."""
    parser = ArgumentParser("benchmarks.epoch")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--small", action="store_true", help="a hundredth of the size")
    given = parser.parse_args(arguments)
    costs = run(10_000, 500, 4) if given.small else run(1_000_000, 10_000, 10)
    if given.json:
        rows = [asdict(cost) | {"total_s": cost.total_s, "is_kept": cost.is_kept} for cost in costs]
        print(json.dumps(rows, indent=1))
    else:
        print(f"{'CPU s':34} {'count':>10} {'python':>8} {'server':>8} {'floor':>8} {'budget':>8}")
        for cost in costs:
            numbers = f"{cost.python_s:8.3f} {cost.server_s:8.2f} {cost.floor_s:8.3f}"
            budget = "" if cost.budget_s is None else f"{cost.budget_s:8.2f}"
            print(f"{cost.what:34} {cost.count:10,} {numbers} {budget}")
    return 0 if all(cost.is_kept for cost in costs) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
