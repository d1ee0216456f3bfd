"""Taps of Shenzhen."""

from decimal import Decimal

import pytest

from app.activities.errors import UploadHeader
from app.activities.importers import Options, Replay, Segments, read_segments
from app.activities.importers.segments import station_name
from app.activities.items import Item, Malformed
from tests.unit.importers.real_files import acts, opened, read_plain, reasons, shared, shipped

AFC = shipped("shenzhen_afc_100.csv")
HEADER = "deal_date,card_no,deal_type,company_name,station,deal_money,car_no,equ_no"


def _taps(*rows: str) -> bytes:
    return "\n".join([HEADER, *rows]).encode()


def _read(*rows: str, options: Options | None = None) -> list[Item | Malformed]:
    return list(opened("shenzhen-afc", _taps(*rows), "TP-TRIP", options))


def test_every_real_tap_gets_its_reason() -> None:
    plain = read_plain(AFC)
    kinds = [row["deal_type"] for row in plain]
    assert [kinds.count(kind) for kind in ("地铁入站", "地铁出站", "巴士")] == [64, 26, 10]

    found = reasons(opened("shenzhen-afc", AFC, "TP-TRIP"))
    assert found.total() == 100
    charged = [r for r in plain if r["deal_type"] != "地铁入站" and int(r["deal_money"]) > 0]
    assert found[""] == len(charged) == 15
    assert found["tap.entry_unmatched"] + found["tap.entry_of_trip"] == 64
    unpaid = found["trip.unpaid"] + found["trip.same_station"] + found["tap.station_missing"]
    assert unpaid == sum(r["deal_type"] == "地铁出站" and r["deal_money"] == "0" for r in plain)
    assert found["tap.station_missing"] == 2
    assert found["trip.same_station"] == found["tap.entry_of_trip"] == 6


def test_what_was_charged_nothing_came_before_the_first_train() -> None:
    free = [r for r in read_plain(AFC) if r["deal_type"] == "地铁出站" and r["deal_money"] == "0"]
    assert len(free) == 21
    assert {r["deal_value"] for r in free} == {"200"}
    assert max(r["deal_date"][11:] for r in free) < "06:10"


def test_a_replayed_tap_shows_where_and_when_it_was() -> None:
    options = Options(replay=Replay(2821))
    moved = acts(opened("shenzhen-afc", AFC, "TP-TRIP", options))
    still = acts(opened("shenzhen-afc", AFC, "TP-TRIP"))
    assert {(a.occurred_at - b.occurred_at).days for a, b in zip(moved, still, strict=True)} == {
        2821
    }
    assert [a.source_occurred_at for a in moved] == [b.occurred_at for b in still]
    assert {a.place for a in moved} == {"Shenzhen 深圳"}
    assert {(b.source_occurred_at, b.place) for b in still} == {(None, "")}
    assert [a.external_id for a in moved] == [b.external_id for b in still]


def test_an_entry_and_an_exit_of_one_card_are_one_trip() -> None:
    entry, exit_, late = _read(
        "2026-01-05 08:00:00,C1,地铁入站,五号线,布吉站,0,,E1",
        "2026-01-05 08:31:00,C1,地铁出站,一号线,深圳大学,450,,E2",
        "2026-01-05 18:00:00,C1,地铁出站,一号线,深大,450,,E2",
    )
    assert isinstance(entry, Item)
    assert entry.not_eligible == "tap.entry_of_trip"
    assert isinstance(exit_, Item)
    assert not exit_.not_eligible
    assert exit_.ended_at is not None
    assert (exit_.ended_at - exit_.occurred_at).seconds == 31 * 60
    assert isinstance(late, Item)  # paid, though its entry is not in the file: still a trip
    assert (late.not_eligible, late.ended_at) == ("", None)


