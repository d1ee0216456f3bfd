"""A corpus of nasty files (恶意文件集): each by name, made from one good file of five rides.

``csv_cases`` and friends give (name, bytes, expected): the code that refuses the whole file, or
how many of the five good lines are accepted all the same.
"""

import gzip
import io
from collections.abc import Iterator
from datetime import datetime, timedelta

import polars as pl

from app.kernel.clock import SHANGHAI, now

Case = tuple[str, bytes, str | int]

START = now().astimezone(SHANGHAI).replace(hour=8, minute=0, second=0, microsecond=0)
GOOD = 5
COLUMNS = ("external_id", "subject", "occurred_at", "distance")
LINE_BYTES = 10 * 1024 * 1024


def rows(tag: str, count: int = GOOD) -> list[tuple[str, str, str, str]]:
    """Give good rides of one card, a day apart, so that no cap meets another."""
    return [
        (f"{tag}-{n}", "CARD-1", _instant(START - timedelta(days=n + 1)), "10.5")
        for n in range(count)
    ]


def _instant(at: datetime) -> str:
    return at.isoformat()


def csv_of(told: list[tuple[str, str, str, str]], *more: str, header: str = "") -> str:
    """Write rows as CSV, with odd lines after them."""
    lines = [",".join(row) for row in told]
    return "\n".join([header or ",".join(COLUMNS), *lines, *more]) + "\n"


def ndjson_of(told: list[tuple[str, str, str, str]], *more: str) -> str:
    """Write rows as NDJSON, with odd lines after them."""
    lines = [
        f'{{"external_id":"{i}","subject":"{s}","occurred_at":"{t}","distance":{d}}}'
        for i, s, t, d in told
    ]
    return "\n".join([*lines, *more]) + "\n"


def parquet_of(told: list[tuple[str, str, str, str]]) -> bytes:
    """Write rows as Parquet."""
    stream = io.BytesIO()
    pl.DataFrame(told, schema=list(COLUMNS), orient="row").write_parquet(stream)
    return stream.getvalue()


