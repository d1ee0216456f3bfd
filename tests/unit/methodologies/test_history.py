"""A household against its own past: gaps, months, and what noise earns."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from methodologies import get, noise_credit, settle_month
from methodologies.history import Month

from .documents import loaded

FIRST = date(2026, 3, 1)
HOUSE = """
[inputs.expected]
unit = "kWh"
max = "1000"
[inputs.used]
unit = "kWh"
max = "1000"
[inputs.days]
unit = "day"
max = "31"
[inputs.kind]
options = ["flat", "house"]
[inputs.size]
unit = "1"
max = "9"
default = "1"
[inputs.floors]
unit = "1"
max = "9"
[history]
window_days = 7
expected = "expected"
used = "used"
"""
FORMULA = ("distance * passenger * saving", "max(expected - used, 0) * 500 * g / kWh")
MONTH = ("version   = 1", 'version = 1\nsettlement = "billing_month"')
DAILY = ("version   = 1", 'version = 1\nsettlement = "day"')
SHORT = ("distance >= 0.5 * km", "distance >= 0 * km")


def test_a_month_counts_days_with_a_full_week_before_them() -> None:
    days = {FIRST + timedelta(n): Decimal(7) for n in range(-7, 31)}
    days[FIRST + timedelta(5)] = Decimal(14)
    full = settle_month(days, year=2026, month=3)
    assert full == Month(Decimal("224.000000"), Decimal(224), 31)
    del days[FIRST + timedelta(20)]
    gap = settle_month(days, year=2026, month=3)
    assert gap.days == 31 - 8
    assert settle_month({}, year=2026, month=3) == Month(Decimal("0.000000"), Decimal(0), 0)


def test_the_mean_is_cut_downwards() -> None:
    days = {FIRST + timedelta(n): Decimal(0) for n in range(-7, 1)}
    days[FIRST - timedelta(1)] = Decimal(1)
    assert settle_month(days, year=2026, month=3).expected_kwh == Decimal("0.142857")


def test_daily_settlement_credits_noise_that_a_month_hardly_does() -> None:
    daily = noise_credit(loaded(FORMULA, DAILY, SHORT, more=HOUSE))
    month = noise_credit(loaded(FORMULA, MONTH, SHORT, more=HOUSE))
    assert daily is not None
    assert month is not None
    assert daily.net_saved_kwh == month.net_saved_kwh < 2
    assert daily.used_kwh == Decimal("2889.614")
    assert daily.credited_mg > 5 * month.credited_mg
    assert daily == noise_credit(loaded(FORMULA, DAILY, SHORT, more=HOUSE))


def test_only_a_document_that_runs_and_looks_back_has_a_noise_credit() -> None:
    assert noise_credit(loaded()) is None
    assert noise_credit(get("SZ-POWER", 1)) is None
    shipped = noise_credit(get("TP-HOUSEHOLD-DAILY", 1))
    assert shipped is not None
    assert shipped.credited_mg == 99_505_933


def test_the_real_household_of_the_shared_data_shows_the_same(
    request: pytest.FixtureRequest,
) -> None:
    shared = request.config.rootpath.parent / "shared/data/energy/uci_household_power_daily.csv"
    if not shared.exists():
        pytest.skip("the shared data folder is not beside the repository")
    rows = [line.split(",") for line in shared.read_text().splitlines()[1:]]
    use = {date.fromisoformat(row[0][:10]): Decimal(row[1]) / 60 for row in rows}
    months = {(day.year, day.month) for day in use}
    settled = [settle_month(use, year=year, month=month) for year, month in months]
    differences = [each.expected_kwh - each.used_kwh for each in settled]
    assert abs(sum(differences)) < 100
    assert sum(each for each in differences if each > 0) < 2_000
