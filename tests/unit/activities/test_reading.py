"""Files of every kind and fault: each line has an outcome, or the file is refused whole."""

import gzip
from decimal import Decimal
from io import BytesIO
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.activities import Item, Malformed, read_items
from app.activities.errors import (
    UploadDamaged,
    UploadEmpty,
    UploadEncoding,
    UploadFormat,
    UploadHeader,
    UploadRefused,
)
from app.activities.lines import LINE_BYTES_MAX
from tests.support.acts import RIDE

HEADER = b"external_id,subject,occurred_at,distance\n"
ROW = b"r1,c1,2026-01-02T08:00:00+08:00,10.30\n"
LINE = (
    b'{"external_id":"r1","subject":"c1","occurred_at":"2026-01-02T08:00:00+08:00",'
    b'"distance":10.30}\n'
)


def told(body: bytes, name: str = "") -> list[Item | Malformed]:
    return list(read_items(body, RIDE, name=name))


def reasons(body: bytes, name: str = "") -> list[str]:
    return [each.reason if isinstance(each, Malformed) else "" for each in told(body, name)]


def with_value(value: bytes) -> bytes:
    return LINE.replace(b"10.30", value)


def lasting(until: bytes) -> bytes:
    """The line with an end."""
    return LINE.replace(b'"distance"', b'"ended_at":"%b","distance"' % until)


def replayed(read: bytes) -> bytes:
    """The line of a replay."""
    return LINE.replace(b'"distance"', b'"source_occurred_at":"%b","distance"' % read)


@pytest.mark.parametrize("body", [HEADER + ROW, LINE, b"\xef\xbb\xbf" + HEADER + ROW])
@pytest.mark.parametrize("packed", [False, True])
def test_it_reads_the_same_item_from_each_form(body: bytes, *, packed: bool) -> None:
    (item,) = told(gzip.compress(body) if packed else body)
    assert isinstance(item, Item)
    assert (item.external_id, item.subject) == ("r1", "c1")
    assert item.inputs == {"distance": Decimal("10.3")}
    assert item.occurred_at.isoformat() == "2026-01-02T08:00:00+08:00"


def test_it_reads_parquet_without_computing_with_binary_fractions(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {
            "external_id": ["r1", "r2", None],
            "subject": ["c1", "c1", "c1"],
            "occurred_at": ["2026-01-02T08:00:00+08:00"] * 3,
            "distance": [10.1, float("nan"), 3.0],
        }
    )
    file = tmp_path / "rides.parquet"
    frame.write_parquet(file)
    first, second, third = read_items(file, RIDE)
    assert isinstance(first, Item)
    assert first.inputs == {"distance": Decimal("10.1")}
    assert isinstance(second, Item)
    assert third == Malformed(3, "field.external_id")
    body = file.read_bytes()
    assert len(told(body)) == 3
    for cut in (len(body) // 2, len(body) - 4, 12):
        with pytest.raises(UploadDamaged):
            told(body[:cut])
    buffer = BytesIO()
    frame.rename({"distance": "metres"}).write_parquet(buffer)
    with pytest.raises(UploadHeader):
        told(buffer.getvalue())


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{", "line.not_json"),
        (b"[]", "line.not_an_object"),
        (b'"x"', "line.not_an_object"),
        (LINE.replace(b"r1", b"r\xff"), "line.not_utf8"),
        (LINE.replace(b"r1", b"r\\u0000"), "field.external_id"),
        (LINE.replace(b"r1", b"=cmd|' /C calc'!A0"), "field.external_id"),
        (LINE.replace(b"r1", b"@SUM(1)"), "field.external_id"),
        (LINE.replace(b"r1", b"-1+2"), "field.external_id"),
        (LINE.replace(b"c1", b"+8613800000000"), ""),
        (LINE.replace(b"r1", b"r" * 129), "field.external_id"),
        (LINE.replace(b"c1", b""), "field.subject"),
        (LINE.replace(b"+08:00", b""), "field.occurred_at"),
        (LINE.replace(b"2026-01-02", b"0001-01-01"), "field.occurred_at"),
        (LINE.replace(b"2026-01-02", b"9999-12-31"), "field.occurred_at"),
        (lasting(b"2026-01-03T08:00:00+08:00"), ""),
        (lasting(b"2026-01-03T08:00:01+08:00"), "field.ended_at"),
        (lasting(b"2026-01-02T07:59:59+08:00"), "field.ended_at"),
        (lasting(b"2026-01-02T08:00:00+07:59"), ""),
        (replayed(b"2013-10-22T08:00:00+08:00"), ""),
        (replayed(b"0001-01-01T00:00:00+23:59"), "field.source_occurred_at"),
        (replayed(b"9999-12-31T23:59:59-23:59"), "field.source_occurred_at"),
        (LINE.replace(b"distance", b"distanz"), "field.unknown"),
        (with_value(b"NaN"), "line.not_json"),
        (with_value(b'"abc"'), "field.distance"),
        (with_value(b"true"), "field.distance"),
        (with_value(b"1e999999999"), ""),
        (with_value(b"9" * 5000), ""),
        (with_value(b"[" * 60000), "line.not_json"),
        (b" " * 20 + LINE.replace(b"r1", b"x" * (10 << 20)), "line.too_long"),
    ],
)
def test_it_gives_each_bad_line_its_reason_and_spoils_no_other(line: bytes, reason: str) -> None:
    body = LINE + line.rstrip(b"\n") + b"\n" + LINE
    got = reasons(body, "rides.ndjson")
    assert got[0] == got[2] == ""
    assert got[1].replace("field.distanz", "field.unknown") in {reason, "field.distance"}
    if reason != "line.not_json":
        assert got[1].replace("field.distanz", "field.unknown") == reason


