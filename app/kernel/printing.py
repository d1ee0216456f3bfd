"""Printing (打印): rows of plain text on pages, and a QR code; nothing in a text is markup.

The typeface is embedded, and the same rows give the same bytes.
"""

from collections.abc import Iterable, Sequence
from io import BytesIO
from typing import Any, Final, NamedTuple

import segno
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from app.kernel.typeface import drawable, typeface

PDF: Final = "application/pdf"
LEFT: Final = 45
"""Margin on every side [pt]."""
LARGE, SMALL = 15.0, 8.0
LEADING: Final = 1.6
WARNING: Final = (0.75, 0.0, 0.0)
"""The colour of what must not be overlooked."""
DOT: Final = 2.4
"""Of a QR code [pt]."""


class PrintedRow(NamedTuple):
    """Texts beside one another, each at its distance from the margin [pt]."""

    cells: Sequence[str]
    columns: Sequence[int] = (0,)
    size: float = SMALL
    is_warning: bool = False


def printed(title: str, rows: Iterable[PrintedRow], *, link: str | None = None) -> bytes:
    """Draw rows, on as many pages as they take, and a link as QR code on the first."""
    out, (width, height) = BytesIO(), A4
    lines = [row._replace(cells=[*map(drawable, row.cells)]) for row in rows]
    with typeface(text for row in lines for text in row.cells) as font:
        # Untyped: the library annotates nothing.
        page: Any = Canvas(out, pagesize=A4, invariant=1)
        page.setTitle(title)
        if link is not None:
            _draw_code(page, link, right=width - LEFT, top=height - LEFT)
        y = top = height - LEFT
        for row in lines:
            if y < LEFT:
                page.showPage()
                y = top
            page.setFont(font, row.size)
            page.setFillColorRGB(*(WARNING if row.is_warning else (0, 0, 0)))
            for x, text in zip(row.columns, row.cells, strict=True):
                page.drawString(LEFT + x, y, text)
            y -= row.size * LEADING
        page.save()
    return out.getvalue()


def folded(text: str, letters: int) -> list[str]:
    """Break a text at its line ends, and after so many letters.

    >>> folded("为地球一小步", 4)
    ['为地球一', '小步']
    """
    return [
        line[start : start + letters]
        for line in text.splitlines()
        for start in range(0, max(len(line), 1), letters)
    ]


def _draw_code(page: Any, link: str, *, right: float, top: float) -> None:  # noqa: ANN401 -- untyped
    dots = [*map(bytes, segno.make_qr(link, error="m").matrix)]
    left = right - len(dots) * DOT
    for down, line in enumerate(dots):
        for along, dot in enumerate(line):
            if dot:
                page.rect(left + along * DOT, top - down * DOT, DOT, DOT, stroke=0, fill=1)
