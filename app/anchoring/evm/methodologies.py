"""Methodology digests on the chain (方法学上链): published in development, looked up anywhere."""

from typing import Final

from app.anchoring.errors import ContractMissing, MethodologyConflict
from app.anchoring.evm.contracts import ensure_registry, transact
from app.anchoring.evm.node import Node, talking
from app.anchoring.sealing import Methodologies
from ledger.assets import methodology_key

PUBLISH_GAS: Final = 300_000
ALWAYS: Final = (0, 2**32 - 1)
"""Terms of validity are in the documents, which the digest covers."""


def publish_methodologies(node: Node, anchor_key: bytes, versions: Methodologies) -> int:
    """Publish what the registry lacks; give how many that were. Idempotent, for development.

    Raises:
        ChainUnavailable: The node does not answer.
        MethodologyConflict: The registry has another digest for a version.
    """
    address, publisher = ensure_registry(node, anchor_key)
    calls = node.contract("MethodologyRegistry", address).functions
    published = 0
    for (code, version), content in sorted(versions.items()):
        with talking():
            known = bytes(calls.versionOf(methodology_key(code, version)).call()[0])
        if known == content:
            continue
        if any(known):
            raise MethodologyConflict(methodology=code, version=version)
        call = calls.publish(code, version, content, *ALWAYS)
        transact(node, publisher, call, PUBLISH_GAS, node.nonce_of(publisher.address))
        published += 1
    return published


def methodologies_on_chain(
    node: Node, registry: str, versions: Methodologies
) -> frozenset[tuple[str, int]]:
    """Give those of ``versions`` that the registry at this address has, by digest.

    Raises:
        ChainUnavailable: The node does not answer.
        ContractMissing: There is no contract at this address.
        MethodologyConflict: The registry has another digest for a version.
    """
    if not node.has_code(registry):
        raise ContractMissing(contract=registry)
    calls = node.contract("MethodologyRegistry", registry).functions
    found: set[tuple[str, int]] = set()
    for (code, version), content in sorted(versions.items()):
        with talking():
            known = bytes(calls.versionOf(methodology_key(code, version)).call()[0])
        if known == content:
            found.add((code, version))
        elif any(known):
            raise MethodologyConflict(methodology=code, version=version)
    return frozenset(found)
