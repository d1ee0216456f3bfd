"""A stranger's verifier: is this certificate true? One file, standard library only.

    python verify_certificate.py CERTIFICATE --headers headers.jsonl [--status STATUS]
    python verify_certificate.py CERTIFICATE --rpc URL --contract ADDRESS [--status STATUS]

It trusts nobody but its *root of trust*: a list of header hashes that you got elsewhere, or
a chain that you ask yourself. From there five steps, each by hashing:
1 header: its hash is the anchored one. 2 claim: it says one thing, in the documented words.
3 parts: each transfer that gave something up lies in the log that the header names, and carries
this claim. 4 openings: the names and words shown are those that the claim commits to. 5 status:
what the operator says is left fits the claim, and is signed where you name a key to check with.

What happened later no file can tell: a correction may have taken some of it back since. Ask for
the certificate's status, or trust the one in the file no longer than its date. Exit code 0: true;
1: not true; 2: cannot be read; 4: true, but reduced or revoked since.
"""

import json
import sys
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Any, NamedTuple

Json = dict[str, Any]
Trust = Callable[[int, Json | None], bytes]
"""(epoch, what the certificate says of its anchoring) → the anchored header hash."""
Verify = Callable[[bytes, bytes], bool]
"""(signature, signed bytes) → whether the operator's key made the one under the other."""
_ANSWER_BYTES_MAX = 1 << 20
_FORMAT = "tanpu-certificate/1"
_DOCUMENT = "format status origin header chain claim parts openings".split()  # noqa: SIM905 -- one row
_TEXTS = ("beneficiary", "holder", "message")
_SAID = "v kind subject unit parts purpose period day".split()  # noqa: SIM905 -- one row
_CLAIM = [*_SAID, *(f"{name}_commit" for name in _TEXTS)]
_PART = ["asset", "salt", "log_index", "debit", "path"]
_STATUS = ["state", "certificate", "amount", "remaining", "as_of", "signature"]
_KINDS = {"reduction": ("mg", 12, 1, "cancelled"), "unit": ("kg", 17, 3, "retired")}
"""By kind: unit of amounts, code and unit of its entries, and the account they go to."""
_PURPOSES = (1, 2, 3, 6, 7, 8)


class Rejected(Exception):  # noqa: N818 -- a verdict, not an error
    """The certificate is not true; the message begins with the step that failed."""


class Verdict(NamedTuple):
    """What a true certificate shows."""

    subject: str
    beneficiary: str
    """The name in quotation marks where it is shown, else a pseudonym."""
    unit: str
    amount: int
    epoch: int
    remaining: int | None
    """As the operator said on `as_of`; None where no status was given."""
    as_of: str | None
    is_signed: bool
    """Whether the status's signature was checked."""

    @property
    def is_whole(self) -> bool:
        """Whether nothing is known to have been taken back."""
        return self.remaining in {None, self.amount}

    def __str__(self) -> str:
        """Say it in one line, what was taken back first."""
        told = "nothing is known of corrections since: ask for its status"
        if self.remaining is not None:
            proved = "signed" if self.is_signed else "signature not checked"
            told = f"status of {self.as_of}, {proved}; later ones are not known here"
        lost = ""
        if not self.is_whole:
            word = "REDUCED" if self.remaining else "REVOKED"
            lost = f"{word}: {self.remaining} of {self.amount} {self.unit} left. "
        for_ = f"{self.amount} {self.unit} for {self.beneficiary}, epoch {self.epoch}"
        return f"{lost}true: {self.subject}, {for_} ({told})"


def sha(*parts: bytes) -> bytes:
    """Hash the parts, one after the other."""
    return sha256(b"".join(parts)).digest()


def tag(name: str) -> bytes:
    """Hash the name of a kind of preimage."""
    return sha(b"carbon-anchor/v1/", name.encode())


def need(claim: object, otherwise: str) -> None:
    """Go on only if the claim holds."""
    if not claim:
        raise ValueError(otherwise)


def raw(text: str, size: int = 32) -> bytes:
    """Read bytes from their one spelling: lower-case hex of the right length."""
    data = bytes.fromhex(text)
    need(data.hex() == text and len(data) == size, f"not {size} bytes in hex: {text!r}")
    return data


