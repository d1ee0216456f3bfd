"""Decisions about methodologies: recorded once with their dates, ended and never edited."""

from datetime import date, timedelta
from typing import LiteralString

import pytest
from psycopg import errors

from app.catalogue import (
    DocumentNotSigned,
    ScenarioUnknown,
    approve_scenario,
    decisions_on,
    sign_off,
)
from app.kernel.db import Database, driver
from methodologies import CATALOG, assess

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
    signed, approval = db.read(decisions_on, METRO)
    return assess(METRO, sign_offs=signed, approval=approval, on=on).grade


def test_nothing_is_decided_at_first(db: Database) -> None:
    assert db.read(decisions_on, METRO) == ((), None)


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


def test_the_newest_approval_applies(db: Database) -> None:
    assert approve(db, DAY, 10) is True
    assert approve(db, DAY, 99) is False, "the first stands"
    assert approve(db, DAY + timedelta(days=20), 10) is True
    _, approval = db.read(decisions_on, METRO)
    assert approval is not None
    assert approval.valid_from == DAY + timedelta(days=20)


def test_what_does_not_ship_is_not_decided(db: Database) -> None:
    for code, version in (("SZ-METRO", 99), ("NO-SUCH", 1)):
        with pytest.raises(DocumentNotSigned):
            db.transact(sign_off, code, version, reviewer="A", on=DAY)
    with pytest.raises(ScenarioUnknown):
        db.transact(approve_scenario, "no-such", valid_from=DAY, valid_until=DAY, letter="x")
    assert db.read(decisions_on, METRO) == ((), None)


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


def test_a_signature_or_an_approval_can_end(db: Database) -> None:
    for reviewer in ("A", "B"):
        sign(db, reviewer)
    approve(db)
    later = DAY + timedelta(days=5)

    def end(statement: LiteralString) -> None:
        db.transact(lambda session: driver(session).execute(statement, (later,)))

    end("update sign_off set withdrawn_on = %s where reviewer = 'B'")
    assert grade(db, DAY) == "A"
    assert grade(db, later) != "A"
    with pytest.raises(errors.CheckViolation):
        db.transact(
            lambda session: driver(session).execute(
                "update sign_off set withdrawn_on = signed_on - 1"
            )
        )


def test_a_period_that_ends_before_it_begins_is_none(db: Database) -> None:
    with pytest.raises(errors.CheckViolation):
        approve(db, days=-1)
