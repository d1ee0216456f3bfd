"""Every benchmark, one after the other (全部性能测试), and the page that shows one run.

``python -m benchmarks`` prints each table; ``--write docs/performance.md`` writes the page of this
run, and with ``--only`` one section of it; ``--scale`` measures with many rows in place, which
takes an hour. Each benchmark is a process of its own, so that none measures what another left.
"""

import platform
import re
import subprocess
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Final, NamedTuple

from app.kernel.clock import day_of, now


class Part(NamedTuple):
    """One benchmark of the page."""

    module: str
    title: str
    budget: str
    """What the design asks, in a sentence."""
    arguments: tuple[str, ...] = ()


PARTS: Final = (
    Part(
        "methodologies",
        "Methodology evaluations 方法学计算",
        "At least 200,000 a second on one core, eligibility and caps included.",
    ),
    Part(
        "posting",
        "Bare posting 记账",
        "At least 60,000 transfers a second in batches of 10,000 on one connection, and at least"
        " 0.75 of the same statements sent by a bare script.",
    ),
    Part(
        "ingest",
        "Ingest, end to end 接收",
        "At least 0.25 of bare posting with two processes is the gate, 0.5 the aim (R28).",
    ),
    Part(
        "trees",
        "Trees and proofs 树与证明",
        "Full rebuild at most 4 s a million accounts; a proof made or verified at most 1 ms.",
    ),
    Part(
        "epoch",
        "Closing an epoch 关期",
        "1 M accounts, 10,000 changed: at most 2 s CPU.",
    ),
    Part(
        "anchor",
        "Anchoring 上链",
        "Send to receipt at most 10 ms on anvil; at most 90,000 gas; one transaction an epoch.",
    ),
    Part(
        "api",
        "The citizen's reading API 市民查询接口",
        "The wallet at most 1,200 µs CPU a request.",
    ),
    Part(
        "redeem",
        "Redeeming a voucher 核销",
        "At most 900 µs CPU of the application, and at least 0.5 of the rate of a bare endpoint"
        " over the one SQL function, same run (R28).",
    ),
)
NOTES: Final = Path(__file__).parent / "notes"
"""By module: where a budget is missed or close, what was tried and what is next."""
GROWTH: Final = NOTES / "growth.txt"
"""How cost grows, by runs of their own: too long to be part of each."""
SCALE: Final = Part(
    "ingest",
    "Growth of cost 成本增长",
    "With many rows in the current partition at most 1.2 of an empty one.",
    ("--scale",),
)
INTRODUCTION: Final = """# Performance 性能

Written by `make bench ARGS="--write docs/performance.md"` from one run on {day}: {machine}.
Two cores were shared by the database, the chain and the load, so each figure stands beside a
*floor* that was measured in the same run, and the ratio is what to compare. Timings are of
process CPU where a table says so. Nothing here is a test; no test measures time.
"""


def run(part: Part, extra: list[str]) -> str:
    """Run one benchmark and give its table."""
    command = [sys.executable, "-m", f"benchmarks.{part.module}", *part.arguments, *extra]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in {0, 1}:
        raise SystemExit(f"{part.module} failed:\n{done.stderr}")
    return done.stdout.rstrip()


def page(tables: list[tuple[Part, str]]) -> str:
    """Lay the tables out as the page."""
    machine = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    text = INTRODUCTION.format(day=day_of(now()).isoformat(), machine=machine)
    text += "".join(section(part, shown) for part, shown in tables)
    return f"{text}\n{GROWTH.read_text(encoding='utf-8')}"


def section(part: Part, shown: str) -> str:
    """Lay one table out, with what is said of it."""
    text = f"\n## {part.title}\n\nBudget: {part.budget}\n\n```text\n{shown}\n```\n"
    note = NOTES / f"{part.module}.txt"
    return f"{text}\n{note.read_text(encoding='utf-8')}" if note.exists() else text


def replaced(text: str, part: Part, shown: str) -> str:
    """Put one table into a page that was written before; a new one goes before the growth.

    The day of the page stays that of the whole run, so the table says its own.
    """
    dated = f"{shown}\nmeasured by itself, on {day_of(now()).isoformat()}"
    made = f"{section(part, dated).lstrip()}\n"
    pieces = re.split(r"^(?=## )", text, flags=re.MULTILINE)
    own = [n for n, piece in enumerate(pieces) if piece.startswith(f"## {part.title}\n")]
    if own:
        pieces[own[0]] = made
    else:
        pieces.insert(-1, made)
    return "".join(pieces)


def main() -> None:
    """Run what was asked for."""
    parser = ArgumentParser("benchmarks", description=__doc__)
    parser.add_argument("--write", type=Path, help="the page to write")
    parser.add_argument("--scale", action="store_true", help="only the growth of cost")
    parser.add_argument("--only", choices=sorted({part.module for part in PARTS}))
    given, extra = parser.parse_known_args()
    parts = [SCALE] if given.scale else [p for p in PARTS if given.only in {None, p.module}]
    tables: list[tuple[Part, str]] = []
    for part in parts:
        print(f"→ {part.title}", flush=True)
        tables.append((part, run(part, extra)))
        print(tables[-1][1], flush=True)
    if given.write and given.only:
        text = given.write.read_text(encoding="utf-8")
        given.write.write_text(replaced(text, *tables[0]), encoding="utf-8")
    elif given.write:
        given.write.write_text(page(tables), encoding="utf-8")


if __name__ == "__main__":
    main()