def parsed(text: str | bytes) -> Any:  # noqa: ANN401 -- JSON
    """Read JSON that says each thing once: of two values under one name, others see the other."""

    def once(pairs: list[tuple[str, Any]]) -> Json:
        need(len(dict(pairs)) == len(pairs), "a name stands twice in one object")
        return dict(pairs)

    try:
        return json.loads(text, object_pairs_hook=once)
    except RecursionError:
        raise ValueError("too deeply nested") from None


def big(number: int, size: int) -> bytes:
    """Write an integer big-endian; negative, too large and not an integer are refused."""
    need(type(number) is int, f"not a whole number: {number!r}")
    return number.to_bytes(size, "big")


def amount(text: str) -> int:
    """Read a decimal amount from its one spelling."""
    need(type(text) is str and str(int(text)) == text, f"not a plain amount: {text!r}")
    return int(text)


def climb(index: int, last: int, path: Sequence[bytes], *start: bytes) -> list[bytes]:
    """Climb an RFC 6962 tree; right siblings are taken by the last of the start nodes only."""
    need(type(index) is int and 0 <= index <= last, "no such leaf")
    nodes = list(start)
    for sibling in path:
        need(last, "path too long")
        if index % 2 or index == last:
            nodes = [sha(b"\x01", sibling, node) for node in nodes]
            while index and index % 2 == 0:
                index, last = index >> 1, last >> 1
        else:
            nodes[-1] = sha(b"\x01", nodes[-1], sibling)
        index, last = index >> 1, last >> 1
    need(last == 0, "path too short")
    return nodes


def words(text: object) -> bytes:
    """Read text."""
    need(type(text) is str, f"not text: {text!r}")
    return str(text).encode()


def only(node: Json, names: Sequence[str]) -> Json:
    """Read an object that has these names and no more."""
    need(type(node) is dict and sorted(node) == sorted(names), f"not exactly {', '.join(names)}")
    return node


