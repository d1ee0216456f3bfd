"""A merchant's statement, checked (结算单查验): by whoever holds it, with no word of the server.

The signed text names a root, sums and a fee. Below the root lie the lines, in the shape of RFC
6962: the leaf of a line is the hash of 0x00 and its canonical JSON (names sorted, no white space,
UTF-8). Every line is a claim on one programme, in fen, before the fee; what is taken back, and what
is carried to the next statement, is a line too. So the lines alone give every sum.
"""

import json
from base64 import b64decode
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any, Final

from ledger.log import check_inclusion, tree_hash
from ledger.verify_receipt import parsed

KIND: Final = "tanpu/settlement/1"
PERMILLE: Final = 1000
LINE: Final[frozenset[str]] = frozenset(
    "place kind id voucher offer programme at points fen".split()  # noqa: SIM905 -- one row
)
"""What a line says, and no more."""

Json = Mapping[str, Any]
Verify = Callable[[bytes, bytes], bool]
"""(signature, signed bytes) → whether the operator's key made the one under the other."""


class SettlementUntrue(Exception):  # noqa: N818 -- a verdict, not an error
    """The statement is not true; the message begins with the step that failed."""


def fee_of(gross_fen: int, permille: int) -> int:
    """Take the fee of one programme's sum: rounded down, once a statement and programme [fen].

    >>> fee_of(1_999, 6), fee_of(0, 6)
    (11, 0)
    """
    assert gross_fen >= 0, gross_fen
    return gross_fen * permille // PERMILLE


def line_leaf(line: Json) -> bytes:
    """Hash a line as the leaf of its statement's tree.

    >>> line_leaf({"b": 1, "a": "商"}) == line_leaf({"a": "商", "b": 1})
    True
    """
    text = json.dumps(line, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return sha256(b"\x00" + text.encode()).digest()


def check_settlement(document: Json, verify: Verify) -> Json:
    """Check a statement with all its ``lines``, or with ``proofs`` of some; give what was signed.

    Raises:
        SettlementUntrue: Of the steps signature, kind, lines, root, sums, fee, proof, the one that
            failed.
        KeyError, TypeError, ValueError: It is no statement at all.
    """
    text = str(document["statement"])
    _need("signature", verify(b64decode(document["signature"], validate=True), text.encode()))
    stated: Json = parsed(text)
    _need("kind", stated["kind"] == KIND)
    if "lines" in document:
        _check_lines(stated, document["lines"])
    else:
        _check_proofs(stated, document["proofs"])
    return stated


def _check_lines(stated: Json, lines: Sequence[Json]) -> None:
    _need("lines", len(lines) == stated["lines"])
    for place, line in enumerate(lines):
        _need("lines", _is_line(line) and line["place"] == place)
    _need("root", tree_hash([line_leaf(line) for line in lines]).hex() == stated["root"])
    _check_sums(stated, lines)


def _check_sums(stated: Json, lines: Iterable[Json]) -> None:
    gross: dict[str, int] = defaultdict(int)
    for line in lines:
        gross[line["programme"]] += line["fen"]
    shares = stated["programmes"]
    _need("sums", {each["programme"]: each["gross_fen"] for each in shares} == gross)
    _need("sums", len(shares) == len(gross) and all(fen >= 0 for fen in gross.values()))
    for each in shares:
        fee = fee_of(each["gross_fen"], stated["fee_permille"])
        _need("fee", (each["fee_fen"], each["net_fen"]) == (fee, each["gross_fen"] - fee))
    for name in ("gross_fen", "fee_fen", "net_fen"):
        _need("sums", sum(each[name] for each in shares) == stated[name])


def _check_proofs(stated: Json, proofs: Sequence[Json]) -> None:
    _need("proof", proofs)
    root = bytes.fromhex(stated["root"])
    for proof in proofs:
        line, path = proof["line"], [bytes.fromhex(hash_) for hash_ in proof["path"]]
        _need("proof", _is_line(line))
        leaf = line_leaf(line)
        _need("proof", check_inclusion(leaf, line["place"], stated["lines"], path, root))


def _is_line(line: Json) -> bool:
    numbers = (line.get("place"), line.get("points"), line.get("fen"))
    return frozenset(line) == LINE and all(type(number) is int for number in numbers)


def _need(step: str, claim: object) -> None:
    if not claim:
        raise SettlementUntrue(step)
