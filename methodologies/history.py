"""A household against its own past: the monthly settlement, and what noise is paid for.

The mean of the seven days before is a fair guess of a day's use, so on single days it is above as
often as below. Paying only the days below pays for chance: on a real household the positive days
added up to 4,101 kWh where 35 kWh net were saved (R10). Hence a month settles as a whole.
"""

from calendar import monthrange
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_FLOOR, Decimal, localcontext
from typing import Final

from .compiling import CONTEXT
from .document import Document, Input
from .outcomes import Reduction
from .quantify import Value, quantify
from .words import Evidence, Settlement

WINDOW_DAYS: Final = 7
_PLACES: Final = Decimal("0.000001")

_NOISE_DAYS: Final = 364
_MEAN_KWH: Final = Decimal(8)
"""Shenzhen's mean household day (SZ3); only the ratio of credit to use matters."""
_SWING_KWH: Final = Decimal(4)
_MONTH_DAYS: Final = 28


@dataclass(frozen=True, slots=True)
class Month:
    """A billing month of one meter: what its own past expected, and what was used."""

    expected_kwh: Decimal
    """Σ of the mean of the seven days before, over the days that count."""
    used_kwh: Decimal
    days: int
    """The days that count: those with a reading and a full week of readings before them."""


@dataclass(frozen=True, slots=True)
class NoiseCredit:
    """What a document credits a household whose mean use never changes."""

    days: int
    used_kwh: Decimal
    net_saved_kwh: Decimal
    """Σ(MA7 − a): what was really saved, near nothing."""
    credited_mg: int


def settle_month(readings: Mapping[date, Decimal], *, year: int, month: int) -> Month:
    """Add up one month from daily readings [kWh], which include the week before it.

    A day without a reading, or with a gap in the week before it, does not count on either side.

    >>> day = date(2026, 1, 1)
    >>> flat = {day + timedelta(days=n): Decimal(8) for n in range(31)}
    >>> settle_month(flat, year=2026, month=1)
    Month(expected_kwh=Decimal('192.000000'), used_kwh=Decimal('192'), days=24)
    """
    days = [date(year, month, day) for day in range(1, monthrange(year, month)[1] + 1)]
    return _settled(readings, days)


def noise_credit(document: Document) -> NoiseCredit | None:
    """Run ``document`` over 52 weeks of the same mean use with a fixed, even swing around it.

    None for a document that refuses to run or does not compare with the own past.
    """
    if document.history is None or document.program is None:
        return None
    readings = dict(_constant_mean())
    first = min(readings) + timedelta(days=WINDOW_DAYS)
    size = 1 if document.settlement is not Settlement.BILLING_MONTH else _MONTH_DAYS
    credited = 0
    for start in range(0, _NOISE_DAYS, size):
        period = _settled(readings, [first + timedelta(days=start + n) for n in range(size)])
        answer = quantify(
            document,
            _inputs(document, period),
            evidence=Evidence.PROVIDER_MEASURED,
            occurred_on=document.effective,
        )
        credited += answer.mg if isinstance(answer, Reduction) else 0
    whole = _settled(readings, [first + timedelta(days=n) for n in range(_NOISE_DAYS)])
    net = whole.expected_kwh - whole.used_kwh
    return NoiseCredit(_NOISE_DAYS, whole.used_kwh, net, credited)


def _settled(readings: Mapping[date, Decimal], days: list[date]) -> Month:
    week_sums, used, counted = Decimal(0), Decimal(0), 0
    with localcontext(CONTEXT):
        for day in days:
            week = [readings.get(day - timedelta(days=n)) for n in range(1, WINDOW_DAYS + 1)]
            known = [each for each in week if each is not None]
            reading = readings.get(day)
            if reading is None or len(known) < WINDOW_DAYS:
                continue
            week_sums += sum(known)
            used += reading
            counted += 1
        expected = (week_sums / WINDOW_DAYS).quantize(_PLACES, rounding=ROUND_FLOOR)
    return Month(expected, used, counted)


def _constant_mean() -> Iterator[tuple[date, Decimal]]:
    """Give daily uses that swing evenly around one mean: the same series on every machine."""
    state = 1
    for n in range(_NOISE_DAYS + WINDOW_DAYS):
        state = (1_103_515_245 * state + 12_345) % 2**31
        swing = (Decimal(state >> 16) / Decimal(2**15) - Decimal("0.5")) * _SWING_KWH
        yield date(2025, 1, 1) + timedelta(days=n), (_MEAN_KWH + swing).quantize(Decimal("0.001"))


def _inputs(document: Document, period: Month) -> dict[str, Value]:
    assert document.history is not None
    values = {each.name: _filled(each, period.days) for each in document.inputs}
    values[document.history.expected] = period.expected_kwh
    values[document.history.used] = period.used_kwh
    return values


def _filled(each: Input, days: int) -> Value:
    if each.unit == "day":
        return Decimal(days)
    if each.is_choice:
        return each.default or each.options[0]
    return each.default or each.minimum
