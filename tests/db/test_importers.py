"""The real files through ingest on PostgreSQL: outcomes, acts that show their origin, totals."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from app.activities import Outcome, UploadResult, enrol, ingest
from app.activities.choice import catalogued
from app.activities.importers import Import, Options, Replay, open_import
from app.kernel.clock import SHANGHAI
from app.kernel.db import Database
from app.kernel.secrets import Keys
from app.kernel.settings import Settings
from tests.support.acts import balances, one, provider, rows
from tests.unit.importers.real_files import acts, read_plain, shipped

NOW = datetime.now(UTC)
YESTERDAY = NOW.astimezone(SHANGHAI).date() - timedelta(days=1)
SOLAR = {
    "capacity": "6",
    "age": "5",
    "ets_site": "no",
    "green_certificate": "no",
    "other_mechanism": "no",
}


def _opened(name: str, form: str, code: str, last: date, **more: Any) -> Import:  # noqa: ANN401 -- options
    replay = Replay((YESTERDAY - last).days)
    return open_import(form, shipped(name), catalogued(code), Options(replay=replay, **more))


def _taken(db: Database, keys: Keys, tmp_path: Path, items: Import) -> tuple[int, UploadResult]:
    if not rows(db, "select 1 from provider where code = 'real'"):
        provider(db, "real")
    enrolled = enrol(db, keys, "real", items.choice, items, at=NOW, is_production=False)
    settings = Settings(tanpu_home=tmp_path)
    return enrolled, ingest(db, keys, settings, "real", items.choice, items, at=NOW)


def test_paid_taps_are_trips_and_show_where_they_were(
    db: Database, keys: Keys, tmp_path: Path
) -> None:
    items = _opened("shenzhen_afc_100.csv", "shenzhen-afc", "TP-TRIP", date(2018, 9, 1))
    enrolled, result = _taken(db, keys, tmp_path, items)
    cards = {row["card_no"] for row in read_plain(shipped("shenzhen_afc_100.csv"))}
    assert enrolled == len(cards) == 93
    assert result.counts[Outcome.ACCEPTED] == 15
    assert result.counts[Outcome.INELIGIBLE] == 85
    assert result.reduction_mg == sum(balances(db).values()) == 5 * 46_000 + 10 * 80_000
    shown = rows(db, "select place, source_occurred_at, occurred_on from activity")
    assert len(shown) == 100
    assert {place for place, _, _ in shown} == {"Shenzhen 深圳"}
    for _, source, day in shown:
        assert (day - source.astimezone(SHANGHAI).date()).days == items.options.replay.days
    again = _taken(db, keys, tmp_path, items)
    assert (again[0], again[1].counts[Outcome.DUPLICATE], again[1].reduction_mg) == (0, 100, 0)


def test_sunshine_earns_by_the_day(db: Database, keys: Keys, tmp_path: Path) -> None:
    name = "nrel_serf_east_pv_15min_ac_power.csv.gz"
    items = _opened(name, "nrel-pv", "SHCER-PV", date(2016, 10, 13), declared=SOLAR)
    _, result = _taken(db, keys, tmp_path, items)
    assert result.counts[Outcome.ACCEPTED] == 104
    assert result.counts[Outcome.INELIGIBLE] == 1
    kwh = sum((Decimal(each.inputs["generation"]) for each in acts(items)), Decimal(0))
    assert result.reduction_mg == int(kwh * 420_000) == sum(balances(db).values())
    assert one(db, "select count(distinct grade) from asset") == (1,)


def test_weighed_recycling_keeps_under_its_cap(db: Database, keys: Keys, tmp_path: Path) -> None:
    """Of one day and bin all materials count, until four kilograms of CO2e."""
    for name, last, weighed in (
        ("zurich_eth_bins.csv", date(2022, 7, 4), 27),
        ("zurich_stations_bins.csv", date(2022, 4, 7), 23),
    ):
        items = _opened(name, "zurich-recycling", "TP-RECYCLING", last)
        _, result = _taken(db, keys, tmp_path, items)
        assert result.counts[Outcome.ACCEPTED] == weighed
        assert result.counts[Outcome.MERGED] == 0
    per_day = rows(
        db,
        "select sum(amount)::int8 from transfer group by target, occurred_on",
    )
    assert per_day
    assert max(mg for (mg,) in per_day) <= 4_000_000


def test_a_bin_without_a_weight_is_malformed(db: Database, keys: Keys, tmp_path: Path) -> None:
    day = date(2022, 4, 4)
    name = "zurich_bellevue_recycling_subbins.csv"
    items = _opened(name, "zurich-recycling", "TP-RECYCLING", day, day=day)
    _, result = _taken(db, keys, tmp_path, items)
    counts = {outcome: count for outcome, count in result.counts.items() if count}
    assert counts == {Outcome.ACCEPTED: 14, Outcome.MALFORMED: 7}


def test_taxis_add_nothing(db: Database, keys: Keys, tmp_path: Path) -> None:
    items = _opened("shenzhen_taxi_trips.csv.gz", "shenzhen-taxi", "TP-TAXI", date(2020, 1, 20))
    enrolled, result = _taken(db, keys, tmp_path, items)
    assert enrolled <= 381
    counts = {outcome: count for outcome, count in result.counts.items() if count}
    assert counts == {Outcome.INELIGIBLE: 10_600, Outcome.MALFORMED: 19}
    assert (result.reduction_mg, balances(db)) == (0, {})


@pytest.mark.parametrize("code", ["TP-HOUSEHOLD", "TP-HOUSEHOLD-DAILY"])
def test_a_households_days_record_no_reduction(
    db: Database, keys: Keys, tmp_path: Path, code: str
) -> None:
    name = "uci_household_power_daily.csv.gz"
    items = _opened(name, "uci-household", code, date(2010, 11, 26))
    enrolled, result = _taken(db, keys, tmp_path, items)
    counts = result.counts
    assert enrolled == 1
    assert sum(counts.values()) == 1442
    assert counts[Outcome.REFUSED] == 1442 - 400  # older than the acceptance window
    assert counts[Outcome.ACCEPTED] > 150
    assert counts[Outcome.CONFLICT] == counts[Outcome.DUPLICATE] == counts[Outcome.MERGED] == 0
    assert (result.reduction_mg, balances(db)) == (0, {})
