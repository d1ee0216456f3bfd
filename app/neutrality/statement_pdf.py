"""A statement to print (声明打印件): what is lacking first, then who, what, by which figures."""

from collections.abc import Iterator, Sequence

from app.certificates.telling import Told
from app.kernel.printing import LARGE, PrintedRow, folded, printed
from app.neutrality.statement_telling import ToldStatement

MEDIUM = 11.0
COLUMNS = (0, 170)
WIDE, LETTERS = 60, 40


def pdf_of(said: ToldStatement, link: str) -> bytes:
    """Draw a statement; its QR code leads to the page that tells of later corrections."""
    return printed(f"Tanpu {said.public}", rows_of(said, link), link=link)


def rows_of(said: ToldStatement, link: str) -> Iterator[PrintedRow]:
    """Set a statement in rows, as a page of paper has them."""
    for line in folded(said.status, LETTERS):
        yield PrintedRow([line], size=MEDIUM, is_warning=not said.is_whole)
    yield PrintedRow([""])
    yield PrintedRow(["碳中和声明 Statement of carbon neutrality"], size=LARGE)
    for line in folded(said.title, LETTERS):
        yield PrintedRow([line], size=MEDIUM)
    yield PrintedRow([""])
    for title, lines in (
        ("", said.facts),
        ("收支 Balance", said.balance),
        ("减排行动 Reductions made", said.reductions),
        ("注销单位 Units retired", said.retirements),
        ("排放清单 Inventory", [*said.categories, *said.tiers]),
    ):
        yield PrintedRow([title], size=MEDIUM)
        yield from _table(lines)
    for line in said.lines:
        yield from _table([Told(line.label, f"{line.quantity} · {line.tier} · {line.co2e}")])
        yield from _table([Told("", line.factor)])
    yield PrintedRow(["说明 Assumptions and uncertainty"], size=MEDIUM)
    for note in said.notes:
        for line in folded(note, 2 * LETTERS):
            yield PrintedRow([line])
    yield PrintedRow([f"SHA-256 {said.digest}"])
    yield PrintedRow([f"查验 Verify: {link}"])
    yield PrintedRow(
        ["打印后可能有更正，以网页为准。Corrections may follow this print; the page tells."]
    )


def _table(lines: Sequence[Told]) -> Iterator[PrintedRow]:
    for name, words in lines:
        names, values = folded(name, WIDE // 3) or [""], folded(words, WIDE) or [""]
        for row in range(max(len(names), len(values))):
            cells = [each[row] if row < len(each) else "" for each in (names, values)]
            yield PrintedRow(cells, COLUMNS)
