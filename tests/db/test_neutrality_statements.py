"""Statements of neutrality: only when covered, never changed, and what is lacking told at once."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from threading import Event
from typing import Any

import psycopg
import pytest
from psycopg import errors

from app.kernel.db import Database
from app.kernel.ids import new_id
from app.kernel.scopes import Role
from app.kernel.secrets import Keys
from app.neutrality.gathering_errors import GatheringUnknown, InventoryUnknown
from app.neutrality.neutrality_errors import (
    NotNeutral,
    SidesClosed,
    StatementUnchanged,
    StatementUnknown,
)
from app.neutrality.plans import OffsetWay
from app.neutrality.sides import Side, TripChoice, choose_side
from app.neutrality.statements import NeutralityStatement, find_statement, issue_statement
from app.registry.recalling import carry_out_recalls
from app.registry.recalls import ask_recall, open_recall
from app.staff import Asking
from ledger.certificate import canonical
from tests.db.test_mall_thief import wait_for_a_lock
from tests.support.clerks import known
from tests.support.gatherings import Marathon, Rider, citizen
from tests.support.market import KG, Market
from tests.support.registry import Registry

RETIRED_KG = 574
TEN_KWH_MG = 5_737_000


@pytest.fixture
def market(db: Database, worker_db: Database, keys: Keys, tmp_path: Path) -> Market:
    return Market(Registry(db, worker_db, keys, tmp_path))


@pytest.fixture
def race(market: Market) -> Marathon:
    return Marathon(market)


def issued(race: Marathon) -> NeutralityStatement:
    return race.locked(issue_statement, at=race.at)


def state(race: Marathon) -> tuple[str, int]:
    """Whether its statement holds, and what is lacking [mg]."""
    shown = race.db.read(find_statement, race.gathering.id)
    return shown.state, shown.standing.lacking_mg


class Turn:
    """A deed that is done and not committed until another waits for it."""

    def __init__(self) -> None:
        """Begin."""
        self.inside, self.may_end = Event(), Event()

    def of(self, command: Callable[..., Any]) -> Callable[..., Any]:
        """Let a command end its transaction only when it may."""

        def deed(*args: object, **kwargs: object) -> Any:  # noqa: ANN401 -- any command's answer
            made = command(*args, **kwargs)
            self.inside.set()
            assert self.may_end.wait(30)
            return made

        return deed

    def meets(self, race: Marathon, other: Future[Any]) -> Future[Any]:
        """Let it end once another waits for its lock."""
        try:
            wait_for_a_lock(race.db.url)
        finally:
            self.may_end.set()
        return other


def test_nothing_is_stated_before_it_is_covered(race: Marathon) -> None:
    with pytest.raises(InventoryUnknown):
        issued(race)
    race.counted()
    race.true_up()
    race.retire()
    with pytest.raises(NotNeutral) as refused:
        issued(race)
    assert refused.value.facts == {"lacking_mg": 573_700_000}, "asked for is not retired"
    race.taken()
    assert issued(race).version == 1
    with pytest.raises(StatementUnchanged):
        issued(race)


def test_a_statement_is_its_digest_and_says_what_it_rests_on(race: Marathon) -> None:
    race.retired()
    made = issued(race)
    assert sha256(made.document).digest() == made.digest
    assert canonical({**made.told}) == made.document
    said, inventory = made.told, race.standing().inventory
    assert said["inventory_sha256"] == inventory.digest.hex()
    assert sha256(canonical(said["inventory"])).digest() == inventory.digest
    assert said["balance"] == {
        "inventory_mg": 573_700_000,
        "kept_by_attendees_kg": 0,
        "footprint_mg": 573_700_000,
        "retired_kg": RETIRED_KG,
        "void_kg": 0,
        "given_kg": 0,
        "covered_mg": RETIRED_KG * KG,
    }
    assert said["responsible"]["registration"] == race.office.organisation.registration


def test_gifts_count_in_whole_kilograms_and_what_is_lost_of_them_is_told_at_once(
    market: Market, keys: Keys
) -> None:
    race = Marathon(market, days_ago=3)
    rider = Rider(race, keys, km=40)
    race.counted(kwh=Decimal(10))
    race.give(rider.owner, 3 * KG + 5)
    race.true_up()
    (asked,) = race.retire()
    race.taken()
    made = issued(race)
    assert (asked.quantity_kg, made.given_kg, made.told["balance"]["given_kg"]) == (3, 3, 3)
    assert made.told["balance"]["covered_mg"] == 6 * KG
    still_mg = 2 * rider.mg - (3 * KG + 5)
    rider.corrected(rider.acts[0], still_mg)
    assert state(race) == ("neutral", 0), "what its rider still has comes first"
    rider.corrected(rider.acts[1], 5)
    assert state(race) == ("neutral", 0), "three whole kilograms are left"
    rider.corrected(rider.acts[1], 6)
    assert state(race) == ("reduced", TEN_KWH_MG - 5 * KG)
    with pytest.raises(NotNeutral):
        issued(race)
    race.true_up()
    race.retire()
    race.taken()
    assert (issued(race).version, state(race)) == (2, ("neutral", 0))
    race.planned(offset_way=OffsetWay.UNITS)
    assert state(race) == ("reduced", TEN_KWH_MG - 4 * KG), "its plan counts no gifts any more"


def test_recalled_units_do_not_count_until_they_are_replaced(race: Marathon, db: Database) -> None:
    race.retired()
    issued(race)
    batch = race.market.batch
    asking = Asking(known(db, Role.REGULATOR), "The meter was wrong.", new_id(), race.at)
    asked = db.transact(ask_recall, asking, None, {batch.public: batch.quantity_kg})
    db.transact(open_recall, asked.payload, race.market.registry.signing())
    carry_out_recalls(db, new_id=new_id, at=race.at)
    assert state(race) == ("reduced", 573_700_000)
    assert race.standing().needed_kg == 0, "the buffer owes them, not the organiser"
    with pytest.raises(NotNeutral):
        issued(race)


def test_a_choice_is_in_the_statement_or_too_late(race: Marathon, keys: Keys) -> None:
    """Each waits for the other: first a statement for a choice, then a choice for a statement."""
    rider = Rider(race, keys)
    race.retired()
    first, last = rider.acts
    facts: dict[str, Any] = {"gift": new_id(), "new_id": new_id, "at": race.at}
    choice = TripChoice(first, Side.ATTENDEE, race.ticket(1))
    named = (keys, citizen(rider.owner), race.gathering.id, choice)
    with ThreadPoolExecutor(2) as threads:
        turn = Turn()
        chosen = threads.submit(race.db.transact, turn.of(choose_side), *named, **facts)
        stated = turn.meets(race, threads.submit(lambda: turn.inside.wait(30) and issued(race)))
        assert chosen.result(30).side is Side.ATTENDEE
        with pytest.raises(NotNeutral):
            stated.result(30)
    race.true_up()
    race.retire()
    race.taken()
    with ThreadPoolExecutor(2) as threads:
        turn = Turn()
        stated = threads.submit(race.locked, turn.of(issue_statement), at=race.at)
        tried = turn.meets(
            race,
            threads.submit(
                lambda: turn.inside.wait(30) and race.choose(rider.owner, last, Side.ATTENDEE)
            ),
        )
        assert stated.result(30).told["balance"]["kept_by_attendees_kg"] == 1
        with pytest.raises(SidesClosed):
            tried.result(30)
    assert race.choose(rider.owner, first, Side.ATTENDEE) == chosen.result(), "the same again"


def test_what_is_not_there_is_not_shown(race: Marathon) -> None:
    with pytest.raises(StatementUnknown):
        race.db.read(find_statement, race.gathering.id)
    with pytest.raises(GatheringUnknown):
        race.db.read(find_statement, new_id())
    race.retired()
    issued(race)
    with pytest.raises(StatementUnknown):
        race.db.read(find_statement, race.gathering.id, 2)


def test_the_database_holds_no_statement_of_what_is_not_covered(race: Marathon) -> None:
    race.retired()
    issued(race)
    false = """insert into neutrality_statement (gathering, version, inventory, footprint_mg,
                 retired_kg, given_kg, document, digest, issued_at)
               select gathering, 2, inventory, (retired_kg + given_kg) * 1000000 + 1, retired_kg,
                 given_kg, document, digest, issued_at from neutrality_statement"""
    edited = "update neutrality_statement set document = '', digest = sha256('')"
    with psycopg.connect(race.db.url, autocommit=True) as connection:
        with pytest.raises(errors.CheckViolation, match="statement_is_covered"):
            connection.execute(false.encode())
        with pytest.raises(psycopg.DatabaseError):
            connection.execute(edited.encode())