def test_an_entry_of_yesterday_is_not_todays() -> None:
    entry, exit_ = _read(
        "2026-01-05 08:00:00,C1,地铁入站,五号线,布吉,0,,E1",
        "2026-01-06 08:31:00,C1,地铁出站,五号线,布吉,450,,E2",
    )
    assert reasons([entry, exit_]) == {"tap.entry_unmatched": 1, "": 1}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("yesterday,C1,巴士,x,M1,100,粤B1,E1", "field.deal_date"),
        ("2026-01-05 08:00:00,C1,渡轮,x,M1,100,,E1", "field.deal_type"),
        ("2026-01-05 08:00:00,,巴士,x,M1,100,,E1", "field.card_no"),
        ("2026-01-05 08:00:00,C1,巴士,x,M1,-5,,E1", "field.deal_money"),
        ("2026-01-05 08:00:00,C1,巴士,x,M1,NaN,,E1", "field.deal_money"),
        ("2026-01-05 08:00:00,C1,巴士,x,M1,1e99,,E1", "field.deal_money"),
        ("2026-01-05 08:00:00,C1,巴士", "line.cells"),
        ('2026-01-05 08:00:00,C1,巴士,x,"M1,100,,E1', "line.quotes"),
        ("2026-01-05 08:00:00,C1,巴士,x\0,M1,100,,E1", "line.nul"),
    ],
)
def test_a_malformed_tap_spoils_no_other(row: str, reason: str) -> None:
    bad, good = _read(row, "2026-01-05 08:00:00,C2,巴士,x,M1,100,粤B1,E1")
    assert bad == Malformed(2, reason)
    assert isinstance(good, Item)
    assert not good.not_eligible


def test_another_file_is_refused_whole() -> None:
    with pytest.raises(UploadHeader, match="deal_money"):
        opened("shenzhen-afc", shipped("zurich_eth_bins.csv"), "TP-TRIP")


def test_stations_are_matched_as_people_write_them() -> None:
    known = frozenset({"深大", "深圳北站", "世界之窗", "机场"})
    names = ["深圳大学", "深圳大学站", "深大站", "深圳北", "世界之窗站", "机场站", "机场(T3)"]
    assert [station_name(name, known) for name in names] == [
        "深大",
        "深大",
        "深大",
        "深圳北站",
        "世界之窗",
        "机场",
        "机场",
    ]


@pytest.fixture
def shenzhen() -> Segments:
    return read_segments(shared("transit/cn_metro_segment_distances.csv"), "shenzhen")


def test_every_named_real_station_is_on_the_graph(shenzhen: Segments) -> None:
    taps = [r["station"] for r in read_plain(AFC) if r["deal_type"] != "巴士" and r["station"]]
    unknown = {name for name in taps if shenzhen.name(name) is None}
    assert unknown == {"?I岭"}  # broken by the publisher's encoding
    stops = {r["name_zh"] for r in read_plain(shared("transit/shenzhen_metro_stations.csv"))}
    assert not {name for name in stops if shenzhen.name(name) is None}


def test_a_distance_is_the_shortest_track(shenzhen: Segments) -> None:
    """Compared with Bellman-Ford over the file as it is, in the file's own decimals."""
    rows = [
        (r["from_name"], r["to_name"], Decimal(r["distance_m"]))
        for r in read_plain(shared("transit/cn_metro_segment_distances.csv"))
        if r["city"] == "shenzhen"
    ]
    best = {"布吉": Decimal(0)}
    for _ in range(len(rows)):
        before = dict(best)
        for one, other, length in rows:
            for a, b in ((one, other), (other, one)):
                if a in best and best[a] + length < best.get(b, Decimal("Infinity")):
                    best[b] = best[a] + length
        if before == best:
            break
    reached = {name: shenzhen.distance_m("布吉", name) for name in shenzhen.graph}
    assert {name for name, metres in reached.items() if metres is not None} == best.keys()
    for name, metres in reached.items():
        if metres is not None:  # each of at most 60 segments was rounded down by under a metre
            assert best[name] - 60 < metres <= best[name], name


def test_a_paired_trip_has_its_track_distance(shenzhen: Segments) -> None:
    rows = (
        "2026-01-05 08:00:00,C1,地铁入站,五号线,布吉站,0,,E1",
        "2026-01-05 08:31:00,C1,地铁出站,一号线,深圳大学,450,,E2",
        "2026-01-05 08:31:00,C2,地铁出站,一号线,深大,450,,E2",
        "2026-01-05 08:00:00,C3,地铁入站,五号线,?I岭,0,,E1",
        "2026-01-05 08:31:00,C3,地铁出站,一号线,深大,450,,E2",
        "2026-01-05 08:31:00,C4,巴士,x,M1,100,粤B1,E3",
    )
    items = list(opened("shenzhen-afc", _taps(*rows), "SZ-METRO", Options(segments=shenzhen)))
    found = [item.not_eligible for item in items if isinstance(item, Item)]
    assert found == [
        "tap.entry_of_trip",
        "",
        "trip.entry_missing",
        "tap.entry_of_trip",
        "trip.station_unknown",
        "trip.distance_unknown",
    ]
    (trip,) = acts(items)
    metres = shenzhen.distance_m("布吉", "深大")
    assert metres is not None
    assert trip.inputs["distance"] == Decimal(metres) / 1000
    assert metres > 15_000
