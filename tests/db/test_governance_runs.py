"""Shadow runs and corrected factors over acts that were really taken in."""

import json
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest

from app.activities import decided
from app.catalogue import (
    FactorCorrection,
    approve_scenario,
    document_of,
    holding,
)
from app.governance import correcting, shadowing
from app.governance.corrections import corrected_acts, find_correction
from app.governance.errors import CorrectionOpen, NotAFactor, RunsTooMany
from app.governance.jobs import carry_out_corrections, run_shadows, within
from app.governance.proposals import propose
from app.kernel.clock import day_of, now
from app.kernel.db import Database, driver
from app.kernel.ids import new_id
from app.kernel.scopes import SCOPES, Role
from app.kernel.secrets import Keys
from app.kernel.tokens import Principal
from app.providers import Provider
from ledger.log import tree_hash
from tests.support.acts import balances, counts, item, one, people, provider, rows, send
from tests.support.auditing import assert_acts_hold
from tests.support.desk import order, put_in_library, text
from tests.support.points import owed, points, programme, spend, swap

KG = 1_000_000
TODAY = day_of(now())
YESTERDAY = TODAY - timedelta(days=1)
TOMORROW = TODAY + timedelta(days=1)
SINCE = TODAY - timedelta(days=30)
EXPERT = Principal("clerk", new_id(), SCOPES[Role.EXPERT])


@pytest.fixture
def metro(db: Database, keys: Keys) -> Provider:
    put_in_library(db, text())
    made = provider(db)
    people(db, keys, made, ["card-1", "card-2", "card-3"], choice=db.read(decided, "TEST-RIDE"))
    return made


@pytest.fixture(autouse=True)
def acts_hold_afterwards(db: Database) -> Iterator[None]:
    """Hold every act, change, day and correction to its transfers."""
    yield
    assert_acts_hold(db.url)


def tell(db: Database, keys: Keys, metro: Provider, *kilometres: int) -> dict[str, int]:
    """Send one ride a card, of so many kilometres."""
    told = [
        item(n, subject=f"card-{n}", distance=str(km), external_id=f"x{n}-{km}")
        for n, km in enumerate(kilometres, 1)
    ]
    return counts(send(db, keys, metro, told, choice=db.read(decided, "TEST-RIDE")))


def carry_out(db: Database, keys: Keys) -> int:
    return carry_out_corrections(db, keys.receipt, at=now(), window_days=400)


def report(db: Database, keys: Keys, of: FactorCorrection) -> dict[str, object]:
    found = db.read(find_correction, of.id)
    assert found.statement is not None
    assert found.signature is not None
    keys.receipt.public_key().verify(bytes(found.signature), bytes(found.statement))
    return json.loads(found.statement)


def test_a_lower_factor_takes_back_the_difference_and_signs_for_it(
    db: Database, keys: Keys, metro: Provider
) -> None:
    assert tell(db, keys, metro, 10, 20, 5) == {"accepted": 3}
    put_in_library(db, text(version=2, saving="80", effective=str(TOMORROW)))
    ordered = order(db, SINCE, TODAY)
    assert carry_out(db, keys) == 1
    assert sorted(balances(db).values()) == [400_000, 800_000, 1_600_000]
    told = report(db, keys, ordered)
    assert told["acts"] == told["corrected"] == 3
    assert told["lowered"] == {"acts": 3, "co2e_mg": -700_000}
    assert told["raised"] == {"acts": 0, "co2e_mg": 0}
    assert told["net_co2e_mg"] == -700_000
    assert told["version_sha256"] == db.read(document_of, "TEST-RIDE", 1).sha256
    acts = db.read(corrected_acts, ordered.id, after=UUID(int=0), limit=10)
    root = tree_hash([correcting.change_leaf(*each) for each in acts])
    assert told["corrected_root"] == root.hex()
    assert one(db, "select count(distinct cause) from transfer where code = 2") == (1,)
    assert one(db, "select cause from transfer where code = 2 limit 1") == (ordered.id,)
    assert one(db, "select raw_mg from activity order by raw_mg limit 1") == (500_000,)


def test_carrying_it_out_again_changes_nothing(db: Database, keys: Keys, metro: Provider) -> None:
    tell(db, keys, metro, 10, 20)
    put_in_library(db, text(version=2, saving="80", effective=str(TOMORROW)))
    ordered = order(db, SINCE, TODAY)
    carry_out(db, keys)
    before, statement = balances(db), report(db, keys, ordered)
    assert carry_out(db, keys) == 0
    goes_on = within(60)
    correcting.carry_out(db, keys.receipt, ordered, at=now(), window_days=400, goes_on=goes_on)
    assert balances(db) == before
    assert report(db, keys, ordered) == statement


def test_a_higher_factor_adds_under_the_cap_of_the_day(
    db: Database, keys: Keys, metro: Provider
) -> None:
    tell(db, keys, metro, 10, 25)
    put_in_library(db, text(version=2, saving="130", effective=str(TOMORROW)))
    ordered = order(db, SINCE, TODAY)
    carry_out(db, keys)
    assert sorted(balances(db).values()) == [1_300_000, 3 * KG]
    assert report(db, keys, ordered)["raised"] == {"acts": 2, "co2e_mg": 800_000}


