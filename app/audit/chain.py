"""The chain, as an auditor reads it (链): three constant calls, no library between.

``headerHashOf(uint64)``, ``latest()`` and ``totals()`` by ``eth_call``; their selectors are
constants, so a stranger can check the few bytes that go over the wire. What was read is kept before
the database's snapshot is taken: an epoch or a message is durable there before the chain hears of
it, so the snapshot has every one that was read.
"""

import json
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, Final, NamedTuple, Protocol
from urllib.parse import urlsplit

from app.anchoring import RegisterTotals
from app.anchoring.errors import ChainUnavailable, ContractMissing
from ledger.encoding import HASH_BYTES, ZERO_HASH

HEADER_HASH_OF: Final = "6b5b338d"
LATEST: Final = "52bfe789"
TOTALS: Final = "c038a38e"
TIMEOUT_S: Final = 5.0
ANSWER_BYTES_MAX: Final = 1 << 20


class Headers(Protocol):
    """What the auditor asks of a chain; every ``app.anchoring.Chain`` answers it as well."""

    def tip(self) -> int:
        """Give the last anchored epoch."""
        ...

    def hash_of(self, epoch: int) -> bytes:
        """Give the anchored header hash of an epoch, zero if none is."""
        ...


class Anchors(NamedTuple):
    """What the chain said, all of it."""

    tip: int
    first: int
    """The first epoch that this contract knows; earlier ones were anchored elsewhere."""
    hashes: Mapping[int, bytes]


def read_anchors(chain: Headers) -> Anchors:
    """Read every anchored hash.

    Raises:
        ChainUnavailable: No answer, or none in time.
        ContractMissing: Nothing of ours is at the address.
    """
    tip = chain.tip()
    hashes = {epoch: chain.hash_of(epoch) for epoch in range(1, tip + 1)}
    first = next((epoch for epoch, hash_ in hashes.items() if hash_ != ZERO_HASH), 1)
    return Anchors(tip, first, hashes)


class _Reader:
    """Asks one contract over JSON-RPC; holds no key and can send nothing."""

    def __init__(self, url: str, contract: str, *, timeout_s: float = TIMEOUT_S) -> None:
        """Open nothing yet."""
        self._where = urlsplit(url)
        self._contract = contract
        self._timeout_s = timeout_s

    def _call(self, data: str) -> bytes:
        params = [{"to": self._contract, "data": f"0x{data}"}, "latest"]
        said = self._ask({"jsonrpc": "2.0", "id": 1, "method": "eth_call", "params": params})
        match said:
            case {"result": str(text)}:
                pass
            case _:
                raise ChainUnavailable(str(said)[:200])
        try:
            result = bytes.fromhex(text.removeprefix("0x"))
        except ValueError as error:
            raise ChainUnavailable(text[:200]) from error
        if len(result) < HASH_BYTES:
            raise ContractMissing(contract=self._contract)
        return result

    def _ask(self, question: dict[str, object]) -> Any:  # noqa: ANN401 -- whatever the node says
        where = self._where
        kind = HTTPSConnection if where.scheme == "https" else HTTPConnection
        connection = kind(where.hostname or "", where.port, timeout=self._timeout_s)
        path = f"{where.path or '/'}{'?' if where.query else ''}{where.query}"
        try:
            connection.request(
                "POST", path, json.dumps(question), {"Content-Type": "application/json"}
            )
            return json.loads(connection.getresponse().read(ANSWER_BYTES_MAX))
        except (OSError, HTTPException, ValueError) as error:
            raise ChainUnavailable(repr(error)) from error
        finally:
            connection.close()


class ChainReader(_Reader):
    """Reads one CarbonAnchor."""

    def tip(self) -> int:
        """Give the last anchored epoch."""
        return int.from_bytes(self._call(LATEST)[:HASH_BYTES], "big")

    def hash_of(self, epoch: int) -> bytes:
        """Give the anchored header hash of an epoch, zero if none is."""
        return self._call(f"{HEADER_HASH_OF}{epoch:064x}")[:HASH_BYTES]


class RegisterReader(_Reader):
    """Reads one RetirementRegistry."""

    def totals(self) -> RegisterTotals:
        """Give its sums now."""
        said = self._call(TOTALS)
        words = (said[at : at + HASH_BYTES] for at in range(0, len(said), HASH_BYTES))
        return RegisterTotals(*(int.from_bytes(word, "big") for word in words))
