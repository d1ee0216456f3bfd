"""Our contracts on a chain (合约部署): found at their address, or brought there in development.

In development each contract is the first thing that an account of its own ever sends. Its
address follows from the anchor key alone: nothing has to be remembered, and after a chain lost
its state the contract comes back at the same address, empty and starting at epoch 1, whereupon
the outbox anchors every epoch again. In production a contract is deployed by its admin, with the
delay that its constructor asks for, and only its address is configured.
"""

from hashlib import sha256
from hmac import digest
from typing import Any, Final, cast

from eth_account.signers.local import LocalAccount
from web3 import Web3

from app.anchoring.chain import Chain, Register
from app.anchoring.errors import ChainUnavailable, ContractMissing
from app.anchoring.evm.node import Node, account_of, artifact, talking
from app.anchoring.evm.web3_chain import Web3Chain
from app.anchoring.evm.web3_register import Web3Register
from app.anchoring.registering import registrar_key
from ledger.encoding import ZERO_HASH
from ledger.header import origin_tag

FUNDS_WEI: Final = 10**20
DEPLOY_GAS: Final = 5_000_000
GRANT_GAS: Final = 200_000
RECEIPT_S: Final = 10
FIRST_EPOCH: Final = 1


def connect(url: str, anchor_key: bytes, origin: str, contract: str | None = None) -> Chain:
    """Open the chain that epochs are anchored on.

    Args:
        url: JSON-RPC address of a node.
        anchor_key: Private key of the account that submits.
        origin: Name of this ledger.
        contract: Address of CarbonAnchor; ``None`` finds or deploys one of our own, which is
            for development.

    Raises:
        ChainUnavailable: The node does not answer.
        ContractMissing: What is there is not the CarbonAnchor of this ledger.
    """
    node = Node(url)
    address = contract or ensure_anchor(node, anchor_key, origin)
    if not node.has_code(address):
        raise ContractMissing(contract=address)
    with talking():
        tag = bytes(node.contract("CarbonAnchor", address).functions.originTag().call())
    if tag != origin_tag(origin):
        raise ContractMissing(contract=address, origin=origin)
    return Web3Chain(node, contract=address, key=anchor_key)


def connect_register(url: str, anchor_key: bytes, contract: str | None = None) -> Register:
    """Open the registry that units are told to.

    Args:
        url: JSON-RPC address of a node.
        anchor_key: What the registrar's key is derived from.
        contract: Address of RetirementRegistry; ``None`` finds or deploys one of our own, which
            is for development.

    Raises:
        ChainUnavailable: The node does not answer.
        ContractMissing: Nothing is there.
    """
    node = Node(url)
    address = contract or ensure_register(node, anchor_key)
    if not node.has_code(address):
        raise ContractMissing(contract=address)
    return Web3Register(node, contract=address, key=registrar_key(anchor_key))


def ensure_anchor(node: Node, anchor_key: bytes, origin: str) -> str:
    """Bring CarbonAnchor to this chain, with the right to anchor; give its address. Idempotent."""
    anchorer = account_of(anchor_key)
    deployer = deployer_of(anchor_key, "CarbonAnchor")
    arguments = (FIRST_EPOCH, ZERO_HASH, origin_tag(origin), deployer.address, 0)
    address = _ensure(node, "CarbonAnchor", deployer, arguments)
    _ensure_role(node, "CarbonAnchor", address, deployer, "ANCHOR_ROLE", anchorer.address)
    _ensure_funds(node, anchorer)
    return address


def ensure_registry(node: Node, anchor_key: bytes) -> tuple[str, LocalAccount]:
    """Bring MethodologyRegistry to this chain; give its address and who may publish there."""
    publisher = deployer_of(anchor_key, "MethodologyRegistry")
    address = _ensure(node, "MethodologyRegistry", publisher, (publisher.address, 0))
    _ensure_role(
        node, "MethodologyRegistry", address, publisher, "PUBLISHER_ROLE", publisher.address
    )
    return address, publisher


