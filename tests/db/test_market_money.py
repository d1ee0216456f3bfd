"""Where the money of a sale goes: budgets by largest remainder, sellers, and out to a bank."""

from pathlib import Path
from typing import Any

import pytest

from app.kernel.db import Database
from app.kernel.ids import new_id
from app.kernel.secrets import Keys
from app.market.errors import ProceedsShort, ReferenceUsed
from app.market.loop import closed_loop
from app.market.payouts import earned_by, pay_out
from app.market.proceeds import SOURCE
from app.organisations import Organisation
from app.points import find_programme
from app.points.queries import figures_of
from tests.support.acts import one, rows
from tests.support.market import FUNDS_FEN, TONNE, Market
from tests.support.points import slices
from tests.support.registry import Registry

THROUGH = (("green", 3_000), ("blue", 1_001), ("free", 999))


@pytest.fixture
def market(db: Database, worker_db: Database, keys: Keys, tmp_path: Path) -> Market:
    """Units that were exchanged through two funded programmes and one whose points are free."""
    return Market(Registry(db, worker_db, keys, tmp_path), THROUGH)


def reached(db: Database) -> dict[str | None, tuple[int, int]]:
    """Milligrams and fen by programme; None: an organisation."""
    query = """select p.code, sum(r.mg)::int8, sum(r.fen)::int8
                 from proceeds r left join programme p on p.id = r.programme group by 1"""
    return {code: (mg, fen) for code, mg, fen in rows(db, query)}


def payout(market: Market, who: Organisation, fen: int, reference: str) -> None:
    facts: dict[str, Any] = {"transfer": new_id(), "at": market.at}
    market.db.transact(pay_out, who.id, fen, reference, **facts)


def test_a_payment_reaches_the_programmes_by_their_grams_to_the_last_fen(market: Market) -> None:
    before = {code: slices(market.db, code) for code in ("green", "blue")}
    paid = market.paid(market.bought(market.organisation(), market.listed(price_fen=6_507), 777))
    assert paid.due_fen == 5_056
    assert reached(market.db) == {
        "green": (466_200_000, 3_034),
        "blue": (155_555_400, 1_012),
        None: (155_244_600, 1_010),
    }
    budgets = {code: market.db.read(find_programme, code).budget for code in before}
    for code, fen in (("green", 3_034), ("blue", 1_012)):
        unpromised, promised = before[code]
        assert slices(market.db, code) == (unpromised + fen, promised)
        assert market.money(budgets[code]) == FUNDS_FEN + fen
    assert market.money(market.operator.owner) == 1_010


def test_the_public_figures_of_a_programme_name_the_source(market: Market) -> None:
    market.paid(market.bought(market.organisation(), market.listed(), 5 * TONNE))
    found = {each.name: each for each in market.db.read(figures_of, "green").sponsors}
    assert found[SOURCE].funded_fen == 3_000 * 65 // 10


@pytest.mark.parametrize("kg", [1, 2, 7, 4_999])
def test_many_payments_lose_and_make_nothing(market: Market, kg: int) -> None:
    buyer, listing = market.organisation(), market.listed(price_fen=333)
    for number in range(3 if kg < TONNE else 1):
        market.paid(market.bought(buyer, listing, kg), f"BANK-{number}")
    paid = one(market.db, "select sum(fen)::int8 from payment")[0]
    assert sum(fen for _, fen in reached(market.db).values()) == paid


def test_a_resellers_money_is_the_resellers_and_paid_out_once(market: Market) -> None:
    seller, buyer = market.organisation(1), market.organisation(2)
    market.hand(seller, TONNE)
    market.paid(market.bought(buyer, market.listed(TONNE, seller, price_fen=10_000), TONNE))
    assert reached(market.db) == {None: (TONNE * 1_000_000, 10_000)}
    assert market.money(seller.owner) == 10_000
    with pytest.raises(ProceedsShort):
        payout(market, seller, 10_001, "OUT-1")
    payout(market, seller, 4_000, "OUT-1")
    for spelt in ("OUT-1", "out 1", "ＯＵＴ１"):
        with pytest.raises(ReferenceUsed):
            payout(market, seller, 4_000, spelt)
    payout(market, seller, 6_000, "OUT-2")
    with pytest.raises(ProceedsShort):
        payout(market, seller, 1, "OUT-3")
    with pytest.raises(ProceedsShort):
        payout(market, buyer, 1, "OUT-4")
    assert market.money(seller.owner) == 0
    assert market.db.read(earned_by, seller.id) == (10_000, 10_000)


def test_who_exchanged_through_two_programmes_has_part_of_each(
    db: Database, worker_db: Database, keys: Keys, tmp_path: Path
) -> None:
    market = Market(Registry(db, worker_db, keys, tmp_path), (("green", 1), ("blue", 3)), one=True)
    market.paid(market.bought(market.organisation(), market.listed(4, price_fen=1_000_000), 4))
    assert reached(db) == {"green": (1_000_000, 1_000), "blue": (3_000_000, 3_000)}


def test_the_loop_is_the_sum_of_its_rows(market: Market) -> None:
    sums, programmes = market.db.read(closed_loop)
    assert (sums.purchases, sums.sale_fen, sums.to_programmes_fen) == (0, 0, 0)
    seller, buyer = market.organisation(1), market.organisation(2)
    market.paid(market.bought(seller, market.listed(), 2 * TONNE))
    market.paid(market.bought(buyer, market.listed(TONNE, seller), TONNE), "BANK-2")
    sums, programmes = market.db.read(closed_loop)
    assert (sums.purchases, sums.sold_kg, sums.sale_fen) == (2, 3 * TONNE, 19_500)
    assert sums.to_programmes_fen + sums.to_sellers_fen == sums.sale_fen
    by_code = {each.code: each for each in programmes}
    assert by_code["green"].sale_fen == 7_800
    assert by_code["green"].funded_fen == FUNDS_FEN + 7_800
    assert by_code["green"].sold_mg == 1_200_000_000
    assert (by_code["free"].sale_fen, by_code["free"].sold_mg) == (0, 0)
