"""A stranger's verifier: is this receipt true? One file, standard library only.

    python verify_receipt.py RECEIPT --headers headers.jsonl [--previous OLD_RECEIPT]
    python verify_receipt.py RECEIPT --rpc URL --contract ADDRESS

It trusts nobody but its *root of trust*: a list of header hashes that you got elsewhere, or
a chain that you ask yourself. From there six steps, each by hashing:
1 header: its hash is the anchored one. 2 entries: each lies in the log that the header names.
3 history: entry after entry they give the account's head and counters. 4 tree: the account
lies in the map that the header names, and all totals add up. 5 cell: it lies where its key
belongs, below the cell's sums. 6 continuity: nothing shown to you before was taken away.
"""

import json
import sys
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Any

Json = dict[str, Any]
Trust = Callable[[int, Json | None], bytes]
"""(epoch, what the receipt says of its anchoring) → the anchored header hash."""
_ZEROS = ["0"] * 4
_ANSWER_BYTES_MAX = 1 << 20


class Rejected(Exception):  # noqa: N818 -- a verdict, not an error
    """The receipt is not true; the message begins with the step that failed."""


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


def four(sums: list[str], size: int) -> bytes:
    """Write the counters: reduction credits and debits [mg], points credits and debits."""
    need(len(sums) == len(_ZEROS), "not four sums")
    return b"".join(big(amount(text), size) for text in sums)


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


def is_prefix(old: int, new: int, path: Sequence[bytes], old_root: bytes, root: bytes) -> bool:
    """Say whether the log of ``old`` entries is the beginning of the log of ``new``."""
    if old in (0, new):
        return not path and old_root == (root if old == new else sha())
    first, *rest = path if old & (old - 1) else [old_root, *path]
    index, last = old - 1, new - 1
    while index % 2:
        index, last = index >> 1, last >> 1
    return climb(index, last, rest, first, first) == [old_root, root]


class Header:
    """The 324 bytes of an epoch, read."""

    def __init__(self, text: str, origin: str) -> None:
        """Cut the fields out; see `ledger/header.py` for the layout."""
        self.raw = raw(text, 324)
        need(self.raw[:32] == tag("header"), "not a header")
        need(self.raw[64:67] == b"\x00\x01\x01", "not version 1 with SHA-256")
        need(self.raw[32:64] == sha(b"carbon-anchor/v1/origin", origin.encode()), "other origin")
        self.bits, self.hash = self.raw[67], sha(self.raw)
        self.epoch, self.log_size = (int.from_bytes(self.raw[at : at + 8]) for at in (68, 84))
        self.log_root, self.account_root = self.raw[100:132], self.raw[132:164]
        self.totals = self.raw[92:100] + self.raw[196:260]


def side_commit(side: Json, akey: bytes) -> tuple[bool, bytes]:
    """Open one side of an entry: the account's own by its salt, a system account by name."""
    if "salt" in side:
        return True, sha(tag("entry-account"), akey, raw(side["salt"]))
    system = sha(tag("system-account"), side["system"].encode())
    return False, sha(tag("entry-account"), system, bytes(32))


def read_header(receipt: Json, trust: Trust) -> Header:
    """Step 1: the header is the one that was anchored."""
    need(receipt["format"] == "tanpu-receipt/1", "unknown format")
    header = Header(receipt["header"], receipt["origin"])
    need(receipt["chain"] is not None, "pending: not on the chain yet")
    need(trust(header.epoch, receipt["chain"]) == header.hash, "not the anchored header")
    return header


