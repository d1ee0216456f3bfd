"""CarbonAnchor behind JSON-RPC (链上存证): the real ``Chain``."""

from typing import Final

from app.anchoring.chain import Place, Signed
from app.anchoring.evm.node import Node, talking
from app.anchoring.evm.sender import Web3Sender
from ledger.encoding import HASH_BYTES
from ledger.header import Header

GAS_LIMIT: Final = 300_000
"""An anchor takes 85,000 and the first one 120,000."""
_VERSION_AND_SUITE: Final = 1 << 16 | 1 << 8


class Web3Chain(Web3Sender):
    """Keeps the promises of ``app.anchoring.chain.Chain`` over one node."""

    def __init__(self, node: Node, *, contract: str, key: bytes) -> None:
        """Ask the node which chain it is.

        Raises:
            ChainUnavailable: It does not answer.
        """
        super().__init__(node, "CarbonAnchor", contract=contract, key=key, gas=GAS_LIMIT)

    def tip(self) -> int:
        """Give the last anchored epoch."""
        with talking():
            return int(self._calls.latest().call()[0])

    def hash_of(self, epoch: int) -> bytes:
        """Give the anchored header hash of an epoch, zero if none is."""
        with talking():
            return bytes(self._calls.headerHashOf(epoch).call())

    def place_of(self, epoch: int) -> Place | None:
        """Find the log entry that anchoring left."""
        return self.place_in_log("EpochAnchored", epoch.to_bytes(HASH_BYTES, "big"))

    def check(self, header: Header) -> None:
        """Call without sending."""
        self.try_call("anchor", _fields(header), [])

    def sign(self, header: Header, *, nonce: int, fee_wei: int) -> Signed:
        """Sign the transaction that anchors a header."""
        return self.sign_call("anchor", _fields(header), [], nonce=nonce, fee_wei=fee_wei)


def _fields(header: Header) -> tuple[bytes | int, ...]:
    return (
        header.origin_tag,
        _VERSION_AND_SUITE | header.bits,
        header.epoch,
        header.closed_at,
        header.log_size,
        header.account_count,
        header.log_root,
        header.account_root,
        header.methodology_root,
        *header.sums,
        header.aux,
        header.previous,
    )
