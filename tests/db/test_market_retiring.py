"""What units may serve: passports, surrender without defaults, retiring what was just bought."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest

from app.kernel.db import Database
from app.kernel.ids import new_id, public_id
from app.kernel.problems import Refusal
from app.kernel.secrets import Keys
from app.market import RetirementPlan
from app.market.deeds import new_salt
from app.market.purchases import cancel
from app.organisations import Organisation
from app.registry.passport import UnitUse, check_passport, passport_of, ratio_of, sorts_as_json
from app.registry.passport_deeds import PASSPORT_DEEDS
from app.registry.passport_rules import UnitSort
from app.registry.retirements import find_retirement
from app.registry.retiring import (
    COOL_DOWN,
    RetirementWish,
    request_retirement,
    revert_retirement,
)
from app.registry.taking import take_retirement, take_retirements
from app.staff import Signing
from ledger.certificate import Purpose, text_commit
from tests.support.acts import one, rows
from tests.support.gatherings import Marathon
from tests.support.market import TONNE, Market
from tests.support.registry import OPERATOR, REGULATOR, Registry
from tests.support.retirements import texts

ETS = Purpose.ETS_SURRENDER
YEAR = "2026"


@pytest.fixture
def market(db: Database, worker_db: Database, keys: Keys, tmp_path: Path) -> Market:
    return Market(Registry(db, worker_db, keys, tmp_path))


def signed(market: Market, act: str, **payload: Any) -> None:  # noqa: ANN401 -- as wires have it
    """Let two of the desk set something."""
    signing = Signing(new_id(), OPERATOR, REGULATOR, market.registry.tick())
    market.db.transact(PASSPORT_DEEDS[act], payload, signing)


def allow(market: Market, purpose: Purpose, year: int, *sorts: UnitSort) -> None:
    units = sorts_as_json(sorts)
    signed(market, "registry.passport", purpose=int(purpose), year=year, units=units)


def owed(market: Market, who: Organisation, kg: int, year: int = 2026) -> None:
    told: dict[str, Any] = {"year": year, "organisation": who.public, "obligation_kg": kg}
    signed(market, "registry.surrender_obligation", **told)


def ratio(market: Market, permille: int, year: int = 2026) -> None:
    signed(market, "registry.surrender_ratio", year=year, ratio_permille=permille)


def asked(market: Market, purpose: Purpose, kg: int = 1, *, period: str | None = None) -> str:
    """What is said of a use: the refusal's code, or that it may be."""
    use = UnitUse(market.operator.owner, market.batch.id, purpose, kg, period)
    try:
        market.db.transact(check_passport, use, at=market.at)
    except Refusal as refusal:
        return refusal.code.removeprefix("passport.")
    return "may be"


def test_without_a_passport_every_unit_serves_whatever_is_not_surrender(market: Market) -> None:
    said = {purpose: asked(market, purpose, period=YEAR) for purpose in Purpose}
    assert said.pop(Purpose.REPLACEMENT) == "purpose_reserved"
    assert said.pop(ETS) == "surrender_ratio_unset"
    assert set(said.values()) == {"may be"}


@pytest.mark.parametrize(
    ("sort", "serves"),
    [
        (UnitSort(), True),
        (UnitSort(methodology="TEST-BUS", scenario="bus"), True),
        (UnitSort(vintage_from=date(2026, 1, 1), vintage_to=date(2026, 1, 1)), True),
        (UnitSort(methodology="OTHER"), False),
        (UnitSort(vintage_from=date(2026, 2, 1)), False),
        (UnitSort(vintage_to=date(2025, 12, 1)), False),
        (UnitSort(kind="project"), False),
        (UnitSort(field="green_travel"), False),
    ],
)
def test_a_passport_names_the_sorts_that_may_serve(
    market: Market, sort: UnitSort, *, serves: bool
) -> None:
    allow(market, Purpose.GATHERING, 2026, UnitSort(methodology="NONE"), sort)
    expected = "may be" if serves else "purpose_refused"
    assert asked(market, Purpose.GATHERING) == expected
    assert asked(market, Purpose.VOLUNTARY_OFFSET) == "may be"


