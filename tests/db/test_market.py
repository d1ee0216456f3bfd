"""The market: listed, quoted, bought, paid for or let go; who wins, and what both are told."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier, Event
from typing import Any

import pytest
from sqlmodel import Session

from app.kernel.db import Database
from app.kernel.ids import new_id
from app.kernel.problems import Refusal
from app.kernel.secrets import Keys
from app.market import expire_purchases
from app.market.deeds import new_salt
from app.market.errors import (
    AmountDiffers,
    BelowMinimum,
    BuyerSuspended,
    ListingClosed,
    ListingOwn,
    ListingUnknown,
    MinimumWrong,
    PurchaseEnded,
    PurchasesOpen,
    PurchaseUnknown,
    QuoteExpired,
    QuotesOpen,
    QuoteUnknown,
    QuoteUsed,
    ReferenceUsed,
    SoldOut,
    UnitsShort,
    WindowWrong,
)
from app.market.listings import withdraw
from app.market.paying import ALONE_WITHIN, alone_fen, confirm
from app.market.purchases import cancel, find_purchase, prolong
from app.market.rules import PurchaseState
from app.registry.errors import BatchUnknown
from tests.support.acts import one, rows
from tests.support.market import HELD_FOR, PRICE_FEN, QUOTED_FOR, TONNE, Market, paying
from tests.support.registry import Registry

BUYERS = 64


@pytest.fixture
def market(db: Database, worker_db: Database, keys: Keys, tmp_path: Path) -> Market:
    return Market(Registry(db, worker_db, keys, tmp_path))


def test_a_purchase_holds_the_units_until_it_is_paid_for(market: Market) -> None:
    buyer, listing = market.organisation(), market.listed()
    assert market.units(market.operator) == (5 * TONNE, 0)
    bought = market.bought(buyer, listing)
    assert market.units(market.operator) == (4 * TONNE, TONNE)
    assert (bought.due_fen, market.left_kg(listing)) == (PRICE_FEN, 4 * TONNE)
    paid = market.paid(bought)
    assert paid.state(market.at) is PurchaseState.PAID
    assert market.units(market.operator) == (4 * TONNE, 0)
    assert market.units(buyer) == (TONNE, 0)
    assert market.left_kg(listing) == 4 * TONNE


def test_clearing_sums_to_zero_class_by_class(market: Market, db: Database) -> None:
    buyer, other = market.organisation(1), market.organisation(2)
    market.paid(market.bought(buyer, market.listed(2 * TONNE)))
    resold = market.bought(other, market.listed(TONNE, buyer), 400)
    market.paid(resold, "BANK-2")
    sums = rows(
        db,
        """select asset, sum(case when target = 21 then amount else -amount end)::int8
             from transfer where 21 in (source, target) group by asset""",
    )
    assert sums == [(market.batch.asset, 0)]
    assert (market.units(buyer), market.units(other)) == ((600, 0), (400, 0))


def test_the_price_is_rounded_up_once(market: Market) -> None:
    buyer, listing = market.organisation(), market.listed(price_fen=7_351)
    quotes = [market.quoted(buyer, listing, kg).due_fen for kg in (1, 999, 1_000, 1_001)]
    assert quotes == [8, 7_344, 7_351, 7_359]


def test_what_cannot_be_listed(market: Market) -> None:
    with pytest.raises(UnitsShort):
        market.listed(5 * TONNE + 1)
    with pytest.raises(UnitsShort):
        market.listed(1, market.organisation())
    with pytest.raises(MinimumWrong):
        market.listed(TONNE, minimum_kg=TONNE + 1)
    with pytest.raises(WindowWrong):
        market.listed(closes_at=market.at)
    with pytest.raises(BatchUnknown):
        market.listed(batch=new_id())


def test_what_cannot_be_quoted(market: Market) -> None:
    buyer, listing = market.organisation(), market.listed(2 * TONNE, minimum_kg=TONNE)
    with pytest.raises(BelowMinimum):
        market.quoted(buyer, listing, TONNE - 1)
    with pytest.raises(SoldOut):
        market.quoted(buyer, listing, 2 * TONNE + 1)
    with pytest.raises(ListingOwn):
        market.quoted(market.operator, listing, TONNE)
    market.bought(buyer, listing, 2 * TONNE - 1)
    assert market.quoted(buyer, listing, 1).due_fen == 7
    market.db.transact(withdraw, market.operator.id, listing.id, at=market.at)
    with pytest.raises(ListingClosed):
        market.quoted(buyer, listing, 1)


def test_a_quote_is_its_buyers_and_good_once_and_for_a_while(market: Market) -> None:
    buyer, other, listing = market.organisation(1), market.organisation(2), market.listed()
    quoted = market.quoted(buyer, listing, TONNE)
    with pytest.raises(QuoteUnknown):
        market.buy(other, quoted)
    with pytest.raises(QuoteExpired):
        market.buy(buyer, quoted, at=market.at + QUOTED_FOR)
    market.buy(buyer, quoted)
    with pytest.raises(QuoteUsed):
        market.buy(buyer, quoted)


def test_a_listing_that_was_withdrawn_sells_nothing_and_keeps_its_word(market: Market) -> None:
    buyer, listing = market.organisation(), market.listed()
    bought, quoted = market.bought(buyer, listing), market.quoted(buyer, listing, TONNE)
    market.db.transact(withdraw, market.operator.id, listing.id, at=market.at)
    with pytest.raises(ListingClosed):
        market.buy(buyer, quoted)
    assert market.paid(bought).outcome == "paid"


def test_a_suspended_seller_sells_nothing(market: Market) -> None:
    buyer, seller = market.organisation(1), market.organisation(2)
    market.hand(seller, TONNE)
    listing = market.listed(TONNE, seller)
    quoted = market.quoted(buyer, listing, TONNE)
    market.suspend(seller)
    with pytest.raises(ListingClosed):
        market.buy(buyer, quoted)


def test_a_suspended_buyers_purchase_waits_until_it_is_resumed(market: Market) -> None:
    buyer, listing = market.organisation(), market.listed()
    bought, other = market.bought(buyer, listing), market.bought(buyer, listing, 500)
    market.suspend(buyer)
    with pytest.raises(BuyerSuspended):
        market.paid(bought)
    assert one(market.db, "select count(*) from payment") == (0,)
    assert market.units(market.operator) == (3_500, 1_500)
    market.suspend(buyer, is_over=True)
    assert market.paid(bought).outcome == "paid"
    market.suspend(buyer)
    assert expire_purchases(market.db, at=market.at + HELD_FOR) == 1
    assert market.state(other) == "expired"


def test_one_buyer_keeps_open_no_more_than_so_many(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.market.quotes.OPEN_MOST", 4)
    monkeypatch.setattr("app.market.purchases.OPEN_MOST", 2)
    buyer, other, listing = market.organisation(1), market.organisation(2), market.listed()
    quoted = [market.quoted(buyer, listing, 10) for _ in range(4)]
    with pytest.raises(QuotesOpen):
        market.quoted(buyer, listing, 10)
    first, _ = (market.buy(buyer, each) for each in quoted[:2])
    with pytest.raises(PurchasesOpen):
        market.buy(buyer, quoted[2])
    assert market.bought(other, listing, 10).outcome is None
    market.paid(first)
    market.buy(buyer, quoted[2])
    market.registry.at += QUOTED_FOR
    market.quoted(buyer, listing, 10)


def test_units_that_the_seller_no_longer_has_are_not_sold(market: Market) -> None:
    buyer, listing = market.organisation(), market.listed()
    quoted = market.quoted(buyer, listing, 5 * TONNE)
    market.hand(market.organisation(2), 1)
    with pytest.raises(UnitsShort):
        market.buy(buyer, quoted)
    assert market.left_kg(listing) == 5 * TONNE


def test_sixty_four_buyers_for_the_last_tonne(market: Market) -> None:
    listing = market.listed(TONNE)
    buyers = [market.organisation(number) for number in range(1, BUYERS + 1)]
    quotes = [market.quoted(buyer, listing, TONNE) for buyer in buyers]
    start = Barrier(8)

    def run(part: int) -> list[str]:
        start.wait()
        return [attempt(number) for number in range(part, BUYERS, 8)]

    def attempt(number: int) -> str:
        try:
            return market.buy(buyers[number], quotes[number]).state(market.at).value
        except Refusal as refusal:
            return refusal.code

    with ThreadPoolExecutor(8) as pool:
        told = [each for part in pool.map(run, range(8)) for each in part]
    assert sorted(told) == ["market.sold_out"] * (BUYERS - 1) + ["reserved"]
    assert market.units(market.operator) == (4 * TONNE, TONNE)
    assert market.left_kg(listing) == 0


def test_what_is_not_paid_for_expires_and_goes_back(market: Market) -> None:
    buyer, listing = market.organisation(), market.listed()
    bought, late = market.bought(buyer, listing), market.at + HELD_FOR
    assert expire_purchases(market.db, at=late - timedelta(seconds=1)) == 0
    assert market.state(bought, at=late) == "expired"
    with pytest.raises(PurchaseEnded):
        market.paid(bought, at=late)
    assert expire_purchases(market.db, at=late) == 1
    assert expire_purchases(market.db, at=late) == 0
    assert (market.units(market.operator), market.left_kg(listing)) == ((5 * TONNE, 0), 5 * TONNE)
    assert market.state(bought) == "expired"


def test_a_payment_that_the_desk_has_seen_holds_the_expiry_back(market: Market) -> None:
    bought, late = market.bought(market.organisation(), market.listed()), market.at + HELD_FOR
    market.db.transact(prolong, bought.id, until=late + HELD_FOR)
    assert expire_purchases(market.db, at=late) == 0
    assert market.paid(bought, at=late).outcome == "paid"


@pytest.mark.parametrize("rounds", range(6))
def test_expiry_racing_payment_has_one_outcome(market: Market, rounds: int) -> None:
    buyer, listing = market.organisation(), market.listed()
    bought, end = market.bought(buyer, listing), market.at + HELD_FOR
    start = Barrier(3)

    def pay() -> str:
        start.wait()
        return told(lambda: market.paid(bought, at=end - timedelta(seconds=1)).outcome)

    def expire() -> str:
        start.wait()
        expire_purchases(market.db, at=end)
        return market.state(bought, at=end)

    def let_go() -> str:
        start.wait()
        facts: dict[str, Any] = {"new_id": new_id, "at": end - timedelta(seconds=1)}
        return told(lambda: market.db.transact(cancel, buyer.id, bought.id, **facts).outcome)

    with ThreadPoolExecutor(3) as pool:
        said = [each.result(30) for each in [pool.submit(run) for run in (pay, expire, let_go)]]
    outcome = market.state(bought, at=end)
    assert outcome in {"paid", "expired", "cancelled"}, rounds
    assert {said[0], said[2]} <= {outcome}
    sold = TONNE if outcome == "paid" else 0
    assert market.units(market.operator) == (5 * TONNE - sold, 0)
    assert market.units(buyer) == (sold, 0)
    assert market.left_kg(listing) == 5 * TONNE - sold
    assert one(market.db, "select count(*) from payment")[0] == (outcome == "paid")


def told(deed: Callable[[], str | None]) -> str:
    """What somebody was told: the outcome, in the refusal too."""
    try:
        return str(deed())
    except PurchaseEnded as refusal:
        return str(refusal.facts["state"])


def test_a_payment_confirmed_again_is_one(market: Market) -> None:
    buyer, listing = market.organisation(), market.listed()
    bought = market.bought(buyer, listing)
    start = Barrier(8)

    def pay(_: int) -> str | None:
        start.wait()
        return market.paid(bought).outcome

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(pay, range(8))) == ["paid"] * 8
    assert market.units(buyer) == (TONNE, 0)
    assert one(market.db, "select count(*), sum(fen)::int8 from payment") == (1, PRICE_FEN)
    with pytest.raises(PurchaseEnded):
        market.paid(bought, "BANK-OTHER")


def test_what_one_confirms_alone_is_added_up_though_it_races(market: Market) -> None:
    listing = market.listed()
    buyers = [market.organisation(1), market.organisation(2)]
    sales = [market.bought(each, listing) for each in buyers]
    counted, goes_on = Event(), Event()

    def alone(which: int) -> int:
        facts: dict[str, Any] = {"new_id": new_id, "new_salt": new_salt, "at": market.at}

        def deed(session: Session) -> int:
            told = paying(sales[which], f"BANK-{which}", market.at)
            found = alone_fen(session, sales[which].id, told, at=market.at)
            confirm(session, sales[which].id, told, **facts)
            counted.set()
            assert goes_on.wait(20)
            return found

        return market.db.transact(deed)

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(alone, 0)
        assert counted.wait(20)
        second = pool.submit(alone, 1)
        with pytest.raises(TimeoutError):
            second.result(timeout=0.5)
        goes_on.set()
        assert [first.result(20), second.result(20)] == [PRICE_FEN, 2 * PRICE_FEN]
    told = paying(sales[0], "BANK-9", market.at + ALONE_WITHIN)
    later = market.at + ALONE_WITHIN
    assert market.db.transact(alone_fen, sales[0].id, told, at=later) == PRICE_FEN


def test_a_payment_is_exact_and_its_reference_is_its_own(market: Market) -> None:
    buyer, listing = market.organisation(), market.listed()
    bought, other = market.bought(buyer, listing), market.bought(buyer, listing, 500)
    for fen in (bought.due_fen - 1, bought.due_fen + 1):
        with pytest.raises(AmountDiffers):
            market.paid(bought, fen=fen)
    market.paid(bought, "BANK-7")
    for spelt in ("BANK-7", "bank 7", "Bank7", "ＢＡＮＫ—７", "BANK\u00a0-\u20137"):
        with pytest.raises(ReferenceUsed):
            market.paid(other, spelt)
    market.paid(bought, "bank 7")
    assert rows(market.db, "select reference, known_as from payment") == [("BANK-7", "BANK7")]
    assert market.state(other) == "reserved"


def test_what_was_cancelled_is_not_paid_for(market: Market) -> None:
    buyer, other, listing = market.organisation(1), market.organisation(2), market.listed()
    bought = market.bought(buyer, listing)
    with pytest.raises(PurchaseUnknown):
        market.db.transact(cancel, other.id, bought.id, new_id=new_id, at=market.at)
    market.db.transact(cancel, buyer.id, bought.id, new_id=new_id, at=market.at)
    with pytest.raises(PurchaseEnded):
        market.paid(bought)
    with pytest.raises(PurchaseEnded):
        market.db.transact(cancel, buyer.id, bought.id, new_id=new_id, at=market.at)
    assert market.units(market.operator) == (5 * TONNE, 0)


def test_one_never_reads_or_changes_what_is_anothers(market: Market) -> None:
    mine, other = market.organisation(1), market.organisation(2)
    listing = market.listed()
    bought = market.bought(mine, listing)
    with pytest.raises(PurchaseUnknown):
        market.db.read(find_purchase, other.id, bought.id)
    with pytest.raises(ListingUnknown):
        market.db.transact(withdraw, other.id, listing.id, at=market.at)
    assert paying(bought, "X", market.at).fen == PRICE_FEN
