"""The receipt: everything a stranger needs to check one account at one epoch (回执).

A JSON document; `verify_receipt.py` says what makes it true. Hashes are lower-case hex;
amounts and sums are decimal strings, since they exceed what JavaScript holds in a number.
A *delta* receipt starts at `since`, an earlier state of the account, and carries only the
entries after it. `chain` is null until the header is anchored: a pending receipt.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ledger.account_map import AccountProof
from ledger.encoding import AccountState, Entry, Sums
from ledger.header import Header

FORMAT = "tanpu-receipt/1"

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SystemSide:
    """A side of an entry that a system account has, openly."""

    name: str


@dataclass(frozen=True, slots=True)
class OwnSide:
    """A side of an entry that the receipt's account has."""

    salt: bytes


@dataclass(frozen=True, slots=True)
class OpenedEntry:
    """An entry of the account, opened, with its place in the log."""

    entry: Entry
    log_index: int
    ref: int
    source: SystemSide | OwnSide
    target: SystemSide | OwnSide
    path: tuple[bytes, ...]
    """Inclusion in the log of the receipt's header."""


@dataclass(frozen=True, slots=True)
class Anchoring:
    """Where on a chain the header lies."""

    chain_id: int
    contract: str
    block: int
    block_hash: str
    tx: str

    def to_json(self) -> Json:
        """Write it as receipts and header lists have it."""
        return {
            "block": self.block,
            "block_hash": self.block_hash,
            "chain_id": self.chain_id,
            "contract": self.contract.lower(),
            "tx": self.tx,
        }


@dataclass(frozen=True, slots=True)
class Consistency:
    """That the log of an earlier header is the beginning of this one."""

    header: Header
    path: tuple[bytes, ...]

    def to_json(self) -> Json:
        """Write it as receipts have it."""
        return {"header": self.header.to_bytes().hex(), "path": _hexes(self.path)}


def _decimal(sums: Sums) -> list[str]:
    return [str(value) for value in sums]


def _hexes(path: Sequence[bytes]) -> list[str]:
    return [hash_.hex() for hash_ in path]


def _side(side: SystemSide | OwnSide) -> Json:
    if isinstance(side, SystemSide):
        return {"system": side.name}
    return {"salt": side.salt.hex()}


def _entry(opened: OpenedEntry) -> Json:
    entry = opened.entry
    return {
        "log_index": opened.log_index,
        "code": int(entry.code),
        "asset_key": entry.asset_key.hex(),
        "day": entry.day,
        "unit": int(entry.unit),
        "amount": str(entry.amount),
        "source": _side(opened.source),
        "target": _side(opened.target),
        "evidence": entry.evidence_commit.hex(),
        "ref": opened.ref,
        "path": _hexes(opened.path),
    }


def _state(state: AccountState) -> Json:
    return {
        "entries": state.entries,
        "sums": _decimal(state.sums),
        "head": state.head.hex(),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The pieces of a receipt."""

    origin: str
    """The deployment's name, whose tag is in the header."""
    header: Header
    """Of the epoch that the receipt is for."""
    state: AccountState
    """The account's, as its leaf commits to it."""
    salt: bytes
    """Of that leaf."""
    entries: Sequence[OpenedEntry]
    """All of the account's after ``since``, in log order."""
    proof: AccountProof
    """That the leaf is in the account map."""
    since: AccountState | None = None
    """The earlier state from which a delta receipt goes on."""
    consistency: Consistency | None = None
    """For a reader who has an earlier receipt."""
    anchoring: Anchoring | None = None
    """None while the header waits for the chain."""

    def to_json(self) -> Json:
        """Write the document."""
        state, proof = self.state, self.proof
        account = {"akey": state.akey.hex(), "ver": state.ver, "epoch": state.epoch}
        return {
            "format": FORMAT,
            "origin": self.origin,
            "header": self.header.to_bytes().hex(),
            "account": account | _state(state) | {"salt": self.salt.hex()},
            "since": self.since and _state(self.since),
            "entries": [_entry(opened) for opened in self.entries],
            "cell": {
                "number": proof.cell.number,
                "accounts": proof.cell.accounts,
                "sums": _decimal(proof.cell.sums),
                "leaf_index": proof.leaf_index,
                "path": _hexes(proof.leaf_path),
            },
            "top": [
                {"hash": node.hash.hex(), "accounts": node.accounts, "sums": _decimal(node.sums)}
                for node in proof.top
            ],
            "consistency": self.consistency and self.consistency.to_json(),
            "chain": self.anchoring and self.anchoring.to_json(),
        }


def header_line(header: Header, anchoring: Anchoring) -> Json:
    """Write one line of the published list of anchored headers (`headers.jsonl`)."""
    return {
        "epoch": header.epoch,
        "header": header.to_bytes().hex(),
        "header_hash": header.hash().hex(),
        "chain": anchoring.to_json(),
    }