def test_a_passport_holds_until_a_later_years_and_the_last_set_holds(market: Market) -> None:
    allow(market, Purpose.GATHERING, 2025)
    allow(market, Purpose.GATHERING, 2027, UnitSort())
    assert asked(market, Purpose.GATHERING) == "purpose_refused"
    allow(market, Purpose.GATHERING, 2026)
    allow(market, Purpose.GATHERING, 2026, UnitSort(scenario="bus"))
    assert asked(market, Purpose.GATHERING) == "may be"
    found = [market.db.read(passport_of, Purpose.GATHERING, year) for year in (2024, 2025, 2030)]
    assert [each.set_for for each in found] == [None, 2025, 2027]


def test_surrender_has_no_default_of_any_sort(market: Market) -> None:
    assert asked(market, ETS) == "compliance_year_missing"
    assert asked(market, ETS, period="26") == "compliance_year_missing"
    assert asked(market, ETS, period=YEAR) == "surrender_ratio_unset"
    ratio(market, 50)
    assert market.db.read(ratio_of, 2026) == 50
    assert market.db.read(ratio_of, 2027) is None
    assert asked(market, ETS, period=YEAR) == "surrender_obligation_unset"
    owed(market, market.operator, 30_001)
    assert asked(market, ETS, period=YEAR) == "purpose_refused"
    allow(market, ETS, 2025, UnitSort())
    assert asked(market, ETS, period=YEAR) == "purpose_refused"
    allow(market, ETS, 2026, UnitSort())
    assert asked(market, ETS, 1_500, period=YEAR) == "may be"
    assert asked(market, ETS, 1_501, period=YEAR) == "surrender_ratio_exceeded"
    assert asked(market, ETS, period="2027") == "surrender_ratio_unset"


def test_what_was_surrendered_counts_until_it_is_reverted(market: Market) -> None:
    owner = market.operator.owner
    ratio(market, 100)
    owed(market, market.operator, 10_000)
    allow(market, ETS, 2026, UnitSort())
    wish = RetirementWish(new_id(), owner, market.batch.id, 900, ETS, YEAR, texts(""))
    fresh: dict[str, Any] = {"new_id": new_id, "at": market.at}
    market.db.transact(request_retirement, wish, new_salt=new_salt, **fresh)
    assert asked(market, ETS, 101, period=YEAR) == "surrender_ratio_exceeded"
    assert asked(market, ETS, 100, period=YEAR) == "may be"
    market.db.transact(revert_retirement, owner, wish.retirement, **fresh)
    assert asked(market, ETS, 1_000, period=YEAR) == "may be"
    ratio(market, 10)
    assert asked(market, ETS, 101, period=YEAR) == "surrender_ratio_exceeded"


def test_requests_that_race_do_not_exceed_the_ratio_together(market: Market) -> None:
    ratio(market, 100)
    owed(market, market.operator, 3_500)
    allow(market, ETS, 2026, UnitSort())
    start = Barrier(8)

    def ask(_: int) -> str:
        use = (market.operator.owner, market.batch.id, 100, ETS, YEAR, texts(""))
        facts: dict[str, Any] = {"new_id": new_id, "new_salt": new_salt, "at": market.at}
        start.wait()
        try:
            market.db.transact(request_retirement, RetirementWish(new_id(), *use), **facts)
        except Refusal as refusal:
            return refusal.code
        return "held"

    with ThreadPoolExecutor(8) as pool:
        said = Counter(pool.map(ask, range(8)))
    assert said == {"held": 3, "passport.surrender_ratio_exceeded": 5}


def test_what_is_bought_for_somebody_is_retired_in_the_buyers_name(market: Market) -> None:
    buyer, listing = market.organisation(), market.listed()
    plan = RetirementPlan(Purpose.VOLUNTARY_OFFSET, YEAR, "受益方甲", "为了孩子", ("message",))
    bought = market.bought(buyer, listing, 300, plan)
    assert (bought.beneficiary, bought.message) == ("受益方甲", "为了孩子")
    paid = market.paid(bought)
    assert (paid.beneficiary, paid.message, paid.unretired) == (None, None, None)
    found = market.db.read(find_retirement, buyer.owner, paid.retirement)
    assert (found.quantity_kg, found.purpose, found.period) == (300, plan.purpose, YEAR)
    kept = rows(
        market.db,
        """select name, words, is_public, salt from claim_opening
            where account = %s and subject = %s order by name""",
        buyer.owner,
        paid.retirement,
    )
    assert [row[:3] for row in kept] == [
        ("beneficiary", "受益方甲", False),
        ("holder", buyer.name_zh, False),
        ("message", "为了孩子", True),
    ]
    salts = [bytes(row[3]) for row in kept]
    assert len(set(salts)) == 3
    assert found.beneficiary_commit == text_commit("beneficiary", salts[0], "受益方甲")
    assert market.units(buyer) == (0, 300)


