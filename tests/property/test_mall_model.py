"""The mall against plain numbers, step by step (商城模型对照): nothing is lost, doubled or kept.

Goal: whatever is earned, exchanged, ordered, redeemed, reversed, cancelled, corrected, expired and
returned, in any order and over any days, balances by class, stock, limits, states, R6 and R27 are
what ``tests.support.mall_model`` counts. Method: hypothesis drives the deeds on PostgreSQL and that
model side by side and compares after each step; then two mutants show that it would be noticed.
"""

import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final, cast

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlmodel import Session

from app.books import post
from app.embedded.postgres import Postgres
from app.kernel.clock import day_of, now
from app.kernel.db import Database, driver
from app.kernel.ids import new_id
from app.kernel.problems import Refusal
from app.kernel.secrets import Keys
from app.mall.expiring import expire_orders
from app.mall.orders import Order as Placed
from app.points import expire, return_earmarks
from app.points.debts import Owed, take_points
from app.settlements import SettlementSeal, settle_day
from ledger.accounts import bucket_of
from tests.support.mall_model import BEIJING, MG_A_POINT, Mall, Order, Person
from tests.support.mall_scenes import OUTCOMES, PEOPLE, SAYS, SCENES, SYSTEM, Ground, Scene
from tests.support.orders import HOUR, Street
from tests.support.points import GREEN, accrue, programme, swap
from tests.support.postgres import MIGRATED, create, drop, empty

NAME: Final = "mall_model"
RUNS: Final = int(os.environ.get("TANPU_MODEL_RUNS", "500"))
STEPS: Final = 25
ORDERS: Final = 15
"""After which a run orders no more in a row."""
FEN: Final = 2
MONTHS: Final = 25
DAYS: Final = 730
"""Points of two years, and the end of the first ones."""
SEAL: Final = SettlementSeal(Ed25519PrivateKey.generate(), "model")
WAITS: Final = (
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(hours=1),
    timedelta(days=1),
    timedelta(days=3),
    timedelta(days=16),
    timedelta(days=200),
)


