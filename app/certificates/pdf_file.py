"""A certificate to print (证书打印件): what was lost first, then for whom, what, and the proof."""

from collections.abc import Iterator, Sequence
from typing import Final

from app.certificates.telling import Told, ToldCertificate
from app.kernel.printing import BESIDE, LARGE, MEDIUM, PrintedRow, printed

COLUMNS: Final = (0, 190)
CLASSES: Final = (0, 110)


def pdf_of(found: ToldCertificate, link: str) -> bytes:
    """Draw a certificate; its QR code leads to the page that tells of later corrections."""
    return printed(f"Tanpu {found.public}", _rows(found, link), link=link)


def _rows(found: ToldCertificate, link: str) -> Iterator[PrintedRow]:
    lost = not found.is_whole
    yield PrintedRow([found.status], size=MEDIUM, is_warning=lost, room=BESIDE)
    yield PrintedRow([""])
    yield PrintedRow(["自愿注销证书 Certificate of cancellation"], size=LARGE, room=BESIDE)
    yield PrintedRow([found.amount], size=LARGE, room=BESIDE)
    yield PrintedRow([""])
    yield PrintedRow(["受益人 Beneficiary"])
    yield PrintedRow([found.beneficiary], size=LARGE, room=BESIDE)
    for line in found.message.splitlines():
        yield PrintedRow([line], size=MEDIUM, room=BESIDE)
    yield PrintedRow([""])
    yield from _table(found.facts)
    yield PrintedRow(["数量 Amount", "减排量类别 Class"], CLASSES)
    for each in found.classes:
        yield PrintedRow([each.words, each.name], CLASSES)
    yield PrintedRow([""])
    yield from _table(found.proof)
    yield PrintedRow([f"查验 Verify: {link}"])
    yield PrintedRow(
        ["打印后可能有更正，以网页为准。Corrections may follow; the page tells of them."]
    )


def _table(lines: Sequence[Told]) -> Iterator[PrintedRow]:
    for line in lines:
        yield PrintedRow([line.name, line.words], COLUMNS)
    yield PrintedRow([""])