def csv_cases(tag: str) -> Iterator[Case]:
    """Files that call themselves CSV."""
    good = csv_of(rows(tag))
    text = good.encode()
    at = rows(tag)[0][2]

    def odd(distance: str) -> bytes:
        return csv_of(rows(tag), f"{tag}-odd,CARD-1,{at},{distance}").encode()

    yield "good", text, GOOD
    yield "byte order mark", b"\xef\xbb\xbf" + text, GOOD
    yield "mixed line ends", text.replace(b"\n", b"\r\n", 2).replace(b"-2,", b"-2,", 1), GOOD
    yield "old line ends", text.replace(b"\n", b"\r"), GOOD
    yield "no last line end", text.rstrip(), GOOD
    yield "utf-16", good.encode("utf-16"), "upload.encoding"
    yield "utf-32", good.encode("utf-32"), "upload.encoding"
    yield "gb18030 header", good.replace("subject", "卡号").encode("gb18030"), "upload.encoding"
    yield "gb18030 cell", text + f"{tag}-g,卡,{at},1\n".encode("gb18030"), GOOD
    yield "nul in a cell", text + f"{tag}-n,CARD\0,{at},1\n".encode(), GOOD
    yield "nul in the header", text.replace(b"subject", b"sub\0ject"), "upload.header"
    yield "only nul", b"\0" * 100, "upload.header"
    yield "empty", b"", "upload.empty"
    yield "blank", b" \n\n \n", "upload.header"
    yield "header alone", csv_of([]).encode(), "upload.empty"
    yield "duplicate header", text.replace(b"subject", b"external_id"), "upload.header"
    yield "unknown header", text.replace(b"distance", b"distanz"), "upload.header"
    yield "no subject", text.replace(b"subject", b"place"), "upload.header"
    for number in ("NaN", "-NaN", "Infinity", "-Infinity", "-1", "1e999999", "9" * 400, "1_0"):
        yield f"distance {number[:12]}", odd(number), GOOD
    for number in ("0x10", "１０", "10,5", "=1+1", "", " ", "null", "1e-999999", "--1", "10.5km"):
        yield f"distance {number!r}", odd(number), GOOD
    for formula in ('=HYPERLINK("x")', "+cmd|' /C calc'!A0", "@SUM(1)", "-2+3"):
        line = f'"{formula.replace(chr(34), chr(34) * 2)}",CARD-1,{at},1'
        yield f"formula {formula[:4]}", csv_of(rows(tag), line).encode(), GOOD
    yield "open quote", csv_of(rows(tag), f'"{tag}-q,CARD-1,{at},1').encode(), GOOD
    yield "too many cells", csv_of(rows(tag), f"{tag}-m,CARD-1,{at},1,1").encode(), GOOD
    yield "too few cells", csv_of(rows(tag), tag).encode(), GOOD
    yield "line of 10 MB", text + b"x" * LINE_BYTES + b"\n", GOOD
    yield "cell of 10 MB", text + f"{tag}-c,{'x' * LINE_BYTES},{at},1\n".encode(), GOOD
    yield "header of 10 MB", b"x" * LINE_BYTES + b"\n" + text, "upload.header"
    for when in ("", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-23:59", "2026-02-30T00:00:00Z"):
        yield f"at {when[:12]}", csv_of(rows(tag), f"{tag}-t,CARD-1,{when},1").encode(), GOOD
    for when in (at[:-6], "now", "1767225600", "2026-01-01T24:00:00Z", "2026-01-01T00:00:60Z"):
        yield f"at {when!r}", csv_of(rows(tag), f"{tag}-t,CARD-1,{when},1").encode(), GOOD
    yield "id too long", csv_of(rows(tag), f"{'i' * 200},CARD-1,{at},1").encode(), GOOD
    yield "right to left", csv_of(rows(tag), f"{tag}\u202e,CARD-1,{at},1").encode(), GOOD
    packed = gzip.compress(text, mtime=0)
    yield "gzip", packed, GOOD
    yield "gzip cut off", packed[:-5], "upload.damaged"
    yield "gzip cut early", packed[:15], "upload.damaged"
    yield (
        "gzip bit flipped",
        packed[:30] + bytes([packed[30] ^ 255]) + packed[31:],
        "upload.damaged",
    )
    yield "gzip and garbage", packed + b"garbage", "upload.damaged"


def ndjson_cases(tag: str) -> Iterator[Case]:
    """Files that call themselves NDJSON."""
    good = ndjson_of(rows(tag))
    at = rows(tag)[0][2]
    head = f'{{"external_id":"{tag}-odd","subject":"CARD-1","occurred_at":"{at}"'
    yield "good", good.encode(), GOOD
    for name, line in {
        "array": "[]",
        "number": "1",
        "null": "null",
        "half an object": head,
        "two objects": "{}{}",
        "nested a million deep": "[" * 60_000,
        "deep inside": f'{head},"distance":{"[" * 20_000}',
        "unknown field": f'{head},"distance":1,"provider":"other"}}',
        "distance text": f'{head},"distance":"ten"}}',
        "distance true": f'{head},"distance":true}}',
        "distance nan": f'{head},"distance":NaN}}',
        "distance infinity": f'{head},"distance":1e999999999}}',
        "distance digits": f'{head},"distance":{"9" * 5000}}}',
        "distance negative": f'{head},"distance":-1}}',
        "nul escape": head.replace("CARD-1", r"CARD\u0000") + ',"distance":1}',
        "lone surrogate": head.replace("CARD-1", r"CARD\ud800") + ',"distance":1}',
        "evidence": f'{head},"distance":1,"evidence":"trust me"}}',
        "id is a number": head.replace(f'"{tag}-odd"', "1") + ',"distance":1}',
        "ends before it begins": f'{head},"distance":1,"ended_at":"2001-01-01T00:00:00Z"}}',
    }.items():
        yield name, ndjson_of(rows(tag), line).encode(), GOOD
    yield "not utf-8", good.encode() + b'{"external_id":"\xff\xfe"}\n', GOOD
    yield "nul bytes", good.encode() + b"\0\0\0\n", GOOD
    yield "line of 10 MB", good.encode() + b'{"x":"' + b"x" * LINE_BYTES + b'"}\n', GOOD
    yield "utf-16", good.encode("utf-16"), "upload.encoding"


def parquet_cases(tag: str) -> Iterator[Case]:
    """Files that call themselves Parquet."""
    good = parquet_of(rows(tag))
    yield "good", good, GOOD
    yield "cut off", good[: len(good) // 2], "upload.damaged"
    yield "head alone", good[:4], "upload.damaged"
    yield "foot gone", good[:-4], "upload.damaged"
    yield "middle gone", good[:20] + b"\0" * 40 + good[60:], "upload.damaged"
    yield "not parquet", b"external_id,subject\n", "upload.damaged"
