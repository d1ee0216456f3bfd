"""The stranger's verifier: it believes true receipts, and nothing that was changed."""

import copy
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from ledger import verify_receipt
from ledger.receipt import Json
from ledger.verify_receipt import Rejected, Trust, check, mirrored
from tests.unit.ledger.true_receipts import (
    CASES,
    CITY,
    GIVEN,
    LINES,
    OWNERS,
    TRUST,
    WHOLE,
    Place,
    put,
)
from tests.vectors.make import HERE


def places(node: Any, at: Place = ()) -> Iterator[tuple[Place, Any]]:  # noqa: ANN401 -- JSON
    """Walk to every leaf of a document, and to every list."""
    if isinstance(node, dict):
        for key, value in node.items():  # pyright: ignore[reportUnknownVariableType] -- JSON
            yield from places(value, (*at, str(key)))  # pyright: ignore[reportUnknownArgumentType] -- JSON
        return
    yield at, node
    if isinstance(node, list):
        for index, value in enumerate(node):  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType] -- JSON
            yield from places(value, (*at, index))


def lies(value: Any) -> Iterator[Any]:  # noqa: ANN401 -- JSON
    """Say something else in the same place, by value and by spelling."""
    match value:
        case int():
            yield from (value + 1, value - 1, -1 - value, 2**64 + value, str(value), value + 0.0)
            yield None
        case str():
            yield from ("", value + "0", value.upper() + " ", "0" + value, None, 7)
            if value.isdecimal():
                yield from (str(int(value) + 1), f"-{value}", f"+{value}", f"{value}.0")
            elif value:
                last = "0" if value[-1] != "0" else "1"
                yield from (value[:-1] + last, "0x" + value, value[2:])
        case list():
            yield [*value, *(value[-1:] or ["00" * 32])]
            yield None
            if value:
                yield from (value[:-1], value[1:])
        case _:
            raise AssertionError(value)


@pytest.mark.parametrize("name", CASES)
def test_a_true_receipt_is_believed(name: str) -> None:
    case = CASES[name]
    assert check(case["receipt"], TRUST, case["previous"]).startswith("true: account ")


def verdict(receipt: Json, previous: Json | None) -> str:
    try:
        return check(receipt, TRUST, previous)
    except Rejected as wrong:
        return str(wrong)


@pytest.mark.parametrize("name", CASES)
def test_any_change_of_any_field_is_rejected(name: str) -> None:
    """Walk the whole document; of two spellings of the same, too, only one is accepted."""
    case = CASES[name]
    tried = 0
    for at, value in places(case["receipt"]):
        if value is None:  # `since` and `consistency`: nothing there to change
            continue
        for lie in lies(value):
            tried += 1
            said = verdict(put(case["receipt"], at, lie), case["previous"])
            assert re.match(r"[1-6] \w+: ", said), (at, value, lie, said)
    assert tried > 300


@pytest.mark.parametrize(
    ("at", "step"),
    [
        (("format",), "1 header"),
        (("origin",), "1 header"),
        (("header",), "1 header"),
        (("chain", "tx"), "1 header"),
        (("entries", 0, "amount"), "2 entries"),
        (("entries", 0, "evidence"), "2 entries"),
        (("entries", 0, "path", 0), "2 entries"),
        (("account", "head"), "3 history"),
        (("account", "sums", 0), "3 history"),
        (("account", "salt"), "4 tree"),
        (("cell", "sums", 1), "4 tree"),
        (("top", 0, "sums", 0), "4 tree"),
        (("top", 1, "hash"), "4 tree"),
        (("consistency", "path", 0), "6 continuity"),
    ],
)
def test_the_step_that_fails_is_named(at: Place, step: str) -> None:
    value: Any = WHOLE["receipt"]
    for key in at:
        value = value[key]
    lie = (
        str(int(value) + 1)
        if value.isdecimal()
        else value[:-1] + ("0" if value[-1] != "0" else "1")
    )
    with pytest.raises(Rejected, match=f"^{step}: "):
        check(put(WHOLE["receipt"], at, lie), TRUST, WHOLE["previous"])


def test_a_whole_part_of_another_receipt_is_rejected() -> None:
    """Another epoch's, another account's: each part is true somewhere, and not here."""
    here = CITY.receipt(OWNERS[0], 3)
    for other in (
        CITY.receipt(OWNERS[0], 4),
        CITY.receipt(OWNERS[1], 3),
        CITY.receipt(OWNERS[0], 1),
    ):
        for part in ("header", "account", "cell", "top", "entries", "chain"):
            if other[part] != here[part]:
                with pytest.raises(Rejected):
                    check(here | {part: other[part]}, TRUST)


def test_a_missing_entry_and_another_order_are_rejected() -> None:
    here = CITY.receipt(OWNERS[0], 3)
    for entries in (here["entries"][1:], here["entries"][::-1], here["entries"][:-1]):
        with pytest.raises(Rejected, match=r"2 entries: .*order|3 history: another history"):
            check(here | {"entries": entries}, TRUST)


def test_sums_do_not_slide_between_the_cell_and_its_sibling() -> None:
    """Hu, Zhang and Guo's attack (eprint 2018/1139) on the printed receipt."""
    lie = copy.deepcopy(CITY.receipt(OWNERS[0], 1))
    lie["cell"]["sums"][0] = str(int(lie["cell"]["sums"][0]) - 5)
    lie["top"][0]["sums"][0] = str(int(lie["top"][0]["sums"][0]) + 5)
    with pytest.raises(Rejected, match="4 tree: not in the map"):
        check(lie, TRUST)


