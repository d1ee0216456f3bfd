"""RetirementRegistry behind JSON-RPC (链上登记): the real ``Register``."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple, cast

from app.anchoring.chain import Place, RegisterTotals, Signed
from app.anchoring.evm.node import Node, talking
from app.anchoring.evm.sender import Web3Sender
from ledger.registry import Told

GAS_LIMIT: Final = 200_000
"""Issuing takes 81,000, retiring 67,000."""


class Call(NamedTuple):
    """How the contract is told a kind of message, asked for it, and what it logs."""

    function: str
    view: str
    entry: str


CALLS: Final[Mapping[str, Call]] = MappingProxyType(
    {
        "issue": Call("issueBatch", "batchOf", "BatchIssued"),
        "retire": Call("retire", "retirementOf", "UnitsRetired"),
        "invalidate": Call("invalidate", "invalidationOf", "UnitsInvalidated"),
        "cancel_epoch": Call("cancelEpoch", "cancellationOf", "EpochCancelled"),
    }
)


class Web3Register(Web3Sender):
    """Keeps the promises of ``app.anchoring.chain.Register`` over one node."""

    def __init__(self, node: Node, *, contract: str, key: bytes) -> None:
        """Ask the node which chain it is.

        Raises:
            ChainUnavailable: It does not answer.
        """
        super().__init__(node, "RetirementRegistry", contract=contract, key=key, gas=GAS_LIMIT)

    def record_of(self, told: Told) -> bytes:
        """Give the record that the contract keeps under a name, zero if it has none."""
        with talking():
            kept = self._calls[CALLS[told.kind].view](told.words()[0]).call()
        return bytes(kept[0] if told.kind == "issue" else kept)

    def place_of(self, told: Told) -> Place | None:
        """Find the log entry that it left."""
        return self.place_in_log(CALLS[told.kind].entry, told.subject)

    def totals(self, height: int | None = None) -> RegisterTotals:
        """Give its sums, now or at the end of a block."""
        block = cast("Any", "latest" if height is None else height)
        with talking():
            return RegisterTotals(*self._calls.totals().call(block_identifier=block))

    def check(self, told: Told) -> None:
        """Call without sending."""
        self.try_call(CALLS[told.kind].function, told.words())

    def sign(self, told: Told, *, nonce: int, fee_wei: int) -> Signed:
        """Sign the transaction that tells it."""
        call = CALLS[told.kind].function
        return self.sign_call(call, told.words(), nonce=nonce, fee_wei=fee_wei)
