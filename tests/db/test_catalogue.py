"""Decisions about methodologies: recorded once with their dates, ended and never edited."""

from datetime import date, timedelta
from functools import partial
from typing import LiteralString

import pytest
from psycopg import errors

from app.catalogue import (
    ScenarioApprovalUnknown,
    ScenarioUnknown,
    SignatureUnknown,
    VersionConflict,
    VersionUnknown,
    approval_on,
    approve_scenario,
    decisions_on,
    end_approval,
    library,
    sign_off,
    withdraw_signature,
)
from app.kernel.db import Database, driver
from methodologies import CATALOG, accrues, assess, source
from tests.support.desk import put_in_library

METRO = CATALOG["SZ-METRO", 1]
DAY = date(2026, 3, 1)


def sign(db: Database, reviewer: str, on: date = DAY) -> bool:
    return db.transact(sign_off, "SZ-METRO", 1, reviewer=reviewer, on=on, note="test")


def approve(db: Database, start: date = DAY, days: int = 365) -> bool:
    end = start + timedelta(days=days)
    return db.transact(
        approve_scenario, METRO.scenario, valid_from=start, valid_until=end, letter="test"
    )


def grade(db: Database, on: date) -> str | None:
    signed, approvals = db.read(decisions_on, METRO)
    return assess(METRO, sign_offs=signed, approval=approval_on(approvals, on), on=on).grade


def test_nothing_is_decided_at_first(db: Database) -> None:
    assert db.read(decisions_on, METRO) == ((), ())


def test_a_signature_is_under_this_very_text_and_counts_once(db: Database) -> None:
    assert sign(db, "A") is True
    assert sign(db, "A") is False
    assert sign(db, "B") is True
    signed, _ = db.read(decisions_on, METRO)
    assert [(one.reviewer, one.sha256, one.signed_on) for one in signed] == [
        ("A", METRO.sha256, DAY),
        ("B", METRO.sha256, DAY),
    ]
    other = CATALOG["WH-METRO", 1]
    assert db.read(decisions_on, other).sign_offs == ()


def test_two_signatures_and_an_approval_make_grade_a_for_its_days(db: Database) -> None:
    assert grade(db, DAY) != "A"
    sign(db, "A")
    approve(db, days=10)
    assert grade(db, DAY) != "A"
    sign(db, "B")
    assert grade(db, DAY) == "A"
    assert grade(db, DAY + timedelta(days=10)) == "A", "both days included"
    assert grade(db, DAY + timedelta(days=11)) != "A"
    assert grade(db, DAY - timedelta(days=1)) != "A"


def test_the_approval_that_covers_a_day_applies_and_else_the_newest(db: Database) -> None:
    assert approve(db, DAY, 10) is True
    assert approve(db, DAY, 99) is False, "the first stands"
    renewed = DAY + timedelta(days=20)
    assert approve(db, renewed, 10) is True
    _, approvals = db.read(decisions_on, METRO)
    first, second = approvals
    assert approval_on(approvals, DAY + timedelta(days=10)) == first, "a renewal ends nothing"
    assert approval_on(approvals, renewed) == second
    between = DAY + timedelta(days=11)
    assert approval_on(approvals, between) == second
    assert not accrues(approval_on(approvals, between), between)
    assert approval_on((), DAY) is None


def test_what_does_not_ship_is_not_decided(db: Database) -> None:
    for code, version in (("SZ-METRO", 99), ("NO-SUCH", 1)):
        with pytest.raises(VersionUnknown):
            db.transact(sign_off, code, version, reviewer="A", on=DAY)
    with pytest.raises(ScenarioUnknown):
        db.transact(approve_scenario, "no-such", valid_from=DAY, valid_until=DAY, letter="x")
    assert db.read(decisions_on, METRO) == ((), ())


@pytest.mark.parametrize(
    "statement",
    [
        "update sign_off set reviewer = 'C'",
        "update sign_off set sha256 = sha256('x')",
        "delete from sign_off",
        "update scenario_approval set valid_from = valid_from - 1",
        "delete from scenario_approval",
    ],
)
def test_the_application_cannot_edit_a_decision(db: Database, statement: LiteralString) -> None:
    sign(db, "A")
    approve(db)
    with pytest.raises(errors.InsufficientPrivilege):
        db.transact(lambda session: driver(session).execute(statement))


def test_a_signature_can_be_withdrawn_once(db: Database) -> None:
    for reviewer in ("A", "B"):
        sign(db, reviewer)
    approve(db)
    later = DAY + timedelta(days=5)
    withdraw = partial(withdraw_signature, code="SZ-METRO", version=1, reviewer="B")
    with pytest.raises(SignatureUnknown):
        db.transact(withdraw, on=DAY - timedelta(days=1))
    db.transact(withdraw, on=later)
    assert grade(db, later - timedelta(days=1)) == "A"
    assert grade(db, later) != "A"
    with pytest.raises(SignatureUnknown):
        db.transact(withdraw, on=later)


def test_an_approval_can_end_sooner_and_never_later(db: Database) -> None:
    approve(db, DAY, 30)
    last = DAY + timedelta(days=5)
    end = partial(end_approval, scenario=METRO.scenario, valid_from=DAY)
    db.transact(end, last=last)
    _, (approval,) = db.read(decisions_on, METRO)
    assert approval.valid_until == last
    for other in (last, last + timedelta(days=1), DAY - timedelta(days=1)):
        with pytest.raises(ScenarioApprovalUnknown):
            db.transact(end, last=other)


def test_a_period_that_ends_before_it_begins_is_none(db: Database) -> None:
    with pytest.raises(errors.CheckViolation):
        approve(db, days=-1)


def test_a_version_that_ships_and_was_published_otherwise_is_a_conflict(db: Database) -> None:
    shipped = source("SZ-METRO", 1).decode()
    put_in_library(db, shipped)
    assert db.read(library)["SZ-METRO", 1] is CATALOG["SZ-METRO", 1]
    put_in_library(db, shipped.replace("46.8", "46.9").replace("SZ-METRO", "SZ-BUS"))
    with pytest.raises(VersionConflict):
        db.read(library)
