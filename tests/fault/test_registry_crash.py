"""A crash at every call to the registry of methodologies, effect lost and effect landed.

Goal: each version is published, superseded and withdrawn once, in an order that the contract
takes, whatever was lost on the way.
"""

import secrets
from collections.abc import Iterator
from hashlib import sha256
from typing import Any, Final

import pytest

from app.anchoring.evm.contracts import ensure_registry
from app.anchoring.evm.methodologies import final_register, publish_methodologies
from app.anchoring.evm.node import Node
from app.anchoring.finality import Finality
from app.catalogue import Leaving
from app.embedded.chain import Chain as Anvil
from ledger.assets import methodology_key
from tests.support.chain import anvil, ask
from tests.support.tripwire import Crash, Tripwire

CODE: Final = "TEST-RIDE"
VERSIONS: Final = {(CODE, number): sha256(bytes([number])).digest() for number in (1, 2, 3)}
LEFT: Final = [
    Leaving(CODE, 1, "superseded", 2, ""),
    Leaving(CODE, 2, "superseded", 3, ""),
    Leaving(CODE, 3, "withdrawn", None, "TEST-RIDE 3\n2026-12-31\nwrong\n"),
]
EFFECTS_MAX = 20


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Anvil]:
    with anvil(tmp_path_factory.mktemp("anvil")) as started:
        yield started


@pytest.mark.parametrize("landed", [False, True], ids=["lost", "landed"])
def test_each_is_told_once_whatever_was_lost(node: Anvil, *, landed: bool) -> None:
    for crash_at in range(1, EFFECTS_MAX):
        key, wire, rpc = secrets.token_bytes(32), Tripwire(crash_at, landed=landed), Node(node.url)
        ensure_registry(rpc, key)
        try:
            with pytest.MonkeyPatch.context() as patched:
                patched.setattr(rpc, "send", wire.wrap(rpc.send))
                publish_methodologies(rpc, key, VERSIONS, LEFT)
            crashed = False
        except Crash:
            crashed = True
        again = Node(node.url)
        publish_methodologies(again, key, VERSIONS, LEFT)
        assert publish_methodologies(again, key, VERSIONS, LEFT) == 0, crash_at

        address, _ = ensure_registry(again, key)
        names = [name for name, _ in said(again, address)]
        assert names.count("MethodologyPublished") == len(VERSIONS), crash_at
        assert [(n, a) for n, a in said(again, address) if n != "MethodologyPublished"] == [
            ("MethodologySuperseded", {"key": key_of(1), "successor": key_of(2)}),
            ("MethodologySuperseded", {"key": key_of(2), "successor": key_of(3)}),
            ("MethodologyWithdrawn", {"key": key_of(3), "reasonHash": LEFT[2].statement_hash}),
        ]
        if not crashed:
            assert crash_at > len(VERSIONS) + len(LEFT), "the wire is laid across nothing"
            return
    raise AssertionError("more effects than this test can pass")


def test_only_what_is_final_counts_as_there(node: Anvil) -> None:
    key, rpc = secrets.token_bytes(32), Node(node.url)
    address, _ = ensure_registry(rpc, key)
    depth = Finality.parse("depth:3")
    assert final_register(rpc, address, depth) is None, "the contract itself is not final"
    ask(node, "anvil_mine", 3)
    publish_methodologies(rpc, key, VERSIONS, LEFT[:1])
    newest, final = (final_register(rpc, address, each) for each in (Finality(0), depth))
    assert newest is not None
    assert newest.has_left(LEFT[0])
    assert not newest.has_left(LEFT[1])
    assert final is not None
    assert not final.has_left(LEFT[0])
    ask(node, "anvil_mine", 3)
    later = final_register(rpc, address, depth)
    assert later is not None
    assert later.has_left(LEFT[0])


def key_of(version: int) -> bytes:
    return methodology_key(CODE, version)


def said(node: Node, address: str) -> list[tuple[str, dict[str, Any]]]:
    """Give what the registry logged, in order."""
    contract: Any = node.contract("MethodologyRegistry", address)
    names = ("MethodologyPublished", "MethodologySuperseded", "MethodologyWithdrawn")
    found = [
        one for name in names for one in getattr(contract.events, name)().get_logs(from_block=0)
    ]
    found.sort(key=lambda one: (one["blockNumber"], one["logIndex"]))
    return [(one["event"], dict(one["args"])) for one in found]
