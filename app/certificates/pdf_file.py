"""A certificate to print (证书打印件): what was lost first, then for whom, what, and the proof."""

from collections.abc import Iterator, Sequence

from app.certificates.telling import Told, ToldCertificate
from app.kernel.printing import LARGE, PrintedRow, folded, printed

MEDIUM = 11.0
COLUMNS = (0, 190)
LETTERS = 30
"""Of a message, a row."""
WIDE = 72
"""Of a hash, a row."""


def pdf_of(found: ToldCertificate, link: str) -> bytes:
    """Draw a certificate; its QR code leads to the page that tells of later corrections."""
    return printed(f"Tanpu {found.public}", _rows(found, link), link=link)


def _rows(found: ToldCertificate, link: str) -> Iterator[PrintedRow]:
    for line in folded(found.status, LETTERS + 10):
        yield PrintedRow([line], size=MEDIUM, is_warning=not found.is_whole)
    yield PrintedRow([""])
    yield PrintedRow(["自愿注销证书 Certificate of cancellation"], size=LARGE)
    yield PrintedRow([found.amount], size=LARGE)
    yield PrintedRow([""])
    yield PrintedRow(["受益人 Beneficiary"])
    for line in folded(found.beneficiary, LETTERS):
        yield PrintedRow([line], size=LARGE)
    for line in folded(found.message, LETTERS):
        yield PrintedRow([line], size=MEDIUM)
    yield PrintedRow([""])
    yield from _table(found.facts)
    yield from _table([Told("减排量类别 Class", "数量 Amount"), *found.classes], reverse=True)
    yield from _table(found.proof)
    yield PrintedRow([f"查验 Verify: {link}"])
    yield PrintedRow(
        ["打印后可能有更正，以网页为准。Corrections may follow this print; the page tells."]
    )


def _table(lines: Sequence[Told], *, reverse: bool = False) -> Iterator[PrintedRow]:
    for name, words in lines:
        first, *rest = folded(words, WIDE) or [""]
        if reverse:
            yield PrintedRow([first, name], (0, 110))
            continue
        yield PrintedRow([name, first], COLUMNS)
        for line in rest:
            yield PrintedRow(["", line], COLUMNS)
    yield PrintedRow([""])
