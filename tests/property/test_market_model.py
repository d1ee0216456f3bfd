"""The market against plain numbers, step by step (市场模型对照).

Goal: whatever is listed, quoted, bought, paid for, cancelled, withdrawn and let expire, in any
order and over any days, units available and held, what listings have left, what each deed is told
and where the fen are is what a few dictionaries count. Method: hypothesis drives the deeds on
PostgreSQL and the dictionaries side by side and compares after each step; the audit looks at the
end; a mutant shows that a lost release would be noticed.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, cast

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from app.kernel.db import Database
from app.kernel.ids import new_id
from app.kernel.problems import Refusal
from app.kernel.secrets import Keys
from app.market import expire_purchases
from app.market.listings import Listing, withdraw
from app.market.purchases import Purchase, cancel, purchases
from app.market.quotes import Quote
from app.organisations import Organisation
from tests.support.acts import rows
from tests.support.market import HELD_FOR, QUOTED_FOR, Market
from tests.support.registry import Registry

RUNS: Final = int(os.environ.get("TANPU_MODEL_RUNS", "60"))
STEPS: Final = 30
PARTIES: Final = 3
STOCK_KG: Final = 500
WAITS: Final = (
    timedelta(minutes=10),
    timedelta(minutes=30),
    timedelta(hours=20),
    timedelta(hours=72),
)
MONTH: Final = timedelta(days=30)
WHICH = st.integers(0, 1_000)
"""Picks one of however many there are."""


@dataclass
class Offer:
    """A listing in plain numbers."""

    listing: Listing
    seller: int
    left: int
    minimum: int
    price: int
    closes: datetime
    is_withdrawn: bool = False


@dataclass
class Priced:
    """A quote in plain numbers."""

    quote: Quote
    offer: Offer
    buyer: int
    kg: int
    ends: datetime
    is_used: bool = False


@dataclass
class Sale:
    """A purchase in plain numbers."""

    purchase: Purchase
    priced: Priced
    ends: datetime
    state: str = "reserved"

    def said(self, at: datetime) -> str:
        """What it is to whoever asks now."""
        return "expired" if self.state == "reserved" and self.ends <= at else self.state


class Together(RuleBasedStateMachine):
    """The product and plain numbers, doing the same."""

    def __init__(self, market: Market, runs: list[int]) -> None:
        super().__init__()
        self.market, self.db, self.began = market, market.db, market.at
        runs[0] += 1
        first = runs[0] * PARTIES
        self.who: list[Organisation] = [market.organisation(first + n) for n in range(PARTIES)]
        market.hand(self.who[0], STOCK_KG)
        self.free, self.held = [STOCK_KG, 0, 0], [0, 0, 0]
        self.fen = [0, 0, 0]
        self.offers: list[Offer] = []
        self.quotes: list[Priced] = []
        self.sales: list[Sale] = []
        self.list_units(0, 300, 1, 5_003)

    @property
    def at(self) -> datetime:
        return self.market.registry.at

    @rule(
        who=st.integers(0, 2),
        kg=st.integers(1, 120),
        least=st.integers(1, 20),
        price=st.integers(1, 9_999),
    )
    def list_units(self, who: int, kg: int, least: int, price: int) -> None:
        expected = "minimum_wrong" if least > kg else "units_short" if kg > self.free[who] else ""
        terms = {"minimum_kg": least, "price_fen": price}
        made = self.told(expected, lambda: self.market.listed(kg, self.who[who], **terms))
        if made:
            closes = self.at + MONTH
            self.offers.append(Offer(made, who, kg, least, price, closes))

    @rule(which=WHICH)
    def take_back(self, which: int) -> None:
        offer = self.offers[which % len(self.offers)]
        self.db.transact(withdraw, self.who[offer.seller].id, offer.listing.id, at=self.at)
        offer.is_withdrawn = True

    @rule(which=WHICH, who=st.integers(0, 2), kg=st.integers(1, 60))
    def ask_the_price(self, which: int, who: int, kg: int) -> None:
        offer = self.offers[which % len(self.offers)]
        expected = self.unwanted(offer, who, kg)
        made = self.told(expected, lambda: self.market.quoted(self.who[who], offer.listing, kg))
        if made:
            exact = kg * offer.price
            assert (made.due_fen - 1) * 1_000 < exact <= made.due_fen * 1_000
            ends = min(self.at + QUOTED_FOR, offer.closes)
            self.quotes.append(Priced(made, offer, who, kg, ends))

    @precondition(lambda self: self.quotes)
    @rule(which=WHICH)
    def buy(self, which: int) -> None:
        priced = self.quotes[-1 - which % min(3, len(self.quotes))]
        offer, seller = priced.offer, priced.offer.seller
        expected = (
            "quote_used" if priced.is_used
            else "quote_expired" if priced.ends <= self.at
            else self.unwanted(offer, priced.buyer, priced.kg)
            or ("units_short" if priced.kg > self.free[seller] else "")
        )  # fmt: skip
        buyer = self.who[priced.buyer]
        made = self.told(expected, lambda: self.market.buy(buyer, priced.quote))
        if made:
            priced.is_used = True
            offer.left -= priced.kg
            self.free[seller] -= priced.kg
            self.held[seller] += priced.kg
            self.sales.append(Sale(made, priced, self.at + HELD_FOR))

    @rule(which=WHICH, who=st.integers(0, 2), kg=st.integers(1, 60), pays=st.booleans())
    def order(self, which: int, who: int, kg: int, *, pays: bool) -> None:
        """Ask the price, buy and perhaps pay at once, as most do."""
        asked, bought = len(self.quotes), len(self.sales)
        self.ask_the_price(which, who, kg)
        if len(self.quotes) > asked:
            self.buy(0)
        if pays and len(self.sales) > bought:
            self.pay(0, 0, again=True)

    @precondition(lambda self: self.sales)
    @rule(which=WHICH, more=st.sampled_from([0, 0, 0, 1]), again=st.booleans())
    def pay(self, which: int, more: int, *, again: bool) -> None:
        sale = self.sales[-1 - which % len(self.sales)]
        due, said = sale.purchase.due_fen, sale.said(self.at)
        reference = f"{sale.purchase.id}" if again or said == "reserved" else "another"
        is_repeat = said == "paid" and again and not more
        expected = (
            "" if is_repeat
            else "purchase_ended" if said != "reserved"
            else "amount_differs" if more else ""
        )  # fmt: skip
        fen = due + more
        self.told(expected, lambda: self.market.paid(sale.purchase, reference, fen=fen))
        if not expected and not is_repeat:
            self.finish(sale, "paid")

    @precondition(lambda self: self.sales)
    @rule(which=WHICH)
    def let_go(self, which: int) -> None:
        sale = self.sales[-1 - which % len(self.sales)]
        expected = "" if sale.said(self.at) == "reserved" else "purchase_ended"
        facts: dict[str, Any] = {"new_id": new_id, "at": self.at}
        place = (sale.purchase.buyer, sale.purchase.id)
        if self.told(expected, lambda: self.db.transact(cancel, *place, **facts)):
            self.finish(sale, "cancelled")

    @precondition(lambda self: self.at - self.began < MONTH)
    @rule(how_long=st.sampled_from(WAITS))
    def wait(self, how_long: timedelta) -> None:
        self.market.registry.at += how_long

    @rule()
    def expire(self) -> None:
        due = [sale for sale in self.sales if sale.state == "reserved" and sale.ends <= self.at]
        assert expire_purchases(self.db, at=self.at) == len(due)
        for sale in due:
            self.finish(sale, "expired")

    def teardown(self) -> None:
        """Leave nothing to the next run, which begins when this one did."""
        expire_purchases(self.db, at=self.at + HELD_FOR)
        self.market.registry.at = self.began

    @invariant()
    def units_are_where_the_numbers_say(self) -> None:
        found = [self.market.units(who) for who in self.who]
        assert found == [*zip(self.free, self.held, strict=True)]
        assert [self.market.money(who.owner) for who in self.who] == self.fen
        assert sum(self.free) + sum(self.held) == STOCK_KG

    @invariant()
    def listings_and_purchases_are_as_told(self) -> None:
        assert [self.market.left_kg(offer.listing) for offer in self.offers] == [
            offer.left for offer in self.offers
        ]
        told = {
            each.id: each.state(self.at).value
            for who in self.who
            for each in self.db.read(purchases, who.id, before=None, limit=200, at=self.at)
        }
        assert told == {sale.purchase.id: sale.said(self.at) for sale in self.sales}

    @invariant()
    def clearing_is_empty(self) -> None:
        query = """select asset from transfer where 21 in (source, target) group by asset
                   having sum(case when target = 21 then amount else -amount end) <> 0"""
        assert rows(self.db, query) == []

    def unwanted(self, offer: Offer, buyer: int, kg: int) -> str:
        """Why somebody may not have so much; empty: they may."""
        if offer.is_withdrawn or offer.closes <= self.at:
            return "listing_closed"
        if offer.seller == buyer:
            return "listing_own"
        if kg > offer.left:
            return "sold_out"
        return "below_minimum" if kg < min(offer.minimum, offer.left) else ""

    def finish(self, sale: Sale, state: str) -> None:
        """Let a sale end."""
        sale.state, kg, seller = state, sale.priced.kg, sale.priced.offer.seller
        self.held[seller] -= kg
        if state == "paid":
            self.free[sale.priced.buyer] += kg
            self.fen[seller] += sale.purchase.due_fen
        else:
            self.free[seller] += kg
            sale.priced.offer.left += kg

    def told(self, expected: str, deed: Callable[[], Any]) -> Any:  # noqa: ANN401 -- what it made
        """Do something that is refused with this code, or with none."""
        try:
            made = deed()
        except Refusal as refusal:
            if refusal.code != f"market.{expected}":
                raise
            return None
        assert not expected
        return made


@pytest.fixture
def market(db: Database, worker_db: Database, keys: Keys, tmp_path: Path) -> Market:
    return Market(Registry(db, worker_db, keys, tmp_path), (("green", 100_000),))


def test_the_market_counts_as_plain_numbers_do(market: Market) -> None:
    runs = [0]
    machine = cast("type[RuleBasedStateMachine]", lambda: Together(market, runs))
    run_state_machine_as_test(  # pyright: ignore[reportUnknownMemberType] -- hypothesis
        machine,
        settings=settings(
            max_examples=RUNS,
            stateful_step_count=STEPS,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )
    assert runs[0] >= RUNS // 2
    outcomes = {outcome for (outcome,) in rows(market.db, "select outcome from purchase")}
    assert outcomes == {"paid", "expired", "cancelled"}


def test_a_listing_that_counts_wrong_is_noticed(
    market: Market, books_left_broken: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    del books_left_broken
    wrong = "update listing set taken_kg = taken_kg + %s + 1 where id = %s"
    monkeypatch.setattr("app.market.listings._TAKE", wrong)
    together = Together(market, [0])
    together.order(0, 1, 10, pays=False)
    with pytest.raises(AssertionError):
        together.listings_and_purchases_are_as_told()
