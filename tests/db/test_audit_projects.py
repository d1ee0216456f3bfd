"""Projects, audited (减排项目审计): whatever of a report is changed behind the books is named."""

from datetime import timedelta

import pytest

from app.kernel.db import Database
from app.kernel.secrets import Keys
from tests.support.auditing import assert_clean, audited, tampered
from tests.support.organisations import organisation
from tests.support.projects import SINCE, Roofs
from tests.support.settlements import ORIGIN

DAYS = timedelta(days=40)


@pytest.fixture
def accrued(db: Database, keys: Keys) -> None:
    """Forty days of a real roof, in two months, accrued to an organisation."""
    Roofs(db, keys).accrued(organisation(db, keys).principal(), SINCE, SINCE + DAYS)


@pytest.mark.usefixtures("accrued")
def test_untouched_it_is_clean(database_url: str, keys: Keys) -> None:
    checked = assert_clean(database_url, keys, ORIGIN).checked
    assert checked["project_days"] == 41


@pytest.mark.usefixtures("accrued")
@pytest.mark.parametrize(
    "statement",
    [
        "update project_day set mg = mg + 1 where day = '2026-07-02'",
        'update project_day set inputs = inputs || \'{"generation": "1"}\'',
        "delete from project_day where day = '2026-07-02'",
        "update project_accrual set mg = mg + 1",
        "delete from project_accrual where month = '2026-08-01'",
        "update project_accrual set id = uuidv7() where month = '2026-08-01'",
        "update transfer set amount = amount + 1",
        "update transfer set evidence = sha256(evidence)",
        "update transfer set cause = uuidv7()",
        "update monitoring_report set readings = readings - 0",
        "update monitoring_report set commitment = sha256(commitment)",
        "update monitoring_report set is_accepted = false",
    ],
)
def test_whatever_is_changed_is_named(database_url: str, keys: Keys, statement: str) -> None:
    with tampered(database_url, statement):
        found = audited(database_url, keys, ORIGIN).findings
    assert "project" in {each.kind for each in found}, found


@pytest.mark.usefixtures("accrued")
def test_what_was_erased_is_counted_and_not_worked_out(database_url: str, keys: Keys) -> None:
    emptied = (
        "update project_day set inputs = null",
        "update monitoring_report set readings = null, salt = null",
    )
    with tampered(database_url, *emptied):
        report_ = audited(database_url, keys, ORIGIN)
    assert report_.ok, report_.findings
    assert report_.checked["project_days_unknown"] == 41
