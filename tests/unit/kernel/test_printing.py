"""Printing (打印): each document with its own glyphs, broken where its page or column ends."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from reportlab.pdfbase.pdfmetrics import getFont

from app.kernel.printing import PrintedRow, printed
from app.kernel.typeface import MISSING, drawable, typeface

TEXTS = ("甲乙丙丁", "自愿注销证书", "REDUCED 已核减", "B 公司 2026")


def page(text: str) -> bytes:
    return printed(text, [PrintedRow([text])])


def test_one_document_after_another_has_the_glyphs_of_its_own() -> None:
    for text in TEXTS:
        with typeface([text]) as name:
            font: Any = getFont(name)
            assert set(map(ord, text)) <= set(font.face.charToGlyph)
        assert page(text).count(b"/FontFile2") == 1


def test_documents_that_are_drawn_at_once_are_as_those_drawn_alone() -> None:
    alone = [page(text) for text in TEXTS]
    with ThreadPoolExecutor(4) as pool:
        assert [*pool.map(page, TEXTS * 3)] == alone * 3


def test_a_long_cell_goes_on_below_itself_and_a_page_ends_at_its_margin() -> None:
    def pages(rows: list[PrintedRow]) -> int:
        return printed("t", rows).count(b"/Type /Page\n")

    assert pages([PrintedRow(["碳" * 4_000])]) == 2
    assert pages([PrintedRow(["碳"])] * 58) == 1
    assert pages([PrintedRow(["碳"])] * 59) == 2
    assert pages([PrintedRow(["碳" * 40, "普" * 600], (0, 400))]) == 1


def test_a_link_is_drawn_beside_the_text() -> None:
    assert len(printed("t", [PrintedRow(["碳"])], link="https://a.example/b")) > len(page("碳"))


def test_a_character_without_a_glyph_is_marked() -> None:
    assert drawable("碳\U0001f33f\x1b") == f"碳{MISSING}{MISSING}"
