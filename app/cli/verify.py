"""``tanpu verify`` (查证): check what others hand out; no database, no trust in the server."""

import json
from base64 import b64decode
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from app.cli.promise import NotHonest, hold
from app.cli.screen import FAILED, UNAVAILABLE, WRONG_INPUT, AsJson, answer, complain
from app.kernel.problems import Refusal
from app.settlements import is_signed
from ledger.audit import check_headers
from ledger.findings import HeaderRow
from ledger.header import Header
from ledger.settlement import SettlementUntrue, check_settlement
from ledger.verify_certificate import main as verify_certificate
from ledger.verify_receipt import ask, on_chain, parsed
from ledger.verify_receipt import main as verify_receipt
from ledger.verify_statement import main as verify_statement
from methodologies import CATALOG, Document, DocumentFaults, load, methodology_key

EPOCH_END = 2**63
VERSION_OF = "0x586e05a5"
"""Selector of ``versionOf(bytes32)``; six words, the digest first and the standing last."""
STANDINGS = ("unknown", "in force", "superseded", "withdrawn")
commands = typer.Typer(help="查证 Verify: receipts, headers, methodologies; needs no database.")

File = Annotated[Path, typer.Argument(help="文件")]
Headers = Annotated[Path | None, typer.Option(help="A list of anchored headers. 期头清单")]
Rpc = Annotated[str | None, typer.Option(help="A chain's JSON-RPC server, with --contract.")]
Contract = Annotated[str | None, typer.Option(help="Address of CarbonAnchor.")]
Registry = Annotated[str | None, typer.Option(help="Address of MethodologyRegistry.")]
Previous = Annotated[Path | None, typer.Option(help="An earlier receipt of the same account.")]


@commands.command()
def receipt(
    file: File,
    headers: Headers = None,
    rpc: Rpc = None,
    contract: Contract = None,
    previous: Previous = None,
) -> None:
    """Verify an account's receipt: one line, exit 0, or the failing step and exit 1 (查证回执)."""
    arguments = _arguments(
        file, {"--headers": headers, "--rpc": rpc, "--contract": contract, "--previous": previous}
    )
    raise typer.Exit(verify_receipt(arguments))


@commands.command()
def certificate(
    file: File,
    headers: Headers = None,
    rpc: Rpc = None,
    contract: Contract = None,
    status: Annotated[Path | None, typer.Option(help="What is left of it. 证书状态")] = None,
    key: Annotated[
        str | None, typer.Option(help="The operator's receipt key, base64. 回执公钥")
    ] = None,
) -> None:
    """Verify a certificate of cancellation or retirement, offline (查证注销证书).

    Exit 4: it is true, and its status says that some or all of it was taken back since.
    """
    arguments = _arguments(
        file, {"--headers": headers, "--rpc": rpc, "--contract": contract, "--status": status}
    )
    raise typer.Exit(verify_certificate(arguments, _signed_by(key)))


@commands.command()
def statement(
    file: File,
    headers: Headers = None,
    rpc: Rpc = None,
    contract: Contract = None,
    key: Annotated[
        str | None, typer.Option(help="The operator's receipt key, base64. 回执公钥")
    ] = None,
) -> None:
    """Verify the proof of a gathering's neutrality, offline (查证碳中和声明).

    Exit 4: it is true, and less than was emitted is covered since.
    """
    arguments = _arguments(file, {"--headers": headers, "--rpc": rpc, "--contract": contract})
    raise typer.Exit(verify_statement(arguments, _signed_by(key)))


def _signed_by(key: str | None) -> Callable[[bytes, bytes], bool] | None:
    """Give what checks the operator's signatures; none where no key is named."""
    if key is None:
        return None
    try:
        public = Ed25519PublicKey.from_public_bytes(b64decode(key))
    except ValueError as error:
        complain("key", f"{error}")
        raise typer.Exit(WRONG_INPUT) from error
    return partial(is_signed, public)


def _arguments(file: Path, options: dict[str, object]) -> list[str]:
    """Write what a stranger's verifier is called with."""
    given = ((name, str(value)) for name, value in options.items() if value is not None)
    return [str(file), *(each for option in given for each in option)]


@commands.command("headers")
def headers_(
    file: File, rpc: Rpc = None, contract: Contract = None, *, as_json: AsJson = False
) -> None:
    """Verify a list of headers: each follows the one before, and is on the chain (查证期头)."""
    rows = _header_rows(file)
    if (rpc is None) != (contract is None):
        complain("options", "--rpc and --contract go together")
        raise typer.Exit(WRONG_INPUT)
    if rpc is not None and contract is not None:
        trusted, hash_of = f"chain at {rpc}", on_chain(ask(rpc), contract)
        anchored = max((row.epoch for row in rows), default=0)
        try:
            found = list(check_headers(rows, lambda epoch: hash_of(epoch, None), anchored))
        except (OSError, ValueError, KeyError, TypeError) as error:
            complain("anchoring.chain_unavailable", f"{rpc}: {error}")
            raise typer.Exit(UNAVAILABLE) from error
    else:
        trusted = "nothing but their links; add --rpc and --contract"
        found = list(check_headers(rows, lambda _: b"", 0))
        found = [one for one in found if one.kind != "chain"]
    data = {
        "ok": not found,
        "headers": len(rows),
        "trusting": trusted,
        "findings": [one._asdict() for one in found],
    }
    people = (
        "\n".join(f"{one.kind}: {one.where}: {one.detail}" for one in found)
        or f"true: {len(rows)} headers, last {rows[-1].hash.hex()[:16]}…; trusting {trusted}"
    )
    answer(data, as_json=as_json, people=people)
    if found:
        raise typer.Exit(FAILED)


