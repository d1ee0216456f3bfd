"""Weighed recycling, taxi trips, and what is refused whole."""

import gzip
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from app.activities.errors import (
    UploadDamaged,
    UploadEmpty,
    UploadEncoding,
    UploadHeader,
    UploadTooLarge,
)
from app.activities.importers import (
    IMPORTERS,
    FormatUnknown,
    NotPersonal,
    Options,
    Replay,
    tables,
)
from app.activities.items import Item
from methodologies import Evidence
from tests.unit.importers.real_files import acts, opened, read_plain, reasons, shared, shipped

ZURICH = [
    ("zurich_bellevue_bins.csv", "category"),
    ("zurich_bellevue_recycling_subbins.csv", "sub_bin_type"),
    ("zurich_eth_bins.csv", "category"),
    ("zurich_party_bags.csv", "category"),
    ("zurich_stations_bins.csv", "category"),
]
WEIGHED = Options(day=date(2022, 4, 4))


@pytest.mark.parametrize(("name", "word"), ZURICH)
def test_every_weighing_gets_its_reason(name: str, word: str) -> None:
    plain = read_plain(shipped(name))
    found = reasons(opened("zurich-recycling", shipped(name), "TP-RECYCLING", WEIGHED))
    unread = [row for row in plain if row["weight"] == "NA"]
    waste = [row for row in plain if row[word] in {"other", "others"}]
    empty = [r for r in plain if r not in waste and r not in unread and Decimal(r["weight"]) == 0]
    assert found["malformed field.weight"] == len(unread)
    assert found["material.not_recyclable"] == len(waste)
    assert found["weight.zero"] == len(empty)
    assert found[""] == len(plain) - len(unread) - len(waste) - len(empty)
    assert found["material.unknown"] == 0


def test_the_real_weighings_are_107() -> None:
    items = [
        act
        for name, _ in ZURICH
        for act in acts(opened("zurich-recycling", shipped(name), "TP-RECYCLING", WEIGHED))
    ]
    assert len(items) == 107
    assert {item.evidence for item in items} == {Evidence.DOCUMENT_PROVED}
    assert len({item.external_id for item in items}) == 107


def test_a_weight_rounds_down_to_the_gram() -> None:
    rows = b"bag_nr,category,weight\na,glass,5.3999999999999995\na,pet,0.0009"
    glass, pet = opened("zurich-recycling", rows, "TP-RECYCLING", WEIGHED)
    assert isinstance(glass, Item)
    assert isinstance(pet, Item)
    assert glass.inputs == {"material": "glass", "weight": Decimal("5.399")}
    assert pet.inputs["weight"] == 0


def test_a_word_for_several_materials_takes_the_one_that_saves_least() -> None:
    rows = b"bag_nr,category,weight\na,metals,1\na,plastic_bottles,1\na,metal_alu,1\na,scrap,1"
    items = list(opened("zurich-recycling", rows, "TP-RECYCLING", WEIGHED))
    materials = [item.inputs["material"] for item in items if isinstance(item, Item)]
    assert materials == ["steel_cans", "hdpe", "aluminium_cans", ""]
    assert reasons(items)["material.unknown"] == 1


def test_a_file_without_days_needs_one_declared() -> None:
    with pytest.raises(UploadHeader, match="day_of_collection"):
        opened("zurich-recycling", shipped("zurich_party_bags.csv"), "TP-RECYCLING")
    dated = shipped("zurich_eth_bins.csv")
    days = {a.occurred_at.date() for a in acts(opened("zurich-recycling", dated, "TP-RECYCLING"))}
    assert days == {date(2022, 4, 14), date(2022, 7, 4)}


def test_municipal_tonnage_is_nobodys_act() -> None:
    path = shared("recycling/nyc_dsny_monthly_tonnage.csv")
    with pytest.raises(NotPersonal) as refused:
        opened("nyc-tonnage", path, "TP-RECYCLING")
    assert refused.value.code == "upload.not_personal"


