"""What a database holds (清点): the figures by which a copy is known to be whole."""

from collections.abc import Mapping
from typing import Any, Final

import psycopg
from psycopg import sql
from pydantic import BaseModel, ConfigDict

_REVISION: Final = "select version_num from alembic_version"
_LAST: Final = "select epoch, hash from epoch order by epoch desc limit 1"
_TABLES: Final = """
select relname from pg_class
 where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition
 order by 1"""
_BALANCES: Final = """
select asset & 7, sum(credits)::text, sum(debits)::text from balance group by 1 order by 1"""
_AWAITING: Final = frozenset({"log_pending", "epoch_staging", "epoch_cut"})
"""An interrupted close begins anew after a restore: these are counted together."""


class Survey(BaseModel):
    """The state of a database, as a backup states it and a restore finds it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    revision: str
    epoch: int
    header_hash: str
    """Of the last closed epoch, in hex."""
    rows: Mapping[str, int]
    """Table → rows; ``awaiting`` are the entries that no epoch has yet."""
    balances: Mapping[str, tuple[str, str]]
    """Class of asset → what came in and what went out, in all balances together."""

    def differences(self, other: "Survey") -> list[str]:
        """Name what differs, for people; the same order each time."""
        mine, yours = self.model_dump(), other.model_dump()
        found = [name for name in ("revision", "epoch", "header_hash") if mine[name] != yours[name]]
        for field in ("rows", "balances"):
            names = sorted({*mine[field], *yours[field]})
            found += [f"{field}.{n}" for n in names if mine[field].get(n) != yours[field].get(n)]
        return found


def survey(connection: psycopg.Connection[Any]) -> Survey:
    """Count everything, within the snapshot of the connection's transaction."""
    revision = connection.execute(_REVISION).fetchone()
    last = connection.execute(_LAST).fetchone()
    assert revision is not None
    rows: dict[str, int] = {}
    for (name,) in connection.execute(_TABLES).fetchall():
        count = sql.SQL("select count(*) from {}").format(sql.Identifier("public", name))
        found = connection.execute(count).fetchone()
        rows[name] = 0 if found is None else int(found[0])
    rows["awaiting"] = rows["log_pending"] + rows["epoch_staging"]
    kept = {name: count for name, count in rows.items() if name not in _AWAITING}
    totals = {
        str(kind): (came, went) for kind, came, went in connection.execute(_BALANCES).fetchall()
    }
    return Survey(
        revision=revision[0],
        epoch=0 if last is None else last[0],
        header_hash="" if last is None else bytes(last[1]).hex(),
        rows=kept,
        balances=totals,
    )
