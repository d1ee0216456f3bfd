"""Statements of neutrality: only when covered, never changed, and what is lacking told at once."""

from decimal import Decimal
from hashlib import sha256
from pathlib import Path

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
from app.neutrality.sides import Side
from app.neutrality.statements import NeutralityStatement, find_statement, issue_statement
from app.registry.recalling import carry_out_recalls
from app.registry.recalls import ask_recall, open_recall
from app.staff import Asking
from ledger.certificate import canonical
from tests.support.clerks import known
from tests.support.gatherings import Marathon, Rider
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
        "kept_by_attendees_mg": 0,
        "footprint_mg": 573_700_000,
        "retired_kg": RETIRED_KG,
        "void_kg": 0,
        "given_mg": 0,
        "covered_mg": RETIRED_KG * KG,
    }
    assert said["responsible"]["registration"] == race.office.organisation.registration


def test_gifts_count_to_the_milligram_and_a_correction_of_one_is_told_at_once(
    market: Market, keys: Keys
) -> None:
    race = Marathon(market, days_ago=3)
    rider = Rider(race, keys)
    race.counted(kwh=Decimal(10))
    race.give(rider.owner, TEN_KWH_MG % KG)
    race.true_up()
    (asked,) = race.retire()
    race.taken()
    assert (asked.quantity_kg, issued(race).given_mg) == (5, TEN_KWH_MG % KG)
    assert state(race) == ("neutral", 0)
    kept_mg = 2 * rider.mg - TEN_KWH_MG % KG
    rider.corrected(rider.acts[0], kept_mg)
    assert state(race) == ("neutral", 0), "what its rider still has comes first"
    rider.corrected(rider.acts[1], 1)
    assert state(race) == ("reduced", 1)
    with pytest.raises(NotNeutral):
        issued(race)
    race.true_up()
    race.retire()
    race.taken()
    assert (issued(race).version, state(race)) == (2, ("neutral", 0))


def test_a_plan_that_counts_no_gifts_any_more_is_lacking_them(market: Market, keys: Keys) -> None:
    race = Marathon(market, days_ago=3)
    rider = Rider(race, keys)
    race.counted(kwh=Decimal(10))
    race.give(rider.owner, TEN_KWH_MG % KG)
    race.true_up()
    race.retire()
    race.taken()
    issued(race)
    race.planned(offset_way=OffsetWay.UNITS)
    assert state(race) == ("reduced", TEN_KWH_MG % KG)


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


def test_sides_close_with_the_statement(race: Marathon, keys: Keys) -> None:
    rider = Rider(race, keys)
    race.retired()
    chosen = race.choose(rider.owner, rider.acts[0], Side.ATTENDEE)
    race.counted()
    race.true_up()
    race.retire()
    race.taken()
    assert issued(race).told["balance"]["kept_by_attendees_mg"] == rider.mg
    with pytest.raises(SidesClosed):
        race.choose(rider.owner, rider.acts[1], Side.ATTENDEE)
    assert race.choose(rider.owner, rider.acts[0], Side.ATTENDEE) == chosen


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
                 retired_kg, given_mg, document, digest, issued_at)
               select gathering, 2, inventory, retired_kg * 1000000 + given_mg + 1, retired_kg,
                 given_mg, document, digest, issued_at from neutrality_statement"""
    edited = "update neutrality_statement set document = '', digest = sha256('')"
    with psycopg.connect(race.db.url, autocommit=True) as connection:
        with pytest.raises(errors.CheckViolation, match="statement_is_covered"):
            connection.execute(false.encode())
        with pytest.raises(psycopg.DatabaseError):
            connection.execute(edited.encode())