def test_taxis_are_refused_for_the_right_reason() -> None:
    path = shipped("shenzhen_taxi_trips.csv.gz")
    found = reasons(opened("shenzhen-taxi", path, "TP-TAXI"))
    plain = read_plain(path)

    def fast(row: dict[str, str]) -> bool:
        ends = [datetime.fromisoformat(row[name]) for name in ("Etime", "Stime")]
        hours = (ends[0] - ends[1]).total_seconds() / 3600
        kilometres = float(row["distance"]) / 1000
        return kilometres > 200 or kilometres > 120 * hours

    broken = [row for row in plain if fast(row)]
    assert found == {
        "malformed gps.implausible": len(broken),
        "mode.not_eligible": len(plain) - len(broken),
    }
    assert (len(broken), len(plain)) == (19, 10_619)
    assert max(float(row["distance"]) for row in broken) > 3_014_000


def test_a_replayed_taxi_keeps_its_length() -> None:
    path = shipped("shenzhen_taxi_trips.csv.gz")
    first = next(iter(opened("shenzhen-taxi", path, "TP-TAXI", Options(replay=Replay(2296)))))
    assert isinstance(first, Item)
    assert first.source_occurred_at is not None
    assert first.ended_at is not None
    assert (first.occurred_at - first.source_occurred_at).days == 2296
    assert (first.ended_at - first.occurred_at).total_seconds() == 16 * 60 + 54


WHOLE = b"orderid,VehicleNum,Stime,Etime,distance\n1,2,2026-01-01 00:00:00,2026-01-01 01:00:00,9\n"


@pytest.mark.parametrize(
    ("source", "refusal"),
    [
        (b"", UploadEmpty),
        (b"\n\n", UploadEmpty),
        (WHOLE.split(b"\n")[0], UploadEmpty),
        (WHOLE.decode().encode("utf-16"), UploadEncoding),
        (WHOLE.replace(b"2026", "二〇".encode("gb18030")), UploadEncoding),
        (gzip.compress(WHOLE, mtime=0)[:-6], UploadDamaged),
        (gzip.compress(WHOLE, mtime=0)[:20] + b"\0\0\0\0", UploadDamaged),
        (WHOLE.replace(b"VehicleNum", b"orderid"), UploadHeader),
        (WHOLE.replace(b"VehicleNum", b"Vehicle"), UploadHeader),
        (b'"' + WHOLE, UploadHeader),
        (b"x" * 200_000 + WHOLE, UploadHeader),
        (WHOLE.replace(b"\n", b"\r"), UploadHeader),
    ],
)
def test_a_file_that_is_not_whole_is_refused_whole(source: bytes, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        opened("shenzhen-taxi", source, "TP-TAXI")


def test_a_file_that_unpacks_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "BYTES_MAX", 1_000_000)
    with pytest.raises(UploadTooLarge):
        opened("shenzhen-taxi", gzip.compress(WHOLE + b" " * 2_000_000, mtime=0), "TP-TAXI")


def test_line_ends_and_byte_order_marks_do_not_matter() -> None:
    plain = [i.external_id for i in opened("shenzhen-taxi", WHOLE, "TP-TAXI")]
    odd = b"\xef\xbb\xbf" + WHOLE.replace(b"\n", b"\r\n")
    assert [i.external_id for i in opened("shenzhen-taxi", odd, "TP-TAXI")] == plain
    packed = gzip.compress(WHOLE, mtime=0)
    assert [i.external_id for i in opened("shenzhen-taxi", packed, "TP-TAXI")] == plain


def test_importers_are_known_by_name(tmp_path: Path) -> None:
    with pytest.raises(FormatUnknown):
        opened("shenzhen-ferry", tmp_path / "none.csv", "TP-TRIP")
    assert [name for name, each in IMPORTERS.items() if each.name != name] == []


def test_only_what_a_methodology_asks_can_be_declared() -> None:
    with pytest.raises(UploadHeader, match="colour"):
        opened("shenzhen-taxi", WHOLE, "TP-TAXI", Options(declared={"colour": "green"}))