def find_entries(receipt: Json, header: Header) -> list[tuple[int, int, bytes]]:
    """Step 2: each entry is in the log; give what it does (which counter, how much), its hash."""
    akey, found, behind = raw(receipt["account"]["akey"]), list[tuple[int, int, bytes]](), -1
    for entry in receipt["entries"]:
        debit, debit_commit = side_commit(entry["source"], akey)
        credit, credit_commit = side_commit(entry["target"], akey)
        need(debit or credit, "an entry of somebody else")
        leaf = sha(
            *(b"\x00", tag("journal-entry"), big(entry["code"], 1), raw(entry["asset_key"])),
            *(big(entry["day"], 4), big(entry["unit"], 1), big(amount(entry["amount"]), 8)),
            *(debit_commit, credit_commit, raw(entry["evidence"]), big(entry["ref"], 8)),
        )
        path, last = [*map(raw, entry["path"])], header.log_size - 1
        need(climb(entry["log_index"], last, path, leaf) == [header.log_root], "not in the log")
        need(entry["log_index"] > behind, "entries out of order")
        behind = entry["log_index"]
        # Reductions and points count; what moves between the account and its own held does not.
        counts = debit != credit and entry["unit"] in (1, 2)
        found.append(
            (2 * entry["unit"] - 2 + debit if counts else -1, amount(entry["amount"]), leaf)
        )
    return found


def replay(receipt: Json, entries: list[tuple[int, int, bytes]]) -> dict[int, bytes]:
    """Step 3: the entries give the account's state; give the head after each of them."""
    account: Json = receipt["account"]
    zero = {"entries": 0, "sums": _ZEROS, "head": "00" * 32}
    start: Json = zero if receipt["since"] is None else receipt["since"]
    four(start["sums"], 8)
    big(start["entries"], 8)
    count, sums, head = int(start["entries"]), [*map(amount, start["sums"])], raw(start["head"])
    heads = {count: head}
    for counter, added, leaf in entries:
        if counter >= 0:
            sums[counter] += added
        count, head = count + 1, sha(b"\x04", head, leaf)
        heads[count] = head
    need(count == account["entries"] and head == raw(account["head"]), "another history")
    need(sums == [*map(amount, account["sums"])], "other counters")
    return heads


def find_account(receipt: Json, header: Header) -> None:
    """Step 4: the account is in the map, and the map's totals are the header's."""
    account, cell = receipt["account"], receipt["cell"]
    leaf = sha(
        *(b"\x00", tag("account-leaf"), raw(account["akey"]), big(account["ver"], 4)),
        *(big(account["epoch"], 8), big(account["entries"], 8), four(account["sums"], 8)),
        *(raw(account["head"]), raw(account["salt"])),
    )
    path, last = [*map(raw, cell["path"])], cell["accounts"] - 1
    (leaf_root,) = climb(cell["leaf_index"], last, path, leaf)
    place = big(cell["number"], 4) + big(cell["accounts"], 4)
    node = sha(b"\x03", tag("bucket"), place, four(cell["sums"], 16), leaf_root)
    totals = [cell["accounts"], *map(amount, cell["sums"])]
    need(len(receipt["top"]) == header.bits, "path of another length")
    for level, sibling in enumerate(receipt["top"]):
        mine = node + big(totals[0], 8) + b"".join(big(total, 16) for total in totals[1:])
        other = raw(sibling["hash"]) + big(sibling["accounts"], 8) + four(sibling["sums"], 16)
        node = sha(b"\x02", *((other, mine) if cell["number"] >> level & 1 else (mine, other)))
        more = [sibling["accounts"], *map(amount, sibling["sums"])]
        totals = [a + b for a, b in zip(totals, more, strict=True)]
    need(node == header.account_root, "not in the map")
    packed = big(totals[0], 8) + b"".join(big(total, 16) for total in totals[1:])
    need(packed == header.totals, "totals differ from the header's")


def belongs(receipt: Json, header: Header) -> None:
    """Step 5: the account is in the cell of its key, and not above that cell's sums."""
    account, cell = receipt["account"], receipt["cell"]
    prefix = int.from_bytes(raw(account["akey"])) >> (256 - header.bits)
    need(cell["number"] == prefix, "in another cell")
    pairs = zip(account["sums"], cell["sums"], strict=True)
    need(all(amount(own) <= amount(total) for own, total in pairs), "above its cell")
    need(account["epoch"] <= header.epoch, "changed after its epoch")