def canonical(value: Json) -> bytes:
    """Write JSON in its one form: names sorted, no white space, UTF-8."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def read_header(document: Json, trust: Trust) -> tuple[int, int, bytes]:
    """Step 1: the header is the one that was anchored; give its epoch, log size and log root."""
    need(only(document, _DOCUMENT)["format"] == _FORMAT, "unknown format")
    header = raw(document["header"], 324)
    need(header[:32] == tag("header"), "not a header")
    need(header[64:67] == b"\x00\x01\x01", "not version 1 with SHA-256")
    origin = sha(b"carbon-anchor/v1/origin", words(document["origin"]))
    need(header[32:64] == origin, "other origin")
    epoch, log_size = (int.from_bytes(header[at : at + 8]) for at in (68, 84))
    need(document["chain"] is not None, "pending: not on the chain yet")
    need(trust(epoch, document["chain"]) == sha(header), "not the anchored header")
    return epoch, log_size, header[100:132]


def read_claim(document: Json) -> int:
    """Step 2: the claim says one thing, in the documented words; give what it adds up to."""
    claim = only(document["claim"], _CLAIM)
    need(type(claim["v"]) is int and claim["v"] == 1, "unknown version")
    need(claim["unit"] == _KINDS[claim["kind"]][0], "another unit")
    need(type(claim["purpose"]) is int and claim["purpose"] in _PURPOSES, "unknown purpose")
    need(claim["period"] is None or words(claim["period"]), "no period")
    prefix = {"reduction": "can_", "unit": "ret_"}[claim["kind"]]
    need(words(claim["subject"]).startswith(prefix.encode()), "another subject")
    for name in _TEXTS:
        raw(claim[f"{name}_commit"])
    need(claim["parts"] and len(claim["parts"]) == len(document["parts"]), "parts are missing")
    for part in claim["parts"]:
        only(part, ["asset", "amount", "serials"])
        need(amount(part["amount"]) > 0, "an amount of nothing")
        is_serial = type(part["serials"]) is str and part["serials"]
        need(is_serial if claim["kind"] == "unit" else part["serials"] is None, "other serials")
    return sum(amount(part["amount"]) for part in claim["parts"])


def asset_key(asset: Json) -> bytes:
    """Hash the class that is named in words; `ledger/assets.py` has the layout."""
    if "batch" in asset:
        body = b"\x03" + sha(tag("batch"), words(only(asset, ["batch"])["batch"]))
    else:
        only(asset, ["methodology", "version", "scenario", "grade", "vintage"])
        version = big(asset["version"], 4)
        need(asset["grade"] in {"A", "B"}, "unknown grade")
        body = b"".join(
            (
                *(b"\x01", sha(tag("methodology"), words(asset["methodology"]), b"\x00", version)),
                *(sha(tag("scenario"), words(asset["scenario"])), words(asset["grade"])),
                big(amount(asset["vintage"]), 4),
            )
        )
    return sha(tag("asset"), body)


def find_parts(document: Json, log_size: int, log_root: bytes) -> None:
    """Step 3: each transfer is in the log, gives up what the claim says, and carries the claim."""
    claim, seen = document["claim"], set[int]()
    _, code, unit, target = _KINDS[claim["kind"]]
    credit = sha(tag("entry-account"), sha(tag("system-account"), target.encode()), bytes(32))
    hashed = sha(canonical(claim))
    for part, said in zip(document["parts"], claim["parts"], strict=True):
        key = raw(said["asset"])
        need(asset_key(only(part, _PART)["asset"]) == key, "another class of assets")
        leaf = sha(
            *(b"\x00", tag("journal-entry"), big(code, 1), key, big(claim["day"], 4)),
            *(big(unit, 1), big(amount(said["amount"]), 8), raw(part["debit"]), credit),
            *(sha(tag("certificate-claim"), raw(part["salt"]), hashed), big(0, 8)),
        )
        path = [*map(raw, part["path"])]
        need(climb(part["log_index"], log_size - 1, path, leaf) == [log_root], "not in the log")
        need(part["log_index"] not in seen, "one entry counted twice")
        seen.add(part["log_index"])


def open_texts(document: Json) -> str:
    """Step 4: what is shown is what the claim commits to; give the beneficiary."""
    openings = only(document["openings"], _TEXTS)
    for name in _TEXTS:
        if openings[name] is not None:
            opening = only(openings[name], ["salt", "text"])
            hashed = sha(name.encode()), sha(words(opening["text"]))
            commit = sha(tag("certificate-text"), raw(opening["salt"]), *hashed)
            need(commit == raw(document["claim"][f"{name}_commit"]), f"another {name}")
    shown = openings["beneficiary"] and openings["beneficiary"]["text"]
    if not shown:
        return f"pseudonym {document['claim']['beneficiary_commit'][:8]}"
    letters = (each if each.isprintable() else "\ufffd" for each in shown)
    return json.dumps("".join(letters), ensure_ascii=False)


def read_status(status: Json, subject: str, total: int, verify: Verify | None) -> int:
    """Step 5: what the operator says is left fits the claim; give it."""
    only(status, _STATUS)
    need(status["certificate"] == f"cert_{subject.partition('_')[2]}", "of another certificate")
    need(amount(status["amount"]) == total, "of another amount")
    remaining = amount(status["remaining"])
    need(0 <= remaining <= total, "more is left than there was")
    state = "reduced" if remaining else "revoked"
    need(status["state"] == ("valid" if remaining == total else state), "it contradicts itself")
    need(words(status["as_of"]), "no date")
    if verify is not None:
        signed = canonical({name: status[name] for name in _STATUS if name != "signature"})
        need(verify(raw(status["signature"], 64), signed), "not signed by this key")
    return remaining


def check(
    document: Json, trust: Trust, status: Json | None = None, verify: Verify | None = None
) -> Verdict:
    """Take the five steps; give what was found true.

    Args:
        document: The certificate.
        trust: The root of trust.
        status: A newer one than is in the certificate.
        verify: Checks the operator's signature under the status.

    Raises:
        Rejected: A step failed; the message names it.
    """
    step = "1 header"
    try:
        epoch, log_size, log_root = read_header(document, trust)
        step = "2 claim"
        total = read_claim(document)
        step = "3 parts"
        find_parts(document, log_size, log_root)
        step = "4 openings"
        beneficiary = open_texts(document)
        step = "5 status"
        subject: str = document["claim"]["subject"]
        told = [each for each in (document["status"], status) if each is not None]
        left = [(read_status(each, subject, total, verify), each["as_of"]) for each in told]
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError, OSError) as wrong:
        raise Rejected(f"{step}: {wrong}") from wrong
    remaining, as_of = min(left, default=(None, None))
    unit, is_signed = document["claim"]["unit"], bool(told) and verify is not None
    return Verdict(subject, beneficiary, unit, total, epoch, remaining, as_of, is_signed)


def mirrored(lines: Sequence[str]) -> Trust:
    """Trust a list of anchored headers, one JSON object a line."""
    listed: list[Json] = [*map(parsed, lines)]
    rows: dict[int, Json] = {row["epoch"]: row for row in listed}
    need(len(rows) == len(listed), "the list has an epoch twice")

    def hash_of(epoch: int, chain: Json | None) -> bytes:
        need(epoch in rows, f"the list has no epoch {epoch}")
        said, listed = (json.dumps(x, sort_keys=True) for x in (chain, rows[epoch]["chain"]))
        need(chain is None or said == listed, "the list names another anchoring")
        return raw(rows[epoch]["header_hash"])

    return hash_of


def on_chain(call: Callable[[str, list[Any]], Any], contract: str) -> Trust:
    """Trust a chain: ask the contract for `headerHashOf(uint64)`, whose selector is 6b5b338d."""

    def hash_of(epoch: int, chain: Json | None) -> bytes:
        if chain:
            need(chain["chain_id"] == int(call("eth_chainId", []), 16), "another chain")
            need(chain["contract"] == contract.lower(), "another contract")
            mined = call("eth_getTransactionReceipt", [chain["tx"]])
            need(mined and mined["status"] == "0x1", "no such submission")
            need(mined["blockHash"] == chain["block_hash"], "another block")
            need(int(mined["blockNumber"], 16) == chain["block"], "another block number")
        data = "0x6b5b338d" + big(epoch, 32).hex()
        return raw(call("eth_call", [{"to": contract, "data": data}, "latest"])[2:])

    return hash_of


def ask(url: str) -> Callable[[str, list[Any]], Any]:
    """Ask a chain's JSON-RPC server."""
    from http.client import HTTPException  # noqa: PLC0415 -- the rest is arithmetic
    from urllib.request import Request, urlopen  # noqa: PLC0415 -- likewise

    def call(method: str, params: list[Any]) -> Any:  # noqa: ANN401 -- JSON
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        sent = Request(url, body.encode(), {"Content-Type": "application/json"})  # noqa: S310
        try:
            with urlopen(sent, timeout=30) as reply:  # noqa: S310 -- the auditor names the server
                return parsed(reply.read(_ANSWER_BYTES_MAX))["result"]
        except HTTPException as broken:
            raise OSError(repr(broken)) from broken

    return call


