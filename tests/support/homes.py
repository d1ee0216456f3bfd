"""Homes against their own past, settled by the month (家庭用电样例)."""

from calendar import monthrange
from datetime import timedelta
from decimal import Decimal

from app.activities import Item
from tests.support.acts import TODAY, item

LAST_MONTH = (TODAY.replace(day=1) - timedelta(days=1)).replace(day=1)


def home(
    *,
    version: int = 1,
    power: str = "0.5",
    effective: str = "2020-01-01",
    days_min: int = 20,
    proposal: bool = False,
) -> str:
    """Write a document as of a text, when not our proposal; so many kilograms a kilowatt-hour."""
    return f"""
code = "TEST-HOME"
version = {version}
object = "scenario"
field = "energy_saving"
issuer = "Test"
document = "Test"
effective = {effective}
scenario = "test-home"
proposal = {str(proposal).lower()}
settlement = "billing_month"
title = {{ zh = "家庭", en = "Home" }}
[inputs.expected]
unit = "kWh"
max = "20000"
[inputs.used]
unit = "kWh"
max = "20000"
[inputs.days]
unit = "day"
max = "31"
decimals = 0
[parameters.power]
value = "{power}"
unit = "kgCO2/kWh"
status = "published"
source = "S"
[[eligibility]]
require = "days >= {days_min} * day"
reason = "month.too_few_days"
source = "S"
[formula]
reduction = "max(expected - used, 0) * power"
[history]
window_days = 7
expected = "expected"
used = "used"
[sources.S]
text = "a test"
"""


def readings(kwh: list[int], subject: str = "meter-1") -> list[Item]:
    """Daily readings that begin a week before last month."""
    first = LAST_MONTH - timedelta(days=7)
    return [
        item(
            n + 1,
            external_id=f"{subject}-{n}",
            subject=subject,
            occurred_at=first + timedelta(days=n),
            inputs={"energy": Decimal(use)},
        )
        for n, use in enumerate(kwh)
    ]


def month_of(use: int, less: int) -> list[int]:
    """A week at one use, then the month at less."""
    return [use] * 7 + [less] * monthrange(LAST_MONTH.year, LAST_MONTH.month)[1]
