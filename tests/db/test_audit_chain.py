"""What the auditor reads of a chain by itself, and that nothing there is ever taken for granted."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from app.anchoring.errors import ChainUnavailable, ContractMissing
from app.anchoring.evm.node import artifact
from app.audit import ChainReader
from app.audit.chain import HEADER_HASH_OF, LATEST, read_anchors
from app.cli.audit import audit as command
from app.embedded.chain import Chain as Anvil
from app.kernel.db import Database
from app.kernel.secrets import Keys
from ledger.encoding import ZERO_HASH
from tests.support.anchoring import ORIGIN, accruals, at, notary_over
from tests.support.anvil import AnvilChain
from tests.support.auditing import assert_clean, audited, tampered
from tests.support.chain import MemoryChain, anvil, until

NOBODY = "0x" + "11" * 20


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Anvil]:
    """One node for this module."""
    with anvil(tmp_path_factory.mktemp("anvil")) as started:
        yield started


@pytest.fixture
def closed(db: Database, worker_db: Database, keys: Keys, tmp_path: Path) -> None:
    """A city with one epoch, which no chain knows."""
    accruals(db, keys)
    assert notary_over(worker_db, keys, tmp_path).close(at=at(0)) is not None


def test_its_selectors_are_the_contracts() -> None:
    selectors = artifact("CarbonAnchor")["selectors"]
    assert selectors["headerHashOf(uint64)"] == HEADER_HASH_OF
    assert selectors["latest()"] == LATEST


def test_it_reads_from_a_real_node_what_was_anchored(
    db: Database,
    worker_db: Database,
    database_url: str,
    keys: Keys,
    node: Anvil,
    tmp_path: Path,
) -> None:
    accruals(db, keys)
    notary = notary_over(worker_db, keys, tmp_path)
    chain = AnvilChain(node, ORIGIN)
    header = notary.close(at=at(0))
    assert header is not None
    notary.publish()
    reader = ChainReader(node.url, chain.address)
    assert read_anchors(reader).tip == 0
    report = assert_clean(database_url, keys, ORIGIN, reader)
    assert report.checked["headers_on_chain"] == 0
    assert any("1 epochs wait to be anchored" in each.detail for each in report.notices)
    until(lambda: notary.submit(chain, at=at(0)).waiting == 0)
    assert (reader.tip(), reader.hash_of(1), reader.hash_of(2)) == (1, header.hash(), ZERO_HASH)
    assert assert_clean(database_url, keys, ORIGIN, reader).checked["headers_on_chain"] == 1


@pytest.mark.usefixtures("closed")
def test_a_chain_that_is_away_is_a_finding(database_url: str, keys: Keys) -> None:
    away = ChainReader("http://127.0.0.1:9", NOBODY, timeout_s=0.5)
    with pytest.raises(ChainUnavailable):
        away.tip()
    report = audited(database_url, keys, ORIGIN, away)
    assert [each.kind for each in report.findings] == ["chain"]


@pytest.mark.usefixtures("closed")
def test_an_address_without_a_contract_is_a_finding(
    database_url: str, keys: Keys, node: Anvil
) -> None:
    nobody = ChainReader(node.url, NOBODY)
    with pytest.raises(ContractMissing):
        nobody.tip()
    report = audited(database_url, keys, ORIGIN, nobody)
    assert [each.kind for each in report.findings] == ["chain"]


def test_before_the_first_epoch_a_missing_contract_is_a_notice(
    database_url: str, keys: Keys, node: Anvil
) -> None:
    report = assert_clean(database_url, keys, ORIGIN, ChainReader(node.url, NOBODY))
    assert [each.where for each in report.notices if each.kind == "chain"] == ["headers"]


@pytest.fixture
def configured(
    db: Database,
    database_url: str,
    node: Anvil,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> str:
    """A city that the environment names, with three accruals; gives its database's address."""
    accruals(db, Keys(tmp_path / "keys", make_missing=True))
    for name, value in {
        "DATABASE_URL": database_url,
        "REDIS_URL": "redis://127.0.0.1:9/0",
        "CHAIN_RPC_URL": node.url,
        "CHAIN_CONTRACT": AnvilChain(node, ORIGIN).address,
        "KEYS_DIR": str(tmp_path / "keys"),
        "ORIGIN": ORIGIN,
    }.items():
        monkeypatch.setenv(name, value)
    return database_url


@pytest.mark.parametrize("amount", [0, 1])
def test_the_command_answers_in_the_fixed_form(
    configured: str, capsys: pytest.CaptureFixture[str], amount: int
) -> None:
    with tampered(configured, f"update balance set credits = credits + {amount}"):
        if amount:
            with pytest.raises(typer.Exit) as left:
                command(as_json=True)
            assert left.value.exit_code == 1
        else:
            command(as_json=True)
    said = json.loads(capsys.readouterr().out)
    assert said["ok"] is (amount == 0)
    assert {"ok", "findings", "checked"} <= said.keys()
    assert all(each.keys() == {"kind", "where", "detail"} for each in said["findings"])
    assert said["checked"]["transfers"] == 3


def test_an_audit_that_asked_no_chain_says_so(database_url: str, keys: Keys) -> None:
    report = audited(database_url, keys, ORIGIN)
    assert report.ok
    assert [each.where for each in report.notices if each.kind == "chain"] == ["headers"]


def test_a_contract_that_began_later_holds_earlier_epochs_by_their_links(
    db: Database, worker_db: Database, database_url: str, keys: Keys, tmp_path: Path
) -> None:
    notary, chain = notary_over(worker_db, keys, tmp_path), MemoryChain()
    for number in range(3):
        accruals(db, keys)
        notary.close(at=at(number))
    notary.publish()
    notary.submit(chain, at=at(3))

    class Later:
        """The same chain, whose contract was deployed for epoch 3 on."""

        def tip(self) -> int:
            return chain.tip()

        def hash_of(self, epoch: int) -> bytes:
            return chain.hash_of(epoch) if epoch >= 3 else ZERO_HASH

    report = assert_clean(database_url, keys, ORIGIN, Later())
    assert report.checked["headers_on_chain"] == 1