def test_a_sibling_deployments_header_is_rejected() -> None:
    other = replace(CITY.headers[0], origin_tag=bytes(32))
    lines = [json.dumps(GIVEN["headers"][0] | {"header_hash": other.hash().hex()})]
    lie = CITY.receipt(OWNERS[0], 1) | {"header": other.to_bytes().hex()}
    with pytest.raises(Rejected, match="1 header: other origin"):
        check(lie, mirrored(lines))


def anchored(receipt: Json) -> Trust:
    """Believe the receipt's own header, as an operator would have us do."""
    header = bytes.fromhex(receipt["header"])

    def hash_of(epoch: int, _chain: Json | None) -> bytes:
        del epoch
        return verify_receipt.sha(header)

    return hash_of


def test_totals_that_the_tree_does_not_give_are_rejected_even_if_anchored() -> None:
    greedy = replace(CITY.headers[0], sums=(10**15, 0, 0, 0))
    lie = CITY.receipt(OWNERS[0], 1) | {"header": greedy.to_bytes().hex()}
    with pytest.raises(Rejected, match="4 tree: totals differ"):
        check(lie, anchored(lie))


def test_an_entry_of_somebody_else_is_rejected() -> None:
    lie = copy.deepcopy(CITY.receipt(OWNERS[0], 1))
    lie["entries"][0]["target"] = {"system": "pool"}
    with pytest.raises(Rejected, match="2 entries: an entry of somebody else"):
        check(lie, TRUST)


def test_a_pending_receipt_is_not_believed_yet() -> None:
    pending = CITY.receipt(OWNERS[0], 1) | {"chain": None}
    with pytest.raises(Rejected, match="1 header: pending"):
        check(pending, TRUST)


def test_a_list_without_the_epoch_is_no_root_of_trust() -> None:
    with pytest.raises(Rejected, match="1 header: the list has no epoch 4"):
        check(CITY.receipt(OWNERS[0], 4), mirrored(LINES[:3]))


def test_the_strangers_proofs_agree_with_the_vectors() -> None:
    """The verifier's own proof code, at all the sizes that the shared file has."""
    proofs = json.loads((HERE / "log_proofs.json").read_text())

    def raws(*texts: str) -> list[bytes]:
        return [bytes.fromhex(text[2:]) for text in texts]

    for one in proofs["inclusion"]:
        leaf, root = raws(one["leaf"], one["root"])
        path = raws(*one["path"])
        assert verify_receipt.climb(one["index"], one["size"] - 1, path, leaf) == [root]
    for one in proofs["consistency"]:
        older, newer = raws(one["old_root"], one["new_root"])
        path = raws(*one["path"])
        assert verify_receipt.is_prefix(one["old"], one["new"], path, older, newer)
        assert not verify_receipt.is_prefix(one["old"], one["new"], path, bytes(32), newer)


class TestContinuity:
    """Nothing that was shown before may be missing now."""

    before = CITY.receipt(OWNERS[0], 3)

    def test_the_same_receipt_follows_itself(self) -> None:
        assert check(self.before, TRUST, self.before)

    def test_a_newer_one_needs_a_proof_from_that_header(self) -> None:
        assert check(CITY.receipt(OWNERS[0], 4, seen=3), TRUST, self.before)
        for newer in (CITY.receipt(OWNERS[0], 4), CITY.receipt(OWNERS[0], 4, seen=2)):
            with pytest.raises(Rejected, match="6 continuity: no proof from the header"):
                check(newer, TRUST, self.before)

    def test_a_delta_goes_on_where_the_earlier_one_ended(self) -> None:
        assert check(CITY.receipt(OWNERS[0], 4, since=3, seen=3), TRUST, self.before)
        assert check(CITY.receipt(OWNERS[0], 4, since=1, seen=3), TRUST, self.before)
        late = CITY.receipt(OWNERS[0], 4, since=3, seen=1)
        with pytest.raises(Rejected, match="6 continuity: history was rewritten"):
            check(late, TRUST, CITY.receipt(OWNERS[0], 1))

    def test_another_account_or_an_older_state_does_not_follow(self) -> None:
        newer = CITY.receipt(OWNERS[0], 4, seen=3)
        for account, told in (
            ({"akey": "00" * 32}, "another account"),
            ({"ver": 99}, "an older version"),
            ({"sums": ["9999999999", "0", "0", "0"]}, "counters went back"),
            ({"head": "00" * 32}, "history was rewritten"),
        ):
            earlier = self.before | {"account": self.before["account"] | account}
            with pytest.raises(Rejected, match=f"6 continuity: {told}"):
                check(newer, TRUST, earlier)

    def test_an_earlier_header_must_be_anchored_and_earlier(self) -> None:
        odd = replace(CITY.headers[2], closed_at=5).to_bytes().hex()
        newer = CITY.receipt(OWNERS[0], 4, seen=3)
        forged = newer | {"consistency": newer["consistency"] | {"header": odd}}
        with pytest.raises(Rejected, match="the earlier header is not the anchored one"):
            check(forged, TRUST)
        later: Json = {"header": CITY.headers[3].to_bytes().hex(), "path": []}
        with pytest.raises(Rejected, match="the log shrank"):
            check(self.before | {"consistency": later}, TRUST)

    def test_an_empty_log_is_the_beginning_of_every_log(self) -> None:
        empty = replace(CITY.headers[0], log_size=0, log_root=verify_receipt.sha())
        path = {"header": empty.to_bytes().hex(), "path": list[str]()}
        receipt = CITY.receipt(OWNERS[0], 4) | {"consistency": path}

        def trust(epoch: int, chain: Json | None) -> bytes:
            return empty.hash() if epoch == 1 else TRUST(epoch, chain)

        assert check(receipt, trust)
