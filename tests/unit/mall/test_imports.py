"""Tables of offers (商品表格): read row by row, written so that nothing in them runs."""

import csv
import tracemalloc
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kernel.sheets import TABLE_MAX, plain_cell, safe_cell
from app.mall.imports import COLUMNS, ROWS_MAX, read_table, report, table_of
from app.mall.offer_errors import TableInvalid
from app.mall.offer_rules import Offer, OfferState
from app.mall.offer_uploads_api import EXAMPLE
from app.merchants import MerchantKind
from tests.support.offers import content

AT = datetime(2026, 12, 1, tzinfo=UTC)
SHOP = MerchantKind.BUSINESS
ROW = {
    "kind": "goods",
    "category": "food",
    "title_zh": "拿铁",
    "title_en": "Latte",
    "price_points": "30",
    "stocked": "10",
    "sale_from": "2026-12-01T00:00:00+08:00",
    "sale_to": "2027-01-01T00:00:00+08:00",
}


def table(*rows: dict[str, str], names: tuple[str, ...] = tuple(ROW)) -> bytes:
    out = StringIO(newline="")
    writer = csv.DictWriter(out, names, restval="")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def row(**changes: str) -> dict[str, str]:
    return ROW | changes


def offer(**changes: Any) -> Offer:  # noqa: ANN401 -- fields
    made = content(AT + timedelta(days=1), **changes)
    return Offer(UUID(int=1), UUID(int=2), made, 10, 3, OfferState.PUBLISHED, 4, AT)