def test_it_counts_lines_through_mixed_ends_and_blanks() -> None:
    body = HEADER.rstrip(b"\n") + b"\r\n" + ROW + b"\r\n\r" + ROW.rstrip(b"\n") + b"\r" + ROW
    assert [each.line for each in told(body)] == [2, 5, 6]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (b"r1,c1,2026-01-02T08:00:00+08:00\n", "line.too_few_columns"),
        (b"r1,c1,2026-01-02T08:00:00+08:00,1,2,3\n", "line.too_many_columns"),
        (b'r1,"c1,2026-01-02T08:00:00+08:00,1\n', "line.not_csv"),
        (b"r1,c\xd6\xd01,2026-01-02T08:00:00+08:00,1\n", "line.not_utf8"),
        (b"r1,c\x001,2026-01-02T08:00:00+08:00,1\n", "field.subject"),
        (b"r1,c1,yesterday,1\n", "field.occurred_at"),
        (b"r1,,2026-01-02T08:00:00+08:00,1\n", "field.subject"),
        (b"=1+1,c1,2026-01-02T08:00:00+08:00,1\n", "field.external_id"),
        (b"r1,c1,2026-01-02T08:00:00+08:00,Infinity\n", ""),
    ],
)
def test_it_gives_each_bad_row_its_reason(row: bytes, reason: str) -> None:
    assert reasons(HEADER + row + ROW, "rides.csv") == [reason, ""]


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        (b"", UploadEmpty),
        (b"\n \r\n", UploadHeader),
        (HEADER, UploadEmpty),
        (b"external_id,subject,subject,occurred_at\n" + ROW, UploadHeader),
        (b"external_id,subject,when\n" + ROW, UploadHeader),
        (b"external_id,subject\n" + ROW, UploadHeader),
        ("external_id,subject\n".encode("utf-16"), UploadEncoding),
        ("编号,".encode("gb18030") + HEADER + ROW, UploadEncoding),
        (gzip.compress(LINE * 1000, mtime=0)[:-20], UploadDamaged),
        (gzip.compress(LINE, mtime=0)[:-8] + bytes(8), UploadDamaged),
        (b"\x1f\x8b" + b"nothing", UploadDamaged),
        (b"PAR1 and nothing of it", UploadDamaged),
        (b"\x7fELF\x00\x00\x00", UploadFormat),
    ],
)
def test_it_refuses_a_bad_file_whole(body: bytes, refusal: type[UploadRefused]) -> None:
    with pytest.raises(refusal):
        told(body)


@given(st.binary(max_size=400), st.sampled_from(["", "a.csv", "a.ndjson", "a.parquet", "a.csv.gz"]))
@settings(max_examples=400)
def test_it_never_crashes_on_anything(body: bytes, name: str) -> None:
    try:
        for each in told(body, name):
            assert isinstance(each, Item | Malformed)
    except UploadRefused:
        pass


@given(st.binary(max_size=200), st.integers(0, 200), st.booleans())
@settings(max_examples=400)
def test_it_gives_every_line_of_a_damaged_file_an_outcome(
    noise: bytes, place: int, as_csv: bool
) -> None:
    whole = HEADER + ROW * 3 if as_csv else LINE * 3
    start = len(HEADER) if as_csv else 1  # before it, it would be another kind of file
    place = min(len(whole), start + place)
    body = whole[:place] + noise + whole[place:]
    name = "a.csv" if as_csv else "a.ndjson"
    ends = body.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    lines = [line for line in ends if line.strip()]
    assert len(told(body, name)) == len(lines) - as_csv
    assert len(body) < LINE_BYTES_MAX
