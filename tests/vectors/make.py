"""The writer of the shared vectors: `python -m tests.vectors.make` writes every *.json here.

They are golden: a run must reproduce the committed files to the byte (a test says so), and
what `anchoring.md` published beforehand is checked against them by hand-copied values.
"""

import json
from base64 import b64encode
from collections.abc import Callable
from datetime import date
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger import checkpoint, encoding, extras, log
from ledger.account_map import Leaf, SumTree, cells
from ledger.accounts import SYSTEM_ACCOUNTS
from ledger.assets import (
    Asset,
    Money,
    Points,
    Reduction,
    Unit,
    asset_key,
    canonical_bytes,
    methodology_key,
    unit_of,
)
from ledger.chart import Code
from ledger.encoding import AccountState, Entry
from ledger.header import Header, anchor_leaf, origin_tag
from tests.vectors.certificates import certificates
from tests.vectors.city import DAY, ORIGIN, digest, small_city, uuid7
from tests.vectors.registrations import registrations
from tests.vectors.trees import (
    AKEY,
    FIRST,
    HEAD,
    METHODOLOGY,
    PLAIN,
    SALT,
    WIDEST,
    Vectors,
    account_map,
    log_proofs,
    log_roots,
    log_tiles,
    x,
    xs,
)

HERE = Path(__file__).parent


def assets() -> Vectors:
    """List asset classes, their bytes and their keys."""
    listed: list[Asset] = [
        Reduction("SZ-METRO", 1, "metro", "A", date(2026, 1, 1)),
        Reduction("SZ-METRO", 1, "metro", "B", date(2026, 1, 1)),
        Reduction("SZ-METRO", 2, "metro", "A", date(2026, 12, 1)),
        Reduction("家庭用电", 1, "居民", "B", date(2026, 2, 1)),
        Points("city", date(2027, 12, 31), 1),
        Points("city", date(2028, 12, 31), 0),
        Unit("2026-0001"),
        Money(),
    ]
    return {
        "assets": [
            {
                "asset": f"{asset}",
                "unit": unit_of(asset),
                "canonical": x(canonical_bytes(asset)),
                "key": x(asset_key(asset)),
            }
            for asset in listed
        ],
        "methodology_keys": [
            {"code": code, "version": version, "key": x(methodology_key(code, version))}
            for code, version in (("SZ-METRO", 1), ("SZ-METRO", 2), ("家庭用电", 1))
        ],
    }


def commitments() -> Vectors:
    """List commitments and the salts they use."""
    transfer, secret = uuid7("transfer"), digest("secret")
    salts = [encoding.entry_salt(secret, transfer, side) for side in (0, 1)]
    evidence = encoding.evidence_salt(digest("provider"), digest("external id"))
    return {
        "system": [
            {
                "name": name,
                "id": number,
                "akey": x(encoding.system_akey(name)),
                "commit": x(encoding.system_commit(name)),
            }
            for name, number in SYSTEM_ACCOUNTS.items()
        ],
        "account": [
            {"akey": x(AKEY), "salt": x(salt), "commit": x(encoding.account_commit(AKEY, salt))}
            for salt in (SALT, *salts)
        ],
        "entry_salt": [
            {"secret": x(secret), "transfer": x(transfer.bytes), "side": side, "salt": x(salt)}
            for side, salt in enumerate(salts)
        ],
        "leaf_salt": [{"secret": x(secret), "ver": 7, "salt": x(encoding.leaf_salt(secret, 7))}],
        "evidence": [
            {
                "provider_secret": x(digest("provider")),
                "external_hash": x(digest("external id")),
                "salt": x(evidence),
                "record": x(b"a record"),
                "commit": x(encoding.evidence_commit(evidence, b"a record")),
            }
        ],
    }


def _entry_row(entry: Entry, ref: int) -> Vectors:
    body = encoding.entry_body(entry)
    return {
        "name": Code(entry.code).name,
        "code": entry.code,
        "asset_key": x(entry.asset_key),
        "day": entry.day,
        "unit": entry.unit,
        "amount": str(entry.amount),
        "debit_commit": x(entry.debit_commit),
        "credit_commit": x(entry.credit_commit),
        "evidence_commit": x(entry.evidence_commit),
        "ref": str(ref),
        "preimage": x(body + ref.to_bytes(8, "big")),
        "leaf": x(encoding.entry_leaf(body, ref)),
    }


