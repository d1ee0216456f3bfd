"""Retirements, audited (注销审计): what is changed behind the books or on the chain is named."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from app.anchoring import RegisterTotals, register
from app.anchoring.errors import ChainUnavailable, ContractMissing
from app.anchoring.evm.node import artifact
from app.audit import RegisterReader
from app.audit.chain import TOTALS
from app.embedded.chain import Chain as Anvil
from app.kernel.db import Database
from app.kernel.ids import new_id
from app.kernel.secrets import Keys
from app.registry import revert_retirement, take_retirements
from ledger.accounts import SYSTEM_ACCOUNTS
from ledger.chart import Code
from tests.support.anchoring import INSTANT, ORIGIN
from tests.support.anvil import AnvilRegister
from tests.support.auditing import assert_clean, audited, tampered
from tests.support.chain import MemoryChain, anvil, until
from tests.support.owners import BUS, asset_number, post_all, row
from tests.support.points import accrue, citizens
from tests.support.registry import KG, Registry
from tests.support.retirements import AT, Held, ask, wish

SOON = timedelta(hours=1)


class Answering:
    """A registry with sums of its own."""

    def __init__(self, *sums: RegisterTotals) -> None:
        """Give them one after another, the last one for ever."""
        self._sums = list(sums)

    def totals(self) -> RegisterTotals:
        return self._sums.pop(0) if len(self._sums) > 1 else self._sums[0]


TAMPERINGS = (
    "update retirement set quantity_kg = 6, range = int8range(301, 307) where quantity_kg = 5",
    "update retirement set range = int8range(401, 601) where quantity_kg = 200",
    "update retirement set range = int8range(302, 307) where quantity_kg = 5",
    "update retirement set purpose = 1 where quantity_kg = 5",
    "update retirement set period = '2027' where quantity_kg = 5",
    "update retirement set beneficiary_commit = sha256('x') where quantity_kg = 5",
    "update retirement set holder_commit = sha256('x') where quantity_kg = 5",
    "update retirement set salt = sha256('x') where quantity_kg = 5",
    "update retirement set claim = sha256('x') where quantity_kg = 5",
    "update retirement set taken_on = taken_on + 1 where quantity_kg = 5",
    "update retirement set transfer = uuidv7() where quantity_kg = 5",
    "update retirement set reverted_at = null where quantity_kg = 7",
    "update retirement set reverted_at = now() where quantity_kg = 3",
    "update retirement set quantity_kg = 4 where quantity_kg = 3",
    "delete from retirement where quantity_kg = 5",
    """update retirement set taken_at = null, taken_on = null, range = null, claim = null
        where quantity_kg = 5""",
    "update issue_batch set cursor_kg = cursor_kg + 1",
    "update issue_batch set end_kg = end_kg - 1",
    "delete from registry_message where kind = 'issue'",
    "delete from registry_message where kind = 'retire'",
    "delete from registry_message where kind = 'cancel_epoch'",
    "update registry_message set kind = 'retire' where kind = 'issue'",
    "update registry_message set subject = sha256(subject) where kind = 'issue'",
    "update registry_message set payload = '{}' where kind = 'issue'",
    """update registry_message set payload = jsonb_set(payload, '{amount_kg}', '"6"')
        where payload ->> 'amount_kg' = '5'""",
    """update registry_message set payload = jsonb_set(payload, '{amount_kg}', '"99999"')
        where kind = 'retire'""",
    """update registry_message set payload = jsonb_set(payload, '{start}', '"2"')
        where kind = 'retire'""",
    """update registry_message set payload = jsonb_set(payload, '{purpose}', '"1"')
        where kind = 'retire'""",
    """update registry_message set payload = jsonb_set(payload, '{vintage}', '"2026-02-01"')
        where kind = 'issue'""",
    """update registry_message set payload = jsonb_set(payload, '{mg_a}', '"61"')
        where kind = 'cancel_epoch'""",
    """update registry_message set payload = jsonb_set(payload, '{epoch}', '"1"')
        where kind = 'cancel_epoch'""",
    """insert into registry_message (kind, subject, payload, created_at)
       select 'cancel_epoch', sha256(subject), jsonb_set(payload, '{epoch}', '"9"'), now()
         from registry_message where kind = 'cancel_epoch'""",
    """update epoch set extras = jsonb_set(extras, '{aux,cancellations}', '"00"')""",
    *(
        f"update transfer set {change} where code = 17"
        for change in ("amount = amount + 1", "evidence = sha256('x')", "cause = uuidv7()")
    ),
)
SUMS = RegisterTotals(1000, 305, 0, 60, 0)


@pytest.fixture
def chain(db: Database, worker_db: Database, keys: Keys, tmp_path: Path) -> MemoryChain:
    """Of a batch three retirements taken, one reverted, one open; a cancellation in an epoch."""
    registry = Registry(db, worker_db, keys, tmp_path)
    registry.terms(buffer_permille=0)
    owner, bus = citizens(db, keys, 1)[0], asset_number(db, BUS)
    registry.pool(owner, bus, 1000 * KG)
    held = Held(registry.operator.owner, registry.issued(BUS).id)
    for kg in (200, 100, 5):
        ask(db, wish(held, kg))
    take_retirements(db, at=AT + SOON)
    reverted = ask(db, wish(held, 7))
    db.transact(revert_retirement, held.holder, reverted.id, new_id=new_id, at=AT)
    ask(db, wish(held, 3))
    accrue(db, owner, bus, 100)
    post_all(db, [row(Code.CANCEL, owner, SYSTEM_ACCOUNTS["cancelled"], bus, 60)])
    registry.close()
    return registry.chain


def test_what_is_changed_is_named(database_url: str, keys: Keys, chain: MemoryChain) -> None:
    assert_clean(database_url, keys, ORIGIN, chain)
    for statement in TAMPERINGS:
        with tampered(database_url, statement):
            report = audited(database_url, keys, ORIGIN, chain)
        assert "units" in {found.kind for found in report.findings}, statement
    assert_clean(database_url, keys, ORIGIN, chain)


@pytest.mark.parametrize(
    ("sums", "is_true"),
    [
        ([SUMS], True),
        ([RegisterTotals(0, 0, 0, 0, 0)], True),
        ([SUMS._replace(retired_kg=306)], False),
        ([SUMS._replace(issued_kg=1001)], False),
        ([SUMS._replace(invalidated_kg=1)], False),
        ([SUMS._replace(cancelled_mg_b=1)], False),
        ([SUMS, SUMS._replace(retired_kg=306)], True),
    ],
    ids=["equal", "behind", "retired", "issued", "void", "cancelled", "while we looked"],
)
def test_the_chains_sums_are_those_that_were_told(
    database_url: str, keys: Keys, chain: MemoryChain, sums: list[RegisterTotals], *, is_true: bool
) -> None:
    report = audited(database_url, keys, ORIGIN, chain, Answering(*sums))
    assert report.ok is is_true, report.findings


def test_sums_that_were_seen_final_must_be_there(
    database_url: str, keys: Keys, chain: MemoryChain
) -> None:
    seen = """update registry_message set chain_id = 1, contract = substr(subject, 1, 20),
                 block_number = 1, block_hash = subject, tx_hash = subject, final_at = now()"""
    with tampered(database_url, seen):
        assert audited(database_url, keys, ORIGIN, chain, Answering(SUMS)).ok
        less = Answering(SUMS, SUMS._replace(retired_kg=300))
        report = audited(database_url, keys, ORIGIN, chain, less)
    assert [found.where for found in report.findings] == ["registry retired_kg"]


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Anvil]:
    with anvil(tmp_path_factory.mktemp("anvil")) as started:
        yield started


def test_the_auditor_reads_a_real_registry(
    worker_db: Database, database_url: str, keys: Keys, chain: MemoryChain, node: Anvil
) -> None:
    assert artifact("RetirementRegistry")["selectors"]["totals()"] == TOTALS
    registry = AnvilRegister(node)
    until(lambda: register(worker_db, registry, INSTANT, at=AT).waiting == 0)
    register(worker_db, registry, INSTANT, at=AT)
    reader = RegisterReader(node.url, registry.address)
    assert reader.totals() == registry.totals() == SUMS
    assert audited(database_url, keys, ORIGIN, chain, reader).ok
    nobody = RegisterReader(node.url, "0x" + "11" * 20)
    away = RegisterReader("http://127.0.0.1:1", registry.address)
    with pytest.raises(ContractMissing):
        nobody.totals()
    with pytest.raises(ChainUnavailable):
        away.totals()
    for lost in (nobody, away):
        report = audited(database_url, keys, ORIGIN, chain, lost)
        assert "registry" in {found.where for found in report.findings}