@pytest.mark.parametrize("line", [b"\n", b"a\n", b",\n"], ids=["empty", "one", "two"])
def test_a_hostile_table_is_refused_in_little_memory(line: bytes) -> None:
    """Two megabytes of the shortest lines were two hundred, as lists."""
    data = b"kind\n" + line * ((TABLE_MAX - 5) // len(line))
    tracemalloc.start()
    try:
        with pytest.raises(TableInvalid):
            read_table(data, SHOP)
        assert tracemalloc.get_traced_memory()[1] < 64 * 2**20
    finally:
        tracemalloc.stop()


def test_what_is_left_empty_is_not_said() -> None:
    names = (*ROW, "per_person", "text_zh", "voucher_days")
    (read,) = read_table(table(row(per_person=" "), names=names), SHOP)
    assert read.offer is not None
    made, stocked = read.offer
    assert (made.per_person, made.text_zh, made.voucher_days, stocked) == (None, "", 30, 10)


def test_each_row_is_understood_on_its_own_and_pointed_at() -> None:
    rows = read_table(
        table(
            row(),
            row(price_points="0", stocked="many"),
            row(kind="donation"),
            row(sale_to=ROW["sale_from"]),
            row(title_zh=" "),
        ),
        SHOP,
    )
    told = [(r.number, [(fault.pointer, fault.code) for fault in r.faults]) for r in rows]
    assert told == [
        (1, []),
        (
            2,
            [
                ("/2/price_points", "request.greater_than_equal"),
                ("/2/stocked", "request.int_type"),
            ],
        ),
        (3, [("/3", "offers.donation_only")]),
        (4, [("/4", "offers.window_invalid")]),
        (5, [("/5/title_zh", "request.missing")]),
    ]
    dry = report(rows, None)
    assert (dry.dry_run, dry.added, dry.refused) == (True, 0, 4)
    assert [each.outcome for each in dry.rows] == ["valid", *["refused"] * 4]


def test_a_public_cause_may_import_donations() -> None:
    (read,) = read_table(table(row(kind="donation")), MerchantKind.PUBLIC_BENEFIT)
    assert read.offer is not None


def test_an_empty_line_is_passed_over_and_counted() -> None:
    data = table(row()) + b"\r\n" + table(row(kind="x")).split(b"\r\n", 1)[1]
    assert [r.number for r in read_table(data, SHOP)] == [1, 3]


def test_a_row_of_another_width_is_pointed_at() -> None:
    data = table(row(), row()).rstrip(b"\r\n") + b",one more\r\n"
    short, wide = read_table(data, SHOP)
    assert short.offer is not None
    assert [fault.pointer for fault in wide.faults] == ["/2"]


INVALID = {
    "nothing": b"",
    "names-alone": table(),
    "latin": "kind\r\nété".encode("latin-1"),
    "utf-16": table(row()).decode().encode("utf-16"),
    "open-quote": table(row()) + b'"',
    "unknown-column": table(row(), names=(*ROW, "merchant")),
    "column-twice": table(row()).replace(b"title_en", b"title_zh"),
    "too-many-rows": table(*[row()] * (ROWS_MAX + 1)),
    "wide-cell": table(row(title_zh="x" * 200_000)),
}


@pytest.mark.parametrize("data", INVALID.values(), ids=INVALID.keys())
def test_what_is_no_such_table_is_refused(data: bytes) -> None:
    with pytest.raises(TableInvalid):
        read_table(data, SHOP)


def test_as_many_rows_as_allowed_are_read() -> None:
    assert len(read_table(table(*[row()] * ROWS_MAX), SHOP)) == ROWS_MAX


@given(st.binary(max_size=300))
def test_any_bytes_are_a_table_or_refused(data: bytes) -> None:
    try:
        rows = read_table(data, SHOP)
    except TableInvalid:
        return
    assert all(bool(r.faults) == (r.offer is None) for r in rows)


@given(
    st.lists(
        st.fixed_dictionaries(
            {}, optional={name: st.text(max_size=12) | st.just(ROW[name]) for name in ROW}
        ),
        min_size=1,
        max_size=4,
    )
)
def test_any_cells_are_an_offer_or_pointed_at(cells: list[dict[str, str]]) -> None:
    rows = read_table(table(*(ROW | each for each in cells)), SHOP)
    assert [r.number for r in rows] == list(range(1, len(cells) + 1))
    for each in rows:
        assert bool(each.faults) == (each.offer is None)
        assert all(f.pointer.startswith(f"/{each.number}") for f in each.faults)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
def test_no_cell_runs_in_a_spreadsheet(start: str) -> None:
    formula = f'{start}HYPERLINK("http://evil.example","x")'
    written = table_of([offer(title_zh="拿铁", title_en=formula, text_zh=formula)]).decode()
    cells = list(csv.reader(StringIO(written.removeprefix("\ufeff"), newline="")))
    assert not any(cell.startswith(start) for line in cells for cell in line)
    assert f"'{formula}" in cells[1]


@given(st.text(max_size=20) | st.from_regex(r"'*[=+@-]+.{0,5}"))
def test_what_was_made_safe_is_read_as_it_was(text: str) -> None:
    assert plain_cell(safe_cell(text)) == text
    assert safe_cell(text)[:1] not in set("=+-@\t\r\n＝＋－＠")


@given(
    title=st.text(st.characters(exclude_categories=["Cc", "Cs", "Z"]), min_size=1, max_size=20)
    | st.sampled_from(["=1+1", "'=1", "''@x", "'tis", '"', "a,b"]),
    text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40),
    limit=st.none() | st.integers(1, 1000),
)
def test_an_export_is_read_back_as_it_was(title: str, text: str, limit: int | None) -> None:
    was = offer(title_zh=title, text_en=text, per_person=limit)
    (read,) = read_table(table_of([was]), SHOP)
    assert read.faults == ()
    assert read.offer == (was.content, was.stocked) or not text.strip()


def test_columns_are_those_of_json() -> None:
    assert set(ROW) <= set(COLUMNS)
    assert table_of([]).decode("utf-8-sig").strip().split(",")[4:] == list(COLUMNS)


def test_the_documents_example_is_a_table() -> None:
    (read,) = read_table(EXAMPLE.encode(), SHOP)
    assert read.faults == ()
