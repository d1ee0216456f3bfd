"""A statement to print (声明打印件): what is lacking first, then who, what, by which figures."""

from collections.abc import Iterator, Sequence
from typing import Final

from app.certificates.telling import Told
from app.kernel.printing import BESIDE, LARGE, MEDIUM, ROOM, PrintedRow, printed
from app.neutrality.statement_telling import ToldStatement

COLUMNS: Final = (0, 230)


def pdf_of(said: ToldStatement, link: str) -> bytes:
    """Draw a statement; its QR code leads to the page that tells of later corrections."""
    return printed(f"Tanpu {said.public}", rows_of(said, link), link=link)


def rows_of(said: ToldStatement, link: str) -> Iterator[PrintedRow]:
    """Set a statement in rows, as paper has them."""
    lost = not said.is_whole
    yield PrintedRow([said.status], size=MEDIUM, is_warning=lost, room=BESIDE)
    yield PrintedRow([""])
    yield PrintedRow(["碳中和声明 Statement of carbon neutrality"], size=LARGE, room=BESIDE)
    yield PrintedRow([said.title], size=MEDIUM, room=BESIDE)
    yield PrintedRow([""])
    yield from _table(said.facts, room=BESIDE)
    for title, lines in (
        ("收支 Balance", said.balance),
        ("减排行动 Reductions made", said.reductions),
        ("注销单位 Units retired", said.retirements),
        ("排放清单 Inventory", [*said.categories, *said.tiers]),
    ):
        yield PrintedRow([title], size=MEDIUM)
        yield from _table(lines)
    for line in said.lines:
        yield PrintedRow([f"{line.label} · {line.quantity} · {line.tier} · {line.co2e}"])
        yield PrintedRow(["", line.factor], (0, 20))
    yield PrintedRow([""])
    yield PrintedRow(["说明 Assumptions and uncertainty"], size=MEDIUM)
    for note in said.notes:
        yield PrintedRow([note])
    yield PrintedRow([""])
    yield PrintedRow([f"SHA-256 {said.digest}"])
    yield PrintedRow([f"查验 Verify: {link}"])
    yield PrintedRow(
        ["打印后可能有更正，以网页为准。Corrections may follow; the page tells of them."]
    )


def _table(lines: Sequence[Told], *, room: int = ROOM) -> Iterator[PrintedRow]:
    for line in lines:
        yield PrintedRow([line.name, line.words], COLUMNS, room=room)
    yield PrintedRow([""])
