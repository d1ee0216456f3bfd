"""What one anchor costs on anvil: latency from send to block, and gas, beside a bare transaction.

The floor sends equally many transactions of the same account without data, in the same run, each
waited for in the same way. Run ``python -m benchmarks.anchor [--json] [--small]``.
"""

import json
import statistics
import sys
import tempfile
from argparse import ArgumentParser
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from time import perf_counter
from typing import Any, Final, cast

from web3.exceptions import TransactionNotFound

from app.anchoring.evm.contracts import ensure_anchor
from app.anchoring.evm.node import Node, account_of
from app.anchoring.evm.web3_chain import Web3Chain
from app.embedded.chain import Chain as Anvil
from ledger.encoding import ZERO_HASH
from ledger.header import Header, origin_tag

ORIGIN: Final = "benchmark.example/ledger/1"
LATENCY_BUDGET_MS: Final = 10.0
GAS_BUDGET: Final = 90_000
POLLS_MAX: Final = 10_000


@dataclass(frozen=True, slots=True)
class Cost:
    """One kind of transaction, many times."""

    what: str
    count: int
    median_ms: float
    p95_ms: float
    gas: int
    """Of the last one: the first anchor of a contract costs more."""


def headers(count: int) -> list[Header]:
    """Make linked headers as they come, their roots different each time."""
    made: list[Header] = []
    previous = ZERO_HASH
    for epoch in range(1, count + 1):
        root = sha256(epoch.to_bytes(8, "big")).digest()
        header = Header(
            origin_tag=origin_tag(ORIGIN),
            bits=13,
            epoch=epoch,
            closed_at=1_767_225_600 + epoch * 86_400,
            log_size=epoch * 1_000_000,
            account_count=1_000_000,
            log_root=root,
            account_root=root,
            methodology_root=root,
            sums=(epoch * 10**12, epoch * 10**11, epoch * 10**9, epoch * 10**8),
            aux=root,
            previous=previous,
        )
        made.append(header)
        previous = header.hash()
    return made


def timed(node: Node, what: str, raws: list[tuple[bytes, bytes]]) -> Cost:
    """Send one after the other, each when the one before is in a block."""
    spent: list[float] = []
    gas = 0
    for raw, tx_hash in raws:
        start = perf_counter()
        node.send(raw)
        gas = mined(node, tx_hash)
        spent.append((perf_counter() - start) * 1000)
    p95 = sorted(spent)[int(len(spent) * 0.95)]
    return Cost(what, len(raws), statistics.median(spent), p95, gas)


def mined(node: Node, tx_hash: bytes) -> int:
    """Ask until a transaction is in a block; give its gas."""
    for _ in range(POLLS_MAX):
        try:
            found = node.web3.eth.get_transaction_receipt(cast("Any", tx_hash))
        except TransactionNotFound:
            continue
        assert found["status"] == 1, found
        return found["gasUsed"]
    raise AssertionError(tx_hash.hex())


def run(count: int) -> list[Cost]:
    """Measure the floor, then anchors, on a node of its own."""
    key = sha256(b"benchmark").digest()
    with tempfile.TemporaryDirectory(prefix="tanpu-bench-") as folder:
        anvil = Anvil(Path(folder)).start()
        try:
            node = Node(anvil.url)
            chain = Web3Chain(node, contract=ensure_anchor(node, key, ORIGIN), key=key)
            fee, first = chain.fee_wei(), chain.next_nonce()
            bare = [bare_transaction(node, key, first + at, fee) for at in range(count)]
            floor = timed(node, "bare transaction", bare)
            nonce = chain.next_nonce()
            start = perf_counter()
            signed = [
                chain.sign(header, nonce=nonce + at, fee_wei=fee)
                for at, header in enumerate(headers(count))
            ]
            sign_ms = (perf_counter() - start) * 1000 / count
            anchors = timed(node, "anchor", [(one.raw, one.tx_hash) for one in signed])
            return [floor, anchors, Cost("signing, alone", count, sign_ms, sign_ms, 0)]
        finally:
            anvil.stop()


def bare_transaction(node: Node, key: bytes, nonce: int, fee_wei: int) -> tuple[bytes, bytes]:
    """Sign a transfer of nothing to oneself."""
    account = account_of(key)
    signed = account.sign_transaction(
        {
            "chainId": node.chain_id(),
            "to": account.address,
            "value": 0,
            "gas": 21_000,
            "gasPrice": fee_wei,
            "nonce": nonce,
        }
    )
    return bytes(signed.raw_transaction), bytes(signed.hash)


def main(arguments: list[str]) -> int:
    """Print the table, or JSON; 1 if a budget is missed."""
    parser = ArgumentParser("benchmarks.anchor")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--small", action="store_true")
    given = parser.parse_args(arguments)
    costs = run(10 if given.small else 200)
    anchor = costs[1]
    is_kept = anchor.median_ms <= LATENCY_BUDGET_MS and anchor.gas <= GAS_BUDGET
    if given.json:
        budget = {"median_ms": LATENCY_BUDGET_MS, "gas": GAS_BUDGET}
        rows = [asdict(cost) for cost in costs]
        print(json.dumps({"costs": rows, "budget": budget, "is_kept": is_kept}, indent=1))
    else:
        for cost in costs:
            latency = f"median {cost.median_ms:6.2f} ms  p95 {cost.p95_ms:6.2f} ms"
            print(f"{cost.what:18} {cost.count:5} {latency}  gas {cost.gas:8,}")
        print(f"budget of an anchor: {LATENCY_BUDGET_MS} ms, {GAS_BUDGET:,} gas; kept: {is_kept}")
    return 0 if is_kept else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
