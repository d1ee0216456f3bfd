"""Settlements against plain numbers (结算与朴素模型): random days, midnights, shops and answers.

Goal: statement = ledger. Sums of lines, a merchant's transfers and the programmes' outflow are one
number, which the model adds up from what was sold alone.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.kernel.db import Database
from app.kernel.ids import new_id
from app.kernel.secrets import Keys
from app.points import NewProgramme
from app.settlements.disputes import DisputeAnswer, NewDispute, answer_dispute, open_dispute
from tests.support.acts import one, rows
from tests.support.auditing import assert_clean
from tests.support.orders import DAY, HOUR, MINUTE, Street
from tests.support.points import programme
from tests.support.postgres import empty
from tests.support.settlements import NOON, ORIGIN, fen_of, settle

MIDNIGHT = NOON - 12 * HOUR
DAYS = 4
WORTH = {"green": 1, "blue": 3}
"""Fen a point."""


@dataclass(frozen=True)
class Sale:
    """Points of two programmes, at one of two shops, perhaps reversed."""

    shop: int
    minute: int
    """Since the first midnight."""
    green: int
    blue: int
    reversed_after: int | None
    """Minutes."""


@dataclass(frozen=True)
class Granted:
    """What an answer on the day after a statement grants, or takes back."""

    shop: int
    programme: str
    fen: int


@dataclass
class Model:
    """What everybody is owed, by (shop, programme), day after day."""

    permille: int
    owed: dict[tuple[int, str], int] = field(default_factory=lambda: defaultdict(int))
    """Below zero: by the shop."""
    paid: dict[tuple[int, str], int] = field(default_factory=lambda: defaultdict(int))

    def close(self, shop: int, sums: dict[str, int]) -> None:
        """Pay what a day comes to, less the fee; what is below zero waits."""
        for name in WORTH:
            owed = self.owed[shop, name] + sums.get(name, 0)
            self.owed[shop, name] = min(0, owed)
            gross = max(0, owed)
            self.paid[shop, name] += gross - gross * self.permille // 1000


midnights = st.integers(1, DAYS - 1).flatmap(
    lambda day: st.integers(day * 1440 - 16, day * 1440 + 16)
)
minutes = st.one_of(st.integers(0, DAYS * 1440 - 1), midnights)
sales = st.builds(
    Sale,
    st.integers(0, 1),
    minutes,
    st.integers(1, 400),
    st.integers(0, 400),
    st.one_of(st.none(), st.integers(0, 15)),
)
answers = st.builds(
    Granted, st.integers(0, 1), st.sampled_from(list(WORTH)), st.integers(-900, 900).filter(bool)
)


class Town:
    """Two shops that sell for points of two programmes."""

    def __init__(self, db: Database, keys: Keys, permille: int) -> None:
        self.street = Street(db, keys, at=MIDNIGHT)
        self.blue = programme(
            db, keys, 10**7, NewProgramme("blue", "蓝", "Blue", "", WORTH["blue"])
        )
        self.shops = [self.street.shop, self.street.merchant()]
        self.tills = [self.street.till, self.street.open_till(self.shops[1])]
        self.street.run("update merchant set fee_permille = %s", permille)

    def sell(self, sale: Sale) -> None:
        street, at = self.street, MIDNIGHT + sale.minute * MINUTE
        (owner,) = street.people(1, y2027=sale.green)
        if sale.blue:
            green, street.green = street.green, self.blue
            street.give(owner, sale.blue, date(2028, 12, 31))
            street.green = green
        offer = street.offer(price_points=sale.green + sale.blue, merchant=self.shops[sale.shop])
        order = street.order(owner, offer, at=at)
        street.redeem(order, till=self.tills[sale.shop], at=at)
        if sale.reversed_after is not None:
            when = at + sale.reversed_after * MINUTE
            street.reverse(order, till=self.tills[sale.shop], at=when)

    def answer(self, granted: Granted, day: int) -> bool:
        """Dispute the shop's first statement, if it has one, and grant it something."""
        street, shop = self.street, self.shops[granted.shop]
        found = rows(
            street.db, "select id from settlement where merchant = %s order by day limit 1", shop
        )
        at = MIDNIGHT + day * DAY + 3 * HOUR
        for (settlement,) in found:
            new = NewDispute(new_id(), settlement, [0], "why", new_id())
            street.db.transact(open_dispute, shop, new, at=at)
            said = DisputeAnswer(new.id, "so", {granted.programme: granted.fen})
            street.db.transact(answer_dispute, said, at=at)
        return bool(found)


def expected(model: Model, sold: list[Sale], day: int, granted: list[Granted]) -> None:
    """Close one day of the model: what was sold on it and not reversed."""
    for shop in (0, 1):
        own = [each for each in sold if each.shop == shop and each.minute // 1440 == day]
        sums: dict[str, int] = defaultdict(int)
        for each in own:
            if each.reversed_after is None:
                sums["green"] += each.green * WORTH["green"]
                sums["blue"] += each.blue * WORTH["blue"]
        mine = [each for each in granted if each.shop == shop]
        for each in mine:
            sums[each.programme] += each.fen
        if own or mine:
            model.close(shop, sums)


def agrees(town: Town, model: Model) -> None:
    """Hold lines, both sides of the transfers and the model to one another."""
    street = town.street
    paid: dict[str, int] = defaultdict(int)
    for (shop, name), fen in model.paid.items():
        paid[name] += fen
        assert fen_of(street, town.shops[shop]) == sum(
            each for (which, _), each in model.paid.items() if which == shop
        )
    outflow = rows(
        street.db,
        """select p.code, sum(t.amount)::int8 from transfer t
             join programme p on p.budget = t.source where t.code = 22 group by 1""",
    )
    assert dict(outflow) == {name: fen for name, fen in paid.items() if fen}
    by_lines = rows(
        street.db,
        """select s.merchant, s.gross_fen, s.net_fen, sum(l.fen)::int8
             from settlement s join settlement_line l on l.settlement = s.id
            group by s.id, 1, 2, 3""",
    )
    assert all(gross == lines for _, gross, _, lines in by_lines)
    net: dict[UUID, int] = defaultdict(int)
    for merchant, _, fen, _ in by_lines:
        net[merchant] += fen
    assert all(fen_of(street, merchant) == fen for merchant, fen in net.items())


@given(
    sold=st.lists(sales, min_size=1, max_size=7),
    granted=st.dictionaries(st.integers(1, DAYS - 1), answers, max_size=2),
    permille=st.sampled_from([0, 6, 333, 500]),
    together=st.booleans(),
)
@settings(
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_what_is_settled_is_what_was_sold(
    database_url: str,
    db: Database,
    keys: Keys,
    *,
    sold: list[Sale],
    granted: dict[int, Granted],
    permille: int,
    together: bool,
) -> None:
    """``together``: the job was away and makes the days up at once; else it runs every night."""
    empty(database_url)
    town, model = Town(db, keys, permille), Model(permille)
    assert_clean(database_url, keys, ORIGIN)
    if together:
        granted = {}
    for day in range(DAYS + 1):
        answered = [granted[day]] if day in granted and town.answer(granted[day], day) else []
        for sale in sold:
            if sale.minute // 1440 == day:
                town.sell(sale)
        expected(model, sold, day, answered)
        if not together or day == DAYS:
            settle(town.street, MIDNIGHT + (day + 1) * DAY + timedelta(hours=1))
            assert_clean(database_url, keys, ORIGIN)
    agrees(town, model)
    unsettled = """select count(*) from redemption r where not exists (
                     select from settlement_line l where l.subject = r.id)"""
    assert one(db, unsettled) == (0,)
