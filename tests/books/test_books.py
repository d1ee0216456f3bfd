"""Scenarios in the ledger's own notation: `*.txt`, one movement or balance a line.

    code  source  target  amount asset  [! refusal]
    balance  place  amount asset

A place is a system account, or kind/name, or kind/name/held. The books open empty.
"""

from datetime import date
from pathlib import Path

import pytest

from ledger.accounts import SYSTEM_ACCOUNTS, Account, AccountKind, held_of, owner, system
from ledger.assets import Asset, Money, Points, Reduction, Unit
from ledger.chart import Code
from ledger.errors import LedgerError
from ledger.posting import Holding, post
from tests.vectors.city import digest, move

SCENARIOS = sorted(Path(__file__).parent.glob("*.txt"))
ASSETS: dict[str, Asset] = {
    "A-gram": Reduction("SZ-METRO", 1, "metro", "A", date(2026, 1, 1)),
    "B-gram": Reduction("SZ-METRO", 1, "metro", "B", date(2026, 1, 1)),
    "points-2027": Points("city", date(2027, 12, 31), 1),
    "points-2028": Points("city", date(2028, 12, 31), 1),
    "unit": Unit("2026-0001"),
    "fen": Money(),
}


def place(text: str) -> Account:
    if text in SYSTEM_ACCOUNTS:
        return system(text)
    kind, name, *held = text.split("/")
    number = 65_536 + 2 * int.from_bytes(digest(kind, name)[:4], "big")
    account = owner(AccountKind[kind.upper()], number)
    return held_of(account) if held else account


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda path: path.stem)
def test_the_books_say(scenario: Path) -> None:
    balances: dict[Holding, int] = {}
    for number, line in enumerate(scenario.read_text(encoding="utf-8").splitlines(), 1):
        deed, _, refusal = (part.strip() for part in line.partition("#")[0].partition("!"))
        match deed.split():
            case []:
                continue
            case ["balance", where, amount, asset]:
                assert balances.get((place(where), ASSETS[asset]), 0) == int(amount), (
                    f"{number}: {line}"
                )
            case [code, source, target, amount, asset]:
                way, what = (place(source), place(target)), (int(amount), ASSETS[asset])
                loaded = {(at, what[1]): 0 for at in way} | balances
                said = ""
                try:
                    after = post(loaded, [move(number, Code[code.upper()], way, what)])
                    balances = dict(after.balances)
                except LedgerError as refused:
                    said = refused.code
                assert said == refusal, f"{number}: {line}"
            case _:
                pytest.fail(f"{number}: {line}")
