"""Anvil with the fake's levers (本地链): so that one suite can pull them on both."""

import secrets

from app.anchoring.evm.contracts import (
    connect,
    connect_register,
    deployer_of,
    ensure_anchor,
    ensure_register,
    transact,
)
from app.anchoring.evm.node import Node, account_of
from app.anchoring.evm.sender import Web3Sender
from app.anchoring.evm.web3_chain import Web3Chain
from app.anchoring.evm.web3_register import Web3Register
from app.anchoring.registering import registrar_key
from app.embedded.chain import Chain as Anvil
from tests.support.chain import ask


class AnvilLevers(Web3Sender):
    """A contract of its own on a shared node: a fresh key is a fresh address."""

    anvil: Anvil
    key: bytes
    rpc: Node
    address: str
    sends: int = 0

    def on(self, node: Anvil) -> Node:
        """Choose a node, mining at once, and a fresh key."""
        self.anvil = node
        self.key = secrets.token_bytes(32)
        self.rpc = Node(node.url)
        ask(node, "evm_setAutomine", True)
        return self.rpc

    def deploy(self) -> str:
        """Bring the contract to the chain; give its address."""
        raise NotImplementedError

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
        assert self.deploy() == self.address


class AnvilChain(AnvilLevers, Web3Chain):
    """A CarbonAnchor of its own."""

    def __init__(self, node: Anvil, origin: str) -> None:
        """Deploy it."""
        self.origin = origin
        rpc = self.on(node)
        self.address = self.deploy()
        super().__init__(rpc, contract=self.address, key=self.key)

    def deploy(self) -> str:
        return ensure_anchor(self.rpc, self.key, self.origin)

    def again(self) -> Web3Chain:
        """Connect as a new process would."""
        found = connect(self.anvil.url, self.key, self.origin)
        assert isinstance(found, Web3Chain)
        return found

    def pause(self) -> None:
        admin = deployer_of(self.key, "CarbonAnchor")
        calls = self.rpc.contract("CarbonAnchor", self.address).functions
        role = calls.PAUSER_ROLE().call()
        for call in (calls.grantRole(role, admin.address), calls.pause()):
            transact(self.rpc, admin, call, 200_000, self.rpc.nonce_of(admin.address))


class AnvilRegister(AnvilLevers, Web3Register):
    """A RetirementRegistry of its own."""

    def __init__(self, node: Anvil) -> None:
        """Deploy it."""
        rpc = self.on(node)
        self.address = self.deploy()
        super().__init__(rpc, contract=self.address, key=registrar_key(self.key))

    def deploy(self) -> str:
        return ensure_register(self.rpc, self.key)

    def again(self) -> Web3Register:
        """Connect as a new process would."""
        found = connect_register(self.anvil.url, self.key)
        assert isinstance(found, Web3Register)
        return found

    def revoke(self) -> None:
        """Take its role from the registrar."""
        admin = deployer_of(self.key, "RetirementRegistry")
        calls = self.rpc.contract("RetirementRegistry", self.address).functions
        call = calls.revokeRole(
            calls.REGISTRAR_ROLE().call(), account_of(registrar_key(self.key)).address
        )
        transact(self.rpc, admin, call, 200_000, self.rpc.nonce_of(admin.address))