def test_words_that_waited_for_a_payment_are_forgotten_without_one(market: Market) -> None:
    buyer = market.organisation()
    plan = RetirementPlan(Purpose.VOLUNTARY_OFFSET, YEAR, "受益方甲", "为了孩子")
    bought = market.bought(buyer, market.listed(), 300, plan)
    market.db.transact(cancel, buyer.id, bought.id, new_id=new_id, at=market.at)
    query = "select purpose, beneficiary, message, retirement from purchase"
    assert one(market.db, query) == (3, None, None, None)


def test_what_may_not_serve_is_not_sold_for_it(market: Market) -> None:
    buyer, listing = market.organisation(), market.listed()
    plan = RetirementPlan(ETS, YEAR)
    with pytest.raises(Refusal, match="surrender_ratio_unset"):
        market.bought(buyer, listing, 300, plan)
    assert market.left_kg(listing) == 5 * TONNE


def test_money_that_came_is_not_refused_for_a_passport_that_closed_meanwhile(
    market: Market,
) -> None:
    buyer, plan = market.organisation(), RetirementPlan(Purpose.GATHERING)
    bought = market.bought(buyer, market.listed(), 300, plan)
    allow(market, Purpose.GATHERING, 2026)
    paid = market.paid(bought)
    assert (paid.outcome, paid.retirement) == ("paid", None)
    assert paid.unretired == "passport.purpose_refused"
    assert market.units(buyer) == (300, 0)
    assert one(market.db, "select count(*) from retirement") == (0,)


def test_the_retirements_of_a_buyer_are_the_buyers(market: Market) -> None:
    buyer, other = market.organisation(1), market.organisation(2)
    plan = RetirementPlan(Purpose.PUBLIC_BENEFIT)
    paid = market.paid(market.bought(buyer, market.listed(), 10, plan))
    with pytest.raises(Refusal, match=r"retirements\.unknown"):
        market.db.read(find_retirement, other.owner, paid.retirement)
    assert paid.retirement
    assert public_id("ret", paid.retirement).startswith("ret_")


def test_what_a_suspended_organisation_asked_for_is_reverted_and_a_gatherings_waits(
    market: Market,
) -> None:
    race = Marathon(market)
    race.counted()
    race.true_up()
    (of_race,) = race.retire()
    who = race.office.organisation
    free_kg = market.units(who)[0]
    fresh: dict[str, Any] = {"new_id": new_id, "new_salt": new_salt, "at": market.at}
    wish = RetirementWish(
        new_id(), who.owner, market.batch.id, 300, Purpose.PUBLIC_BENEFIT, None, texts("")
    )
    done, asked = (wish._replace(retirement=new_id(), quantity_kg=kg) for kg in (100, 200))
    market.db.transact(request_retirement, done._replace(cool_down=timedelta(0)), **fresh)
    assert take_retirements(market.db, at=market.at) == 1
    market.db.transact(request_retirement, asked, **fresh)
    market.suspend(who)
    later = market.at + COOL_DOWN
    # Neither is taken by name either: the suspension may come while a job is at work.
    for holder, retirement in ((who.owner, asked.retirement), (of_race.holder, of_race.id)):
        assert not market.db.transact(take_retirement, holder, retirement, at=later)
    assert take_retirements(market.db, at=later) == 0

    def state(holder: int, retirement: UUID) -> str:
        return market.db.read(find_retirement, holder, retirement).state

    assert state(who.owner, done.retirement) == "taken"
    assert state(who.owner, asked.retirement) == "reverted"
    assert state(of_race.holder, of_race.id) == "requested"
    assert market.units(who) == (free_kg - 100, 0)
    said = rows(market.db, "select actor, act from audit_entry where act = 'retirements.revert'")
    assert said == [("worker", "retirements.revert")]
    market.suspend(who, is_over=True)
    assert take_retirements(market.db, at=later) == 1
    assert state(of_race.holder, of_race.id) == "taken"
