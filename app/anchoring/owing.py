"""What is owed in all, epoch by epoch (欠分总额): committed under ``debts`` in ``aux``.

Added up from the claimed entries: notes that opened or forgave a debt, and transfers that paid
one. A row an epoch that changed it; before the first debt there is none, and nothing in ``aux``.
"""

from typing import Final

from app.kernel.db import Connection
from ledger.chart import Code
from ledger.extras import DebtTotal, debts_digest

_APPEND: Final = """
insert into debt_total (epoch, opened, paid, forgiven)
select %(epoch)s, coalesce(l.opened, 0) + a.opened, coalesce(l.paid, 0) + a.paid,
       coalesce(l.forgiven, 0) + a.forgiven
  from (select coalesce(sum(d.points), 0) as opened, coalesce(sum(s.amount), 0) as paid,
               coalesce(sum(f.forgiven), 0) as forgiven
          from epoch_staging s
          left join points_debt d
            on s.code = %(opened)s and d.bucket = s.bucket and d.id = s.id
          left join points_debt f
            on s.code = %(forgiven)s and f.bucket = s.bucket and f.forgiven_note = s.id
         where s.code in (%(opened)s, %(paid)s, %(forgiven)s)) a
  left join lateral (select * from debt_total order by epoch desc limit 1) l on true
 where a.opened + a.paid + a.forgiven > 0"""
_TOTAL: Final = """
select opened, paid, forgiven from debt_total where epoch <= %s order by epoch desc limit 1"""


def append_debts(connection: Connection, *, epoch: int) -> None:
    """Add the claimed entries to what was owed before."""
    facts = {
        "epoch": epoch,
        "opened": int(Code.DEBT_OPENED),
        "paid": int(Code.OFFSET_DEBT),
        "forgiven": int(Code.DEBT_WRITTEN_OFF),
    }
    connection.execute(_APPEND, facts)


def digest_of_debts(connection: Connection, *, epoch: int) -> dict[str, bytes]:
    """Give what ``aux`` says under ``debts``; nothing before the first debt."""
    row = connection.execute(_TOTAL, (epoch,)).fetchone()
    return {} if row is None else {"debts": debts_digest(DebtTotal(*row))}
