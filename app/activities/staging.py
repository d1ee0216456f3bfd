"""The staging of a chunk (暂存): its candidates in a temporary table, from which SQL inserts.

One COPY in binary form takes a chunk to the server; keys, acts and window rows are then made
there, so a row crosses the wire once. The table is of the session and empties at commit.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from struct import Struct
from typing import Final

import msgspec

from app.activities.marks import EXTERNAL_BYTES
from app.activities.preparing import EVIDENCE_RANK, Candidate
from app.kernel.db import Connection

_CREATE: Final = """
create temporary table if not exists incoming (
  bucket smallint, account bigint, activity uuid, external_hash bytea, content bytea,
  methodology smallint, day date, evidence smallint, raw_mg bigint,
  started_at timestamptz, ended_at timestamptz,
  mode text, inputs jsonb, asset int, cap_mg bigint, reason text, vehicle bytea, station bytea,
  source_occurred_at timestamptz, place text, recorded_on date
) on commit delete rows"""
_COPY: Final = """
copy incoming (bucket, account, activity, external_hash, content, methodology, day, evidence,
  raw_mg, started_at, ended_at, mode, asset, cap_mg, reason, inputs, vehicle, station,
  source_occurred_at, place, recorded_on) from stdin (format binary)"""
_FIELDS: Final = 21
_FIXED: Final = Struct(">h ih iq i16s i16s i32s ih ii ih iq iq iq")
_HEADER: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER: Final = b"\xff\xff"
_NULL: Final = b"\xff\xff\xff\xff"
_EPOCH_DAY: Final = date(2000, 1, 1).toordinal()
_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def stage(connection: Connection, candidates: Sequence[Candidate], recorded_on: date) -> None:
    """Copy candidates to the server."""
    connection.execute(_CREATE)
    today = b"\0\0\0\x04" + _day(recorded_on).to_bytes(4, "big", signed=True)
    with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        copy.write(_HEADER + b"".join(_rows(candidates, today)) + _TRAILER)


def _rows(candidates: Iterable[Candidate], today: bytes) -> Iterator[bytes]:
    fixed, ranks, encode = _FIXED.pack, EVIDENCE_RANK, msgspec.json.encode
    meanings: dict[tuple[str, int | None, int | None, str], bytes] = {}
    nowhere = 4 * _NULL + today
    for each in candidates:
        item = each.item
        started = _instant(item.occurred_at)
        ended = started if item.ended_at is None else _instant(item.ended_at)
        key = (each.mode, each.asset, each.cap_mg, each.reason)
        meaning = meanings.get(key)
        if meaning is None:
            meaning = meanings[key] = _meaning(*key)
        inputs = encode(each.texts)
        unplaced = each.vehicle is None and each.station is None and not item.place
        yield fixed(
            _FIELDS, 2, each.bucket, 8, each.owner, 16, each.id.bytes,
            16, each.external_hash[:EXTERNAL_BYTES], 32, each.content, 2, each.methodology,
            4, _day(each.day), 2, ranks[item.evidence], 8, each.raw_mg, 8, started, 8, ended,
        ) + meaning + (len(inputs) + 1).to_bytes(4, "big") + b"\x01" + inputs + (
            nowhere if unplaced and item.source_occurred_at is None else _where(each) + today
        )  # fmt: skip


def _meaning(mode: str, asset: int | None, cap_mg: int | None, reason: str) -> bytes:
    return b"".join(
        (
            _sized(mode.encode()),
            _NULL if asset is None else _sized(asset.to_bytes(4, "big")),
            _NULL if cap_mg is None else _sized(cap_mg.to_bytes(8, "big")),
            _sized(reason.encode()) if reason else _NULL,
        )
    )


def _where(each: Candidate) -> bytes:
    source = each.item.source_occurred_at
    return b"".join(
        (
            _NULL if each.vehicle is None else _sized(each.vehicle),
            _NULL if each.station is None else _sized(each.station),
            _NULL if source is None else _sized(_instant(source).to_bytes(8, "big", signed=True)),
            _sized(each.item.place.encode()) if each.item.place else _NULL,
        )
    )


def _sized(value: bytes) -> bytes:
    return len(value).to_bytes(4, "big") + value


def _day(day: date) -> int:
    return day.toordinal() - _EPOCH_DAY


def _instant(instant: datetime) -> int:
    return (instant - _EPOCH) // _MICROSECOND