def main(arguments: Sequence[str] | None = None, verify: Verify | None = None) -> int:
    """Verify the certificate that the command line names; the module says the exit codes."""
    from argparse import ArgumentParser  # noqa: PLC0415 -- importing this file touches no system
    from pathlib import Path  # noqa: PLC0415 -- likewise

    parser = ArgumentParser("verify_certificate.py", description="Is this certificate true?")
    parser.add_argument("certificate", type=Path)
    trusted = parser.add_mutually_exclusive_group(required=True)
    trusted.add_argument("--headers", type=Path, help="a list of anchored header hashes")
    trusted.add_argument("--rpc", help="a chain's JSON-RPC server, with --contract")
    parser.add_argument("--contract", help="address of CarbonAnchor")
    parser.add_argument("--status", type=Path, help="what the operator says is left of it")
    given = parser.parse_args(arguments)
    if given.rpc and not given.contract:
        parser.error("--rpc needs --contract")
    try:
        document = parsed(given.certificate.read_bytes())
        status = parsed(given.status.read_bytes()) if given.status else None
        need(status is not None or not given.status, "the status is empty")
        if given.headers:
            trust, root = mirrored(given.headers.read_text("utf-8").splitlines()), given.headers
        else:
            trust, root = on_chain(ask(given.rpc), given.contract), f"chain at {given.rpc}"
        found = check(document, trust, status, verify)
        verdict, failed = f"{found}; trusting {root}", 0 if found.is_whole else 4
    except Rejected as wrong:
        verdict, failed = f"REJECTED at step {wrong}", 1
    except (ValueError, KeyError, TypeError, OSError) as wrong:
        verdict, failed = f"cannot read: {wrong}", 2
    letters = sys.stdout.encoding or "utf-8"  # a terminal without ours still gets a verdict
    print(verdict.encode(letters, "backslashreplace").decode(letters))  # noqa: T201 -- the output
    return failed


if __name__ == "__main__":
    sys.exit(main())
