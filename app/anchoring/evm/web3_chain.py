"""CarbonAnchor behind JSON-RPC (链上存证): the real ``Chain``.

Transactions are of the oldest kind (one gas price, EIP-155), which every chain from istanbul to
osaka takes, consortium chains without a fee market included.
"""

from typing import Any, Final, cast

from web3.types import FilterParams

from app.anchoring.chain import Identity, Place, Signed
from app.anchoring.evm.node import Node, account_of, talking
from app.anchoring.finality import Finality
from ledger.header import Header

GAS_LIMIT: Final = 300_000
"""An anchor takes 85,000 and the first one 120,000; fixed, since the next epoch's transaction is
signed before this one's is mined and could not be estimated."""
_VERSION_AND_SUITE: Final = 1 << 16 | 1 << 8


class Web3Chain:
    """Keeps the promises of ``app.anchoring.chain.Chain`` over one node."""

    def __init__(self, node: Node, *, contract: str, key: bytes) -> None:
        """Ask the node which chain it is.

        Raises:
            ChainUnavailable: It does not answer.
        """
        self._node = node
        self._account = account_of(key)
        self._contract = node.contract("CarbonAnchor", contract)
        self._calls = self._contract.functions
        self._identity = Identity(node.chain_id(), bytes.fromhex(contract.removeprefix("0x")))

    @property
    def identity(self) -> Identity:
        """Say which chain and contract this is."""
        return self._identity

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
        anchored = self._contract.events.EpochAnchored
        wanted: FilterParams = {
            "address": self._contract.address,
            "fromBlock": "earliest",
            "topics": [
                cast("Any", anchored).build_filter().topics[0],
                cast("Any", f"0x{epoch:064x}"),
            ],
        }
        with talking():
            found = self._node.web3.eth.get_logs(wanted)
        if not found:
            return None
        log = found[-1]
        return Place(log["blockNumber"], bytes(log["blockHash"]), bytes(log["transactionHash"]))

    def final_height(self, finality: Finality) -> int:
        """Give the highest block that counts as final."""
        return self._node.final_height(finality)

    def next_nonce(self) -> int:
        """Count the account's mined transactions."""
        return self._node.nonce_of(self._account.address)

    def fee_wei(self) -> int:
        """Ask what one gas costs."""
        return self._node.gas_price()

    def check(self, header: Header) -> None:
        """Call without sending."""
        with talking():
            self._calls.anchor(_fields(header), []).call({"from": self._account.address})

    def sign(self, header: Header, *, nonce: int, fee_wei: int) -> Signed:
        """Sign the transaction that anchors a header."""
        data = self._contract.encode_abi("anchor", [_fields(header), []])
        signed = self._account.sign_transaction(
            {
                "chainId": self._identity.chain_id,
                "to": self._contract.address,
                "data": data,
                "value": 0,
                "gas": GAS_LIMIT,
                "gasPrice": fee_wei,
                "nonce": nonce,
            }
        )
        return Signed(bytes(signed.raw_transaction), bytes(signed.hash), nonce, fee_wei)

    def send(self, raw: bytes) -> None:
        """Hand a signed transaction to the node."""
        self._node.send(raw)


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