def continues(
    receipt: Json, header: Header, heads: dict[int, bytes], trust: Trust, previous: Json | None
) -> None:
    """Step 6: the log only grew, and the earlier receipt's history is the beginning of this."""
    account, proof = receipt["account"], receipt["consistency"]
    if proof is not None:
        old = Header(proof["header"], receipt["origin"])
        need(trust(old.epoch, None) == old.hash, "the earlier header is not the anchored one")
        need(old.log_size <= header.log_size, "the log shrank")
        roots = old.log_root, header.log_root
        path = [*map(raw, proof["path"])]
        need(is_prefix(old.log_size, header.log_size, path, *roots), "the log was rewritten")
    if previous is not None:
        before, seen = previous["account"], (proof or receipt)["header"]
        need(previous["header"] == seen, "no proof from the header of the earlier receipt")
        need(before["akey"] == account["akey"], "another account")
        need(before["ver"] <= account["ver"], "an older version")
        pairs = zip(before["sums"], account["sums"], strict=True)
        need(all(amount(old) <= amount(new) for old, new in pairs), "counters went back")
        need(heads.get(before["entries"]) == raw(before["head"]), "history was rewritten")


def check(receipt: Json, trust: Trust, previous: Json | None = None) -> str:
    """Take the six steps; say in one line what was found true.

    Raises:
        Rejected: A step failed; the message names it.
    """
    step = "1 header"
    try:
        header = read_header(receipt, trust)
        step = "2 entries"
        entries = find_entries(receipt, header)
        step = "3 history"
        heads = replay(receipt, entries)
        step = "4 tree"
        find_account(receipt, header)
        step = "5 cell"
        belongs(receipt, header)
        step = "6 continuity"
        continues(receipt, header, heads, trust, previous)
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError, OSError) as wrong:
        raise Rejected(f"{step}: {wrong}") from wrong
    key = receipt["account"]["akey"][:8]
    return f"true: account {key}…, {len(entries)} entries, epoch {header.epoch}"


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


def main(arguments: Sequence[str] | None = None) -> int:
    """Verify the receipt that the command line names; 0 if it is true."""
    from argparse import ArgumentParser  # noqa: PLC0415 -- importing this file touches no system
    from pathlib import Path  # noqa: PLC0415 -- likewise

    parser = ArgumentParser("verify_receipt.py", description="Is this receipt true?")
    parser.add_argument("receipt", type=Path)
    trusted = parser.add_mutually_exclusive_group(required=True)
    trusted.add_argument("--headers", type=Path, help="a list of anchored header hashes")
    trusted.add_argument("--rpc", help="a chain's JSON-RPC server, with --contract")
    parser.add_argument("--contract", help="address of CarbonAnchor")
    parser.add_argument("--previous", type=Path, help="an earlier receipt of the account")
    given = parser.parse_args(arguments)
    if given.rpc and not given.contract:
        parser.error("--rpc needs --contract")
    try:
        receipt = parsed(given.receipt.read_bytes())
        previous = parsed(given.previous.read_bytes()) if given.previous else None
        need(previous is not None or not given.previous, "the earlier receipt is empty")
        if given.headers:
            trust, root = mirrored(given.headers.read_text("utf-8").splitlines()), given.headers
        else:
            trust, root = on_chain(ask(given.rpc), given.contract), f"chain at {given.rpc}"
        verdict, failed = f"{check(receipt, trust, previous)}; trusting {root}", 0
    except Rejected as wrong:
        verdict, failed = f"REJECTED at step {wrong}", 1
    except (ValueError, KeyError, TypeError, OSError) as wrong:
        verdict, failed = f"cannot read: {wrong}", 2
    letters = sys.stdout.encoding or "utf-8"  # a terminal without ours still gets a verdict
    print(verdict.encode(letters, "backslashreplace").decode(letters))  # noqa: T201 -- the output
    return failed


if __name__ == "__main__":
    sys.exit(main())
