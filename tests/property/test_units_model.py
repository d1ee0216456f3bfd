"""Units against plain numbers, step by step (单位模型对照): each is in one place, whatever is done.

Goal: issued, traded, reserved, retired, reverted, invalidated, replaced and corrected in any order,
who has what, cursors, ends and deficits are what ``tests.support.units_model`` counts, and issued =
available + reserved + buffer + retired + cancelled + invalidated after every step. Method:
hypothesis drives the deeds on PostgreSQL and that model side by side; mutants show that it would
be noticed.
"""

import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, cast
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlmodel import Session

from app.books import Overdrawn, post
from app.kernel.clock import day_of
from app.kernel.db import Database, driver
from app.kernel.ids import new_id
from app.kernel.problems import Refusal
from app.kernel.scopes import SCOPES, Role
from app.kernel.secrets import Keys
from app.kernel.tokens import Principal
from app.market import buy, purchases
from app.market.errors import PurchaseEnded, UnitsShort
from app.market.listings import Terms, list_units
from app.market.purchases import Buying, cancel
from app.market.quotes import quote
from app.neutrality.neutrality_errors import ReservableLacking, ReservationUnknown
from app.neutrality.reserving import Wanted, release, reserve
from app.registry import recalled, retiring, taking
from app.registry.batches import Batch
from app.registry.conservation_rules import gap_kg
from app.registry.handing_over import UnitQuantity, legs
from app.registry.recalling import carry_out_recalls
from app.registry.recalls import ask_recall, open_recall
from app.registry.replacing import replace_all
from app.registry.retiring import RetirementWish, request_retirement, revert_retirement
from app.registry.taking import take_retirements
from app.staff import Asking
from ledger.accounts import bucket_of
from ledger.certificate import Purpose
from tests.support.registry import Registry
from tests.support.retirements import issued_to, texts
from tests.support.units_ground import BUYERS, Ground, salt, standings, units_ground
from tests.support.units_model import BUFFER, GATHERING, OPERATOR, Hold, Units, Wish

RUNS: Final = int(os.environ.get("TANPU_MODEL_RUNS", "500"))
STEPS: Final = 20
NOW: Final = timedelta(0)
HOUR: Final = timedelta(hours=1)
WHO: Final = Principal("clerk", new_id(), SCOPES[Role.REGULATOR])
USES: Final = (Purpose.PUBLIC_BENEFIT, Purpose.VOLUNTARY_OFFSET)
SAYS: Final = """
select b.id, b.cursor_kg, b.end_kg,
       coalesce((select json_object_agg(h.account, h.credits - h.debits) from balance h
                  where h.asset = b.asset and h.credits > h.debits), '{}')
  from issue_batch b order by b.number"""
SHORT: Final = "insert into issued_shortfall values (%s, %s, %s, %s, %s, %s)"


