"""Everything about a person, in one file (一键导出): a ZIP with JSON and CSV of every part.

It is read in one snapshot, row by row, and written aside before the first byte leaves, so that a
slow reader holds no connection. What is held in memory is bounded, whoever it is about.
"""

import csv
import json
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import date, datetime
from decimal import Decimal
from io import TextIOWrapper
from tempfile import SpooledTemporaryFile
from typing import IO, Any, Final
from uuid import UUID, uuid4

from sqlmodel import Session

from app.citizens import Citizen
from app.citizens.personal import open_personal
from app.kernel.db import Connection, driver
from app.kernel.ids import public_id
from app.kernel.secrets import Keys
from app.privacy.exports import EXPORTS, Export
from app.privacy.profile import profile_of

IN_MEMORY: Final = 4 << 20
ROWS_PER_READ: Final = 500
BLOCK: Final = 1 << 16
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")

Row = Mapping[str, Any]
Rows = Callable[[], Iterable[Row]]
"""Asked twice, in one snapshot: once a form."""


def export(
    session: Session,
    keys: Keys,
    citizen: Citizen,
    *,
    at: datetime,
    exports: Sequence[Export] = EXPORTS,
) -> IO[bytes]:
    """Write the export of one person; the caller reads it from its start and closes it.

    Raises:
        CitizenUnknown: They were erased.
    """
    connection = driver(session)
    with ExitStack() as unless_done:
        made = unless_done.enter_context(SpooledTemporaryFile(max_size=IN_MEMORY))
        with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
            _write(archive, "profile", lambda: [_profile(session, keys, citizen, at)])
            for part in exports:
                _write(archive, part.name, lambda part=part: _rows(connection, keys, part, citizen))
        unless_done.pop_all()
    made.seek(0)
    return made


def blocks(made: IO[bytes]) -> Iterator[bytes]:
    """Give the file block by block, and close it whatever happens."""
    with made:
        while block := made.read(BLOCK):
            yield block


def plain(value: Any) -> Any:  # noqa: ANN401 -- any column in, any JSON out
    r"""Write a value as JSON and people have it.

    >>> plain(b"\x01"), plain(date(2026, 1, 2)), plain(7), plain(None)
    ('01', '2026-01-02', 7, None)
    """
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, UUID | Decimal) else value


def cell(value: object) -> str:
    """Write a value for a spreadsheet, which must not run it.

    >>> cell("=1+1"), cell(-5), cell(None), cell(True)
    ("'=1+1", '-5', '', 'true')
    """
    if value is None:
        return ""
    if isinstance(value, str):
        return f"'{value}" if value.startswith(_FORMULA) else value
    return json.dumps(value, ensure_ascii=False)


def _write(archive: zipfile.ZipFile, name: str, rows: Rows) -> None:
    with archive.open(f"{name}.json", "w", force_zip64=True) as out:
        out.write(b"[")
        for place, row in enumerate(rows()):
            out.write(b",\n" if place else b"\n")
            out.write(json.dumps(row, ensure_ascii=False).encode())
        out.write(b"\n]\n")
    with archive.open(f"{name}.csv", "w", force_zip64=True) as out:
        text = TextIOWrapper(out, "utf-8-sig", newline="", write_through=True)
        table = csv.writer(text)
        for place, row in enumerate(rows()):
            if place == 0:
                table.writerow(row)
            table.writerow([cell(value) for value in row.values()])
        text.flush()
        text.detach()


def _rows(connection: Connection, keys: Keys, part: Export, citizen: Citizen) -> Iterator[Row]:
    facts = {"bucket": citizen.bucket, "account": citizen.number}
    with connection.cursor(name=f"export_{uuid4().hex}") as cursor:
        cursor.itersize = ROWS_PER_READ
        cursor.execute(part.query, facts)
        names: list[str] | None = None
        for row in cursor:
            names = names or [column.name for column in cursor.description or ()]
            yield {
                name: _opened(keys, value, citizen) if name == part.sealed else plain(value)
                for name, value in zip(names, row, strict=True)
            }


def _opened(keys: Keys, sealed: bytes | None, citizen: Citizen) -> Any:  # noqa: ANN401 -- JSON
    return None if sealed is None else json.loads(keys.open(sealed, owner=citizen.number))


def _profile(session: Session, keys: Keys, citizen: Citizen, at: datetime) -> Row:
    """Open what is sealed; the login's own phone or WeChat id stands among the fields."""
    profile = profile_of(session, keys, citizen, at=at)
    return {
        "id": public_id("cit", profile.id),
        "joined_at": profile.joined_at.isoformat(),
        **open_personal(keys, driver(session), citizen),
    }
