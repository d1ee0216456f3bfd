"""Gifts to a gathering, whose a trip is, and what a correction leaves of either."""

from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from app.kernel.db import Database
from app.kernel.ids import new_id
from app.kernel.secrets import Keys
from app.kernel.tokens import TokenInvalid
from app.neutrality.gathering_errors import GatheringUnknown, PlanUnknown, TicketUnknown
from app.neutrality.gifts import Offering, gifts_of, give
from app.neutrality.modes import Mode
from app.neutrality.neutrality_errors import (
    GiftLacking,
    GiftsNotTaken,
    SideChosen,
    TicketTaken,
    TripSpent,
    TripUnknown,
)
from app.neutrality.plans import OffsetWay
from app.neutrality.sides import Side
from app.neutrality.survey_rules import SurveyAnswer
from app.neutrality.surveys import answer_survey, link_of, open_survey
from app.privacy.forgetting import forget
from ledger.accounts import SYSTEM_ACCOUNTS
from tests.support.acts import one, rows
from tests.support.gatherings import Marathon, Rider, citizen
from tests.support.market import KG, Market
from tests.support.owners import BUS, BUS_B, asset_number
from tests.support.points import accrue, citizens
from tests.support.registry import Registry

GIVEN, CANCELLED = SYSTEM_ACCOUNTS["given"], SYSTEM_ACCOUNTS["cancelled"]


@pytest.fixture
def market(db: Database, worker_db: Database, keys: Keys, tmp_path: Path) -> Market:
    return Market(Registry(db, worker_db, keys, tmp_path))


@pytest.fixture
def race(market: Market) -> Marathon:
    return Marathon(market)


@pytest.fixture
def ann(db: Database, keys: Keys) -> int:
    """Somebody with 1,000 mg of grade A and 500 of B."""
    (owner,) = citizens(db, keys, 1)
    accrue(db, owner, asset_number(db, BUS), 1_000)
    accrue(db, owner, asset_number(db, BUS_B), 500)
    return owner


@pytest.fixture
def rider(race: Marathon, keys: Keys) -> Rider:
    return Rider(race, keys)


def test_a_gift_names_its_gathering_and_counts_if_of_grade_a(race: Marathon, ann: int) -> None:
    race.counted()
    made = race.give(ann, 600)
    moved = "select source, target, amount, code from transfer where cause = %s"
    assert rows(race.db, moved, made.id) == [(ann, GIVEN, 600, 13)]
    named = one(race.db, "select gathering, mg, counts from gathering_gift where id = %s", made.id)
    assert named == (race.gathering.id, 600, True)
    assert race.given_mg() == 600
    with pytest.raises(GiftLacking) as refused:
        race.give(ann, 401)
    assert refused.value.facts == {"lacking_mg": 1}
    other = race.give(ann, 500, "B")
    assert rows(race.db, moved, other.id) == [(ann, CANCELLED, 500, 12)]
    assert (other.counts, race.given_mg()) == (False, 600), "cancelled in its name, and no more"


def test_gifts_lower_what_is_retired_by_whole_units(
    race: Marathon, db: Database, keys: Keys
) -> None:
    """And are told so, rounded down: no figure shows one person's gift."""
    (bo,) = citizens(db, keys, 1)
    accrue(db, bo, asset_number(db, BUS), 10_000_000)
    race.counted()
    race.give(bo, 3_600_000)
    assert (race.standing().given_kg, race.standing().needed_kg) == (3, 571)
    race.give(bo, 399_999)
    assert (race.given_mg(), race.standing().given_kg) == (3_999_999, 3)
    race.give(bo, 1)
    standing = race.standing()
    assert (standing.given_kg, standing.covered_mg) == (4, 4_000_000)
    assert race.true_up().needed_kg == 570


def test_who_may_be_given_to(market: Market, ann: int) -> None:
    units_only = Marathon(market, number=42, offset_way=OffsetWay.UNITS)
    with pytest.raises(GiftsNotTaken):
        units_only.give(ann, 1)
    race = Marathon(market)
    with pytest.raises(GiftsNotTaken):
        race.give(ann, 1, at=race.at + timedelta(days=366))
    race.planned(is_public=False)
    with pytest.raises(PlanUnknown):
        race.give(ann, 1)
    facts: dict[str, Any] = {"gift": new_id(), "new_id": new_id, "at": race.at}
    with pytest.raises(GatheringUnknown):
        market.db.transact(give, citizen(ann), new_id(), Offering("A", 1), **facts)


def test_gifts_are_their_givers_to_read(race: Marathon, ann: int, db: Database, keys: Keys) -> None:
    made = race.give(ann, 5)
    (bo,) = citizens(db, keys, 1)
    last = UUID(int=2**128 - 1)
    assert db.read(gifts_of, citizen(ann), before=last, limit=9) == [made]
    assert db.read(gifts_of, citizen(bo), before=last, limit=9) == []
    assert db.read(gifts_of, citizen(ann), before=made.id, limit=9) == []


def test_a_correction_takes_from_the_latest_gift_and_the_sum_says_so(
    market: Market, keys: Keys
) -> None:
    race, other = (Marathon(market, number=each, days_ago=3) for each in (41, 42))
    rider = Rider(race, keys)
    race.counted()
    other.counted()
    race.give(rider.owner, rider.mg)
    other.give(rider.owner, rider.mg)
    rider.corrected(rider.acts[0], 1_000)
    assert race.given_mg() == rider.mg
    assert other.given_mg() == rider.mg - 1_000
    rider.corrected(rider.acts[1], rider.mg)
    assert (race.given_mg(), other.given_mg()) == (rider.mg - 1_000, 0)