def ensure_register(node: Node, anchor_key: bytes) -> str:
    """Bring RetirementRegistry to this chain, with its registrar; give its address. Idempotent."""
    name, registrar = "RetirementRegistry", account_of(registrar_key(anchor_key))
    deployer = deployer_of(anchor_key, name)
    address = _ensure(node, name, deployer, (deployer.address, 0))
    _ensure_role(node, name, address, deployer, "REGISTRAR_ROLE", registrar.address)
    _ensure_funds(node, registrar)
    return address


def anchor_address(anchor_key: bytes) -> str:
    """Give the address that CarbonAnchor has, or would have, in development; asks no chain."""
    return _first_contract_of(deployer_of(anchor_key, "CarbonAnchor").address)


def registry_address(anchor_key: bytes) -> str:
    """Give the address that MethodologyRegistry has, or would have, in development."""
    return _first_contract_of(deployer_of(anchor_key, "MethodologyRegistry").address)


def register_address(anchor_key: bytes) -> str:
    """Give the address that RetirementRegistry has, or would have, in development."""
    return _first_contract_of(deployer_of(anchor_key, "RetirementRegistry").address)


def deployer_of(anchor_key: bytes, name: str) -> LocalAccount:
    """Derive the account that deploys one contract and nothing else before it."""
    return account_of(digest(anchor_key, f"deployer\0{name}".encode(), sha256))


def transact(node: Node, account: LocalAccount, call: Any, gas: int, nonce: int) -> None:  # noqa: ANN401 -- web3 builds these at run time
    """Send one transaction and wait until it is mined; for setting up, never for anchoring.

    Raises:
        ChainUnavailable: It was not mined in time, or failed; starting again is safe.
    """
    with talking():
        built = call.build_transaction(
            {
                "from": account.address,
                "gas": gas,
                "gasPrice": node.gas_price(),
                "nonce": nonce,
                "chainId": node.chain_id(),
            }
        )
    signed = account.sign_transaction(built)
    node.send(bytes(signed.raw_transaction))
    with talking():
        mined = node.web3.eth.wait_for_transaction_receipt(
            signed.hash, timeout=RECEIPT_S, poll_latency=0.05
        )
    if mined["status"] != 1:
        raise ChainUnavailable(f"transaction {signed.hash.hex()} failed")


def _ensure(node: Node, name: str, deployer: LocalAccount, arguments: tuple[object, ...]) -> str:
    address = _first_contract_of(deployer.address)
    if node.has_code(address):
        return address
    if node.nonce_of(deployer.address) != 0:
        raise ContractMissing(contract=address, deployer=deployer.address)
    node.fund(deployer.address, FUNDS_WEI)
    compiled = artifact(name)
    factory = node.web3.eth.contract(abi=compiled["abi"], bytecode=compiled["bytecode"])
    transact(node, deployer, cast("Any", factory).constructor(*arguments), DEPLOY_GAS, 0)
    return address


def _ensure_role(
    node: Node, name: str, address: str, admin: LocalAccount, role: str, holder: str
) -> None:
    calls = node.contract(name, address).functions
    with talking():
        wanted = getattr(calls, role)().call()
        granted = calls.hasRole(wanted, holder).call()
    if not granted:
        nonce = node.nonce_of(admin.address)
        transact(node, admin, calls.grantRole(wanted, holder), GRANT_GAS, nonce)


def _ensure_funds(node: Node, account: LocalAccount) -> None:
    if node.nonce_of(account.address) == 0:
        node.fund(account.address, FUNDS_WEI)


def _first_contract_of(sender: str) -> str:
    """Compute the address of an account's first contract: keccak(rlp([sender, 0]))."""
    encoded = b"\xd6\x94" + bytes.fromhex(sender.removeprefix("0x")) + b"\x80"
    return str(Web3.to_checksum_address(Web3.keccak(encoded)[-20:]))
