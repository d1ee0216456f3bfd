"""What the trees of an epoch cost: leaves, map, changes, proofs, each beside its floor.

A floor is the bare `hashlib` loop that makes the same hashes of ready-made bytes, in the
same run: what remains above it is our arithmetic. All times are process CPU time. Run
``python -m benchmarks.trees [--json] [--accounts N]``.
"""

import gc
import json
import sys
from argparse import ArgumentParser
from collections.abc import Callable
from dataclasses import asdict, dataclass
from hashlib import sha256
from random import Random
from time import process_time

from ledger import verify_receipt
from ledger.account_map import (
    Leaf,
    SumTree,
    bits_for,
    cell_number,
    cell_of,
    cells,
    check_proof,
    prove,
)
from ledger.encoding import AccountState, account_leaf
from ledger.log import Edge, inclusion_path
from ledger.tiles import Tile, append, node_reader
from tests.vectors.city import small_city

SALT = bytes(32)
CHANGED = 10_000
PROOFS = 300
REBUILD_BUDGET_US = 4.0
CLOSE_BUDGET_S = 2.0
PROOF_BUDGET_MS = 1.0


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement."""

    what: str
    count: int
    cost_s: float
    floor_s: float
    budget_s: float | None

    @property
    def is_kept(self) -> bool:
        """Whether the budget is kept, where there is one."""
        return self.budget_s is None or self.cost_s <= self.budget_s


def timed(work: Callable[[], object]) -> float:
    """Give the CPU time of one run [s]."""
    gc.collect()
    gc.disable()
    start = process_time()
    work()
    spent = process_time() - start
    gc.enable()
    return spent


def hashing(count: int, size: int) -> float:
    """Give the floor: so many hashes of so many bytes [s]."""
    data = bytes(size)

    def work() -> None:
        for _ in range(count):
            sha256(data).digest()

    return timed(work)


def states(count: int) -> list[AccountState]:
    """Make accounts in the order of their keys."""
    random = Random(1)
    keys = sorted(random.randbytes(32) for _ in range(count))
    return [
        AccountState(key, 1, 1, 3, (1_000_000 + at, at % 7, 500, 20), key)
        for at, key in enumerate(keys)
    ]


def leaf(state: AccountState) -> Leaf:
    """Hash one account."""
    return Leaf(state.akey, account_leaf(state, SALT), state.sums)


def map_rows(count: int) -> list[Row]:
    """Measure leaves, the whole map, a change and proofs."""
    accounts, bits = states(count), bits_for(count)
    leaves: list[Leaf] = []
    made: list[Leaf] = []
    trees: list[SumTree] = []
    leaf_s = timed(lambda: leaves.extend(map(leaf, accounts)))
    cells_s = timed(lambda: trees.append(SumTree.of(cell.packed() for cell in cells(leaves, bits))))
    tree = trees[0]
    whole_s = REBUILD_BUDGET_US * count / 1_000_000
    rows = [
        Row("account leaves", count, leaf_s, hashing(count, 181), None),
        Row(
            "cells and sum tree", count, cells_s, hashing(count, 65) + hashing(1 << bits, 209), None
        ),
        Row(
            "map rebuilt, both",
            count,
            leaf_s + cells_s,
            hashing(count, 181) + hashing(count, 65),
            whole_s,
        ),
    ]
    changed = sorted(Random(2).sample(range(count), min(CHANGED, count)))
    by_cell: dict[int, list[Leaf]] = {}
    for one in leaves:
        by_cell.setdefault(cell_number(one.akey, bits), []).append(one)
    touched: set[int] = set()

    def change() -> None:
        fresh = {accounts[at].akey: leaf(accounts[at]) for at in changed}
        touched.update(cell_number(akey, bits) for akey in fresh)
        packed = {
            number: cell_of(number, [fresh.get(one.akey, one) for one in by_cell[number]]).packed()
            for number in touched
        }
        made.extend(fresh.values())
        trees.append(tree.replaced(packed))

    change_s = timed(change)
    assert trees[1] == tree
    inside = sum(len(by_cell[number]) for number in touched)
    floor_s = hashing(len(changed), 181) + hashing(inside, 65) + hashing(len(touched) * 2, 209)
    rows.append(Row("accounts changed", len(changed), change_s, floor_s, CLOSE_BUDGET_S))
    subjects = [leaves[at] for at in changed[:PROOFS]]
    return [*rows, *proof_rows(tree, by_cell, subjects)]


def proof_rows(tree: SumTree, by_cell: dict[int, list[Leaf]], subjects: list[Leaf]) -> list[Row]:
    """Measure proofs of accounts, made and checked."""
    bits, root = tree.bits, tree.root
    rows: list[Row] = []
    proofs = [
        prove(tree, by_cell[cell_number(one.akey, bits)], one.akey) for one in subjects
    ]  # once, unmeasured, to have them
    work_s = timed(
        lambda: [prove(tree, by_cell[cell_number(one.akey, bits)], one.akey) for one in subjects]
    )
    each_s = PROOF_BUDGET_MS / 1000 * len(subjects)
    floor_s = hashing(len(subjects) * 2 * root.accounts // (1 << bits), 65)
    rows.append(Row("account proofs", len(subjects), work_s, floor_s, each_s))
    work_s = timed(
        lambda: [
            check_proof(one, proof, bits, root) for one, proof in zip(subjects, proofs, strict=True)
        ]
    )
    floor_s = hashing(len(subjects) * 8, 65) + hashing(len(subjects) * bits, 209)
    rows.append(Row("account proofs checked", len(subjects), work_s, floor_s, each_s))
    return rows


def log_rows(count: int) -> list[Row]:
    """Measure appending, and proofs from tiles."""
    leaves = [sha256(at.to_bytes(8, "big")).digest() for at in range(count)]
    written: list[tuple[Tile, bytes]] = []
    append_s = timed(lambda: written.extend(append(Edge(), leaves)[1]))
    files = dict(written)
    some = range(0, count, max(1, count // PROOFS))

    def proofs() -> None:
        for index in some:
            inclusion_path(index, count, node_reader(count, files.__getitem__))

    proof_s = timed(proofs)
    each_s = PROOF_BUDGET_MS / 1000 * len(some)
    return [
        Row("log entries and tiles", count, append_s, hashing(count, 65), None),
        Row("log proofs from tiles", len(some), proof_s, hashing(len(some) * 5 * 255, 65), each_s),
    ]


def receipt_row() -> Row:
    """Measure the stranger's verifier on a receipt of seven entries."""
    city = small_city()
    who = city.owners[min(city.owners)]
    receipt = city.receipt(who, 4, seen=1)
    trust = verify_receipt.mirrored([json.dumps(line) for line in city.header_lines()])

    def work() -> None:
        for _ in range(PROOFS):
            verify_receipt.check(receipt, trust)

    each_s = PROOF_BUDGET_MS / 1000 * PROOFS
    return Row("receipts verified", PROOFS, timed(work), hashing(PROOFS * 100, 65), each_s)


def main(arguments: list[str]) -> int:
    """Print the table, or JSON; 1 if a budget is missed."""
    parser = ArgumentParser("benchmarks.trees")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--accounts", type=int, default=1_000_000)
    given = parser.parse_args(arguments)
    rows = [*map_rows(given.accounts), *log_rows(given.accounts), receipt_row()]
    if given.json:
        print(json.dumps([asdict(row) | {"is_kept": row.is_kept} for row in rows], indent=1))
    else:
        print(f"{'CPU time':24}{'count':>10}{'s':>9}{'µs each':>10}{'× floor':>9}{'budget s':>10}")
        for row in rows:
            each, over = row.cost_s / row.count * 1e6, row.cost_s / max(row.floor_s, 1e-9)
            budget = "" if row.budget_s is None else f"{row.budget_s:.2f}"
            mark = "" if row.is_kept else "  MISSED"
            print(
                f"{row.what:24}{row.count:>10,}{row.cost_s:>9.3f}{each:>10.2f}{over:>9.1f}"
                f"{budget:>10}{mark}"
            )
    return 0 if all(row.is_kept for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
