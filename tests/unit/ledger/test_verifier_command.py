"""The stranger's verifier as a command: against a list, against a chain, by name."""

import ast
import json
import runpy
import sys
from collections.abc import Iterator
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any

import pytest

from ledger import __main__ as command
from ledger import verify_receipt
from ledger.verify_receipt import Rejected, check, mirrored
from tests.unit.ledger.rpc import Chain, babbling, served
from tests.unit.ledger.true_receipts import CITY, LINES, WHOLE, put
from tests.vectors.city import CONTRACT


@pytest.fixture
def chain() -> Iterator[str]:
    with served(CITY, 4) as url:
        yield url


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "headers.jsonl").write_text("\n".join(LINES) + "\n")
    (tmp_path / "receipt.json").write_text(json.dumps(WHOLE["receipt"]))
    (tmp_path / "earlier.json").write_text(json.dumps(WHOLE["previous"]))
    lie = put(WHOLE["receipt"], ("entries", 0, "amount"), "1")
    (tmp_path / "lie.json").write_text(json.dumps(lie))
    (tmp_path / "broken.json").write_text("{")
    return tmp_path


def test_the_command_says_what_it_found_and_whom_it_trusts(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trusted = ["--headers", str(files / "headers.jsonl")]
    earlier = ["--previous", str(files / "earlier.json")]
    assert verify_receipt.main([str(files / "receipt.json"), *trusted, *earlier]) == 0
    said = capsys.readouterr().out
    assert said.count("\n") == 1
    assert f"trusting {files / 'headers.jsonl'}" in said
    assert verify_receipt.main([str(files / "lie.json"), *trusted]) == 1
    assert capsys.readouterr().out == "REJECTED at step 2 entries: not in the log\n"
    for name in ("broken.json", "absent.json"):
        assert verify_receipt.main([str(files / name), *trusted]) == 2
        assert capsys.readouterr().out.startswith("cannot read: ")


@pytest.fixture
def strangers_limit() -> Iterator[None]:
    """Recurse as deep as a stranger's Python does; a library of other tests raises it for all."""
    raised = sys.getrecursionlimit()
    sys.setrecursionlimit(1000)
    yield
    sys.setrecursionlimit(raised)


@pytest.mark.usefixtures("strangers_limit")
@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("receipt.json", "[" * 100_000, "too deeply nested"),
        ("receipt.json", '{"format": 1, "format": 2}', "a name stands twice in one object"),
        ("earlier.json", "null", "the earlier receipt is empty"),
        ("headers.jsonl", '{"a":' * 100_000, "too deeply nested"),
        ("headers.jsonl", f"{LINES[0]}\n{LINES[0]}\n", "the list has an epoch twice"),
    ],
)
def test_what_says_nothing_or_two_things_cannot_be_read(
    files: Path, capsys: pytest.CaptureFixture[str], name: str, content: str, told: str
) -> None:
    (files / name).write_text(content)
    trusted = ["--headers", str(files / "headers.jsonl")]
    earlier = ["--previous", str(files / "earlier.json")]
    assert verify_receipt.main([str(files / "receipt.json"), *trusted, *earlier]) == 2
    assert capsys.readouterr().out == f"cannot read: {told}\n"


def test_a_terminal_without_our_letters_gets_a_verdict(
    files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = TextIOWrapper(BytesIO(), encoding="ascii", write_through=True)
    monkeypatch.setattr(sys, "stdout", screen)
    trusted = ["--headers", str(files / "headers.jsonl")]
    assert verify_receipt.main([str(files / "receipt.json"), *trusted]) == 0


@pytest.mark.parametrize("nothing", [False, 0, "", [], {}])
def test_a_beginning_is_given_or_null(nothing: object) -> None:
    with pytest.raises(Rejected, match=r"^3 history"):
        check(put(WHOLE["receipt"], ("since",), nothing), mirrored(LINES))


def test_the_command_asks_a_chain(
    files: Path, chain: str, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = [str(files / "receipt.json"), "--rpc", chain, "--contract", CONTRACT]
    assert verify_receipt.main(asked) == 0
    assert f"trusting chain at {chain}" in capsys.readouterr().out
    Chain.answers["eth_call"][4] = "0x" + "00" * 32
    assert verify_receipt.main(asked) == 1
    assert "1 header: not the anchored header" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        ({"eth_chainId": "0x1"}, "another chain"),
        ({"eth_getTransactionReceipt": None}, "no such submission"),
        ({"eth_getTransactionReceipt": {"status": "0x0"}}, "no such submission"),
        ({"eth_getTransactionReceipt": {"status": "0x1", "blockHash": "0x"}}, "another block"),
        (
            {
                "eth_getTransactionReceipt": {
                    "status": "0x1",
                    "blockHash": CITY.anchoring(4).block_hash,
                    "blockNumber": "0x1",
                }
            },
            "another block number",
        ),
    ],
)
def test_a_chain_that_says_otherwise_is_believed(
    chain: str, answers: dict[str, Any], told: str
) -> None:
    Chain.answers |= answers
    trust = verify_receipt.on_chain(verify_receipt.ask(chain), CONTRACT)
    with pytest.raises(Rejected, match=rf"^1 header: {told}$"):
        check(WHOLE["receipt"], trust)


def test_another_contract_is_not_asked_for(chain: str) -> None:
    trust = verify_receipt.on_chain(verify_receipt.ask(chain), "0x" + "00" * 20)
    with pytest.raises(Rejected, match="1 header: another contract"):
        check(WHOLE["receipt"], trust)


def test_a_chain_that_is_away_is_no_root_of_trust(chain: str) -> None:
    del chain
    trust = verify_receipt.on_chain(verify_receipt.ask("http://127.0.0.1:9"), CONTRACT)
    with pytest.raises(Rejected, match=r"^1 header: "):
        check(WHOLE["receipt"], trust)


def test_a_chain_that_talks_nonsense_is_no_root_of_trust() -> None:
    with babbling() as url:
        trust = verify_receipt.on_chain(verify_receipt.ask(url), CONTRACT)
        with pytest.raises(Rejected, match=r"^1 header: .*BadStatusLine"):
            check(WHOLE["receipt"], trust)


def test_a_chain_needs_a_contract(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        verify_receipt.main(["receipt.json", "--rpc", "http://127.0.0.1:9"])
    assert "--rpc needs --contract" in capsys.readouterr().err


@pytest.mark.parametrize("module", ["ledger", "ledger.verify_receipt"])
def test_it_runs_by_name(
    module: str, files: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command_ = ["check"] if module == "ledger" else []
    trusted = ["--headers", str(files / "headers.jsonl")]
    monkeypatch.setattr(sys, "argv", [module, *command_, str(files / "receipt.json"), *trusted])
    for loaded in ("ledger.verify_receipt", "ledger.__main__"):
        monkeypatch.delitem(sys.modules, loaded, raising=False)
    with pytest.raises(SystemExit) as left:
        runpy.run_module(module, run_name="__main__")
    assert left.value.code == 0
    assert "true: account" in capsys.readouterr().out


def test_the_ledgers_command_has_one_word(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([]) == 2
    assert "usage: python -m ledger check" in capsys.readouterr().err


def test_the_verifier_needs_nothing_but_the_standard_library() -> None:
    """Copied out of the package, isolated from site-packages, it still runs."""
    tree = ast.parse(Path(verify_receipt.__file__).read_text())
    named = {
        (node.module or "") if isinstance(node, ast.ImportFrom) else alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert {name.partition(".")[0] for name in named} <= sys.stdlib_module_names
