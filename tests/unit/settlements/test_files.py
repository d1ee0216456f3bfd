"""A statement's files (结算文件): nothing that a spreadsheet runs, every page of the print."""

import csv
import io
import json
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from app.merchants import Merchant, MerchantKind, Terms
from app.settlements.csv_file import csv_of
from app.settlements.pdf_file import LINES_MAX, pdf_of
from app.settlements.queries import MerchantSettlement
from app.settlements.rules import ClaimLine, LineKind
from app.settlements.showing import WholeSettlement

AT = datetime(2026, 11, 20, 4, tzinfo=UTC)


def whole(count: int, programme: str = "green") -> WholeSettlement:
    lines = [
        ClaimLine(LineKind.REDEMPTION, UUID(int=n), 1, UUID(int=7), AT, 5, 5)
        for n in range(count - 1)
    ]
    lines.append(ClaimLine(LineKind.CARRIED, UUID(int=9), 1, None, AT, 0, 5))
    sums = {"gross_fen": 5 * count, "fee_fen": 0, "net_fen": 5 * count}
    text = json.dumps(
        {
            "programmes": [{"programme": programme, **sums}],
            "root": "ab" * 32,
            "lines": count,
            "fee_permille": 0,
            "closed_at": "2026-11-21T01:00:00+08:00",
            **sums,
        }
    ).encode()
    row = MerchantSettlement(
        UUID(int=9), UUID(int=1), 0, 65536, date(2026, 11, 20), AT + timedelta(days=1), count,
        5 * count, 0, 5 * count, text, bytes(64), None, None, None, 0, 0,
    )  # fmt: skip
    return WholeSettlement(row, lines, [], {1: programme})


def merchant(name: str = "咖啡店") -> Merchant:
    kind, terms = MerchantKind.BUSINESS, Terms(0, 0)
    return Merchant(UUID(int=1), 65536, kind, name, "Café <b>&amp;</b>", "9131", terms, AT, None)


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@x", "\tx", "＝1"])
def test_what_a_spreadsheet_would_run_is_text(name: str) -> None:
    (_, first, last) = csv.reader(io.StringIO(csv_of(whole(2, name)).decode("utf-8-sig")))
    assert first[5] == last[5] == f"'{name}"


def test_a_line_without_an_offer_leaves_its_cell_empty() -> None:
    (*_, last) = csv.DictReader(io.StringIO(csv_of(whole(2)).decode("utf-8-sig")))
    assert (last["kind"], last["voucher"], last["offer"], last["fen"]) == ("carried", "", "", "5")


@pytest.mark.parametrize(("count", "pages"), [(1, 1), (100, 3), (LINES_MAX + 50, 35)])
def test_every_line_is_printed_up_to_a_bound(count: int, pages: int) -> None:
    printed = pdf_of(whole(count), merchant())
    assert printed.count(b"/Type /Page\n") == pages
    assert printed == pdf_of(whole(count), merchant())
    assert printed.count(b"/FontFile2") == 1, "the typeface is in the file"
    assert b"NotoSansSC" in printed


def test_a_name_that_the_font_lacks_is_printed_all_the_same() -> None:
    assert pdf_of(whole(1), merchant("𠮷野家 \U0001f35c")).startswith(b"%PDF-")