class Together(RuleBasedStateMachine):
    """The product and the model, doing the same."""

    def __init__(self, ground: Ground) -> None:
        super().__init__()
        ground.runs += 1
        ground.forget()
        self.ground, self.registry, self.owners = ground, ground.registry, ground.owners
        self.db, self.model = ground.registry.db, Units()
        self.issued: list[Batch] = []
        self.asked: list[tuple[Wish, UUID]] = []
        self.held: list[tuple[Hold, UUID]] = []

    # what happens ---------------------------------------------------------------------------
    @initialize(kg=st.integers(1, 9), buffer=st.integers(0, 3))
    def begin(self, kg: int, buffer: int) -> None:
        self.issue(kg, buffer)

    @rule(kg=st.integers(1, 9), buffer=st.integers(0, 5))
    def issue(self, kg: int, buffer: int) -> None:
        share = min(kg, buffer)
        buffered = (self.owners[BUFFER], share)
        at = self.registry.at
        batch = issued_to(self.db, self.owners[OPERATOR], kg, at=at, buffer=buffered)
        self.issued.append(batch)
        self.model.issue(kg, share)

    @rule(data=st.data(), kg=st.integers(1, 5))
    def trade(self, data: st.DataObject, kg: int) -> None:
        number, source = self._batch(data), data.draw(st.integers(0, BUYERS))
        target = data.draw(st.integers(0, BUYERS).filter(lambda other: other != source))
        can = self.model.move(number, source, target, kg)
        self.told(
            "traded" if can else Overdrawn.code,
            lambda: self._move(self.issued[number], source, target, kg),
            "traded",
        )

    @rule(data=st.data(), kg=st.integers(1, 5))
    def reserve(self, data: st.DataObject, kg: int) -> None:
        self._reserve(self._batch(data), data.draw(st.integers(0, BUYERS)), kg)

    def _reserve(self, number: int, owner: int, kg: int) -> None:
        purpose = USES[kg % len(USES)]
        can = self.model.request(number, owner, kg)
        wish = RetirementWish(
            new_id(),
            self.owners[owner],
            self.issued[number].id,
            kg,
            purpose,
            None,
            texts(""),
            cool_down=NOW,
        )

        def deed() -> None:
            at = self.registry.tick()
            self.db.transact(
                request_retirement,
                wish,
                new_id=new_id,
                new_salt=salt,
                at=at,
            )

        self.told("reserved" if can else "retirements.units_lacking", deed, "reserved")
        if can:
            self.asked.append((self.model.wishes[-1], wish.retirement))

    @precondition(lambda self: self.asked)
    @rule(data=st.data())
    def revert(self, data: st.DataObject) -> None:
        self._revert(*data.draw(st.sampled_from(self.asked)))

    @precondition(lambda self: self.asked)
    @rule()
    def revert_the_last(self) -> None:
        self._revert(*self.asked[-1])

    def _revert(self, wish: Wish, retirement: UUID) -> None:
        can = self.model.revert(wish)
        holder, at = self.owners[wish.owner], self.registry.at

        def deed() -> None:
            self.db.transact(revert_retirement, holder, retirement, new_id=new_id, at=at)

        self.told("reverted" if can else "retirements.ended", deed, "reverted")

    @rule(data=st.data(), kg=st.integers(1, 5), is_sold=st.booleans())
    def set_aside(self, data: st.DataObject, kg: int, *, is_sold: bool) -> None:
        """Hold units for a buyer who does not pay, or for the gathering of the last buyer."""
        owner = data.draw(st.integers(0, BUYERS)) if is_sold else BUYERS
        self._set_aside(self._batch(data), owner, kg, is_sold=is_sold)

    def _set_aside(self, number: int, owner: int, kg: int, *, is_sold: bool) -> None:
        batch, id_ = self.issued[number].id, new_id()
        can = self.model.hold(number, owner, kg, owner if is_sold else GATHERING)
        if is_sold:
            self.told("held" if can else UnitsShort.code, self._buys(owner, batch, kg, id_), "held")
        else:
            race, at = self.ground.race, self.registry.at
            wanted = Wanted(batch, kg, race.deadline)
            self.told(
                "held" if can else ReservableLacking.code,
                lambda: race.locked(reserve, wanted, reservation=id_, new_id=new_id, at=at),
                "held",
            )
        if can:
            self.held.append((self.model.holds[-1], id_))

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def let_go(self, data: st.DataObject) -> None:
        self._let_go(*data.draw(st.sampled_from(self.held)))

    def _let_go(self, hold: Hold, id_: UUID) -> None:
        can, at = self.model.let_go(hold), self.registry.tick()
        race, buyer = self.ground.race, self.ground.buyer.id
        if hold.holder == GATHERING:
            self.told(
                "let go" if can else ReservationUnknown.code,
                lambda: race.locked(release, id_, new_id=new_id, at=at),
                "let go",
            )
        else:
            self.told(
                "let go" if can else PurchaseEnded.code,
                lambda: self.db.transact(cancel, buyer, id_, new_id=new_id, at=at),
                "let go",
            )

    @rule()
    def retire(self) -> None:
        assert take_retirements(self.db, at=self.registry.tick()) == self.model.take()
        self.ground.seen.add("retired")

    @rule(data=st.data(), kg=st.integers(1, 9))
    def invalidate(self, data: st.DataObject, kg: int) -> None:
        self._invalidate(self._batch(data), kg)

    @rule(data=st.data(), kg=st.integers(1, 9))
    def invalidate_what_is_held(self, data: st.DataObject, kg: int) -> None:
        """Recall units that are held: some of those are then let go, and some are retired."""
        number, owner = self._batch(data), data.draw(st.integers(0, BUYERS))
        if has := self.model.free[number, owner]:
            self._reserve(number, owner, has - has // 2)
        if has := self.model.free[number, owner]:
            self._set_aside(number, owner, has, is_sold=owner < BUYERS)
        self._invalidate(number, kg)
        self.sweep()
        for hold, id_ in self.held:
            if hold.batch == number and hold.is_open and data.draw(st.booleans()):
                self._let_go(hold, id_)
        for wish, id_ in self.asked:
            if wish.batch == number and wish.state == "requested" and data.draw(st.booleans()):
                self._revert(wish, id_)
        self.agrees()
        self.retire()

    def _invalidate(self, number: int, kg: int) -> None:
        can = self.model.recall(number, kg)
        asking = Asking(WHO, "void", new_id(), self.registry.tick())

        def deed() -> None:
            named = {self.issued[number].public: kg}
            asked = self.db.transact(ask_recall, asking, None, named)
            self.db.transact(open_recall, asked.payload, self.registry.signing())

        self.told("recalled" if can else "recalls.too_much", deed, "recalled")

    @rule()
    def sweep(self) -> None:
        carry_out_recalls(self.db, new_id=new_id, at=self.registry.tick())
        self.model.sweep()

    @rule()
    def replace(self) -> None:
        replace_all(
            self.db,
            new_id=new_id,
            new_salt=salt,
            at=self.registry.tick(),
        )
        self.model.replace()

    @rule(data=st.data(), mg=st.integers(1, 2_500_000))
    def correct(self, data: st.DataObject, mg: int) -> None:
        """Take milligrams of an act that was issued, as a correction does."""
        number = self._batch(data)
        batch, owner = self.issued[number], self.owners[OPERATOR]

        def command(session: Session) -> None:
            connection, id_ = driver(session), new_id()
            facts = (bucket_of(owner), owner, id_, batch.id, mg, day_of(self.registry.at))
            connection.execute(SHORT, facts)

        self.db.transact(command)
        self.model.correct(number, mg)

    # what must hold -------------------------------------------------------------------------
    @invariant()
    def agrees(self) -> None:
        names = {owner: name for name, owner in self.owners.items()}
        short, places = self.db.read(standings, [each.id for each in self.issued])
        rows = self.ground.owner.execute(SAYS).fetchall()
        for number, (batch, cursor, end, balances) in enumerate(rows):
            said, model = self.model.batches[number], self.model
            assert (cursor, end) == (said.cursor, said.end)
            found = {int(account): kg for account, kg in balances.items()}
            free = {names[owner]: kg for owner, kg in found.items() if not owner & 1}
            held = {names[owner & ~1]: kg for owner, kg in found.items() if owner & 1}
            assert free == {who: kg for (of, who), kg in model.free.items() if of == number and kg}
            assert held == {who: kg for (of, who), kg in model.held.items() if of == number and kg}
            assert short[batch] == said.due
            assert not (sum(said.waits.values()) and free), "void units are free"
        assert all(gap_kg(units) == 0 for units in places)

    def _batch(self, data: st.DataObject) -> int:
        return data.draw(st.integers(0, len(self.issued) - 1))

    def _move(self, batch: Batch, source: int, target: int, kg: int) -> None:
        at, cause = self.registry.at, new_id()
        both = legs(
            UnitQuantity(batch.asset, kg),
            source=self.owners[source],
            target=self.owners[target],
            cause=cause,
            today=day_of(at),
            new_id=new_id,
        )
        self.db.transact(lambda session: post(driver(session), both))

    def _buys(self, owner: int, batch: UUID, kg: int, purchase: UUID) -> Callable[[], object]:
        """Offer, quote and buy: the real commands, in one transaction."""
        seller, buyer, at = self.ground.sellers[owner], self.ground.buyer, self.registry.tick()
        terms = Terms(batch, kg, 1, 6_500, at, at + HOUR)
        listing, quoted = new_id(), new_id()
        buying = Buying(buyer.id, buyer.owner, "oru_buyer", HOUR)
        by: dict[str, Any] = {"by": "oru_buyer", "at": at}

        def command(session: Session) -> None:
            list_units(session, (seller.id, seller.owner), terms, listing=listing, by="oru", at=at)
            quote(session, buyer.id, listing, kg, quote=quoted, valid_for=HOUR, **by)
            buy(session, buying, quoted, None, purchase=purchase, held=new_id(), at=at)

        return lambda: self.db.transact(command)

    def told(self, expected: str, deed: Any, done: str) -> None:  # noqa: ANN401 -- any deed
        try:
            deed()
            said = done
        except Refusal as refusal:
            said = refusal.code
        self.ground.seen.add(said)
        assert said == expected


@pytest.fixture
def ground(db: Database, worker_db: Database, keys: Keys, tmp_path: Path) -> Iterator[Ground]:
    with units_ground(Registry(db, worker_db, keys, tmp_path)) as made:
        yield made


def run(ground: Ground, runs: int, phases: tuple[Phase, ...]) -> None:
    machine = cast("type[RuleBasedStateMachine]", lambda: Together(ground))
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
def test_units_are_where_plain_numbers_say(ground: Ground) -> None:
    run(ground, RUNS, (Phase.generate, Phase.shrink))
    assert ground.runs >= RUNS
    done = {"traded", "reserved", "reverted", "held", "let go", "retired", "recalled"}
    assert done <= ground.seen
    refused = {"retirements.units_lacking", "retirements.ended", "recalls.too_much"}
    refused |= {UnitsShort.code, ReservableLacking.code, PurchaseEnded.code}
    assert refused | {Overdrawn.code} <= ground.seen


# it would be noticed ----------------------------------------------------------------------------
MUTANTS: Final = {
    "a cursor stands still": (taking, "_ADVANCE", "cursor_kg = %s - 1"),
    "a void unit stays": (recalled, "_END", "end_kg = end_kg - 0 * %s"),
}
DEAF: Final = {
    "given back is good again": (retiring, "void_given_back"),
    "let go is good again": (purchases, "void_given_back"),
    "used is not noted": (taking, "note_used"),
}


@pytest.mark.usefixtures("books_left_broken")
@pytest.mark.parametrize("mutant", list(MUTANTS))
def test_it_would_be_noticed(ground: Ground, monkeypatch: pytest.MonkeyPatch, mutant: str) -> None:
    module, name, instead = MUTANTS[mutant]
    monkeypatch.setattr(module, name, f"update issue_batch set {instead} where id = %s")
    with pytest.raises((AssertionError, psycopg.Error)):
        run(ground, 100, (Phase.generate,))


@pytest.mark.usefixtures("books_left_broken")
@pytest.mark.parametrize("mutant", list(DEAF))
def test_a_hold_that_forgets_a_recall_would_be_noticed(
    ground: Ground, monkeypatch: pytest.MonkeyPatch, mutant: str
) -> None:
    module, name = DEAF[mutant]
    monkeypatch.setattr(module, name, _forgets)
    with pytest.raises((AssertionError, psycopg.Error)):
        run(ground, RUNS, (Phase.generate,))


def _forgets(*_: object, **__: object) -> int:
    return 0
