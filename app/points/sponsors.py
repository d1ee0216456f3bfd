"""Sponsors (出资方): who put money into a programme, and what became of it, the oldest money first.

Every funding has a row, in its own transaction. A sponsor that wishes not to be named is told as
one of those, together.
"""

from collections import defaultdict
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from app.kernel.db import Connection
from app.points.earmarks import Funds
from app.points.rules import Use, used_first

_NOTE: Final = """
insert into programme_sponsor (funding, programme, name, fen, funded_at)
values (%s, %s, %s, %s, %s)"""
_FUNDINGS: Final = """
select name, fen from programme_sponsor where programme = %s order by funded_at, funding"""


class Sponsor(NamedTuple):
    """What somebody paid in, and what became of it."""

    name: str | None
    """None: all who wish not to be named."""
    funded_fen: int
    use: Use


def note_sponsor(
    connection: Connection,
    programme: int,
    name: str | None,
    fen: int,
    *,
    funding: UUID,
    at: datetime,
) -> None:
    """Write down who paid, beside the transfer ``funding``."""
    connection.execute(_NOTE, (funding, programme, name, fen, at))


def sponsors_of(connection: Connection, programme: int, funds: Funds) -> list[Sponsor]:
    """Give a programme's sponsors, the first to pay first, as of these funds."""
    fundings = connection.execute(_FUNDINGS, (programme,)).fetchall()
    settled = sum(fen for _, fen in fundings) - funds.total_fen
    uses = used_first([fen for _, fen in fundings], settled, funds.promised_fen)
    sums: dict[str | None, list[int]] = defaultdict(lambda: [0, 0, 0])
    for (name, fen), use in zip(fundings, uses, strict=True):
        sums[name] = [a + b for a, b in zip(sums[name], (fen, *use), strict=True)]
    return [Sponsor(name, funded, Use(*use)) for name, (funded, *use) in sums.items()]
