"""One suite of promises for every ``Chain``: the fake that tests use, and anvil behind web3."""

from collections.abc import Iterator
from hashlib import sha256

import pytest

from app.anchoring.errors import AnchorRefused, ContractMissing, MethodologyConflict
from app.anchoring.evm.contracts import connect
from app.anchoring.evm.methodologies import publish_methodologies
from app.anchoring.evm.node import Node
from app.anchoring.finality import Finality
from app.embedded.chain import Chain as Anvil
from ledger.encoding import ZERO_HASH
from ledger.header import Header, origin_tag
from tests.support.anvil import AnvilChain
from tests.support.chain import Levers, MemoryChain, anvil, ask, other, until

ORIGIN = "test.example/ledger/1"


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Anvil]:
    with anvil(tmp_path_factory.mktemp("anvil")) as started:
        yield started


@pytest.fixture(params=["memory", "anvil"])
def chain(request: pytest.FixtureRequest) -> Levers:
    if request.param == "memory":
        return MemoryChain()
    return AnvilChain(request.getfixturevalue("node"), ORIGIN)


def header(epoch: int, previous: bytes = ZERO_HASH) -> Header:
    return Header(
        origin_tag=origin_tag(ORIGIN),
        bits=0,
        epoch=epoch,
        closed_at=1000 + epoch,
        log_size=epoch,
        account_count=1,
        log_root=bytes(32),
        account_root=bytes(32),
        methodology_root=bytes(32),
        sums=(epoch, 0, 0, 0),
        previous=previous,
    )


ONE = header(1)
TWO = header(2, ONE.hash())


def anchor(chain: Levers, *headers: Header) -> list[bytes]:
    """Send them, and wait for their blocks: a node may answer before it mines."""
    nonce = chain.next_nonce()
    sent: list[bytes] = []
    for at, one in enumerate(headers):
        sent.append(chain.sign(one, nonce=nonce + at, fee_wei=chain.fee_wei()).raw)
        chain.send(sent[-1])
    until(lambda: chain.next_nonce() == nonce + len(headers))
    return sent


def test_it_knows_nothing_before_the_first(chain: Levers) -> None:
    assert (chain.tip(), chain.hash_of(1), chain.place_of(1)) == (0, ZERO_HASH, None)


def test_it_anchors_in_the_order_of_nonces(chain: Levers) -> None:
    anchor(chain, ONE, TWO)
    assert (chain.tip(), chain.hash_of(1), chain.hash_of(2)) == (2, ONE.hash(), TWO.hash())
    first, second = chain.place_of(1), chain.place_of(2)
    assert first is not None
    assert second is not None
    assert first.block_number < second.block_number
    assert first.block_hash != second.block_hash


def test_it_signs_alike_each_time(chain: Levers) -> None:
    assert chain.sign(ONE, nonce=3, fee_wei=9) == chain.sign(ONE, nonce=3, fee_wei=9)


def test_sending_again_is_no_error_and_changes_nothing(chain: Levers) -> None:
    (raw,) = anchor(chain, ONE)
    place, nonce = chain.place_of(1), chain.next_nonce()
    chain.send(raw)
    assert (chain.place_of(1), chain.next_nonce(), chain.tip()) == (place, nonce, 1)


def test_sending_what_waits_again_is_no_error(chain: Levers) -> None:
    chain.mine_only_when_told()
    raw = chain.sign(ONE, nonce=chain.next_nonce(), fee_wei=chain.fee_wei()).raw
    chain.send(raw)
    chain.send(raw)
    assert chain.tip() == 0
    chain.mine()
    assert chain.tip() == 1


def test_a_higher_fee_takes_the_place_of_what_waits(chain: Levers) -> None:
    chain.mine_only_when_told()
    fee = chain.fee_wei()
    nonce = chain.next_nonce()
    chain.send(chain.sign(ONE, nonce=nonce, fee_wei=fee).raw)
    dearer = chain.sign(ONE, nonce=nonce, fee_wei=fee * 2)
    chain.send(dearer.raw)
    chain.mine()
    place = chain.place_of(1)
    assert place is not None
    assert place.tx_hash == dearer.tx_hash
    assert chain.next_nonce() == nonce + 1