def test_an_erased_giver_gives_no_more_and_what_they_gave_stays(
    race: Marathon, ann: int, worker_db: Database, keys: Keys
) -> None:
    race.counted()
    race.give(ann, 600)
    worker_db.transact(forget, keys, citizen(ann))
    assert race.given_mg() == 600
    with pytest.raises(TokenInvalid):
        race.give(ann, 1)
    with pytest.raises(TokenInvalid):
        race.choose(ann, new_id(), Side.ATTENDEE)


def test_a_trip_for_the_gathering_leaves_its_rider_and_counts_once(
    race: Marathon, rider: Rider
) -> None:
    race.counted()
    chosen = race.choose(rider.owner, rider.acts[0], Side.GATHERING)
    assert chosen.mg == rider.mg
    assert (race.standing().kept_kg, race.given_mg()) == (0, 0), "the inventory counts it already"
    held = "select credits - debits from balance where account = %s and asset = %s"
    assert one(race.db, held, rider.owner, rider.asset) == (rider.mg,)
    assert race.choose(rider.owner, rider.acts[0], Side.GATHERING) == chosen, "the same again"
    assert one(race.db, held, rider.owner, rider.asset) == (rider.mg,)


def test_a_trip_for_its_rider_is_added_to_the_inventory(race: Marathon, rider: Rider) -> None:
    race.counted()
    before = race.standing()
    race.choose(rider.owner, rider.acts[0], Side.ATTENDEE)
    after = race.standing()
    whole_kg = -(-rider.mg // KG)
    assert (after.kept_kg, after.footprint_mg) == (whole_kg, before.footprint_mg + whole_kg * KG)
    assert one(race.db, "select count(*) from gathering_gift") == (0,)


@pytest.mark.parametrize("first", Side)
def test_a_side_is_chosen_once_and_at_one_gathering(
    race: Marathon, market: Market, rider: Rider, first: Side
) -> None:
    other = Marathon(market, number=42)
    race.counted()
    other.counted()
    race.choose(rider.owner, rider.acts[0], first)
    (second,) = set(Side) - {first}
    with pytest.raises(SideChosen):
        race.choose(rider.owner, rider.acts[0], second)
    for side in Side:
        with pytest.raises(SideChosen):
            other.choose(rider.owner, rider.acts[0], side)
    assert other.standing().kept_kg == 0
    other.choose(rider.owner, rider.acts[1], Side.GATHERING)


def test_who_chooses_has_a_ticket_of_the_gathering_that_serves_nobody_else(
    race: Marathon, market: Market, rider: Rider, keys: Keys
) -> None:
    """And its number stands nowhere: neither beside a citizen nor beside a survey's answer."""
    other, bo = Marathon(market, number=42), Rider(race, keys, metro="other")
    ticket, answer = race.ticket(7), SurveyAnswer(Mode.METRO, "5-20", 1)
    for none in ("a", ticket + "a", other.ticket(7)):
        with pytest.raises(TicketUnknown):
            race.choose(rider.owner, rider.acts[0], Side.ATTENDEE, ticket=none)
    race.choose(rider.owner, rider.acts[0], Side.ATTENDEE, ticket=ticket)
    race.choose(rider.owner, rider.acts[1], Side.GATHERING, ticket=ticket.upper())
    with pytest.raises(TicketTaken):
        race.choose(bo.owner, bo.acts[0], Side.ATTENDEE, ticket=ticket)
    race.choose(bo.owner, bo.acts[0], Side.ATTENDEE, ticket=race.ticket(8))
    soon = race.at + timedelta(minutes=1)
    race.db.transact(open_survey, keys, race.gathering, soon, at=race.at)
    link = link_of(keys, race.gathering.id)
    race.db.transact(answer_survey, keys, link, ticket, answer, at=race.at)
    kept = rows(
        race.db, "select ticket from side_ticket union all select ticket from survey_ticket"
    )
    assert len(set(kept)) == 3


def test_what_a_trip_earned_is_given_once_somebody_said_whose_it_is(
    race: Marathon, market: Market, rider: Rider
) -> None:
    """The inventory may count the trip low already: a gift of it would count it twice."""
    race.counted()
    with pytest.raises(GiftLacking):
        race.give(rider.owner, 1)
    race.choose(rider.owner, rider.acts[0], Side.ATTENDEE)
    race.give(rider.owner, rider.mg)
    with pytest.raises(GiftLacking):
        race.give(rider.owner, 1)
    assert (race.standing().kept_kg, race.given_mg()) == (-(-rider.mg // KG), rider.mg)
    Marathon(market, number=42, days_ago=3).give(rider.owner, rider.mg)


def test_what_a_trip_earned_must_still_be_there(
    race: Marathon, market: Market, rider: Rider
) -> None:
    Marathon(market, number=42, days_ago=3).give(rider.owner, rider.mg + 1)
    with pytest.raises(TripSpent) as refused:
        race.choose(rider.owner, rider.acts[0], Side.GATHERING)
    assert refused.value.facts == {"lacking_mg": 1}
    race.choose(rider.owner, rider.acts[0], Side.ATTENDEE)


def test_only_ones_own_trip_on_its_days(
    race: Marathon, market: Market, rider: Rider, ann: int
) -> None:
    long_ago = Marathon(market, number=43, days_ago=3)
    for owner, act, at in (
        (ann, rider.acts[0], race),
        (rider.owner, new_id(), race),
        (rider.owner, None, race),
        (rider.owner, rider.acts[0], long_ago),
    ):
        with pytest.raises(TripUnknown):
            at.choose(owner, act, Side.ATTENDEE)
    rider.corrected(rider.acts[1], rider.mg)
    with pytest.raises(TripUnknown):
        race.choose(rider.owner, rider.acts[1], Side.ATTENDEE)
