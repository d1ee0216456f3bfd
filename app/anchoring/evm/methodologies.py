"""The register of methodologies on the chain (方法学上链): told in development, read anywhere.

What is to be there follows from rows, and what is there is read from the contract and from
nothing else: whoever crashed on the way, or lost an answer, asks again and sends what lacks.
Whether it is there is decided at the newest block before sending, at a final one for noting.
"""

from collections.abc import Iterable
from typing import Any, Final

from eth_account.signers.local import LocalAccount

from app.anchoring.errors import ContractMissing, MethodologyConflict
from app.anchoring.evm.contracts import ensure_registry, transact
from app.anchoring.evm.node import Node, talking
from app.anchoring.finality import Finality
from app.anchoring.sealing import Methodologies
from app.catalogue import STANDINGS, Leaving
from ledger.assets import methodology_key

CALL_GAS: Final = 300_000
ALWAYS: Final = (0, 2**32 - 1)
"""Terms of validity are in the documents, which the digest covers."""


class Registered:
    """MethodologyRegistry at one address, as of the newest block or of a given one."""

    def __init__(self, node: Node, address: str, height: int | None = None) -> None:
        """Ask nothing yet."""
        self.calls = node.contract("MethodologyRegistry", address).functions
        self._block: Any = "latest" if height is None else height

    def has(self, code: str, version: int, content: bytes) -> bool:
        """Say whether a version was published there with this digest.

        Raises:
            MethodologyConflict: It was, with another.
        """
        known = bytes(self._version(code, version)[0])
        if any(known) and known != content:
            raise MethodologyConflict(methodology=code, version=version)
        return known == content

    def has_left(self, leaving: Leaving) -> bool:
        """Say whether a version left there, in this way or a later one."""
        return int(self._version(*leaving.key)[5]) >= STANDINGS[leaving.standing]

    def _version(self, code: str, version: int) -> Any:  # noqa: ANN401 -- web3's tuple
        with talking():
            key = methodology_key(code, version)
            return self.calls.versionOf(key).call(block_identifier=self._block)


def publish_methodologies(
    node: Node, anchor_key: bytes, versions: Methodologies, leaving: Iterable[Leaving] = ()
) -> int:
    """Tell the registry what it lacks; give how many calls that took. Idempotent, for development.

    Args:
        node: Of the chain.
        anchor_key: What the publisher's key is derived from.
        versions: Digests by code and version.
        leaving: Who left, in the order in which the contract takes it.

    Raises:
        ChainUnavailable: The node does not answer.
        MethodologyConflict: The registry has another digest for a version.
    """
    address, publisher = ensure_registry(node, anchor_key)
    register = Registered(node, address)
    told = 0
    for (code, version), content in sorted(versions.items()):
        if not register.has(code, version, content):
            _tell(node, publisher, register.calls.publish(code, version, content, *ALWAYS))
            told += 1
    for each in leaving:
        if not register.has_left(each):
            _tell(node, publisher, _call(register, each))
            told += 1
    return told


def final_register(node: Node, registry: str, finality: Finality) -> Registered | None:
    """Open the registry as of the newest final block; ``None`` while none has it.

    Raises:
        ChainUnavailable: The node does not answer.
        ContractMissing: There is no contract at this address.
    """
    if not node.has_code(registry):
        raise ContractMissing(contract=registry)
    height = node.final_height(finality)
    if height < 0 or not node.has_code(registry, height):
        return None
    return Registered(node, registry, height)


def _call(register: Registered, leaving: Leaving) -> Any:  # noqa: ANN401 -- web3 builds these at run time
    key = methodology_key(*leaving.key)
    if leaving.successor is None:
        return register.calls.withdraw(key, leaving.statement_hash)
    return register.calls.supersede(key, methodology_key(leaving.code, leaving.successor))


def _tell(node: Node, publisher: LocalAccount, call: Any) -> None:  # noqa: ANN401 -- likewise
    transact(node, publisher, call, CALL_GAS, node.nonce_of(publisher.address))
