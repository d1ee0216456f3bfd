import pytest

from ledger.accounts import AccountKind, held_of, owner, system
from ledger.chart import Code
from ledger.errors import NotInChart, Overdrawn
from ledger.posting import Holding, post
from tests.vectors.city import METRO_A, METRO_B, POINTS, move

CITIZEN = owner(AccountKind.CITIZEN, 65_536)
NATURE, POOL = system("issuance/reduction"), system("pool")


def test_it_moves_all_or_nothing() -> None:
    start: dict[Holding, int] = {(CITIZEN, METRO_A): 0, (NATURE, METRO_A): 0, (POOL, METRO_A): 0}
    accrual = move(1, Code.ACCRUE, (NATURE, CITIZEN), (100, METRO_A))
    posted = post(start, [accrual])
    assert posted.balances[CITIZEN, METRO_A] == 100
    assert posted.balances[NATURE, METRO_A] == -100
    assert [side.balance for side in posted.sides] == [-100, 100]
    too_much = move(2, Code.EXCHANGE_POOL, (CITIZEN, POOL), (101, METRO_A))
    with pytest.raises(Overdrawn) as refused:
        post(start, [accrual, too_much])
    assert refused.value.facts == {"short_by": 1, "movement": "exchange_pool"}
    assert start[CITIZEN, METRO_A] == 0


def test_it_refuses_what_the_chart_does_not_have() -> None:
    wrong = move(1, Code.EXCHANGE_POOL, (CITIZEN, POOL), (1, METRO_B))
    with pytest.raises(NotInChart):
        post({(CITIZEN, METRO_B): 5, (POOL, METRO_B): 0}, [wrong])


def test_a_holding_that_was_not_loaded_is_a_defect() -> None:
    with pytest.raises(KeyError):
        post({}, [move(1, Code.HOLD, (CITIZEN, held_of(CITIZEN)), (1, POINTS))])
