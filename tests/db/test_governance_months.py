"""Shadow runs and corrected factors of a methodology that is settled by the month (R6, R10)."""

from calendar import monthrange
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlmodel import Session

from app.activities import decided, settle
from app.activities.corrections import Corrected, Correction, correct
from app.catalogue import FactorCorrection
from app.governance import correcting, shadowing
from app.governance.errors import NotAFactor, SettlesOtherwise
from app.governance.jobs import carry_out_corrections, run_shadows
from app.governance.proposals import propose
from app.kernel.clock import now
from app.kernel.db import Database, driver
from app.kernel.ids import new_id
from app.kernel.secrets import Keys
from app.providers import Provider
from app.wallet.acts import act_of
from ledger.log import tree_hash
from tests.db.test_governance_runs import EXPERT, TODAY, TOMORROW, report
from tests.support.acts import balances, counts, item, one, people, provider, rows, send
from tests.support.auditing import assert_acts_hold
from tests.support.desk import order, put_in_library, text
from tests.support.homes import LAST_MONTH, home, month_of, readings
from tests.support.points import owed, points, programme, spend, swap
from tests.support.tripwire import Crash, Tripwire

CODE = "TEST-HOME"
MONTH = LAST_MONTH.date()
LAST_DAY = MONTH.replace(day=monthrange(MONTH.year, MONTH.month)[1])
SAVED_MG = 4_000_000
"""Σ(MA7 − a): the mean falls from 8 to 6 kWh over a week, 8 kWh in all, at half a kilogram."""


@pytest.fixture
def grid(db: Database, keys: Keys) -> Provider:
    """Two homes whose last month was settled: one saved 8 kWh, the other nothing."""
    put_in_library(db, home())
    choice, made = db.read(decided, CODE), provider(db, "grid")
    people(db, keys, made, ["meter-1", "meter-2"], choice=choice)
    told = readings(month_of(8, 6)) + readings(month_of(8, 8), "meter-2")
    assert counts(send(db, keys, made, told, choice)) == {"accepted": len(told)}
    assert settle(db, choice, MONTH, at=now()).people == 2
    return made


@pytest.fixture(autouse=True)
def acts_hold_afterwards(db: Database) -> Iterator[None]:
    """Hold every month, change and correction to its transfers."""
    yield
    assert_acts_hold(db.url)


def ordered(db: Database, power: str) -> FactorCorrection:
    put_in_library(db, home(version=2, power=power, effective=str(TOMORROW)))
    return order(db, MONTH, LAST_DAY, code=CODE)


def carry_out(db: Database, keys: Keys) -> int:
    return carry_out_corrections(db, keys.receipt, at=now(), window_days=400)


def held(db: Database) -> int:
    return sum(balances(db).values())


def shadowed(db: Database, candidate: str) -> shadowing.Differences:
    made, run = new_id(), new_id()
    at = now()
    db.transact(propose, EXPERT, candidate, summary="s", proposal=made, at=at)
    days = {"since": MONTH, "until": LAST_DAY}
    db.transact(shadowing.ask_run, EXPERT, made, revision=1, against=1, **days, run=run, at=at)
    run_shadows(db)
    return db.read(shadowing.run_of, run)[1]


