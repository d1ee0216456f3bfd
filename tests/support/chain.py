"""Chains for tests (测试链): a fake that keeps the promises of ``Chain``, and anvil.

The fake holds the contract's rules, a queue by nonce, and blocks that can be taken back. One
suite (tests/db/test_anchoring_chain.py) holds both to the same promises.
"""

import json
import time
import urllib.request
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from app.anchoring import Chain, Finality, Identity, Place, Signed
from app.anchoring.errors import AnchorRefused, ChainUnavailable
from app.embedded.chain import Chain as Anvil
from ledger.encoding import ZERO_HASH
from ledger.header import Header

CONTRACT = bytes(range(20))


@dataclass(frozen=True)
class Block:
    """A block with at most one transaction of ours."""

    number: int
    raw: bytes | None = None
    header: Header | None = None
    fork: int = 0

    def hash(self) -> bytes:
        return sha256(repr((self.number, self.raw, self.fork)).encode()).digest()


@dataclass
class MemoryChain:
    """A development chain in memory: mines at once, unless told to wait."""

    identity: Identity = field(default_factory=lambda: Identity(31337, CONTRACT))
    blocks: list[Block] = field(default_factory=list)
    waiting: dict[int, bytes] = field(default_factory=dict)
    is_mining: bool = True
    is_down: bool = False
    is_paused: bool = False
    sends: int = 0

    def tip(self) -> int:
        return self._last().epoch if self._anchored() else 0

    def hash_of(self, epoch: int) -> bytes:
        self._reach()
        return next((h.hash() for _, h in self._anchored() if h.epoch == epoch), ZERO_HASH)

    def place_of(self, epoch: int) -> Place | None:
        self._reach()
        for block, header in self._anchored():
            if header.epoch == epoch:
                return Place(block.number, block.hash(), sha256(block.raw or b"").digest())
        return None

    def final_height(self, finality: Finality) -> int:
        self._reach()
        return len(self.blocks) - (64 if finality.depth is None else finality.depth)

    def next_nonce(self) -> int:
        self._reach()
        return sum(block.raw is not None for block in self.blocks)

    def fee_wei(self) -> int:
        self._reach()
        return 8

    def check(self, header: Header) -> None:
        self._reach()
        if self.hash_of(header.epoch) != header.hash():
            self._refuse(header)

    def sign(self, header: Header, *, nonce: int, fee_wei: int) -> Signed:
        raw = json.dumps([nonce, fee_wei, header.to_bytes().hex()]).encode()
        return Signed(raw, sha256(raw).digest(), nonce, fee_wei)

    def send(self, raw: bytes) -> None:
        self._reach()
        self.sends += 1
        nonce, fee, _ = json.loads(raw)
        known = self.waiting.get(nonce)
        if nonce >= self.next_nonce() and (known is None or json.loads(known)[1] < fee):
            self.waiting[nonce] = raw
        if self.is_mining:
            self.mine()

    def mine(self) -> None:
        """Put waiting transactions into blocks; one that the contract refuses uses its nonce."""
        while raw := self.waiting.pop(self.next_nonce(), None):
            header = Header.of(bytes.fromhex(json.loads(raw)[2]))
            try:
                self._refuse(header)
            except AnchorRefused:
                header = None
            self.blocks.append(Block(len(self.blocks) + 1, raw, header))

    def mine_only_when_told(self) -> None:
        self.is_mining = False

    def drop_waiting(self) -> None:
        self.waiting.clear()

    def pause(self) -> None:
        self.is_paused = True

    def again(self) -> "MemoryChain":
        return self

    def mine_empty(self, count: int) -> None:
        self.blocks += [Block(len(self.blocks) + 1 + at) for at in range(count)]

    def reorganise(self, depth: int) -> None:
        """Replace the last blocks by empty ones."""
        kept = self.blocks[: len(self.blocks) - depth]
        fork = max((block.fork for block in self.blocks), default=0) + 1
        self.blocks = kept + [Block(len(kept) + 1 + at, fork=fork) for at in range(depth)]
        self.waiting.clear()

    def lose_everything(self) -> None:
        self.blocks.clear()
        self.waiting.clear()

    def _reach(self) -> None:
        if self.is_down:
            raise ChainUnavailable("down")

    def _anchored(self) -> list[tuple[Block, Header]]:
        self._reach()
        return [(block, block.header) for block in self.blocks if block.header is not None]

    def _last(self) -> Header:
        return self._anchored()[-1][1]

    def _refuse(self, header: Header) -> None:
        if self.is_paused:
            raise AnchorRefused(reason="EnforcedPause")
        if self.hash_of(header.epoch) not in (ZERO_HASH, header.hash()):
            raise AnchorRefused(reason="CarbonAnchorEquivocation")
        last = self._last() if self._anchored() else None
        if header.epoch != (last.epoch if last else 0) + 1:
            raise AnchorRefused(reason="CarbonAnchorOutOfOrder")
        if header.previous != (last.hash() if last else ZERO_HASH):
            raise AnchorRefused(reason="CarbonAnchorBrokenLink")
        if last and header.closed_at <= last.closed_at:
            raise AnchorRefused(reason="CarbonAnchorDecreased")


def other(header: Header) -> Header:
    """Give a different header for the same epoch."""
    return replace(header, log_root=sha256(header.log_root).digest())


def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds, for 20 s at most."""
    for _ in range(2000):
        if holds():
            return
        time.sleep(0.01)
    raise AssertionError("it never came to hold")


@contextmanager
def anvil(home: Path) -> Generator[Anvil]:
    """Run the embedded node."""
    node = Anvil(home).start()
    try:
        yield node
    finally:
        node.stop()


def ask(node: Anvil, method: str, *params: object) -> object:
    """Call one JSON-RPC method of the node."""
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
    request = urllib.request.Request(
        node.url, body.encode(), {"Content-Type": "application/json"}, method="POST"
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        said = json.load(answer)
    assert "error" not in said, said
    return said["result"]


class Levers(Chain, Protocol):
    """What a test can do to either chain."""

    sends: int

    def again(self) -> Chain:
        """Connect as a new process would."""
        ...

    def mine_only_when_told(self) -> None:
        """Let transactions wait."""
        ...

    def mine(self) -> None:
        """Mine one block of what waits."""
        ...

    def mine_empty(self, count: int) -> None:
        """Mine blocks with nothing of ours."""
        ...

    def drop_waiting(self) -> None:
        """Forget what waits, as a node's pool does."""
        ...

    def reorganise(self, depth: int) -> None:
        """Replace the last blocks by empty ones."""
        ...

    def lose_everything(self) -> None:
        """Begin again from nothing, the contract included."""
        ...

    def pause(self) -> None:
        """Let the contract refuse."""
        ...