def entries() -> Vectors:
    """List an entry of every kind, notes and the widest numbers among them."""
    city = small_city()
    rows: dict[tuple[int, bool], Vectors] = {}
    for placed in city.placed:
        rows.setdefault(
            (placed.transfer.code, placed.ref > 0), _entry_row(placed.entry, placed.ref)
        )
    own = encoding.account_commit(AKEY, SALT)
    for code in Code:
        if code >= Code.ERASE:
            random = encoding.note(code, 20_000, digest("left", code), digest("right", code))
            rows[code, False] = _entry_row(random, 0)
        else:
            key = asset_key(Unit(code.name))
            plain = Entry(code, key, 20_000, 3, 1234, own, encoding.system_commit("retired"))
            rows.setdefault((code, False), _entry_row(plain, 0))
    widest = Entry(1, b"\xff" * 32, 2**32 - 1, 1, 2**64 - 1, own, own, digest("evidence"))
    listed = [rows[key] for key in sorted(rows)]
    return {"entries": [*listed, _entry_row(widest, 2**64 - 1)]}


def account_leaves() -> Vectors:
    """List account leaves and folds of a history."""
    states = [FIRST, AccountState(AKEY)]
    states.append(
        AccountState(AKEY, 2**32 - 1, 2**64 - 1, 2**64 - 1, (WIDEST, WIDEST, WIDEST, WIDEST), HEAD)
    )
    return {
        "leaves": [
            {
                "akey": x(state.akey),
                "ver": state.ver,
                "epoch": str(state.epoch),
                "entries": str(state.entries),
                "sums": [*map(str, state.sums)],
                "head": x(state.head),
                "salt": x(SALT),
                "leaf": x(encoding.account_leaf(state, SALT)),
            }
            for state in states
        ],
        "folds": [
            {"head": x(head), "leaf": x(SALT), "next": x(encoding.fold_head(head, SALT))}
            for head in (bytes(32), HEAD)
        ],
    }


def published_header() -> Header:
    """Make the header that `anchoring.md` publishes."""
    tree = SumTree.of(
        cell.packed()
        for cell in cells([Leaf(AKEY, encoding.account_leaf(FIRST, SALT), FIRST.sums)], 1)
    )
    return Header(
        origin_tag=origin_tag(ORIGIN),
        bits=1,
        epoch=1,
        closed_at=1_767_225_600,
        log_size=1,
        account_count=1,
        log_root=bytes.fromhex("76bdb1c920ec8e8c7dd45d6e39db5cadf25a453cc4428e701dfc246a80d41b72"),
        account_root=tree.root.hash,
        methodology_root=METHODOLOGY,
        sums=tree.root.sums,
    )


def headers() -> Vectors:
    """List headers, a chain of four among them."""
    listed = [published_header(), *small_city().headers]
    return {
        "origin": ORIGIN,
        "origin_tag": x(origin_tag(ORIGIN)),
        "headers": [
            {
                "origin_tag": x(header.origin_tag),
                "params": 0x10100 | header.bits,
                "epoch": header.epoch,
                "closed_at": header.closed_at,
                "log_size": header.log_size,
                "account_count": header.account_count,
                "log_root": x(header.log_root),
                "account_root": x(header.account_root),
                "methodology_root": x(header.methodology_root),
                "sums": [*map(str, header.sums)],
                "aux": x(header.aux),
                "prev_header": x(header.previous),
                "bytes": x(header.to_bytes()),
                "hash": x(header.hash()),
                "anchor_leaf": x(anchor_leaf(header.to_bytes())),
            }
            for header in listed
        ],
    }


