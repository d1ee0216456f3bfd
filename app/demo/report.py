"""What the demo did, in one table (演示小结): sources, epochs, proofs, the tampering."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from rich.table import Table
from sqlmodel import Session

from app.activities import Outcome
from app.demo.load import Loaded
from app.kernel.db import driver
from ledger.assets import MG_PER_KG

SHOWN: Final = (Outcome.ACCEPTED, Outcome.INELIGIBLE)
_TOTALS: Final = """
select (select count(*) from activity), (select count(*) from transfer),
       (select coalesce(sum(credits - debits), 0)::int8 from balance where asset & 7 in (1, 2)),
       (select count(*) from account where id & 1 = 0)"""


@dataclass(frozen=True, slots=True)
class Totals:
    """What the books hold."""

    acts: int
    transfers: int
    reduction_mg: int
    owners: int


def totals(session: Session) -> Totals:
    """Count the acts, transfers, owners and milligrams in the books."""
    return Totals(*driver(session).execute(_TOTALS).fetchall()[0])


def kilograms(mg: int) -> str:
    """Write milligrams as kilograms, for people.

    >>> kilograms(482_040)
    '0.482'
    """
    return f"{(Decimal(mg) / MG_PER_KG).quantize(Decimal('0.001')):,}"


def table_of(done: Sequence[Loaded]) -> Table:
    """Lay out what became of each source, in a terminal's 80 columns."""
    made = Table(
        title="演示城市 The demo city",
        title_justify="left",
        box=None,
        padding=(0, 2, 0, 0),
        pad_edge=False,
    )
    for title in ("来源 source", "方法学"):
        made.add_column(title, no_wrap=True)
    for title in ("accepted", "ineligible", "other*", "kg CO2e"):
        made.add_column(title, justify="right", no_wrap=True)
    for one in done:
        counts = one.result.counts
        accepted, ineligible = (counts[each] for each in SHOWN)
        rest = sum(counts.values()) - accepted - ineligible
        shown = [f"{count:,}" for count in (accepted, ineligible, rest)]
        made.add_row(one.title, one.methodology, *shown, kilograms(one.result.reduction_mg))
    others = Counter[Outcome]()
    for one in done:
        others.update({each: n for each, n in one.result.counts.items() if each not in SHOWN})
    told = ", ".join(f"{count:,} {outcome}" for outcome, count in others.items() if count)
    made.caption = f"* {told}"
    return made
