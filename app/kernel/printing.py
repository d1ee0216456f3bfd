"""Printing (打印): rows of plain text on pages, and a QR code; nothing in a text is markup.

The typeface is embedded, and the same rows give the same bytes.
"""

from bisect import bisect
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from io import BytesIO
from itertools import zip_longest
from typing import Any, Final, NamedTuple

import segno
from reportlab.lib.pagesizes import A4
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

from app.kernel.typeface import drawable, typeface

PDF: Final = "application/pdf"
LEFT: Final = 45
"""Margin on every side [pt]."""
LARGE, MEDIUM, SMALL = 15.0, 11.0, 8.0
LEADING: Final = 1.6
GAP: Final = 4
"""Between a cell and the next [pt]."""
ROOM: Final = 505
"""Between the margins [pt]."""
WARNING: Final = (0.75, 0.0, 0.0)
"""The colour of what must not be overlooked."""
DOT: Final = 2.4
"""Of a QR code [pt]."""
BESIDE: Final = 360
"""What the QR code leaves beside it [pt]."""


class PrintedRow(NamedTuple):
    """Texts beside one another, each at its distance from the margin [pt]."""

    cells: Sequence[str]
    """One that is too long for its column goes on below itself."""
    columns: Sequence[int] = (0,)
    size: float = SMALL
    is_warning: bool = False
    room: int = ROOM
    """To the right of the margin [pt]."""


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
        for row in (each for line in lines for each in _folded(line, font)):
            if y - row.size * LEADING < LEFT:
                page.showPage()
                y = top
            y -= row.size * LEADING
            page.setFont(font, row.size)
            page.setFillColorRGB(*(WARNING if row.is_warning else (0, 0, 0)))
            for x, text in zip(row.columns, row.cells, strict=True):
                page.drawString(LEFT + x, y, text)
        page.save()
    return out.getvalue()


def _folded(row: PrintedRow, font: str) -> Iterator[PrintedRow]:
    """Break the cells of a row where they meet the next one, or the end of their room."""
    starts = row.columns[: len(row.cells)]
    ends = [*(start - GAP for start in starts[1:]), row.room]
    cells: list[list[str]] = []
    for text, start, end in zip(row.cells, starts, ends, strict=True):
        fits = partial(_fits, font=font, size=row.size, room=end - start)
        cells.append([*fold(text, fits)])
    for line in zip_longest(*cells, fillvalue=""):
        yield row._replace(cells=line)


def _fits(text: str, *, font: str, size: float, room: float) -> bool:
    return stringWidth(text, font, size) <= room


def fold(text: str, fits: Callable[[str], bool]) -> Iterator[str]:
    """Break a text into lines that fit: behind a space if one is near the end, else anywhere.

    What begins a text that fits, fits.

    >>> list(fold("为地球一小步", lambda line: len(line) <= 4))
    ['为地球一', '小步']
    >>> list(fold("one small step", lambda line: len(line) <= 8))
    ['one ', 'small ', 'step']
    """
    while not fits(text) and len(text) > 1:
        most = max(1, bisect(range(1, len(text)), 0, key=lambda size: not fits(text[:size])))
        space = text.rfind(" ", 0, most) + 1
        end = space if space > most // 3 else most
        yield text[:end]
        text = text[end:]
    yield text


def _draw_code(page: Any, link: str, *, right: float, top: float) -> None:  # noqa: ANN401 -- untyped
    dots = [*map(bytes, segno.make_qr(link, error="m").matrix)]
    left = right - len(dots) * DOT
    for down, line in enumerate(dots):
        for along, dot in enumerate(line):
            if dot:
                page.rect(left + along * DOT, top - down * DOT, DOT, DOT, stroke=0, fill=1)
