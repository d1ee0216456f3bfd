"""What the demo did, in one table (演示小结): sources, epochs, proofs, the tampering."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from rich.table import Table
from sqlmodel import Session

from app.activities import Outcome
from app.demo.load import Loaded
from app.kernel.db import driver

MG_PER_KG: Final = Decimal(1_000_000)
SHOWN: Final = (
    Outcome.ACCEPTED,
    Outcome.INELIGIBLE,
    Outcome.REFUSED,
    Outcome.MALFORMED,
    Outcome.DUPLICATE,
    Outcome.MERGED,
    Outcome.CONFLICT,
)
_TOTALS: Final = """
select (select count(*) from activity), (select count(*) from transfer),
       (select coalesce(sum(credits - debits), 0)::int8 from balance),
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
    """Write milligrams for people.

    >>> kilograms(482_040)
    '0.482 kg'
    """
    return f"{(Decimal(mg) / MG_PER_KG).quantize(Decimal('0.001'))} kg"


def table_of(done: Sequence[Loaded]) -> Table:
    """Lay out what became of each source."""
    made = Table(title="演示城市 The demo city", title_justify="left")
    made.add_column("来源 source")
    made.add_column("方法学 methodology")
    for outcome in SHOWN:
        made.add_column(str(outcome), justify="right")
    made.add_column("减排量 CO2e", justify="right")
    for one in done:
        counts = [f"{one.result.counts.get(outcome, 0):,}" for outcome in SHOWN]
        made.add_row(one.name, one.methodology, *counts, kilograms(one.result.reduction_mg))
    return made
