"""Evaluations a second of the methodology engine, on one core, against a floor of the same run.

An evaluation is the whole of it: bounds and precision of the input, eligibility, formula, evidence
weight, rounding, and the daily cap of a person. The floor is a bare loop that multiplies the same
decimals and truncates. Run ``python -m benchmarks.methodologies [--json]``: as a module, because
the file bears the package's name.
"""

import json
import sys
import time
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal

from methodologies import Document, Evidence, cap, get, quantify_many

Row = tuple[tuple[Decimal | str, ...], Evidence, date]

ROWS = 200_000
ROUNDS = 5
BUDGET_PER_S = 200_000
PEOPLE = 20_000
DAY = date(2026, 1, 1)


def capped(document: Document, rows: Sequence[Row]) -> int:
    """Quantify every row and cap it for its person-day; give the total [mg]."""
    before: dict[int, int] = {}
    total = 0
    for index, answer in enumerate(quantify_many(document, rows)):
        if isinstance(answer, int):
            person = index % PEOPLE
            already = before.get(person, 0)
            total += cap(document, already, answer)
            before[person] = already + answer
    return total


def floor(amounts: Sequence[Decimal]) -> int:
    """Multiply the same decimals by one constant and truncate: what no engine can undercut."""
    factor = Decimal(46800)
    return sum(int(amount * factor) for amount in amounts)


def rate(work: Callable[[], int]) -> float:
    """Give the best of a few runs, in rows a second of process time."""
    best = 0.0
    for _ in range(ROUNDS):
        started = time.process_time()
        assert work() > 0
        best = max(best, ROWS / (time.process_time() - started))
    return best


def measure(document: Document, values: Sequence[tuple[Decimal | str, ...]]) -> float:
    """Give the rate of one document over rows of ``values``."""
    rows: list[Row] = [(each, Evidence.PROVIDER_MEASURED, DAY) for each in values]
    return rate(lambda: capped(document, rows))


def main() -> int:
    """Print the table, or JSON with ``--json``; 1 when the budget is missed."""
    amounts = [Decimal(n % 1490 + 10) / 10 for n in range(ROWS)]
    month_kwh, days = Decimal(250), Decimal(30)
    metro = get("SZ-METRO", 1)
    measured = {
        "floor: bare decimal multiply and truncate": rate(lambda: floor(amounts)),
        "SZ-METRO, decimals": measure(metro, [(each,) for each in amounts]),
        "SZ-METRO, text": measure(metro, [(str(each),) for each in amounts]),
        "TP-RECYCLING, lookup table": measure(
            get("TP-RECYCLING", 1), [("pet", each) for each in amounts]
        ),
        "TP-HOUSEHOLD, two steps, three inputs": measure(
            get("TP-HOUSEHOLD", 1), [(month_kwh, each, days) for each in amounts]
        ),
    }
    slowest = min(value for name, value in measured.items() if not name.startswith("floor"))
    if "--json" in sys.argv:
        per_s = {name: round(value) for name, value in measured.items()}
        print(
            json.dumps(
                {"per_s": per_s, "budget_per_s": BUDGET_PER_S, "met": slowest >= BUDGET_PER_S}
            )
        )
    else:
        for name, value in measured.items():
            print(f"{name:<45} {value:>12,.0f} /s")
        print(f"{'budget, with eligibility and caps':<45} {BUDGET_PER_S:>12,.0f} /s")
    return 0 if slowest >= BUDGET_PER_S else 1


if __name__ == "__main__":
    sys.exit(main())
