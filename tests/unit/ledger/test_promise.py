"""A receipt's promise (回执承诺): a line is proved, or the fault that hinders it is named."""

from dataclasses import replace

import pytest

from ledger.chart import Code
from ledger.encoding import Entry, entry_body, entry_leaf
from ledger.header import Header
from ledger.log import inclusion_path, reader, tree_hash
from ledger.promise import Broken, Fault, Promised, Shown, check_promise

CLOSED_AT = 1_000
ENTRIES = [
    Entry(
        code=int(Code.ACCRUE),
        asset_key=b"a" * 32,
        day=20_000,
        unit=1,
        amount=100 + place,
        debit_commit=b"d" * 32,
        credit_commit=b"c" * 32,
        evidence_commit=bytes([place]) * 32,
    )
    for place in range(1, 6)
]
LEAVES = [entry_leaf(entry_body(entry), 0) for entry in ENTRIES]
HEADER = Header(
    origin_tag=b"o" * 32,
    bits=0,
    epoch=3,
    closed_at=CLOSED_AT,
    log_size=len(LEAVES),
    account_count=1,
    log_root=tree_hash(LEAVES),
    account_root=b"m" * 32,
    methodology_root=b"t" * 32,
    sums=(0, 0, 0, 0),
)
PROMISED = [
    Promised(line, entry.amount, entry.evidence_commit) for line, entry in enumerate(ENTRIES)
]
SHOWN = [
    Shown(entry, 0, place, 3, inclusion_path(place, len(LEAVES), reader(LEAVES)))
    for place, entry in enumerate(ENTRIES)
]


def broken(
    promised: list[Promised], shown: list[Shown], logged_by: int = CLOSED_AT
) -> list[Broken]:
    return list(check_promise(promised, shown, {3: HEADER}, logged_by=logged_by))


def test_what_is_in_the_log_in_time_is_proved() -> None:
    assert broken(PROMISED, SHOWN) == []


@pytest.mark.parametrize(
    ("shown", "fault"),
    [
        (SHOWN[1:], Fault.MISSING),
        ([SHOWN[0]._replace(epoch=4), *SHOWN[1:]], Fault.UNANCHORED),
        ([SHOWN[0]._replace(log_index=1), *SHOWN[1:]], Fault.NOT_IN_LOG),
        ([SHOWN[0]._replace(ref=9), *SHOWN[1:]], Fault.NOT_IN_LOG),
        ([SHOWN[0]._replace(entry=replace(ENTRIES[0], amount=7)), *SHOWN[1:]], Fault.NOT_IN_LOG),
    ],
)
def test_the_fault_of_a_line_is_named_and_no_other(shown: list[Shown], fault: Fault) -> None:
    assert broken(PROMISED, shown) == [Broken(0, fault)]


def test_an_entry_of_another_amount_is_not_what_was_promised() -> None:
    assert broken([PROMISED[0]._replace(mg=1), *PROMISED[1:]], SHOWN) == [Broken(0, Fault.AMOUNT)]


def test_one_entry_serves_one_line() -> None:
    twice = [PROMISED[0], PROMISED[0]._replace(line=9)]
    assert broken(twice, SHOWN) == [Broken(9, Fault.MISSING)]


def test_a_second_too_late_is_late() -> None:
    found = broken(PROMISED, SHOWN, CLOSED_AT - 1)
    assert found == [Broken(each.line, Fault.LATE) for each in PROMISED]
