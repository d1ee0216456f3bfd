"""The window of acts still open to merging, on disk (合并窗口): loading, and what changed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final, NamedTuple
from uuid import UUID

from app.activities.rules import Act
from app.kernel.db import Connection
from ledger.accounts import bucket_of

_CONTESTED: Final = """
select distinct n.account
  from incoming n
  join act_window w on w.bucket = n.bucket and w.account = n.account and w.mode = n.mode
   and w.provider <> %s and w.started_at <= n.ended_at + interval '10 minutes'
   and w.ended_at >= n.started_at - interval '10 minutes'
 where n.reason is null
 order by 1"""
_OPEN: Final = """
insert into act_window (bucket, account, activity, recorded_on, provider, external_hash, mode,
  evidence, started_at, ended_at, vehicle, station, day, asset, raw_mg)
select bucket, account, activity, recorded_on, %s, external_hash, mode,
  evidence, started_at, ended_at, vehicle, station, day, asset, raw_mg
  from incoming where reason is null and not activity = any(%s) order by bucket, account"""
_ACTS: Final = """
select w.account, w.recorded_on, w.activity, p.code, w.external_hash, w.mode, w.evidence,
       w.started_at, w.ended_at, w.vehicle, w.station, w.day, w.asset, w.raw_mg, w.is_withdrawn,
       w.counted, coalesce(t.amount, 0), k.content
  from unnest(%s::int2[], %s::int8[]) as c (bucket, account)
  join act_window w on w.bucket = c.bucket and w.account = c.account
  join provider p on p.id = w.provider
  join activity_key k on k.provider = w.provider and k.external_hash = w.external_hash
  left join transfer t on t.bucket = w.bucket and t.recorded_on = w.recorded_on
   and t.id = w.activity"""
_CHANGES: Final = """
select h.activity, h.id, h.recorded_on, h.amount_mg, h.corrects
  from unnest(%s::int2[], %s::int8[]) as c (bucket, account)
  join act_change h on h.bucket = c.bucket and h.account = c.account
 order by h.id"""
_CAPS: Final = """
select d.account, d.day, d.asset, d.cap_mg
  from unnest(%s::int2[], %s::int8[]) as c (bucket, account)
  join accrual_day d on d.bucket = c.bucket and d.account = c.account"""
_NOTE_CHANGES: Final = """
insert into act_change (bucket, account, id, activity, recorded_on, amount_mg, corrects)
select * from unnest(%s::int2[], %s::int8[], %s::uuid[], %s::uuid[], %s::date[], %s::int8[],
                     %s::uuid[])"""
_NOTE_MERGES: Final = """
insert into act_merge (bucket, account, id, activity, counted, reason, recorded_on)
select * from unnest(%s::int2[], %s::int8[], %s::uuid[], %s::uuid[], %s::uuid[], %s::text[],
                     %s::date[])"""
_SET_COUNTED: Final = """
update act_window w set counted = t.counted
  from unnest(%s::int2[], %s::int8[], %s::uuid[], %s::uuid[]) as t (bucket, account, activity,
                                                                   counted)
 where (w.bucket, w.account, w.activity) = (t.bucket, t.account, t.activity)"""


@dataclass(frozen=True, slots=True)
class Accrual:
    """A transfer that granted an act something that was not taken back."""

    transfer: UUID
    recorded_on: date
    mg: int


@dataclass(slots=True)
class Told:
    """An act of the window with what it takes to correct it."""

    act: Act
    content: bytes
    accruals: dict[UUID, Accrual]
    recorded_on: date


class Change(NamedTuple):
    """A row of act_change."""

    bucket: int
    owner: int
    transfer: UUID
    activity: UUID
    recorded_on: date
    mg: int
    corrects: UUID | None


class Merge(NamedTuple):
    """A row of act_merge."""

    bucket: int
    owner: int
    id: UUID
    activity: UUID
    counted: UUID | None
    reason: str
    recorded_on: date


@dataclass(slots=True)
class Contested:
    """People of whom two providers tell at overlapping times, with all that is open of them."""

    told: dict[int, list[Told]] = field(default_factory=dict[int, list[Told]])
    caps_mg: dict[tuple[int, date, int], int] = field(
        default_factory=dict[tuple[int, date, int], int]
    )


def contested_owners(connection: Connection, provider: int) -> list[int]:
    """Find the owners of staged acts that overlap an act from another provider."""
    return [owner for (owner,) in connection.execute(_CONTESTED, (provider,)).fetchall()]


def open_acts(connection: Connection, provider: int, but: Iterable[UUID]) -> None:
    """Put the staged acts that count into the window, except some."""
    connection.execute(_OPEN, (provider, list(but)))


def load_contested(connection: Connection, owners: Sequence[int]) -> Contested:
    """Load what is open of these owners; they are locked already."""
    keys = ([bucket_of(owner) for owner in owners], list(owners))
    made = Contested({owner: [] for owner in owners})
    by_id: dict[UUID, Told] = {}
    for owner, recorded_on, *row, counted, amount, content in connection.execute(_ACTS, keys):
        act_id = row[0]
        act = Act(
            **dict(zip(_ACT_FIELDS, row, strict=True)),
            granted_mg=amount,
            counted=counted or act_id,
        )
        first = {act_id: Accrual(act_id, recorded_on, amount)} if amount else {}
        by_id[act_id] = Told(act, content, first, recorded_on)
        made.told[owner].append(by_id[act_id])
    for activity, transfer, recorded_on, mg, corrects in connection.execute(_CHANGES, keys):
        if activity in by_id:
            told = by_id[activity]
            told.act = replace(told.act, granted_mg=told.act.granted_mg + mg)
            count_in(told.accruals, Accrual(transfer, recorded_on, mg), corrects)
    for owner, day, asset, cap_mg in connection.execute(_CAPS, keys):
        made.caps_mg[owner, day, asset] = cap_mg
    return made


def note(
    connection: Connection,
    changes: Sequence[Change],
    merges: Sequence[Merge],
    counted: Mapping[tuple[int, UUID], UUID | None],
) -> None:
    """Write what changed: transfers beyond the first, who counts for whom, and the window."""
    with connection.cursor() as cursor:
        if changes:
            cursor.execute(_NOTE_CHANGES, [list(column) for column in zip(*changes, strict=True)])
        if merges:
            cursor.execute(_NOTE_MERGES, [list(column) for column in zip(*merges, strict=True)])
        if counted:
            rows = [(bucket_of(o), o, act, instead) for (o, act), instead in counted.items()]
            cursor.execute(_SET_COUNTED, [list(column) for column in zip(*rows, strict=True)])


_ACT_FIELDS: Final = (
    "id",
    "provider",
    "external_hash",
    "mode",
    "evidence",
    "started_at",
    "ended_at",
    "vehicle",
    "station",
    "day",
    "asset",
    "raw_mg",
    "is_withdrawn",
)


def count_in(accruals: dict[UUID, Accrual], change: Accrual, corrects: UUID | None) -> None:
    """Count a later accrual or correction of an act in."""
    if corrects is None:
        accruals[change.transfer] = change
        return
    left = accruals.pop(corrects)
    if left.mg + change.mg > 0:
        accruals[corrects] = replace(left, mg=left.mg + change.mg)