@commands.command("upload-receipt")
def upload_receipt(
    file: Annotated[Path, typer.Argument(help="The answer to the upload, JSON. 上传应答")],
    records: Annotated[Path, typer.Option(help="What was sent. 原始记录")],
    secret: Annotated[Path, typer.Option(help="The evidence secret, base64. 证据密钥")],
    key: Annotated[str, typer.Option(help="The operator's receipt key, base64. 回执公钥")],
    inclusion: Annotated[list[Path], typer.Option(help="Pages of …/inclusion. 入账证明")],
    headers: Annotated[Path, typer.Option(help="A list of anchored headers. 期头清单")],
    *,
    as_json: AsJson = False,
) -> None:
    """Verify that what an upload's receipt promised is in the log, in time (查证批次回执).

    The list of headers is believed: `tanpu verify headers` holds it to the chain.
    """
    trusted = {row.epoch: Header.of(row.data) for row in _header_rows(headers)}
    try:
        held = hold(
            json.loads(file.read_bytes()),
            records.read_bytes(),
            secret=b64decode(secret.read_text(encoding="ascii")),
            key=b64decode(key),
            pages=[json.loads(page.read_bytes()) for page in inclusion],
            headers=trusted,
        )
    except NotHonest as verdict:
        complain("receipt", str(verdict))
        raise typer.Exit(FAILED) from verdict
    except (OSError, ValueError, KeyError, TypeError, AssertionError, Refusal) as error:
        complain("file", f"{type(error).__name__}: {error}")
        raise typer.Exit(WRONG_INPUT) from error
    broken = [{"line": each.line, "fault": each.fault} for each in held.broken]
    data = {
        "ok": not broken,
        "promised": held.promised,
        "logged_by": held.logged_by,
        "broken": broken,
    }
    people = "\n".join(f"line {each.line}: {each.fault}" for each in held.broken) or (
        f"true: {held.promised} lines that counted are in the log, by {held.logged_by}"
    )
    answer(data, as_json=as_json, people=people)
    if broken:
        raise typer.Exit(FAILED)


@commands.command()
def settlement(
    file: Annotated[Path, typer.Argument(help="A statement, or a proof, JSON. 结算单或包含证明")],
    key: Annotated[str, typer.Option(help="The operator's receipt key, base64. 回执公钥")],
    *,
    as_json: AsJson = False,
) -> None:
    """Verify a merchant's statement, or that a redemption is in one (查证结算单)."""
    try:
        public = Ed25519PublicKey.from_public_bytes(b64decode(key, validate=True))
        document = parsed(file.read_bytes())
        stated = check_settlement(document, partial(is_signed, public))
        people = "true: {settlement}, {day}: {lines} lines, net {net_fen} fen".format(**stated)
    except SettlementUntrue as verdict:
        complain("settlement", f"its {verdict} is not true")
        raise typer.Exit(FAILED) from verdict
    except (OSError, AttributeError, KeyError, TypeError, ValueError) as error:
        complain("file", f"{type(error).__name__}: {error}")
        raise typer.Exit(WRONG_INPUT) from error
    answer({"ok": True, "statement": stated}, as_json=as_json, people=people)


@commands.command()
def methodology(
    file: File, rpc: Rpc = None, registry: Registry = None, *, as_json: AsJson = False
) -> None:
    """Verify that a document is the published one of its code and version (查证方法学).

    The published text is the one that ships, or with --rpc and --registry the one on the chain,
    which also says whether it is in force.
    """
    try:
        document = load(file.read_bytes(), name=file.name)
    except OSError as error:
        complain("file", f"{file}: {error.strerror}")
        raise typer.Exit(WRONG_INPUT) from error
    except DocumentFaults as faults:
        for fault in faults.faults:
            complain(fault.place, f"{fault.code}: {fault.message}")
        raise typer.Exit(WRONG_INPUT) from faults
    if (rpc is None) != (registry is None):
        complain("options", "--rpc and --registry go together")
        raise typer.Exit(WRONG_INPUT)
    if rpc is not None and registry is not None:
        digest, standing = _registered(rpc, registry, document)
    else:
        published = CATALOG.get((document.code, document.version))
        digest, standing = "" if published is None else published.sha256, None
    same = digest == document.sha256
    name = f"{document.code} {document.version}"
    said = f"true: as published{f', {standing}' if standing else ''}"
    people = f"{name}: {said if same else 'not the published text'}"
    data = {"ok": same, "sha256": document.sha256, "standing": standing}
    answer(data, as_json=as_json, people=people)
    if not same:
        raise typer.Exit(FAILED)


def _registered(rpc: str, registry: str, document: Document) -> tuple[str, str]:
    """Ask the chain for a version's digest and standing, or end with the exit code for it."""
    data = VERSION_OF + methodology_key(document.code, document.version).hex()
    try:
        found = ask(rpc)("eth_call", [{"to": registry, "data": data}, "latest"])[2:]
        return found[:64], STANDINGS[int(found[5 * 64 :], 16)]
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        complain("anchoring.chain_unavailable", f"{rpc}: {error}")
        raise typer.Exit(UNAVAILABLE) from error


def _header_rows(file: Path) -> list[HeaderRow]:
    """Read a list of headers, or end with exit code 2."""
    try:
        lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        rows = [
            HeaderRow(
                int(line["epoch"]),
                bytes.fromhex(line["header"]),
                bytes.fromhex(line["header_hash"]),
            )
            for line in lines
        ]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        complain("file", f"{file}: {error}")
        raise typer.Exit(WRONG_INPUT) from error
    if not rows or any(not 0 < row.epoch < EPOCH_END for row in rows):
        complain("file", f"{file}: no headers, or an epoch that is none 没有期头")
        raise typer.Exit(WRONG_INPUT)
    return rows