def test_acts_that_are_told_after_the_order_have_the_replacement_at_once(
    db: Database, keys: Keys, metro: Provider
) -> None:
    put_in_library(db, text(version=2, saving="80", effective=str(TOMORROW)))
    order(db, SINCE, YESTERDAY)
    tell(db, keys, metro, 10)
    (found,) = rows(db, "select version, grade from asset")
    assert found == (2, "B")
    assert sorted(balances(db).values()) == [800_000]
    carry_out(db, keys)
    assert sorted(balances(db).values()) == [800_000]
    outside = db.read(decided, "TEST-RIDE").on(TODAY)
    assert outside is not None
    assert outside.version == 1, "the period has ended"
    pinned = db.read(decided, "TEST-RIDE", 1).on(YESTERDAY)
    assert pinned is not None
    assert pinned.version == 2


def test_what_was_exchanged_and_spent_becomes_a_debt_and_nobody_is_below_zero(
    db: Database, keys: Keys, metro: Provider
) -> None:
    programme(db, keys, 100_000)
    tell(db, keys, metro, 10)
    (owner,) = one(db, "select account from activity")
    swap(db, owner)
    spend(db, owner, 90, today=TODAY)
    put_in_library(db, text(version=2, saving="80", effective=str(TOMORROW)))
    ordered = order(db, SINCE, TODAY)
    carry_out(db, keys)
    told = report(db, keys, ordered)
    assert told["net_co2e_mg"] == -200_000
    assert (told["points_owed"], told["points_debt_opened"]) == (20, 10)
    assert owed(db, owner) == 10
    assert points(db, owner) == {}
    assert one(db, "select min(credits - debits) from balance")[0] >= 0
    carry_out(db, keys)
    assert owed(db, owner) == 10


@pytest.mark.usefixtures("metro")
def test_whoever_computes_an_act_anew_uses_the_factor_that_holds(db: Database) -> None:
    put_in_library(db, text(version=2, saving="80", effective=str(TOMORROW)))
    order(db, SINCE, YESTERDAY)
    found = db.read(holding, "TEST-RIDE")
    for version in (1, 2):
        document = found.of(version, YESTERDAY)
        assert document is not None
        assert document.version == 2
        assert document.effective <= YESTERDAY
    outside = found.of(1, TODAY)
    assert outside is not None
    assert outside.version == 1
    assert found.of(9, TODAY) is None


def test_nothing_accrues_on_the_day_after_an_approval_ends(
    db: Database, keys: Keys, metro: Provider
) -> None:
    ending = YESTERDAY - timedelta(days=1)
    db.transact(approve_scenario, "test-ride", valid_from=SINCE, valid_until=ending, letter="test")
    noon = item().occurred_at
    told = [
        item(1, subject="card-1", occurred_at=noon - timedelta(days=1)),
        item(2, subject="card-1", occurred_at=noon),
    ]
    outcome = send(db, keys, metro, told, choice=db.read(decided, "TEST-RIDE"))
    assert counts(outcome) == {"accepted": 1, "ineligible": 1}
    (reason,) = one(db, "select reason from activity where occurred_on = %s", YESTERDAY)
    assert reason == "approval.not_in_force"
    db.transact(
        approve_scenario, "test-ride", valid_from=TOMORROW, valid_until=TOMORROW, letter="renewed"
    )
    choice = db.read(decided, "TEST-RIDE")
    still = send(db, keys, metro, [item(3, occurred_at=noon - timedelta(days=2))], choice=choice)
    assert counts(still) == {"accepted": 1}, "a renewal ends nothing"


def test_acts_outside_the_period_stay(db: Database, keys: Keys, metro: Provider) -> None:
    tell(db, keys, metro, 10)
    put_in_library(db, text(version=2, saving="80", effective=str(TOMORROW)))
    ordered = order(db, SINCE, YESTERDAY - timedelta(days=1))
    carry_out(db, keys)
    assert sorted(balances(db).values()) == [KG]
    assert report(db, keys, ordered)["acts"] == 0


def test_forgotten_acts_are_counted_and_stay(
    db: Database, worker_db: Database, keys: Keys, metro: Provider
) -> None:
    tell(db, keys, metro, 10, 20)
    worker_db.transact(
        lambda session: driver(session).execute(
            "update activity set inputs = null, place = null, source_occurred_at = null"
            " where raw_mg = 1000000"
        )
    )
    put_in_library(db, text(version=2, saving="80", effective=str(TOMORROW)))
    ordered = order(db, SINCE, TODAY)
    carry_out(db, keys)
    assert sorted(balances(db).values()) == [KG, 1_600_000]
    told = report(db, keys, ordered)
    assert (told["acts"], told["forgotten"], told["corrected"]) == (2, 1, 1)


