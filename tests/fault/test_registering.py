"""Each retirement on the chain once: through crash, reorganisation, chain loss and two submitters.

On a real node; what it holds is compared with the rows, message by message and in its sums.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.anchoring import Finality, Register, RegisterTotals, register
from app.anchoring.errors import (
    AnchorRefused,
    ChainUnavailable,
    RegistrationConflict,
    WrongChain,
)
from app.anchoring.evm.web3_register import Web3Register
from app.anchoring.outbox import BUMP_AFTER, IN_FLIGHT_MAX
from app.anchoring.registering import registrar_key
from app.embedded.chain import Chain as Anvil
from app.kernel.db import Database
from app.kernel.ids import new_id
from app.kernel.secrets import Keys
from app.registry import take_retirements
from ledger.registry import (
    EpochCancellation,
    Invalidation,
    Retirement,
    Told,
    from_json,
    record,
)
from tests.support.anchoring import INSTANT, rows_of
from tests.support.anvil import AnvilRegister
from tests.support.chain import anvil, until
from tests.support.retirements import AT, Held, issued, tell, wish
from tests.support.retirements import ask as asked
from tests.support.tripwire import Crash, Tripwire

CLIENTS = 32
EFFECTS_MAX = 40


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Anvil]:
    with anvil(tmp_path_factory.mktemp("anvil")) as started:
        yield started


@pytest.fixture
def registry(node: Anvil) -> AnvilRegister:
    return AnvilRegister(node)


@pytest.fixture
def held(db: Database, keys: Keys) -> Held:
    return issued(db, keys, 1000, at=AT)


def ask(db: Database, held: Held, *quantities_kg: int) -> None:
    """Ask for retirements that are due at once."""
    for kg in quantities_kg:
        asked(db, wish(held, kg, cool_down=timedelta(0)))


def retire(db: Database, held: Held, *quantities_kg: int) -> None:
    """Ask for retirements, and take them."""
    ask(db, held, *quantities_kg)
    assert take_retirements(db, at=AT) == len(quantities_kg)


def drained(
    worker_db: Database, registry: Register, finality: Finality = INSTANT, *, at: datetime = AT
) -> None:
    """Poll until nothing waits, and then once more to see where it lies."""
    until(lambda: register(worker_db, registry, finality, at=at).waiting == 0)
    register(worker_db, registry, finality, at=at)


def messages(db: Database) -> list[Told]:
    rows = rows_of(db, "select kind, payload from registry_message order by seq")
    return [from_json(kind, payload) for kind, payload in rows]


def assert_told(db: Database, registry: AnvilRegister) -> None:
    """Hold the contract to the rows: every record, every sum, and each logged once."""
    told = messages(db)
    assert [registry.record_of(each) for each in told] == [record(each) for each in told]
    assert len(said(registry)) == len(told)
    ((retired, voided),) = rows_of(
        db,
        """select coalesce(sum(cursor_kg), 0)::int8, coalesce(sum(quantity_kg - end_kg), 0)::int8
             from issue_batch""",
    )
    totals = registry.totals()
    assert (totals.retired_kg, totals.invalidated_kg) == (retired, voided)


def said(registry: AnvilRegister) -> list[Any]:
    """Give what the registry logged."""
    contract: Any = registry.rpc.contract("RetirementRegistry", registry.address)
    names = ("BatchIssued", "UnitsRetired", "UnitsInvalidated", "EpochCancelled")
    return [one for name in names for one in contract.events[name]().get_logs(from_block=0)]


def test_what_is_told_is_taken_in_order_and_final(
    db: Database, worker_db: Database, held: Held, registry: AnvilRegister
) -> None:
    retire(db, held, 300, 1, 99)
    drained(worker_db, registry)
    assert_told(db, registry)
    assert registry.totals() == RegisterTotals(1000, 400, 0, 0, 0)
    ((final,),) = rows_of(db, "select count(final_at) from retirement")
    assert final == 3
    starts = [one["args"]["retirement"]["start"] for one in said(registry)[1:]]
    assert starts == [1, 301, 302]
    assert registry.next_nonce() == 4, "something was sent twice"


def test_voids_and_cancellations_are_told_too(
    db: Database, worker_db: Database, held: Held, registry: AnvilRegister
) -> None:
    tell(db, Invalidation(new_id(), held.batch, 1000, 200))
    tell(db, EpochCancellation(1, bytes(31) + b"\1", 5, 7))
    drained(worker_db, registry)
    assert registry.totals() == RegisterTotals(1000, 0, 200, 5, 7)
    assert len(said(registry)) == 3


def test_more_than_fits_at_once_is_told_in_several_goes(
    db: Database, worker_db: Database, held: Held, registry: AnvilRegister
) -> None:
    retire(db, held, *[1] * (2 * IN_FLIGHT_MAX))
    assert register(worker_db, registry, INSTANT, at=AT).waiting > 0
    drained(worker_db, registry)
    assert_told(db, registry)


@pytest.mark.parametrize("landed", [False, True], ids=["lost", "landed"])
def test_each_is_told_once_through_a_crash_at_every_effect(
    db: Database, worker_db: Database, keys: Keys, registry: AnvilRegister, *, landed: bool
) -> None:
    """Goal: a serial once, on disk and chain. Method: crash at the n-th commit or send."""
    for crash_at in range(1, EFFECTS_MAX):
        held, wire = issued(db, keys, 100, at=AT), Tripwire(crash_at, landed=landed)
        ask(db, held, 10, 20)
        try:
            with wire.across(db, registry), pytest.MonkeyPatch.context() as patched:
                patched.setattr(worker_db, "transact", wire.wrap(worker_db.transact))
                take_retirements(db, at=AT)
                register(worker_db, registry, INSTANT, at=AT)
                register(worker_db, registry, INSTANT, at=AT)
            crashed = False
        except Crash:
            crashed = True
        take_retirements(db, at=AT)
        drained(worker_db, registry)
        assert registry.next_nonce() == 3 * crash_at, f"{crash_at}: something was sent twice"
        assert registry.totals()[:2] == (100 * crash_at, 30 * crash_at), crash_at
        assert_told(db, registry)
        if not crashed:
            assert crash_at > 8, "the wire is laid across nothing"
            return
    raise AssertionError("more effects than this test can pass")


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_what_a_reorganisation_took_is_told_again(
    db: Database, worker_db: Database, held: Held, registry: AnvilRegister, depth: int
) -> None:
    retire(db, held, 300, 1, 99)
    deep = Finality.parse("depth:12")
    drained(worker_db, registry, deep)
    assert rows_of(db, "select count(final_at) from retirement") == [(0,)]
    before = rows_of(db, "select seq, block_hash from registry_message order by 1")
    registry.reorganise(depth)
    assert registry.totals().retired_kg < 400
    drained(worker_db, registry, deep)
    assert_told(db, registry)
    after = rows_of(db, "select seq, block_hash from registry_message order by 1")
    assert [one for one in after if one in before] == before[: 4 - depth]
    registry.mine_empty(12)
    drained(worker_db, registry, deep)
    assert rows_of(db, "select count(final_at) from retirement") == [(3,)]


def test_a_chain_that_lost_its_state_is_told_everything_in_order(
    db: Database, worker_db: Database, held: Held, registry: AnvilRegister
) -> None:
    retire(db, held, 300, 1)
    drained(worker_db, registry)
    registry.lose_everything()
    retire(db, held, 99)
    drained(worker_db, registry)
    assert_told(db, registry)
    assert registry.totals() == RegisterTotals(1000, 400, 0, 0, 0)


def test_another_contract_is_told_only_when_that_is_meant(
    db: Database, worker_db: Database, held: Held, registry: AnvilRegister, node: Anvil
) -> None:
    retire(db, held, 300)
    drained(worker_db, registry)
    elsewhere = AnvilRegister(node)
    with pytest.raises(WrongChain):
        register(worker_db, elsewhere, INSTANT, at=AT)
    assert elsewhere.totals() == RegisterTotals(0, 0, 0, 0, 0)
    register(worker_db, elsewhere, INSTANT, at=AT, new_chain=True)
    drained(worker_db, elsewhere)
    assert_told(db, elsewhere)


def test_two_submitters_at_once_tell_it_once(
    db: Database, worker_db: Database, held: Held, registry: AnvilRegister
) -> None:
    retire(db, held, *[10] * 20)

    def poll(_: int) -> None:
        again = registry.again()
        until(lambda: register(worker_db, again, INSTANT, at=AT).waiting == 0)

    with ThreadPoolExecutor(2) as submitters:
        list(submitters.map(poll, range(2)))
    drained(worker_db, registry)
    assert_told(db, registry)


def test_clients_that_tell_the_contract_at_once_retire_a_serial_once(
    db: Database, worker_db: Database, held: Held, registry: AnvilRegister
) -> None:
    """Goal: the contract itself gives a unit once. Method: 32 messages for the same units."""
    drained(worker_db, registry)
    retire(db, held, *[10] * CLIENTS)
    rivals = [replace(each, start=1) for each in messages(db)[1:] if isinstance(each, Retirement)]
    assert len(rivals) == CLIENTS
    nonce, fee = registry.next_nonce(), registry.fee_wei()
    raws = [
        registry.sign(each, nonce=nonce + at, fee_wei=fee).raw for at, each in enumerate(rivals)
    ]
    with ThreadPoolExecutor(CLIENTS) as clients:
        list(clients.map(registry.send, raws))
    until(lambda: registry.next_nonce() == nonce + CLIENTS)
    assert registry.totals().retired_kg == 10
    assert len(said(registry)) == 2


def test_clients_that_take_and_tell_at_once_use_a_serial_once(
    db: Database, worker_db: Database, held: Held, registry: AnvilRegister
) -> None:
    """Goal: once on disk and on the chain. Method: 32 clients take, and tell, all of it at once."""
    ask(db, held, *[10] * CLIENTS)

    def attack(number: int) -> None:
        try:
            if number % 2:
                take_retirements(db, at=AT)
            else:
                register(worker_db, registry.again(), INSTANT, at=AT)
        except (ChainUnavailable, AnchorRefused):  # a busy node; a rival that was first
            return

    with ThreadPoolExecutor(CLIENTS) as clients:
        list(clients.map(attack, range(CLIENTS)))
    assert take_retirements(db, at=AT) == 0
    drained(worker_db, registry)
    assert_told(db, registry)
    assert registry.totals().retired_kg == 10 * CLIENTS
    starts = [each.start for each in messages(db) if isinstance(each, Retirement)]
    assert starts == [1 + 10 * place for place in range(CLIENTS)]


def test_a_stranger_tells_it_nothing(
    db: Database, worker_db: Database, held: Held, registry: AnvilRegister, node: Anvil
) -> None:
    drained(worker_db, registry)
    retire(db, held, 10)
    stranger = AnvilRegister(node)
    key = registrar_key(stranger.key)
    posing = Web3Register(registry.rpc, contract=registry.address, key=key)
    with pytest.raises(AnchorRefused) as refused:
        register(worker_db, posing, INSTANT, at=AT)
    assert refused.value.facts["reason"] == "AccessControlUnauthorizedAccount"
    raw = posing.sign(messages(db)[-1], nonce=posing.next_nonce(), fee_wei=posing.fee_wei()).raw
    posing.send(raw)
    until(lambda: posing.next_nonce() > 0)
    assert registry.totals().retired_kg == 0


def test_a_refusal_costs_no_nonce(
    db: Database, worker_db: Database, held: Held, registry: AnvilRegister
) -> None:
    retire(db, held, 10)
    registry.revoke()
    for _ in range(2):
        with pytest.raises(AnchorRefused):
            register(worker_db, registry, INSTANT, at=AT)
    assert registry.next_nonce() == 0


def test_other_words_under_a_known_name_stop_the_queue(
    db: Database, worker_db: Database, held: Held, registry: AnvilRegister
) -> None:
    retire(db, held, 10)
    issue, told = messages(db)
    assert isinstance(told, Retirement)
    for each in (issue, replace(told, beneficiary_commit=bytes(31) + b"\1")):
        nonce = registry.next_nonce()
        registry.send(registry.sign(each, nonce=nonce, fee_wei=registry.fee_wei()).raw)
        until(lambda before=nonce: registry.next_nonce() > before)
    with pytest.raises(RegistrationConflict) as conflict:
        register(worker_db, registry, INSTANT, at=AT)
    assert conflict.value.facts["subject"] == told.subject.hex()


def test_stored_bytes_are_sent_again_when_the_pool_forgot_them(
    db: Database, worker_db: Database, held: Held, registry: AnvilRegister
) -> None:
    registry.mine_only_when_told()
    retire(db, held, 10)
    assert register(worker_db, registry, INSTANT, at=AT).waiting == 2
    registry.drop_waiting()
    assert register(worker_db, registry, INSTANT, at=AT).waiting == 2
    registry.mine()
    drained(worker_db, registry)
    assert_told(db, registry)
    assert rows_of(worker_db, "select count(*) from registry_submission") == [(2,)]


def test_what_waits_too_long_is_offered_at_a_higher_fee(
    db: Database, worker_db: Database, keys: Keys, registry: AnvilRegister
) -> None:
    issued(db, keys, 10, at=AT)
    registry.mine_only_when_told()
    register(worker_db, registry, INSTANT, at=AT)
    register(worker_db, registry, INSTANT, at=AT + BUMP_AFTER)
    fees = rows_of(worker_db, "select fee_wei from registry_submission order by signed_at")
    assert len(fees) == 2
    assert fees[0] < fees[1]
    registry.mine()
    drained(worker_db, registry)
    assert registry.next_nonce() == 1
    assert_told(db, registry)


def test_a_node_that_is_away_loses_nothing(
    db: Database, worker_db: Database, held: Held, tmp_path: Path
) -> None:
    with anvil(tmp_path) as short:
        registry = AnvilRegister(short)
    retire(db, held, 10)
    with pytest.raises(ChainUnavailable):
        register(worker_db, registry, INSTANT, at=AT)
    with anvil(tmp_path / "next") as other:
        drained(worker_db, AnvilRegister(other))
    assert rows_of(db, "select count(final_at) from retirement") == [(1,)]
