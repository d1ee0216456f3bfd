"""The trade statement (交易流水): what an organisation bought and sold, a row each, as a table."""

import csv
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from io import StringIO
from typing import Any, Final
from uuid import UUID

from sqlmodel import Session

from app.kernel.clock import SHANGHAI, day_of
from app.kernel.db import driver
from app.kernel.ids import public_id
from app.market.errors import StatementLong
from app.market.purchases import PREFIX
from app.market.rules import state_at
from app.market.schemas import TradeRow
from app.registry.batches import batch_name
from app.registry.retirements import PREFIX as RETIREMENT_PREFIX

CSV: Final = "text/csv"
ROWS_MAX: Final = 20_000
DAYS_MAX: Final = timedelta(days=1100)
DAY: Final = timedelta(days=1)
COLUMNS: Final = tuple(TradeRow.model_fields)
_TRADES: Final = """
select p.id, case when p.buyer = %(who)s then 'bought' else 'sold' end, p.outcome, p.expires_at,
       p.batch, p.quantity_kg, p.due_fen, p.bought_at, p.ended_at, y.received_on,
       case when p.buyer = %(who)s then null else r.fen end,
       case when p.buyer = %(who)s then p.retirement end
  from purchase p
  left join payment y on y.purchase = p.id
  left join proceeds r on r.purchase = p.id and r.organisation = p.seller
 where (p.buyer = %(who)s or p.seller = %(who)s)
   and p.bought_at >= %(since)s and p.bought_at < %(until)s
 order by p.id limit %(most)s"""


def trades_of(
    session: Session, organisation: UUID, since: date, until: date, *, at: datetime
) -> list[TradeRow]:
    """Give what an organisation bought or sold from one day to another, the oldest first.

    Raises:
        StatementLong: It is more than a statement holds.
    """
    first, last = (datetime.combine(each, time(), SHANGHAI) for each in (since, until))
    if last - first > DAYS_MAX:
        raise StatementLong(days=DAYS_MAX.days)
    facts = {"who": organisation, "since": first, "until": last + DAY, "most": ROWS_MAX + 1}
    rows = driver(session).execute(_TRADES, facts).fetchall()
    if len(rows) > ROWS_MAX:
        raise StatementLong(rows=ROWS_MAX)
    return [_row(*row, at=at) for row in rows]


def csv_of(rows: Sequence[TradeRow]) -> bytes:
    """Write rows with the mark by which spreadsheets know UTF-8.

    Every cell is an id, a number, an instant or a word of ours: none that a spreadsheet would run.
    """
    out = StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    writer.writerows(row.model_dump(mode="json").values() for row in rows)
    return out.getvalue().encode("utf-8-sig")


def _row(*row: Any, at: datetime) -> TradeRow:  # noqa: ANN401 -- the columns of the statement
    purchase, side, outcome, expires_at, batch, quantity_kg, due_fen, *rest = row
    bought_at, ended_at, paid_on, earned_fen, retirement = rest
    return TradeRow(
        purchase=public_id(PREFIX, purchase),
        side=side,
        state=state_at(outcome, expires_at, at),
        batch=batch_name(batch),
        quantity_kg=quantity_kg,
        due_fen=due_fen,
        bought_on=day_of(bought_at),
        ended_on=ended_at and day_of(ended_at),
        paid_on=paid_on,
        earned_fen=earned_fen,
        retirement=retirement and public_id(RETIREMENT_PREFIX, retirement),
    )
