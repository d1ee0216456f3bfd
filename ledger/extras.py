"""Extras: what a header commits to beside the log and the map (`aux`, methodologies).

`aux` = H(tag("aux") ‖ RFC 6962 root over (name, digest), sorted by name), zero when there
is nothing (R23). Each leaf is 00 ‖ tag("aux-entry") ‖ SHA-256(name) ‖ digest. Names are an
append-only registry. The supply (R34), the cancellations of an epoch (R24) and the
published methodology versions have a digest each here.
"""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import NamedTuple

from ledger.encoding import HASH_BYTES, ZERO_HASH, system_akey, tag
from ledger.log import tree_hash

AUX_NAMES = ("supply", "debts", "cancellations", "registry", "budgets", "manifest", "audit-log")
"""Append-only: supply, debts and cancellations are of the ledger; registry and budgets
close units and money; manifest is the published bundle; audit-log is the newest hash of
what the desk did."""

_AUX = tag("aux")
_AUX_ENTRY = b"\x00" + tag("aux-entry")
_METHODOLOGY = b"\x00" + tag("methodology-version")
_DEBTS = tag("debts")
_SUPPLY_ROW = b"\x00" + tag("supply-row")


def aux_root(digests: Mapping[str, bytes]) -> bytes:
    """Hash named digests into the header's `aux`.

    >>> aux_root({}) == bytes(32), aux_root({"supply": bytes(32)}) == bytes(32)
    (True, False)
    """
    assert all(name in AUX_NAMES for name in digests), list(digests)
    assert all(len(digest) == HASH_BYTES for digest in digests.values()), digests
    if not digests:
        return ZERO_HASH
    leaves = [
        sha256(_AUX_ENTRY + sha256(name.encode()).digest() + digests[name]).digest()
        for name in sorted(digests)
    ]
    return sha256(_AUX + tree_hash(leaves)).digest()


def methodology_root(versions: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Hash (methodology key, content hash) pairs, sorted, into the header's root.

    >>> methodology_root([]).hex()[:8]
    'e3b0c442'
    """
    leaves: list[bytes] = []
    for key, content in sorted(versions):
        assert len(key) == len(content) == HASH_BYTES, (key, content)
        leaves.append(sha256(_METHODOLOGY + key + content).digest())
    return tree_hash(leaves)


class SupplyRow(NamedTuple):
    """What one system account gave and took of one asset class, since the beginning."""

    asset_key: bytes
    unit: int
    system: str
    debits: int
    credits: int


def supply_digest(rows: Iterable[SupplyRow]) -> bytes:
    """Hash the supply: a tree over its rows, ordered by asset key and account key.

    A row is 00 ‖ tag("supply-row") ‖ assetKey ‖ unit u8 ‖ akey ‖ debits u128 ‖ credits u128.

    >>> supply_digest([]).hex()[:8]
    'e3b0c442'
    """
    leaves: list[tuple[bytes, bytes, bytes]] = []
    for row in rows:
        assert len(row.asset_key) == HASH_BYTES, row
        akey = system_akey(row.system)
        packed = b"".join(
            (
                row.asset_key,
                row.unit.to_bytes(1, "big"),
                akey,
                row.debits.to_bytes(16, "big"),
                row.credits.to_bytes(16, "big"),
            )
        )
        leaves.append((row.asset_key, akey, sha256(_SUPPLY_ROW + packed).digest()))
    leaves.sort()
    return tree_hash([leaf for _, _, leaf in leaves])


def supply_nets(rows: Iterable[SupplyRow]) -> dict[int, int]:
    """Add up what the system accounts hold, by unit; owners hold exactly the opposite.

    >>> supply_nets([SupplyRow(bytes(32), 1, "issuance/reduction", 7, 0)])
    {1: -7}
    """
    nets: dict[int, int] = {}
    for row in rows:
        nets[row.unit] = nets.get(row.unit, 0) + row.credits - row.debits
    return nets


class DebtTotal(NamedTuple):
    """Points that corrections left owing, all citizens together, since the beginning (R6)."""

    opened: int
    paid: int
    forgiven: int


def debts_digest(total: DebtTotal) -> bytes:
    """Hash what is owed: H(tag("debts") ‖ opened u128 ‖ paid u128 ‖ forgiven u128).

    >>> len(debts_digest(DebtTotal(5, 3, 0)))
    32
    """
    return sha256(_DEBTS + b"".join(part.to_bytes(16, "big") for part in total)).digest()


def cancellations_root(entry_leaves: Sequence[bytes]) -> bytes:
    """Hash the entry leaves of one epoch's cancellations, in log order (R24).

    >>> cancellations_root([bytes(32)]) == bytes(32)
    True
    """
    return tree_hash(entry_leaves)
