"""An operator who anchors a lie: every hash is true, so only the rules of the map can tell."""

from dataclasses import replace

import pytest

from ledger.account_map import AccountProof, Cell, Leaf, SumTree, cell_of, check_proof
from ledger.encoding import AccountState, Sums, account_leaf
from ledger.folding import Part, fold
from ledger.receipt import Json
from ledger.verify_receipt import Rejected, check, sha
from tests.unit.ledger.true_receipts import CITY, OWNERS

SALT = bytes(32)
WHO = OWNERS[0]
HONEST = CITY.receipt(WHO, 3)
PREFIX = WHO.akey[0] >> 7


def forged(
    state: AccountState, number: int = PREFIX, sums: Sums | None = None
) -> tuple[Json, AccountProof, SumTree]:
    """Make a map of two cells with this account alone, and the receipt that goes with it."""
    leaf = Leaf(state.akey, account_leaf(state, SALT), state.sums)
    cell = Cell(number, 1, sums or state.sums, leaf.hash)
    other = cell_of(number ^ 1, [])
    tree = SumTree.of(one.packed() for one in sorted([cell, other]))
    header = replace(
        CITY.headers[2],
        bits=1,
        account_root=tree.root.hash,
        account_count=1,
        sums=tree.root.sums,
    )
    proof = AccountProof(cell, 0, (), tree.path(number))
    sibling = proof.top[0]
    receipt = HONEST | {
        "header": header.to_bytes().hex(),
        "account": {
            "akey": state.akey.hex(),
            "ver": state.ver,
            "epoch": state.epoch,
            "entries": state.entries,
            "sums": [*map(str, state.sums)],
            "head": state.head.hex(),
            "salt": SALT.hex(),
        },
        "cell": {
            "number": number,
            "accounts": 1,
            "sums": [*map(str, cell.sums)],
            "leaf_index": 0,
            "path": list[str](),
        },
        "top": [{"hash": sibling.hash.hex(), "accounts": 0, "sums": [*map(str, sibling.sums)]}],
    }
    return receipt, proof, tree


def believe(receipt: Json) -> str:
    """Verify it against a chain that holds whatever header the operator made."""
    header = bytes.fromhex(receipt["header"])
    return check(receipt, lambda _epoch, _chain: sha(header))


STATE = CITY.states[3][WHO.account.id]


def test_a_map_in_order_is_believed() -> None:
    receipt, proof, tree = forged(STATE)
    assert believe(receipt).startswith("true")
    assert check_proof(Leaf(WHO.akey, account_leaf(STATE, SALT), STATE.sums), proof, 1, tree.root)


def test_an_account_shown_in_a_second_cell_is_rejected() -> None:
    """Else an account could be in the map twice, once for its owner and once for the totals."""
    receipt, proof, tree = forged(STATE, number=PREFIX ^ 1)
    with pytest.raises(Rejected, match="5 cell: in another cell"):
        believe(receipt)
    leaf = Leaf(WHO.akey, account_leaf(STATE, SALT), STATE.sums)
    assert not check_proof(leaf, proof, 1, tree.root)


def test_a_cell_that_counts_less_than_its_account_is_rejected() -> None:
    less = (STATE.sums[0] - 1, *STATE.sums[1:])
    receipt, _, _ = forged(STATE, sums=less)
    with pytest.raises(Rejected, match="5 cell: above its cell"):
        believe(receipt)


def test_a_state_from_after_the_epoch_is_rejected() -> None:
    receipt, _, _ = forged(replace(STATE, epoch=4))
    with pytest.raises(Rejected, match="5 cell: changed after its epoch"):
        believe(receipt)


@pytest.mark.parametrize("order", ["reversed", "doubled"])
def test_a_history_out_of_order_is_rejected(order: str) -> None:
    """The same entries in another order, or one of them twice, with the head to fit."""
    mine = [
        placed
        for placed in CITY.placed
        if WHO.account.id in {placed.transfer.source.owner_id, placed.transfer.target.owner_id}
        and placed.log_index < CITY.headers[2].log_size
    ]
    at = range(len(mine))
    picked = list(reversed(at)) if order == "reversed" else [0, *at]
    state = AccountState(WHO.akey, STATE.ver, STATE.epoch)
    for index in picked:
        transfer, entry = mine[index].transfer, mine[index].entry
        part = Part.TARGET if transfer.source.is_system else Part.SOURCE
        part = Part.BOTH if transfer.is_internal else part
        state = fold(state, mine[index].leaf, part, entry.unit, entry.amount)
    receipt, _, _ = forged(state)
    receipt["entries"] = [HONEST["entries"][index] for index in picked]
    with pytest.raises(Rejected, match="2 entries: entries out of order"):
        believe(receipt)
