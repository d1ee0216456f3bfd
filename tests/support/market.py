"""A market with something to sell (市场样例): a batch that citizens' grams became, its traders."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import cycle
from typing import Any

from sqlmodel import Session

from app.books import post
from app.kernel.clock import day_of
from app.kernel.db import Database, driver
from app.kernel.ids import new_id
from app.market import RetirementPlan, buy
from app.market.deeds import new_salt
from app.market.listings import Listing, Terms, find_listing, list_units
from app.market.paying import confirm
from app.market.payments import BANK_TRANSFER, Confirmation
from app.market.purchases import Buying, Purchase, find_purchase
from app.market.quotes import Quote, quote
from app.organisations import Organisation
from app.registry.batches import Batch
from app.registry.handing_over import UnitQuantity, legs
from ledger.assets import Reduction
from tests.support.acts import one
from tests.support.organisations import organisation
from tests.support.owners import BUS, asset_number
from tests.support.points import FREE, GREEN, accrue, citizens, programme, swap
from tests.support.registry import Registry

KG = 1_000_000
TONNE = 1_000
FUNDS_FEN = 10_000_000
HELD_FOR = timedelta(hours=72)
QUOTED_FOR = timedelta(minutes=30)
PRICE_FEN = 6_500
"""For a tonne."""
FIRST = 1_000
"""Behind the numbers of whoever else there is."""


@dataclass
class Market:
    """The operator's units of one batch, and what it takes to trade them."""

    registry: Registry
    through: tuple[tuple[str, int], ...] = (("green", 5_000),)
    """Programmes, and the kilograms that a citizen each exchanges through them."""
    reduction: Reduction = BUS
    one: bool = False
    """Whether one citizen does it all."""
    batch: Batch = field(init=False)

    def __post_init__(self) -> None:
        """Fund the programmes, and issue what citizens exchange through them."""
        for code in {code for code, _ in self.through} - {FREE.code}:
            programme(self.db, self.registry.keys, FUNDS_FEN, replace(GREEN, code=code))
        self.registry.terms(buffer_permille=0)
        asset = asset_number(self.db, self.reduction)
        owners = citizens(self.db, self.registry.keys, 1 if self.one else len(self.through))
        for owner, (code, kg) in zip(cycle(owners), self.through, strict=False):
            accrue(self.db, owner, asset, kg * KG)
            swap(self.db, owner, code=code)
        self.batch = self.registry.issued(self.reduction)

    @property
    def db(self) -> Database:
        return self.registry.db

    @property
    def at(self) -> datetime:
        return self.registry.at

    @property
    def operator(self) -> Organisation:
        return self.registry.operator

    def organisation(self, number: int = 1) -> Organisation:
        """Somebody who may buy and resell; ``number`` tells it from others."""
        return organisation(self.db, self.registry.keys, FIRST + number, at=self.at).organisation

    def hand(self, to: Organisation, quantity_kg: int) -> None:
        """Give somebody units of the operator's, as if bought long ago."""
        whose: dict[str, Any] = {
            "source": self.operator.owner,
            "target": to.owner,
            "cause": new_id(),
        }

        def command(session: Session) -> None:
            units = UnitQuantity(self.batch.asset, quantity_kg)
            post(driver(session), legs(units, today=day_of(self.at), new_id=new_id, **whose))

        self.db.transact(command)

    def suspend(self, who: Organisation, *, is_over: bool = False) -> None:
        """Suspend somebody, or let them work again."""

        def command(session: Session) -> None:
            facts = (None if is_over else self.at, who.id)
            statement = "update organisation set suspended_at = %s where id = %s"
            driver(session).execute(statement, facts)

        self.db.transact(command)

    def terms(self, quantity_kg: int = 5 * TONNE, **more: Any) -> Terms:  # noqa: ANN401 -- any term
        """Terms from now on for a month."""
        made = Terms(
            self.batch.id, quantity_kg, 1, PRICE_FEN, self.at, self.at + timedelta(days=30)
        )
        return made._replace(**more)

    def listed(
        self,
        quantity_kg: int = 5 * TONNE,
        seller: Organisation | None = None,
        **more: Any,  # noqa: ANN401 -- any term
    ) -> Listing:
        """A listing of the operator's, or of somebody else's."""
        who = seller or self.operator
        facts: dict[str, Any] = {"listing": new_id(), "by": "clk_lister", "at": self.at}
        terms = self.terms(quantity_kg, **more)
        return self.db.transact(list_units, (who.id, who.owner), terms, **facts)

    def quoted(self, buyer: Organisation, listing: Listing, quantity_kg: int) -> Quote:
        """A quote of now."""
        wanted = (buyer.id, listing.id, quantity_kg)
        facts: dict[str, Any] = {
            "quote": new_id(),
            "by": "oru_asker",
            "valid_for": QUOTED_FOR,
            "at": self.at,
        }
        return self.db.transact(quote, *wanted, **facts)

    def buy(
        self,
        buyer: Organisation,
        quoted: Quote,
        plan: RetirementPlan | None = None,
        *,
        at: datetime | None = None,
    ) -> Purchase:
        """Buy what a quote names."""
        buying = Buying(buyer.id, buyer.owner, "oru_buyer", HELD_FOR)
        facts: dict[str, Any] = {"purchase": new_id(), "held": new_id(), "at": at or self.at}
        return self.db.transact(buy, buying, quoted.id, plan, **facts)

    def bought(
        self,
        buyer: Organisation,
        listing: Listing,
        quantity_kg: int = TONNE,
        plan: RetirementPlan | None = None,
    ) -> Purchase:
        """Ask the price, and buy."""
        return self.buy(buyer, self.quoted(buyer, listing, quantity_kg), plan)

    def paid(
        self,
        purchase: Purchase,
        reference: str = "BANK-1",
        *,
        fen: int | None = None,
        at: datetime | None = None,
    ) -> Purchase:
        """Confirm a payment of what is due, or of so much."""
        told = paying(purchase, reference, at or self.at, fen=fen)
        facts: dict[str, Any] = {"new_id": new_id, "new_salt": new_salt, "at": at or self.at}
        self.db.transact(confirm, purchase.id, told, **facts)
        return self.db.read(find_purchase, purchase.buyer, purchase.id)

    def state(self, purchase: Purchase, *, at: datetime | None = None) -> str:
        """What its buyer is told of a purchase."""
        found = self.db.read(find_purchase, purchase.buyer, purchase.id)
        return found.state(at or self.at).value

    def left_kg(self, listing: Listing) -> int:
        """What a listing has left."""
        return self.db.read(find_listing, listing.id).left_kg

    def units(self, who: Organisation) -> tuple[int, int]:
        """What somebody has of the batch: available and held."""
        query = """select coalesce(sum(credits - debits) filter (where account = %s), 0)::int8,
                          coalesce(sum(credits - debits) filter (where account = %s), 0)::int8
                     from balance where asset = %s"""
        found = one(self.db, query, who.owner, who.owner + 1, self.batch.asset)
        return found[0], found[1]

    def money(self, owner: int) -> int:
        """The fen that an owner in the books has."""
        query = """select coalesce(sum(credits - debits), 0)::int8 from balance
                    where account = %s and asset & 7 = 5"""
        return one(self.db, query, owner)[0]


def paying(
    purchase: Purchase, reference: str, at: datetime, *, fen: int | None = None
) -> Confirmation:
    """What the desk says of a payment."""
    due = purchase.due_fen if fen is None else fen
    return Confirmation(BANK_TRANSFER, reference, due, day_of(at), "clk_cashier")