def aux() -> Vectors:
    """List roots of extras: aux, methodologies, supply, cancellations."""
    key = asset_key(Points("city", date(2027, 12, 31), 1))
    supply = [
        extras.SupplyRow(key, 2, "issuance/points", 2**64, 0),
        extras.SupplyRow(key, 2, "redeemed", 30, 70),
        extras.SupplyRow(digest("other asset"), 1, "pool", 0, 5),
    ]
    named = {
        "supply": extras.supply_digest(supply),
        "debts": digest("debts"),
        "cancellations": extras.cancellations_root(PLAIN[:3]),
    }
    desk = {"supply": named["supply"], "audit-log": digest("audit log")}
    some: list[dict[str, bytes]] = [{}, {"supply": named["supply"]}, named, desk]
    versions = [(methodology_key(f"M{at}", 1), digest("content", at)) for at in range(5)]
    return {
        "aux": [
            {"digests": {name: x(value) for name, value in one.items()}, "aux": x(root)}
            for one in some
            for root in [extras.aux_root(one)]
        ],
        "debts": [
            {
                "opened": str(total.opened),
                "paid": str(total.paid),
                "forgiven": str(total.forgiven),
                "digest": x(extras.debts_digest(total)),
            }
            for total in (extras.DebtTotal(0, 0, 0), extras.DebtTotal(2**64, 30, 1))
        ],
        "supply": [
            {
                "rows": [
                    {
                        "asset_key": x(row.asset_key),
                        "unit": row.unit,
                        "system": row.system,
                        "debits": str(row.debits),
                        "credits": str(row.credits),
                    }
                    for row in rows
                ],
                "digest": x(extras.supply_digest(rows)),
            }
            for rows in ([], supply[:1], supply)
        ],
        "methodology_root": [
            {
                "versions": [{"key": x(key), "content": x(content)} for key, content in some_],
                "root": x(extras.methodology_root(some_)),
            }
            for some_ in ([], versions[:1], versions)
        ],
        "cancellations": [
            {"leaves": xs(PLAIN[:size]), "root": x(extras.cancellations_root(PLAIN[:size]))}
            for size in (0, 1, 3)
        ],
    }


def checkpoints() -> Vectors:
    """Sign one checkpoint with a key that is published here and guards nothing."""
    seed = digest("a published test key")
    key = Ed25519PrivateKey.from_private_bytes(seed)
    public = key.public_key().public_bytes_raw()
    listed = [anchor_leaf(header.to_bytes()) for header in small_city().headers]
    named = checkpoint.Checkpoint(ORIGIN, len(listed), log.tree_hash(listed))
    return {
        "key_name": ORIGIN,
        "public_key": b64encode(public).decode(),
        "key_id": x(checkpoint.key_id(ORIGIN, public)),
        "anchor_leaves": xs(listed),
        "note": checkpoint.signed_note(named, ORIGIN, public, key.sign),
    }


def receipts() -> Vectors:
    """List receipts that are true, with the header list that they are checked against."""
    city = small_city()
    who = [city.owners[number] for number in sorted(city.owners)]
    return {
        "headers": city.header_lines(),
        "receipts": [
            {"name": "first epoch", "receipt": city.receipt(who[0], 1), "previous": None},
            {"name": "held and cancelled", "receipt": city.receipt(who[0], 3), "previous": None},
            {
                "name": "whole history, after an earlier one",
                "receipt": city.receipt(who[0], 4, seen=1),
                "previous": city.receipt(who[0], 1),
            },
            {
                "name": "delta",
                "receipt": city.receipt(who[0], 4, since=2, seen=2),
                "previous": city.receipt(who[0], 2),
            },
            {"name": "corrected", "receipt": city.receipt(who[1], 4), "previous": None},
            {"name": "untouched neighbour", "receipt": city.receipt(who[30], 4), "previous": None},
            {"name": "units only", "receipt": city.receipt(who[40], 4), "previous": None},
        ],
        "day": str(DAY),
    }


FILES: dict[str, Callable[[], Vectors]] = {
    "assets": assets,
    "commitments": commitments,
    "entries": entries,
    "account_leaves": account_leaves,
    "account_map": account_map,
    "headers": headers,
    "aux": aux,
    "log_roots": log_roots,
    "log_proofs": log_proofs,
    "log_tiles": log_tiles,
    "checkpoints": checkpoints,
    "receipts": receipts,
    "certificates": certificates,
    "registrations": registrations,
}


def text_of(name: str) -> str:
    """Give the text of one file."""
    return json.dumps(FILES[name](), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for each in FILES:
        (HERE / f"{each}.json").write_text(text_of(each))
