"""An organisation's statement of units (持有对账单): every movement of a period, as a table."""

import csv
from collections.abc import Iterable, Iterator
from datetime import date
from io import StringIO
from typing import Final

from sqlmodel import Session

from app.kernel.db import driver
from app.kernel.sheets import safe_cell
from app.registry.batch_schemas import MovementOut
from app.registry.batches import batch_name
from ledger.accounts import bucket_of
from ledger.chart import Code

COLUMNS: Final = tuple(MovementOut.model_fields)
_MOVEMENTS: Final = """
select t.recorded_on, t.code, b.id,
       case t.target when %(owner)s then t.amount else 0 end
         - case t.source when %(owner)s then t.amount else 0 end,
       case t.target when %(held)s then t.amount else 0 end
         - case t.source when %(held)s then t.amount else 0 end,
       t.cause::text
  from transfer t join issue_batch b on b.asset = t.asset
 where t.bucket = %(bucket)s and t.recorded_on between %(first)s and %(last)s
   and (t.source in (%(owner)s, %(held)s) or t.target in (%(owner)s, %(held)s))
 order by t.recorded_on, t.id"""


def movements(session: Session, owner: int, first: date, last: date) -> Iterator[MovementOut]:
    """Give what came to an owner and what went, in the order of recording."""
    facts = {
        "owner": owner,
        "held": owner | 1,
        "bucket": bucket_of(owner),
        "first": first,
        "last": last,
    }
    rows = driver(session).execute(_MOVEMENTS, facts).fetchall()
    for recorded_on, code, batch, available, held, cause in rows:
        yield MovementOut(
            recorded_on=recorded_on,
            movement=Code(code).name.lower(),
            batch=batch_name(batch),
            available_kg=available,
            held_kg=held,
            cause=cause,
        )


def csv_of(rows: Iterable[MovementOut]) -> bytes:
    """Write movements as a table, with the mark by which spreadsheets know UTF-8."""
    out = StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([_cell(value) for value in row.model_dump(mode="json").values()])
    return out.getvalue().encode("utf-8-sig")


def _cell(value: str | int) -> str | int:
    return value if isinstance(value, int) else safe_cell(value)
