"""Meters by the day, by half an hour, and a photovoltaic inverter by the quarter."""

from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from app.activities.importers import Options, Replay
from app.activities.items import Item
from tests.unit.importers.real_files import acts, opened, read_plain, reasons, shared, shipped

UCI = shipped("uci_household_power_daily.csv.gz")
NREL = shipped("nrel_serf_east_pv_15min_ac_power.csv.gz")


def test_a_household_day_is_a_sixtieth_of_its_minutes() -> None:
    plain = read_plain(UCI)
    items = acts(opened("uci-household", UCI, "TP-HOUSEHOLD"))
    by_line = dict(enumerate(plain, start=2))
    assert items
    for item in items:
        kwh = Decimal(by_line[item.line]["Global_active_power"]) / 60
        energy = item.inputs["energy"]
        assert isinstance(energy, Decimal)
        assert abs(energy - kwh) <= Decimal("0.0005")


def test_days_with_gaps_are_no_saving() -> None:
    found = reasons(opened("uci-household", UCI, "TP-HOUSEHOLD"))
    plain = read_plain(UCI)
    none = sum(Decimal(row["Global_active_power"]) == 0 for row in plain)
    short = sum(Decimal(row["Voltage"]) < 234 * 1440 for row in plain) - none
    assert found == {"": 1410, "meter.no_reading": none, "meter.day_incomplete": short}
    assert (none, short) == (9, 23)


def test_the_mean_of_the_week_before_needs_the_whole_week() -> None:
    items = list(opened("uci-household", UCI, "TP-HOUSEHOLD-DAILY"))
    used = {
        item.occurred_at.date(): item.inputs["used"] for item in items if isinstance(item, Item)
    }
    good = {item.occurred_at.date() for item in acts(items)}
    for item in acts(items):
        day: date = item.occurred_at.date()
        week = [day - timedelta(days=n) for n in range(1, 8)]
        assert ("own_mean" in item.inputs) == all(each in good for each in week), day
        if "own_mean" in item.inputs:
            mean = sum((Decimal(used[each]) for each in week), Decimal(0)) / 7
            assert 0 <= mean - Decimal(item.inputs["own_mean"]) < Decimal("0.001")


def test_a_month_settled_methodology_is_told_energy_alone() -> None:
    items = acts(opened("uci-household", UCI, "TP-HOUSEHOLD"))
    assert {tuple(item.inputs) for item in items} == {("energy",)}


def test_a_replay_keeps_a_day_a_day() -> None:
    items = acts(opened("uci-household", UCI, "TP-HOUSEHOLD", Options(replay=Replay(5824))))
    assert len({item.occurred_at for item in items}) == len(items)
    for item in items:
        assert item.occurred_at.isoformat().endswith("T00:00:00+08:00")
        assert item.source_occurred_at is not None
        assert (item.occurred_at.date() - item.source_occurred_at.date()).days == 5824
        assert item.place.startswith("Sceaux")


def test_sunshine_is_added_up_by_the_day() -> None:
    plain = read_plain(NREL)
    quarters = Counter(row["measured_on"][:10] for row in plain)
    energy: Counter[str] = Counter()
    for row in plain:
        energy[row["measured_on"][:10]] += Decimal(row["ac_power"])  # type: ignore[assignment]
    items = list(opened("nrel-pv", NREL, "SHCER-PV"))
    assert reasons(items) == {"": 104, "meter.day_incomplete": 1}
    assert sum(count == 96 for count in quarters.values()) == 104
    for item in acts(items):
        kwh = Decimal(energy[f"{item.source_occurred_at or item.occurred_at:%Y-%m-%d}"]) / 4000
        generation = item.inputs["generation"]
        assert isinstance(generation, Decimal)
        assert 0 <= kwh - generation < Decimal("0.001")


