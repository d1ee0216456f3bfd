"""The boundary list (边界排除清单) and other names of places (别名), as the operator keeps them.

A subject, vehicle or station that an ETS entity or another mechanism already counts is listed from
a day on, with its reason and where that is written; ingest reads the list with every chunk. An
entry can end and is never taken back. What is kept is the keyed hash that acts carry too.
"""

import re
from datetime import date
from typing import Final, Literal, NamedTuple

from sqlmodel import Session

from app.activities.errors import BoundaryMalformed, BoundaryUnknown
from app.activities.marks import normal_name, place_hash
from app.kernel.db import driver
from app.kernel.secrets import Keys

Place = Literal["vehicle", "station"]
Kind = Literal["subject", "vehicle", "station"]

REASON: Final = re.compile(r"boundary\.[a-z_]{1,40}")
NAME_LENGTH_MAX: Final = 64
_ALIAS: Final = "select name from place_alias where kind = %s and alias = %s"
_LIST: Final = """
insert into exclusion (kind, number, reason, source, valid_from) values (%s, %s, %s, %s, %s)
on conflict do nothing"""
_END: Final = """
update exclusion set valid_to = %s
 where kind = %s and number = %s and valid_from <= %s and (valid_to is null or valid_to > %s)"""
_ALL: Final = """
select kind, number, reason, source, valid_from, valid_to from exclusion
 order by valid_from, kind, number"""
_NAME: Final = """
insert into place_alias (kind, alias, name) values (%s, %s, %s)
on conflict (kind, alias) do update set name = excluded.name"""


class Excluded(NamedTuple):
    """One entry of the list."""

    kind: str
    number: bytes
    """Keyed hash [32 B]; the number itself is not kept."""
    reason: str
    source: str
    valid_from: date
    valid_to: date | None
    """Last day that is excluded; ``None`` while it goes on."""


def mark_of(session: Session, keys: Keys, kind: Kind, number: str, provider: str = "") -> bytes:
    """Hash a number as the acts of ``provider`` would carry it [32 B]; places are everybody's."""
    if kind == "subject":
        return keys.subject_hash(provider, number)
    plain = normal_name(kind, number)
    named = driver(session).execute(_ALIAS, (kind, plain)).fetchone()
    return place_hash(keys, kind, plain if named is None else named[0])


def put_on_list(
    session: Session, kind: Kind, mark: bytes, *, reason: str, source: str, since: date
) -> bool:
    """List a mark from the day ``since`` on; says whether that is new. Idempotent.

    ``reason`` is what outcomes say, such as ``boundary.ets``. Acts taken in before stay as they
    are: what they posted is corrected, if it must be, by corrections of its own.

    Raises:
        BoundaryMalformed: The reason is not ``boundary.`` and a word, or no source is given.
    """
    if not REASON.fullmatch(reason) or not source.strip() or "\x00" in source:
        raise BoundaryMalformed(reason=reason, source=source)
    return driver(session).execute(_LIST, (kind, mark, reason, source, since)).rowcount == 1


def take_off_list(session: Session, kind: Kind, mark: bytes, *, last: date) -> None:
    """Let ``last`` be the last excluded day of a mark that is listed then.

    Raises:
        BoundaryUnknown: It is not listed on that day, or ends by then already.
    """
    if driver(session).execute(_END, (last, kind, mark, last, last)).rowcount == 0:
        raise BoundaryUnknown(kind=kind)


def boundary_list(session: Session) -> list[Excluded]:
    """Give the whole list, oldest first."""
    return [Excluded(*row) for row in driver(session).execute(_ALL).fetchall()]


def name_place(session: Session, kind: Place, alias: str, name: str) -> None:
    """Let ``alias`` stand for ``name`` in acts that come from now on (别名).

    Both are folded as names in acts are: width, case, spaces and the suffix 站 do not matter.

    Raises:
        BoundaryMalformed: One of them has no letter or digit, or is too long.
    """
    folded = (normal_name(kind, alias), normal_name(kind, name))
    if not all(0 < len(each) <= NAME_LENGTH_MAX for each in folded):
        raise BoundaryMalformed(alias=alias, name=name)
    driver(session).execute(_NAME, (kind, *folded))