def test_a_lower_fee_for_the_same_nonce_is_no_error(chain: Levers) -> None:
    chain.mine_only_when_told()
    fee = chain.fee_wei() * 2
    nonce = chain.next_nonce()
    dear = chain.sign(ONE, nonce=nonce, fee_wei=fee)
    chain.send(dear.raw)
    chain.send(chain.sign(ONE, nonce=nonce, fee_wei=fee + 1).raw)
    chain.mine()
    assert chain.tip() == 1


def test_it_says_beforehand_what_the_contract_would_refuse(chain: Levers) -> None:
    chain.check(ONE)
    anchor(chain, ONE)
    chain.check(ONE)
    chain.check(TWO)
    for wrong, reason in (
        (other(ONE), "CarbonAnchorEquivocation"),
        (header(3, ONE.hash()), "CarbonAnchorOutOfOrder"),
        (header(2, bytes(32)), "CarbonAnchorBrokenLink"),
    ):
        with pytest.raises(AnchorRefused) as refused:
            chain.check(wrong)
        assert refused.value.facts["reason"] == reason


def test_a_header_is_never_replaced(chain: Levers) -> None:
    anchor(chain, ONE)
    anchor(chain, other(ONE))
    assert (chain.tip(), chain.hash_of(1)) == (1, ONE.hash())


def test_a_paused_contract_refuses_beforehand(chain: Levers) -> None:
    chain.pause()
    with pytest.raises(AnchorRefused) as refused:
        chain.check(ONE)
    assert refused.value.facts["reason"] == "EnforcedPause"


def test_a_reorganised_block_takes_its_anchor_along(chain: Levers) -> None:
    anchor(chain, ONE, TWO)
    chain.reorganise(1)
    assert (chain.tip(), chain.hash_of(2), chain.place_of(2)) == (1, ZERO_HASH, None)


def test_what_was_lost_can_be_anchored_again(chain: Levers) -> None:
    anchor(chain, ONE)
    chain.lose_everything()
    assert (chain.tip(), chain.next_nonce()) == (0, 0)
    anchor(chain, ONE, TWO)
    assert chain.again().tip() == 2


def test_depth_counts_blocks_on_top(chain: Levers) -> None:
    anchor(chain, ONE)
    place = chain.place_of(1)
    assert place is not None
    assert chain.final_height(Finality.parse("instant")) >= place.block_number
    assert chain.final_height(Finality.parse("depth:2")) < place.block_number
    chain.mine_empty(2)
    assert chain.final_height(Finality.parse("depth:2")) >= place.block_number
    assert chain.final_height(Finality.parse("tag:finalized")) < place.block_number


def test_a_contract_of_another_ledger_is_refused(node: Anvil) -> None:
    ours = AnvilChain(node, ORIGIN)
    with pytest.raises(ContractMissing):
        connect(node.url, ours.key, "other.example/ledger/1", ours.address)
    with pytest.raises(ContractMissing):
        connect(node.url, ours.key, ORIGIN, "0x" + "11" * 20)


def test_methodologies_are_published_once_and_never_otherwise(node: Anvil) -> None:
    ask(node, "evm_setAutomine", True)  # another test may have left it waiting
    key = sha256(b"publisher").digest()
    versions = {("SZ-METRO", 1): sha256(b"one").digest(), ("SZ-BUS", 2): sha256(b"two").digest()}
    rpc = Node(node.url)
    assert publish_methodologies(rpc, key, versions) == 2
    assert publish_methodologies(rpc, key, versions) == 0
    with pytest.raises(MethodologyConflict):
        publish_methodologies(rpc, key, {("SZ-BUS", 2): bytes(31) + b"\1"})
