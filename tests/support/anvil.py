"""Anvil with the fake's levers (本地链): so that one suite can pull them on both."""

import secrets

from app.anchoring.evm.contracts import connect, deployer_of, ensure_anchor, transact
from app.anchoring.evm.node import Node
from app.anchoring.evm.web3_chain import Web3Chain
from app.embedded.chain import Chain as Anvil
from tests.support.chain import ask


class AnvilChain(Web3Chain):
    """A CarbonAnchor of its own on a shared node: a fresh key is a fresh address."""

    def __init__(self, node: Anvil, origin: str) -> None:
        """Deploy it."""
        self.anvil = node
        self.key = secrets.token_bytes(32)
        self.origin = origin
        self.sends = 0
        self.rpc = Node(node.url)
        ask(node, "evm_setAutomine", True)
        address = ensure_anchor(self.rpc, self.key, origin)
        self.address = address
        super().__init__(self.rpc, contract=address, key=self.key)

    def again(self) -> Web3Chain:
        """Connect as a new process would."""
        found = connect(self.anvil.url, self.key, self.origin)
        assert isinstance(found, Web3Chain)
        return found

    def send(self, raw: bytes) -> None:
        self.sends += 1
        super().send(raw)

    def mine_only_when_told(self) -> None:
        ask(self.anvil, "evm_setAutomine", False)

    def mine(self) -> None:
        ask(self.anvil, "anvil_mine", 1)

    def mine_empty(self, count: int) -> None:
        ask(self.anvil, "anvil_mine", count)

    def drop_waiting(self) -> None:
        ask(self.anvil, "anvil_dropAllTransactions")

    def reorganise(self, depth: int) -> None:
        ask(self.anvil, "anvil_reorg", depth, [])

    def lose_everything(self) -> None:
        ask(self.anvil, "anvil_reset")
        assert ensure_anchor(self.rpc, self.key, self.origin) == self.address

    def pause(self) -> None:
        admin = deployer_of(self.key, "CarbonAnchor")
        calls = self.rpc.contract("CarbonAnchor", self.address).functions
        role = calls.PAUSER_ROLE().call()
        for call in (calls.grantRole(role, admin.address), calls.pause()):
            transact(self.rpc, admin, call, 200_000, self.rpc.nonce_of(admin.address))