@pytest.mark.usefixtures("grid")
def test_a_candidate_is_held_against_settled_months_and_posts_nothing(db: Database) -> None:
    before = rows(db, "select id from transfer order by id")
    found = shadowed(db, home(version=2, power="0.75", effective=str(TOMORROW)))
    assert (found.parts, found.is_cut) == (64, False)
    assert set(found.rows) == {
        ("1 B", f"{MONTH:%Y-%m}", "grid"),
        ("1 C", f"{MONTH:%Y-%m}", "grid"),
    }
    saved, flat = (found.rows[f"1 {grade}", f"{MONTH:%Y-%m}", "grid"] for grade in "BC")
    assert (saved.acts, saved.forgotten, saved.changed) == (1, 0, 1)
    assert abs(saved.old_mg - SAVED_MG) <= 1
    assert abs(saved.new_mg - SAVED_MG * 3 // 2) <= 1
    assert (flat.acts, flat.changed, flat.old_mg, flat.new_mg) == (1, 0, 0, 0)
    assert [(each.old_mg, each.new_mg) for each in found.largest] == [(saved.old_mg, saved.new_mg)]
    assert rows(db, "select id from transfer order by id") == before


@pytest.mark.usefixtures("grid")
def test_forgotten_readings_are_counted_and_not_compared(db: Database, worker_db: Database) -> None:
    forget = "update activity set inputs = null where occurred_on = %s"
    worker_db.transact(lambda session: driver(session).execute(forget, (LAST_DAY,)))
    found = shadowed(db, home(version=2, power="0.75", effective=str(TOMORROW)))
    assert sum(row.forgotten for row in found.rows.values()) == 2
    assert sum(row.new_mg for row in found.rows.values()) == 0


@pytest.mark.usefixtures("grid")
def test_a_month_is_not_held_against_an_act(db: Database) -> None:
    with pytest.raises(SettlesOtherwise):
        shadowed(db, text(code=CODE, version=2, effective=str(TOMORROW)))


def test_a_lower_factor_takes_the_difference_back_once(
    db: Database, keys: Keys, grid: Provider
) -> None:
    before = held(db)
    assert abs(before - SAVED_MG) <= 1
    which = ordered(db, "0.4")
    assert carry_out(db, keys) == 1
    assert abs(held(db) - SAVED_MG * 4 // 5) <= 1
    told = report(db, keys, which)
    assert (told["acts"], told["corrected"], told["refused"]) == (1, 1, 0)
    assert told["net_co2e_mg"] == held(db) - before
    acts = rows(db, "select activity, change_mg from act_correction")
    assert told["corrected_root"] == tree_hash([correcting.change_leaf(*acts[0])]).hex()
    assert one(db, "select id from month_settlement where reduction_mg > 0") == (acts[0][0],)
    assert one(db, "select code, cause from transfer order by id desc limit 1") == (2, which.id)
    assert carry_out(db, keys) == 0
    bucket, owner, day = one(
        db,
        "select a.bucket, a.account, a.id from activity a join balance using (bucket, account)"
        " where a.occurred_on = %s",
        LAST_DAY,
    )
    seen = db.read(act_of, bucket, owner, day)
    assert seen is not None
    assert (seen.month, seen.month_mg) == (MONTH, held(db)), "the wallet shows what it is now"
    # No second settlement under the replacement, and no day more for a month that is closed.
    now_holds = db.read(decided, CODE)
    in_force = now_holds.on(LAST_DAY)
    assert in_force is not None
    assert in_force.version == 2
    assert settle(db, now_holds, MONTH, at=now()) == (0, 0)
    late = item(
        1,
        external_id="late",
        subject="meter-1",
        inputs=readings([6])[0].inputs,
        occurred_at=LAST_MONTH + timedelta(days=3),
    )
    assert counts(send(db, keys, grid, [late], now_holds)) == {"ineligible": 1}


def test_a_month_settled_under_the_replacement_is_closed_to_days_told_before(
    db: Database, keys: Keys
) -> None:
    put_in_library(db, home())
    choice, grid = db.read(decided, CODE), provider(db, "grid")
    people(db, keys, grid, ["meter-1"], choice=choice)
    send(db, keys, grid, readings(month_of(8, 6)), choice)
    ordered(db, "0.4")
    assert settle(db, db.read(decided, CODE), MONTH, at=now()).people == 1
    version = "select v.version from month_settlement m join methodology_version v"
    assert one(db, f"{version} on v.id = m.methodology") == (2,)
    bucket, owner, told_on, day = one(
        db,
        "select bucket, account, recorded_on, id from activity where occurred_on = %s",
        LAST_DAY,
    )
    said = Correction(bucket, owner, told_on, day, None, "provider.meter_read_wrongly")

    def command(session: Session) -> list[Corrected]:
        return correct(
            driver(session), [said], cause=new_id(), at=now(), window_days=400, new_id=new_id
        )

    assert [each.reason for each in db.transact(command)] == ["month.settled"]


@pytest.mark.usefixtures("grid")
def test_a_higher_factor_adds_a_further_accrual_of_the_same_class(db: Database, keys: Keys) -> None:
    classes, before = set(balances(db)), held(db)
    which = ordered(db, "0.75")
    carry_out(db, keys)
    assert set(balances(db)) == classes
    assert abs(held(db) - SAVED_MG * 3 // 2) <= 1
    assert report(db, keys, which)["raised"] == {"acts": 1, "co2e_mg": held(db) - before}


@pytest.mark.usefixtures("grid")
def test_what_was_exchanged_and_spent_is_owed_and_nobody_is_below_zero(
    db: Database, keys: Keys
) -> None:
    programme(db, keys, 1_000_000)
    ((owner,),) = rows(db, "select account from balance where credits > debits and asset & 7 < 3")
    swap(db, owner)
    had = sum(points(db, owner).values())
    assert had > 0
    spend(db, owner, had, today=TODAY)
    which = ordered(db, "0.4")
    carry_out(db, keys)
    assert owed(db, owner) == report(db, keys, which)["points_debt_opened"]
    assert owed(db, owner) > 0
    assert one(db, "select min(credits - debits) >= 0 from balance") == (True,)


@pytest.mark.usefixtures("grid")
def test_a_month_before_the_acceptance_window_is_lowered_and_not_raised(
    db: Database, keys: Keys
) -> None:
    which = ordered(db, "0.75")
    before = held(db)
    carry_out_corrections(db, keys.receipt, at=now(), window_days=0)
    assert held(db) == before
    assert report(db, keys, which)["refused"] == 1


@pytest.mark.usefixtures("grid")
def test_only_numbers_may_differ(db: Database) -> None:
    put_in_library(db, home(version=2, effective=str(TOMORROW), days_min=10))
    with pytest.raises(NotAFactor):
        order(db, MONTH, LAST_DAY, code=CODE)


@pytest.mark.parametrize("landed", [False, True], ids=["lost", "landed"])
@pytest.mark.parametrize("crash_at", [1, 2, 3])
@pytest.mark.usefixtures("grid")
def test_it_is_corrected_once_through_a_crash(
    db: Database,
    keys: Keys,
    monkeypatch: pytest.MonkeyPatch,
    crash_at: int,
    *,
    landed: bool,
) -> None:
    """Commits: the page, its part, the report."""
    monkeypatch.setattr("app.governance.scanning.BUCKETS_A_PART", 1024)
    monkeypatch.setattr(correcting, "PARTS", 1)
    which = ordered(db, "0.4")
    wire = Tripwire(crash_at, landed=landed)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(db, "transact", wire.wrap(db.transact))
        with pytest.raises(Crash):
            carry_out(db, keys)
    carry_out(db, keys)
    assert abs(held(db) - SAVED_MG * 4 // 5) <= 1
    assert report(db, keys, which)["corrected"] == 1
    assert one(db, "select count(*) from act_correction") == (1,)
    assert one(db, "select cause from act_correction") == (which.id,)
