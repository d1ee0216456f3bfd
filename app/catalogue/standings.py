"""How versions leave, as the chain's registry is told it (方法学更替): superseded, withdrawn.

The decisions are rows and days, so what the chain owes follows from them at any moment and after
any crash; a row here only says that the registry was seen to have it, in a final block.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from hashlib import sha256
from itertools import groupby, pairwise
from typing import Final, Literal, NamedTuple

from sqlmodel import Session

from app.catalogue.library import Key, in_order, library
from app.kernel.db import driver
from methodologies import Document

Standing = Literal["superseded", "withdrawn"]
STANDINGS: Final[Mapping[Standing, int]] = {"superseded": 2, "withdrawn": 3}
"""The contract's number of each; a version only ever moves up."""
_OF_NUMBER: Final[Mapping[int, Standing]] = {number: name for name, number in STANDINGS.items()}
_WITHDRAWALS: Final = "select code, version, last_day, reason from methodology_withdrawal"
_SEEN: Final = """
select code, version, max(standing) from methodology_standing where registry = %s group by 1, 2"""
_NOTE: Final = """
insert into methodology_standing (code, version, registry, standing, seen_at)
values (%s, %s, %s, %s, %s) on conflict do nothing"""


class Leaving(NamedTuple):
    """What the registry is to say of a version that left (更替)."""

    code: str
    version: int
    standing: Standing
    successor: int | None
    """The version that superseded it."""
    statement: str
    """The published reasons of a withdrawal; the chain has their SHA-256."""

    @property
    def key(self) -> Key:
        """Which version left."""
        return self.code, self.version

    @property
    def statement_hash(self) -> bytes:
        """What the registry keeps of the reasons."""
        return sha256(self.statement.encode()).digest()


def leavings(
    documents: Iterable[Document], withdrawn: Mapping[Key, str], today: date
) -> list[Leaving]:
    """Say what the registry should have by today, in the order in which it takes it.

    A version is superseded from the first day of the one after it, unless it ended by its own
    words before; a withdrawal is told once decided, but not before the version's first day. A
    successor has to be in force, hence: supersessions first, the earliest first.

    Args:
        documents: Every version of every code.
        withdrawn: The statement of reasons of each that was withdrawn.
        today: In Asia/Shanghai.
    """
    superseded: list[Leaving] = []
    ordered = sorted(in_order(documents), key=lambda each: each.code)
    for code, versions in groupby(ordered, key=lambda each: each.code):
        superseded += [
            Leaving(code, each.version, "superseded", following.version, "")
            for each, following in pairwise(versions)
            if following.effective <= today
            and (each.until is None or each.until >= following.effective)
        ]
    return superseded + [
        Leaving(each.code, each.version, "withdrawn", None, withdrawn[each.code, each.version])
        for each in ordered
        if (each.code, each.version) in withdrawn and each.effective <= today
    ]


def leavings_on(session: Session, today: date) -> list[Leaving]:
    """Give what the registry should have by today, of the whole library."""
    return leavings(library(session).values(), statements(session), today)


def statements(session: Session) -> dict[Key, str]:
    """Give the published statement of each withdrawal: version, last day, reasons, a line each."""
    rows = driver(session).execute(_WITHDRAWALS).fetchall()
    return {
        (code, version): f"{code} {version}\n{last_day.isoformat()}\n{reason}\n"
        for code, version, last_day, reason in rows
    }


def unseen(session: Session, registry: str, today: date) -> list[Leaving]:
    """Give what was not yet seen, or not finally, in the registry at this address."""
    seen = standings_seen(session, registry)
    return [
        each
        for each in leavings_on(session, today)
        if each.key not in seen or STANDINGS[seen[each.key]] < STANDINGS[each.standing]
    ]


def standings_seen(session: Session, registry: str) -> dict[Key, Standing]:
    """Give how each version was last seen to have left, in the registry at this address."""
    rows = driver(session).execute(_SEEN, (registry,)).fetchall()
    return {(code, version): _OF_NUMBER[number] for code, version, number in rows}


def note_standings(
    session: Session, registry: str, found: Sequence[Leaving], *, at: datetime
) -> None:
    """Note that the registry has these, finally. Idempotent."""
    rows = [(*each.key, registry, STANDINGS[each.standing], at) for each in found]
    with driver(session).cursor() as cursor:
        cursor.executemany(_NOTE, rows)
