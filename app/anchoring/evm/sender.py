"""One contract and one account that writes to it (合约账户): what our senders have in common.

Transactions are of the oldest kind (one gas price, EIP-155), which every chain from istanbul to
osaka takes, consortium chains without a fee market included.
"""

from typing import Any, cast

from web3.types import FilterParams

from app.anchoring.chain import Identity, Place, Signed
from app.anchoring.evm.node import Node, account_of, talking
from app.anchoring.finality import Finality


class Web3Sender:
    """Keeps the promises of ``app.anchoring.chain.Sender`` over one node."""

    def __init__(self, node: Node, name: str, *, contract: str, key: bytes, gas: int) -> None:
        """Ask the node which chain it is.

        Args:
            node: Of the chain.
            name: Of the contract's committed artifact.
            contract: Its address.
            key: Private key of the account.
            gas: Limit of each transaction; fixed, since the next one is signed before this one is
                mined and could not be estimated.

        Raises:
            ChainUnavailable: It does not answer.
        """
        self._node = node
        self._account = account_of(key)
        self._gas = gas
        self._contract = node.contract(name, contract)
        self._calls = self._contract.functions
        self._identity = Identity(node.chain_id(), bytes.fromhex(contract.removeprefix("0x")))

    @property
    def identity(self) -> Identity:
        """Say which chain and contract this is."""
        return self._identity

    def final_height(self, finality: Finality) -> int:
        """Give the highest block that counts as final."""
        return self._node.final_height(finality)

    def next_nonce(self) -> int:
        """Count the account's mined transactions."""
        return self._node.nonce_of(self._account.address)

    def fee_wei(self) -> int:
        """Ask what one gas costs."""
        return self._node.gas_price()

    def send(self, raw: bytes) -> None:
        """Hand a signed transaction to the node."""
        self._node.send(raw)

    def try_call(self, function: str, *arguments: object) -> None:
        """Call without sending."""
        with talking():
            self._calls[function](*arguments).call({"from": self._account.address})

    def sign_call(self, function: str, *arguments: object, nonce: int, fee_wei: int) -> Signed:
        """Sign the transaction of a call."""
        signed = self._account.sign_transaction(
            {
                "chainId": self._identity.chain_id,
                "to": self._contract.address,
                "data": self._contract.encode_abi(function, [*arguments]),
                "value": 0,
                "gas": self._gas,
                "gasPrice": fee_wei,
                "nonce": nonce,
            }
        )
        return Signed(bytes(signed.raw_transaction), bytes(signed.hash), nonce, fee_wei)

    def place_in_log(self, entry: str, topic: bytes) -> Place | None:
        """Find the last log entry of a sort whose first topic this is."""
        logged = self._contract.events[entry]
        wanted: FilterParams = {
            "address": self._contract.address,
            "fromBlock": "earliest",
            "topics": [
                cast("Any", logged).build_filter().topics[0],
                cast("Any", f"0x{topic.hex()}"),
            ],
        }
        with talking():
            found = self._node.web3.eth.get_logs(wanted)
        if not found:
            return None
        log = found[-1]
        return Place(log["blockNumber"], bytes(log["blockHash"]), bytes(log["transactionHash"]))