def test_it_waits_until_uploads_that_began_before_have_ended(
    db: Database, keys: Keys, metro: Provider
) -> None:
    tell(db, keys, metro, 10)
    put_in_library(db, text(version=2, saving="80", effective=str(TOMORROW)))
    order(db, SINCE, TODAY)
    early = now() - timedelta(hours=1, minutes=30)
    assert carry_out_corrections(db, keys.receipt, at=early, window_days=400) == 0
    assert sorted(balances(db).values()) == [KG]


@pytest.mark.usefixtures("metro")
def test_only_numbers_may_differ_and_one_is_open_at_a_time(db: Database, keys: Keys) -> None:
    put_in_library(db, text(version=2, effective=str(TOMORROW)).replace("0.5", "0.6"))
    with pytest.raises(NotAFactor):
        order(db, SINCE, TODAY)
    with pytest.raises(NotAFactor):
        order(db, SINCE, TODAY, version=2, replacement=1)
    put_in_library(db, text(version=3, saving="80", effective=str(TOMORROW + timedelta(1))))
    order(db, SINCE, TODAY, replacement=3)
    with pytest.raises(CorrectionOpen):
        order(db, SINCE, TODAY, replacement=3)
    carry_out(db, keys)
    order(db, SINCE, TODAY, replacement=3)
    carry_out(db, keys)


def ask(db: Database, document: str) -> shadowing.ShadowRun:
    proposal = new_id()
    db.transact(propose, EXPERT, document, summary="s", proposal=proposal, at=now())
    return db.read(shadowing.run_of, ask_again(db, proposal))[0]


def ask_again(db: Database, proposal: UUID) -> UUID:
    return db.transact(
        shadowing.ask_run,
        EXPERT,
        proposal,
        revision=1,
        against=1,
        since=SINCE,
        until=TODAY,
        run=new_id(),
        at=now(),
    )


def test_a_shadow_run_compares_and_posts_nothing(db: Database, keys: Keys, metro: Provider) -> None:
    tell(db, keys, metro, 10, 20, 29)
    before = one(db, "select count(*) from transfer")
    run = ask(db, text(version=2, saving="120", effective=str(TOMORROW)))
    assert run_shadows(db) == 1
    _, found = db.read(shadowing.run_of, run.id)
    ((key, row),) = found.rows.items()
    assert key == ("1 B", f"{YESTERDAY:%Y-%m}", "metro")
    assert (row.acts, row.changed, row.forgotten) == (3, 3, 0)
    assert (row.old_mg, row.new_mg) == (5_900_000, 1_200_000 + 2_400_000 + 3 * KG)
    assert [(each.old_mg, each.new_mg) for each in found.largest] == [
        (2 * KG, 2_400_000),
        (KG, 1_200_000),
        (2_900_000, 3 * KG),
    ]
    assert one(db, "select count(*) from transfer") == before
    assert run_shadows(db) == 0


def test_a_shadow_run_that_changes_eligibility_says_so(
    db: Database, keys: Keys, metro: Provider
) -> None:
    told = [item(1, subject="card-1", distance="0.3"), item(2, subject="card-2", distance="4")]
    send(db, keys, metro, told, choice=db.read(decided, "TEST-RIDE"))
    stricter = text(version=2, effective=str(TOMORROW)).replace("0.5 * km", "5 * km")
    looser = text(version=3, effective=str(TOMORROW)).replace("0.5 * km", "0.2 * km")
    for document, new_mg in ((stricter, 0), (looser, 430_000)):
        run = ask(db, document)
        run_shadows(db)
        _, found = db.read(shadowing.run_of, run.id)
        total = [(row.acts, row.old_mg, row.new_mg) for row in found.rows.values()]
        assert sum(acts for acts, _, _ in total) == 2
        assert sum(old for _, old, _ in total) == 400_000
        assert sum(new for _, _, new in total) == new_mg


def test_a_broken_off_shadow_run_goes_on(db: Database, keys: Keys, metro: Provider) -> None:
    tell(db, keys, metro, 10)
    run = ask(db, text(version=2, saving="120", effective=str(TOMORROW)))
    left = iter([True] * 10)
    assert not shadowing.carry_out(db, run.id, goes_on=lambda: next(left, False))
    assert db.read(shadowing.run_of, run.id)[1].parts == 10
    assert shadowing.carry_out(db, run.id, goes_on=lambda: True)
    _, found = db.read(shadowing.run_of, run.id)
    assert (found.parts, sum(row.acts for row in found.rows.values())) == (64, 1)


@pytest.mark.usefixtures("metro")
def test_the_same_run_is_asked_once_and_few_wait(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shadowing, "WAITING_MAX", 2)
    for saving in ("90", "80"):
        run = ask(db, text(version=2, saving=saving, effective=str(TOMORROW)))
        assert ask_again(db, run.proposal) == run.id
    with pytest.raises(RunsTooMany):
        ask(db, text(version=2, saving="70", effective=str(TOMORROW)))
