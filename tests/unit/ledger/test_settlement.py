"""A merchant's statement as a stranger checks it: true as signed, untrue at the step that lies."""

import json
from base64 import b64encode
from collections.abc import Callable
from copy import deepcopy
from hashlib import sha256
from typing import Any

import pytest

from ledger.log import inclusion_path, reader, tree_hash
from ledger.settlement import (
    KIND,
    LINE,
    SettlementUntrue,
    check_settlement,
    fee_of,
    line_leaf,
)

Document = dict[str, Any]


def signed(stated: dict[str, Any]) -> Document:
    """Stand in for a signature: the hash of the text under a secret."""
    text = json.dumps(stated, sort_keys=True)
    return {"statement": text, "signature": b64encode(mark(text.encode())).decode()}


def mark(text: bytes) -> bytes:
    return sha256(b"secret" + text).digest()


def verify(signature: bytes, text: bytes) -> bool:
    return signature == mark(text)


def line(place: int, fen: int, programme: str = "green", **changes: object) -> dict[str, Any]:
    return {
        "place": place,
        "kind": "redemption" if fen >= 0 else "reversal",
        "id": f"rdm_{place:026}",
        "voucher": f"vch_{place:026}",
        "offer": None,
        "programme": programme,
        "at": "2026-11-20T12:00:00.000000+08:00",
        "points": fen,
        "fen": fen,
    } | changes


LINES = [line(0, 300), line(1, 700, "blue"), line(2, -20), line(3, 55), line(4, 1)]


def stated(**changes: object) -> dict[str, Any]:
    return {
        "kind": KIND,
        "lines": 5,
        "root": tree_hash([line_leaf(each) for each in LINES]).hex(),
        "fee_permille": 6,
        "programmes": [
            {"programme": "blue", "gross_fen": 700, "fee_fen": 4, "net_fen": 696},
            {"programme": "green", "gross_fen": 336, "fee_fen": 2, "net_fen": 334},
        ],
        "gross_fen": 1036,
        "fee_fen": 6,
        "net_fen": 1030,
    } | changes


def document(**changes: object) -> Document:
    return {**signed(stated(**changes)), "lines": deepcopy(LINES)}


def proof(of: int = 3, **changes: object) -> Document:
    path = inclusion_path(of, len(LINES), reader([line_leaf(each) for each in LINES]))
    told = {"line": LINES[of] | changes, "path": [hash_.hex() for hash_ in path]}
    return {**signed(stated()), "proofs": [told]}


def step_of(found: Document) -> str:
    with pytest.raises(SettlementUntrue) as untrue:
        check_settlement(found, verify)
    return str(untrue.value)


def test_a_true_statement_passes() -> None:
    assert check_settlement(document(), verify) == stated()


@pytest.mark.parametrize("place", range(5))
def test_a_true_proof_passes(place: int) -> None:
    assert check_settlement(proof(place), verify) == stated()


@pytest.mark.parametrize("name", sorted(LINE))
@pytest.mark.parametrize("place", [0, 4])
def test_a_line_that_was_changed_does_not_pass(place: int, name: str) -> None:
    found = document()
    was = found["lines"][place][name]
    found["lines"][place][name] = was + 1 if isinstance(was, int) else f"{was}x"
    assert step_of(found) == ("lines" if name == "place" else "root")
    changed = LINES[3][name]
    assert step_of(proof(3, **{name: changed + 1 if isinstance(changed, int) else "x"})) == "proof"


@pytest.mark.parametrize("name", sorted(stated()))
def test_a_signed_word_that_was_changed_does_not_pass(name: str) -> None:
    found, said = document(), stated()
    said[name] = "x"
    found["statement"] = json.dumps(said, sort_keys=True)
    assert step_of(found) == "signature"


CHANGES: dict[str, tuple[Callable[[Document], object], str]] = {
    "a line less": (lambda found: found["lines"].pop(), "lines"),
    "a line more": (lambda found: found["lines"].append(line(5, 1)), "lines"),
    "two lines turned": (lambda found: found["lines"].reverse(), "lines"),
    "a word more": (lambda found: found["lines"][0].update(citizen="1"), "lines"),
    "a word less": (lambda found: found["lines"][0].pop("voucher"), "lines"),
    "a float": (lambda found: found["lines"][0].update(fen=300.0), "lines"),
    "a truth for a number": (lambda found: found["lines"][1].update(place=True), "lines"),
    "another signature": (lambda found: found.update(signature="eA=="), "signature"),
    "no proof": (lambda found: (found.pop("lines"), found.update(proofs=[])), "proof"),
}  # fmt: skip


@pytest.mark.parametrize("name", list(CHANGES))
def test_what_was_done_to_a_document_is_found(name: str) -> None:
    change, step = CHANGES[name]
    found = document()
    change(found)
    assert step_of(found) == step


def share(**changes: int) -> list[dict[str, Any]]:
    blue, green = stated()["programmes"]
    return [blue, green | changes]


@pytest.mark.parametrize(
    ("changes", "step"),
    [
        ({"kind": "tanpu/settlement/2"}, "kind"),
        ({"lines": 4}, "lines"),
        ({"root": "00" * 32}, "root"),
        ({"gross_fen": 1037}, "sums"),
        ({"fee_fen": 5}, "sums"),
        ({"net_fen": 1031}, "sums"),
        ({"fee_permille": 9}, "fee"),
        ({"programmes": share(gross_fen=337)}, "sums"),
        ({"programmes": share(fee_fen=1, net_fen=335)}, "fee"),
        ({"programmes": share(net_fen=335)}, "fee"),
        ({"programmes": share()[1:]}, "sums"),
        ({"programmes": [*share(), share()[1]]}, "sums"),
    ],
    ids=str,
)
def test_an_operator_that_signs_what_is_not_so_is_found(changes: dict[str, Any], step: str) -> None:
    assert step_of(document(**changes)) == step


def test_a_programme_that_is_owed_is_no_statement() -> None:
    lines = [line(0, -5)]
    said = stated(
        lines=1,
        root=line_leaf(lines[0]).hex(),
        fee_permille=0,
        programmes=[{"programme": "green", "gross_fen": -5, "fee_fen": 0, "net_fen": -5}],
        gross_fen=-5,
        fee_fen=0,
        net_fen=-5,
    )
    assert step_of({**signed(said), "lines": lines}) == "sums"


def test_a_proof_whose_path_or_place_is_another_does_not_pass() -> None:
    found = proof()
    found["proofs"][0]["path"].reverse()
    assert step_of(found) == "proof"
    found = proof()
    found["proofs"][0]["path"].pop()
    assert step_of(found) == "proof"


@pytest.mark.parametrize(
    ("gross", "permille", "fee"),
    [(0, 500, 0), (1, 999, 0), (1000, 1, 1), (1999, 1, 1), (10**12, 6, 6 * 10**9), (7, 0, 0)],
)
def test_a_fee_is_rounded_down(gross: int, permille: int, fee: int) -> None:
    assert fee_of(gross, permille) == fee


def test_a_fee_of_less_than_nothing_is_a_defect() -> None:
    with pytest.raises(AssertionError):
        fee_of(-1, 6)