def test_night_draw_is_subtracted() -> None:
    """The package's own figure leaves negative readings out: 2,941.9 kWh; ours is below it."""
    plain = read_plain(NREL)
    watts = (max(Decimal(0), Decimal(row["ac_power"])) for row in plain)
    clamped = sum(watts, Decimal(0)) / 4000
    assert round(clamped, 1) == Decimal("2941.9")
    items = [i for i in opened("nrel-pv", NREL, "SHCER-PV") if isinstance(i, Item)]
    ours = sum((Decimal(item.inputs["generation"]) for item in items), Decimal(0))
    assert Decimal("0.9985") < ours / clamped < Decimal("0.9990")


def test_a_plants_declared_facts_go_with_every_day() -> None:
    declared = {"capacity": "6", "ets_site": "no"}
    items = acts(opened("nrel-pv", NREL, "SHCER-PV", Options(declared=declared)))
    assert {(i.inputs["capacity"], i.inputs["ets_site"]) for i in items} == {(Decimal(6), "no")}


def _quarters(*readings: str) -> bytes:
    return "\n".join(["measured_on,ac_power", *readings]).encode()


def test_a_day_of_darkness_is_zero_and_not_less() -> None:
    rows = [f"2026-01-05 {n // 4:02}:{n % 4 * 15:02}:00-07:00,-3" for n in range(96)]
    (item,) = opened("nrel-pv", _quarters(*rows), "SHCER-PV")
    assert isinstance(item, Item)
    assert (item.inputs["generation"], item.not_eligible) == (Decimal("0.000"), "")


@pytest.mark.parametrize("fault", ["", "x", "nan", "1e400", "=1+1"])
def test_a_reading_that_cannot_be_read_makes_its_day_incomplete(fault: str) -> None:
    rows = [f"2026-01-05 {n // 4:02}:{n % 4 * 15:02}:00-07:00,100" for n in range(96)]
    rows[40] = f"2026-01-05 10:00:00-07:00,{fault}"
    items = list(opened("nrel-pv", _quarters(*rows), "SHCER-PV"))
    assert reasons(items) == {"meter.day_incomplete": 1, "malformed field.ac_power": 1}


def test_a_reading_told_twice_makes_its_day_incomplete() -> None:
    rows = [f"2026-01-05 {n // 4:02}:{n % 4 * 15:02}:00-07:00,100" for n in range(96)]
    assert reasons(opened("nrel-pv", _quarters(*rows, rows[50]), "SHCER-PV")) == {
        "meter.day_incomplete": 1
    }
    rows[51] = rows[50]  # 96 readings, one of them twice and one absent
    assert reasons(opened("nrel-pv", _quarters(*rows), "SHCER-PV")) == {"meter.day_incomplete": 1}


def test_half_hours_make_days_of_48(tmp_path: Path) -> None:
    """Of the last 10,000 readings: two households, and nine days with gaps."""
    header, *lines = shared("energy/sgsc_smart_meter_halfhour.csv").read_bytes().splitlines(True)
    path = tmp_path / "last.csv"
    path.write_bytes(header + b"".join(lines[-10_000:]))
    counts: Counter[tuple[str, str]] = Counter()
    energy: dict[tuple[str, str], Decimal] = {}
    for row in read_plain(path):
        key = (row["customer_id"], row["reading_datetime"][:10])
        counts[key] += 1
        energy[key] = energy.get(key, Decimal(0)) + Decimal(row["general_supply_kwh"])
    items = list(opened("sgsc-meter", path, "TP-HOUSEHOLD"))
    whole = {key for key, count in counts.items() if count == 48}
    assert reasons(items) == {"": len(whole), "meter.day_incomplete": len(counts) - len(whole)}
    assert (len(whole), len(counts)) == (204, 213)
    per_household = Counter(customer for customer, _ in counts.keys() - whole)
    assert sorted(per_household.values()) == [2, 7]
    total = sum(Decimal(item.inputs["energy"]) for item in acts(items))
    assert abs(total - sum(energy[key] for key in whole)) < Decimal("0.001") * len(whole)
