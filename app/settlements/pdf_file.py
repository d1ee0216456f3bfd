"""A statement to print (结算单打印件): sums, lines, root and signature, in Chinese and English.

Everything is drawn as plain text, so a name can hold no markup; the same statement gives the same
bytes.
"""

from base64 import b64encode
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from app.kernel.printing import LARGE, PrintedRow, printed
from app.merchants import Merchant
from app.settlements.rules import LineKind
from app.settlements.schemas import LineOut
from app.settlements.showing import WholeSettlement

LINES_MAX: Final = 2_000
"""Printed; whoever has more reads the table."""
AMOUNTS: Final = (0, 130, 260, 390)
COLUMNS: Final = (0, 28, 68, 215, 325, 420, 465)
KINDS: Final = {
    LineKind.REDEMPTION: "核销",
    LineKind.REVERSAL: "冲正",
    LineKind.ADJUSTMENT: "调整",
    LineKind.BROUGHT: "承前",
    LineKind.CARRIED: "结转",
}


def pdf_of(whole: WholeSettlement, merchant: Merchant) -> bytes:
    """Draw a statement of a merchant, as many pages as it takes."""
    return printed(f"Tanpu {whole.row.public}", _rows(whole, merchant))


def yuan(fen: int) -> str:
    """Write an amount for people.

    >>> yuan(123_456), yuan(-5)
    ('1,234.56', '-0.05')
    """
    return f"{'-' if fen < 0 else ''}{abs(fen) // 100:,}.{abs(fen) % 100:02}"


def _rows(whole: WholeSettlement, merchant: Merchant) -> Iterator[PrintedRow]:
    row = whole.row
    stated = msgspec.json.decode(row.statement)
    yield PrintedRow(["商户结算单 Settlement statement"], size=LARGE)
    yield PrintedRow([f"{merchant.name_zh} {merchant.name_en}"], size=LARGE)
    for said in (
        f"统一社会信用代码 Registration: {merchant.registration}",
        f"编号 Number: {row.public}",
        f"结算日 Day: {row.day}    出单 Closed: {stated['closed_at']}",
        f"费率 Fee: {stated['fee_permille']}‰    单位 Unit: 元 CNY",
        "",
    ):
        yield PrintedRow([said])
    heads = ["计划 Programme", "总额 Gross", "费用 Fee", "净额 Net"]
    yield PrintedRow(heads, AMOUNTS)
    each: dict[str, Any]
    for each in (*stated["programmes"], {**stated, "programme": "合计 Total"}):
        sums = [yuan(each[name]) for name in ("gross_fen", "fee_fen", "net_fen")]
        yield PrintedRow([each["programme"], *sums], AMOUNTS)
    yield from _signed(row.signature, stated)
    heads = ["行", "类别", "编号 Id", "时间 Time", "计划 Programme", "积分", "金额 CNY"]
    yield PrintedRow(heads, COLUMNS)
    for line in whole.shown()[:LINES_MAX]:
        yield PrintedRow(_cells(line), COLUMNS)
    if (left := len(whole.lines) - LINES_MAX) > 0:
        yield PrintedRow([f"其余 {left} 行见 CSV. {left} more lines are in the CSV."])


def _signed(signature: bytes, stated: dict[str, Any]) -> Iterator[PrintedRow]:
    yield PrintedRow([""])
    for name, text in (
        (f"默克尔根 Merkle root (RFC 6962, {stated['lines']} 行 lines)", stated["root"]),
        ("签名 Signature (Ed25519)", b64encode(signature).decode()),
    ):
        yield PrintedRow([name])
        yield PrintedRow([text])
    yield PrintedRow([""])


def _cells(line: LineOut) -> list[str]:
    at = line.at[:19].replace("T", " ")
    amounts = (str(line.points), yuan(line.fen))
    return [str(line.place), KINDS[line.kind], line.id, at, line.programme, *amounts]