class Together(RuleBasedStateMachine):
    """The product and the model, doing the same."""

    def __init__(self, ground: Ground, scene: Scene) -> None:
        super().__init__()
        ground.runs += 1
        street, terms = ground.street, replace(GREEN, code=f"run-{ground.runs}", fen_per_point=FEN)
        street.at = datetime.combine(day_of(now()), time(11), BEIJING).astimezone(UTC)
        self.seen, self.auditor = ground.seen, ground.auditor
        self.street, self.worker, self.reductions = street, ground.worker, ground.reductions
        fair = replace(terms, pause_below_permille=0, refuse_below_permille=0)
        street.green = programme(street.db, street.keys, scene.fen, fair)
        street.shop = street.merchant()
        street.till = street.open_till(street.shop)
        self.owners = ground.somebody()
        self.start = day_of(street.at)
        self.offers = [
            street.offer(
                each.stock,
                price_points=each.price,
                per_person=each.per_person,
                per_day=each.per_day,
                voucher_days=each.days,
                sale_to=street.at + timedelta(days=2_000),
            )
            for each in scene.offers
        ]
        people = [Person() for _ in self.owners]
        self.mall = Mall(street.at, FEN, scene.fen, people, list(scene.offers))
        self.placed: list[tuple[int, Order, Placed]] = []
        for number in range(PEOPLE):
            self.earn(number, 900_000)
            self.exchange(number)

    # what happens ---------------------------------------------------------------------------
    @rule(who=st.integers(0, PEOPLE - 1), mg=st.integers(1, 900_000))
    def earn(self, who: int, mg: int) -> None:
        accrue(self.street.db, self.owners[who], self.reductions, mg)
        self.mall.people[who].mg += mg

    @rule(who=st.integers(0, PEOPLE - 1))
    def exchange(self, who: int) -> None:
        person = self.mall.people[who]
        count = person.mg // MG_A_POINT
        expected = "exchanged" if count else "exchange.empty"
        if count * FEN > self.mall.free:
            expected = "budget.exhausted"
        street, owner = self.street, self.owners[who]

        def deed() -> None:
            swap(street.db, owner, at=street.at, code=street.green.code)

        self.told(expected, deed, "exchanged")
        if expected == "exchanged":
            person.mg -= count * MG_A_POINT
            self.mall.grant(person, count, date(self.mall.today.year + 1, 12, 31))

    @rule(
        who=st.integers(0, PEOPLE - 1),
        offer=st.integers(0, 1),
        quantity=st.sampled_from([1, 1, 1, 2]),
    )
    def order(self, who: int, offer: int, quantity: int) -> None:
        made: list[Placed] = []

        def deed() -> None:
            made.append(self.street.order(self.owners[who], self.offers[offer], quantity))

        expected = self.mall.order(self.mall.people[who], offer, quantity)
        self.told(expected, deed, "reserved")
        if made:
            order = self.mall.people[who].orders[-1]
            self.placed.append((who, order, made[0]))
            assert {part.expires: part.points for part in made[0].parts} == order.paid

    # what chance alone comes to too seldom ---------------------------------------------------
    @precondition(lambda self: self.mall.free < MG_A_POINT)
    @rule(who=st.integers(0, PEOPLE - 1))
    def exchange_more_than_there_is(self, who: int) -> None:
        self.earn(who, (self.mall.free // FEN + 1) * MG_A_POINT)
        self.exchange(who)

    @rule(who=st.integers(0, PEOPLE - 1), offer=st.integers(0, 1))
    def order_until_refused(self, who: int, offer: int) -> None:
        before = -1
        while len(self.placed) > before and len(self.placed) < ORDERS:
            before = len(self.placed)
            self.order(who, offer, 1)

    @precondition(lambda self: self.placed)
    @rule()
    def redeem_and_reverse_the_last(self) -> None:
        who, order, placed = self.placed[-1]
        self._redeem(who, order, placed)
        self._reverse(who, order, placed)

    @precondition(lambda self: self.placed)
    @rule(data=st.data())
    def redeem(self, data: st.DataObject) -> None:
        self._redeem(*data.draw(st.sampled_from(self.placed)))

    @precondition(lambda self: self.placed)
    @rule()
    def redeem_the_last(self) -> None:
        self._redeem(*self.placed[-1])

    def _redeem(self, _: int, order: Order, placed: Placed) -> None:
        self.told(self.mall.redeem(order), lambda: self.street.redeem(placed).outcome)

    @precondition(lambda self: self.placed)
    @rule(data=st.data())
    def reverse(self, data: st.DataObject) -> None:
        redeemed = [each for each in self.placed if each[1].redeemed is not None]
        self._reverse(*data.draw(st.sampled_from(redeemed or self.placed)))

    def _reverse(self, who: int, order: Order, placed: Placed) -> None:
        expected = self.mall.reverse(self.mall.people[who], order)
        self.told(expected, lambda: self.street.reverse(placed).outcome)

    @precondition(lambda self: self.placed)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        who, order, placed = data.draw(st.sampled_from(self.placed))
        expected = self.mall.cancel(self.mall.people[who], order)
        self.told(expected, lambda: self.street.cancel(self.owners[who], placed), "cancelled")

    @rule(who=st.integers(0, PEOPLE - 1), share=st.integers(1, 100))
    def correct(self, who: int, share: int) -> None:
        person, owner = self.mall.people[who], self.owners[who]
        count = person.spendable(self.mall.today) * share // 100
        if not count:
            return
        owed = Owed(owner, self.street.green.id, None, count, new_id(), None, None)

        def command(session: Session) -> None:
            connection, today = driver(session), day_of(self.street.at)
            post(connection, take_points(connection, [owed], today=today, new_id=new_id))

        self.street.db.transact(command)
        self.mall.correct(person, count)

    @precondition(lambda self: self.mall.at.astimezone(BEIJING).hour >= 1)
    @rule()
    def settle(self) -> None:
        """An hour after midnight, when nothing of yesterday is reversed any more."""
        at, shop = self.street.at, self.street.shop
        for day in self.mall.unsettled_days():
            facts = (SEAL, shop, day)
            self.street.db.transact(settle_day, *facts, settlement=new_id(), new_id=new_id, at=at)
        self.mall.settle()

    @rule(long=st.sampled_from(WAITS))
    def wait(self, long: timedelta) -> None:
        if day_of(self.street.at + long) < self.start + timedelta(days=DAYS):
            self.street.at += long
            self.mall.at += long
            self.street.run("update till set shift_ends_at = %s", self.street.at + HOUR)

    @rule(job=st.sampled_from(["orders", "points", "earmarks"]))
    def by_night(self, job: str) -> None:
        if job == "orders":
            expire_orders(self.street.db, at=self.street.at)
            self.mall.expire_orders()
        elif job == "points":
            expire(self.street.db, at=self.street.at)
            self.mall.expire_points()
        else:
            return_earmarks(self.worker)
            self.mall.due_points = 0

    # what must hold -------------------------------------------------------------------------
    @invariant()
    def agrees(self) -> None:
        places = [place for owner in self.owners for place in (owner, owner + 1)]
        asked = {
            "buckets": sorted({bucket_of(owner) for owner in self.owners}),
            "places": places,
            "offers": self.offers,
            "start": self.start,
            "today": day_of(self.street.at),
            "programme": self.street.green.id,
            "shop": self.street.shop,
        }
        (said,) = self.auditor.execute(SAYS, asked).fetchall()
        held, stock, days, people, states, moved, money, paid = cast("list[list[Any]]", said)
        assert sorted(held, key=str) == sorted(self._held(), key=str)
        assert sorted(stock + days + people, key=str) == sorted(self._sold(), key=str)
        assert dict(states) == {str(at.row.id): order.state for _, order, at in self.placed}
        self._compare_sums(moved)
        mall = self.mall
        claimed = mall.claimed_points * FEN
        assert (money, paid) == ([mall.money, mall.free, claimed], [mall.settled_points * FEN])

    def _held(self) -> Iterator[list[Any]]:
        for owner, who in zip(self.owners, self.mall.people, strict=True):
            if who.mg:
                yield [owner, 1, None, who.mg]
            yield from ([owner, 3, str(last), count] for last, count in who.points.items() if count)
            on_order: dict[date, int] = {}
            for order in who.orders:
                for last, count in order.paid.items() if order.state == "reserved" else ():
                    on_order[last] = on_order.get(last, 0) + count
            yield from ([owner + 1, 3, str(last), count] for last, count in on_order.items())

    def _sold(self) -> Iterator[list[Any]]:
        days = {day_of(each.placed) for _, each, _ in self.placed}
        for number, offer in enumerate(self.offers):
            yield ["stock", str(offer), None, self.mall.taken(number)]
            for day in days:
                if count := self.mall.taken(number, day=day):
                    yield ["day", str(offer), str(day), count]
            for owner, who in zip(self.owners, self.mall.people, strict=True):
                if count := self.mall.taken(number, person=who):
                    yield ["person", str(offer), owner, count]

    def _compare_sums(self, moved: list[Any]) -> None:
        """R6: earned = available + reserved + spent + expired + corrected."""
        for owner, who in zip(self.owners, self.mall.people, strict=True):
            said = {"earned": 0, "expired": 0, "spent": 0, "corrected": 0}
            for account, source, target, points in moved:
                if account == owner and source in SYSTEM:
                    said[SYSTEM[source]] += points if source == 2 else -points
                elif account == owner:
                    said[SYSTEM[target]] += points
            spent, reserved = who.total("redeemed"), who.total("reserved")
            assert said == {
                "earned": who.earned,
                "expired": who.expired,
                "spent": spent,
                "corrected": who.corrected,
            }
            available = sum(who.points.values())
            gone = spent + who.expired + who.corrected
            assert who.earned == available + reserved + gone

    def told(self, expected: str, deed: Any, done: str = "") -> None:  # noqa: ANN401 -- any deed
        try:
            outcome = deed()
            said = done or outcome
        except Refusal as refusal:
            said = refusal.code
        self.seen.add(said)
        assert said == expected


@pytest.fixture
def database_url(postgres: Postgres) -> Iterator[str]:
    """A database of its own, whose clock may run for two years."""
    url = create(postgres, NAME, template=MIGRATED)
    empty(url)
    with psycopg.connect(url) as connection:
        connection.execute("select ensure_partitions(%s)", (MONTHS,))
    yield url
    drop(postgres, NAME)


@pytest.fixture
def ground(db: Database, worker_db: Database, keys: Keys) -> Iterator[Ground]:
    with psycopg.connect(db.url, autocommit=True, prepare_threshold=0) as auditor:
        yield Ground(Street(db, keys), worker_db, auditor)


def run(ground: Ground, scene: str, runs: int, phases: tuple[Phase, ...]) -> None:
    machine = cast("type[RuleBasedStateMachine]", lambda: Together(ground, SCENES[scene]))
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=runs,
            stateful_step_count=STEPS,
            database=None,
            phases=phases,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )


@pytest.mark.timeout(7200)
@pytest.mark.parametrize("scene", list(SCENES))
def test_the_mall_is_what_plain_numbers_say(ground: Ground, scene: str) -> None:
    run(ground, scene, RUNS // len(SCENES), (Phase.generate, Phase.shrink))
    assert ground.runs >= RUNS // len(SCENES)
    assert (OUTCOMES | SCENES[scene].refused) - ground.seen == set()


# it would be noticed ----------------------------------------------------------------------------
MUTANTS: Final = {
    "a posting is dropped": (
        "move_points(smallint,bigint,bigint,integer[],bigint[],smallint,uuid,uuid,date)",
        "with ordinality as p (asset, points, part)",
        "with ordinality as p (asset, points, part) where _code <> 9",
    ),
    "a limit is not given back": (
        "give_units_back(mall_order)",
        "update offer_person set taken = taken - _order.quantity",
        "update offer_person set taken = taken",
    ),
}


@contextmanager
def planted(owner_url: str, function: str, text: str, instead: str) -> Generator[None]:
    """Change one function of the schema, and put it back."""
    with psycopg.connect(owner_url, autocommit=True) as connection:
        query = "select pg_get_functiondef(%s::regprocedure)"
        (before,) = connection.execute(query, (function,)).fetchall()[0]
        assert text in before
        connection.execute(before.replace(text, instead))
        try:
            yield
        finally:
            connection.execute(before)


@pytest.mark.usefixtures("books_left_broken")
@pytest.mark.parametrize("mutant", list(MUTANTS))
def test_it_would_be_noticed(ground: Ground, database_url: str, mutant: str) -> None:
    with planted(database_url, *MUTANTS[mutant]), pytest.raises(AssertionError):
        run(ground, "plenty", 200, (Phase.generate,))
