"""What corrections stand on, on disk (更正所据): an act as it stands, and the rows of a correction.

People are locked before anything of theirs is read, as merging does, so that what is decided
here and what two providers' records come to take turns.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import chain
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec

from app.activities.windows import Accrual, count_in
from app.kernel.db import Connection
from ledger.accounts import bucket_of

Key = tuple[int, UUID]
"""(owner, act)."""
ActKey = tuple[int, int, date, UUID]
"""(bucket, owner, recorded_on, act): where an act's row lies."""

_LOCK: Final = """
select 1 from subject s join unnest(%s::int2[], %s::int8[]) as k (bucket, account)
    on k.bucket = s.bucket and k.account = s.account
 order by s.bucket, s.account for no key update of s"""
_STANDING: Final = """
select a.account, a.id, a.recorded_on, a.occurred_on, a.asset, coalesce(c.raw_mg, a.raw_mg, 0),
       coalesce(c.lost_mg, 0), d.cap_mg, a.reason is null and m.counted is null,
       coalesce(c.is_withdrawn, false), coalesce(c.is_corrected, false),
       not exists (select from account_secret s where s.bucket = a.bucket
                    and s.account = a.account),
       exists (select from month_settlement o
                 join methodology_version v on v.id = o.methodology
                 join methodology_version w on w.code = v.code and w.id = a.methodology
                where o.bucket = a.bucket and o.account = a.account
                  and o.month = date_trunc('month', a.occurred_on)::date),
       k.content, coalesce(t.amount, 0)
  from unnest(%(buckets)s::int2[], %(owners)s::int8[], %(days)s::date[], %(acts)s::uuid[])
         as q (bucket, account, recorded_on, id)
  join activity a on a.bucket = q.bucket and a.account = q.account
   and a.recorded_on = q.recorded_on and a.id = q.id
  left join transfer t on t.bucket = a.bucket and t.recorded_on = a.recorded_on and t.id = a.id
  left join accrual_day d on d.bucket = a.bucket and d.account = a.account
   and d.day = a.occurred_on and d.asset = a.asset
  left join activity_key k on k.provider = a.provider and k.external_hash = a.external_hash
  left join lateral (
    select (array_agg(h.raw_mg order by h.id desc))[1] as raw_mg, sum(h.lost_mg)::int8 as lost_mg,
           bool_or(h.is_withdrawn) as is_withdrawn, bool_or(h.cause = %(cause)s) as is_corrected
      from act_correction h
     where h.bucket = a.bucket and h.account = a.account and h.activity = a.id) c on true
  left join lateral (
    select h.counted from act_merge h
     where h.bucket = a.bucket and h.account = a.account and h.activity = a.id
     order by h.id desc limit 1) m on true"""
# A settled month is worth something and has its accrual, as an act; it has no cap and no record.
_MONTHS: Final = """
select m.account, m.id, m.recorded_on, (m.month + interval '1 month')::date - 1, t.asset,
       coalesce(c.raw_mg, m.reduction_mg), coalesce(c.lost_mg, 0), null::int8, true, false,
       coalesce(c.is_corrected, false),
       not exists (select from account_secret s where s.bucket = m.bucket
                    and s.account = m.account),
       false, null::bytea, coalesce(t.amount, 0)
  from unnest(%(buckets)s::int2[], %(owners)s::int8[], %(days)s::date[], %(acts)s::uuid[])
         as q (bucket, account, recorded_on, id)
  join month_settlement m on m.bucket = q.bucket and m.account = q.account and m.id = q.id
  left join transfer t on t.bucket = m.bucket and t.recorded_on = m.recorded_on and t.id = m.id
  left join lateral (
    select (array_agg(h.raw_mg order by h.id desc))[1] as raw_mg, sum(h.lost_mg)::int8 as lost_mg,
           bool_or(h.cause = %(cause)s) as is_corrected
      from act_correction h
     where h.bucket = m.bucket and h.account = m.account and h.activity = m.id) c on true"""
_CHANGES: Final = """
select h.account, h.activity, h.id, h.recorded_on, h.amount_mg, h.corrects
  from unnest(%s::int2[], %s::int8[], %s::uuid[]) as q (bucket, account, activity)
  join act_change h on h.bucket = q.bucket and h.account = q.account and h.activity = q.activity
 order by h.id"""
_WITHDRAW: Final = """
update act_window w set is_withdrawn = true
  from unnest(%s::int2[], %s::int8[], %s::uuid[]) as q (bucket, account, activity)
 where w.bucket = q.bucket and w.account = q.account and w.activity = q.activity"""
_FOLLOWED: Final = """
select w.account, w.activity
  from unnest(%s::int2[], %s::int8[], %s::uuid[]) as q (bucket, account, activity)
  join act_window w on w.bucket = q.bucket and w.account = q.account and w.activity = q.activity
 where w.counted is null and exists (
   select from act_window f where f.bucket = w.bucket and f.account = w.account
      and f.counted = w.activity and not f.is_withdrawn)"""
_SET_RAW: Final = """
update act_window w set raw_mg = q.raw_mg
  from unnest(%s::int2[], %s::int8[], %s::uuid[], %s::int8[])
         as q (bucket, account, activity, raw_mg)
 where w.bucket = q.bucket and w.account = q.account and w.activity = q.activity"""
_NOTE: Final = """
insert into act_correction (bucket, account, id, activity, recorded_on, cause, reason, content,
                            is_withdrawn, raw_mg, change_mg, lost_mg)
select * from unnest(%s::int2[], %s::int8[], %s::uuid[], %s::uuid[], %s::date[], %s::uuid[],
                     %s::text[], %s::bytea[], %s::bool[], %s::int8[], %s::int8[], %s::int8[])"""
_NOTE_INPUTS: Final = """
insert into corrected_input (bucket, account, correction, inputs)
select * from unnest(%s::int2[], %s::int8[], %s::uuid[], %s::jsonb[])"""


@dataclass(frozen=True, slots=True)
class Standing:
    """An act as it stands, with all that went before."""

    day: date
    asset: int | None
    raw_mg: int
    """What it is worth before the cap, by the newest correction [mg]."""
    lost_mg: int
    """What corrections took of it, and so keep of its day's cap [mg]."""
    cap_mg: int | None
    counts: bool
    """False where it gives nothing, or another record of the same act counts."""
    is_withdrawn: bool
    is_corrected: bool
    """By this very cause."""
    is_erased: bool
    """Its owner's secret is gone: nothing is added to them any more (R20)."""
    is_settled: bool
    """Its month was added up, and posted."""
    content: bytes | None
    accruals: Mapping[UUID, Accrual]
    """What it was granted and still has, by transfer, the oldest first."""

    @property
    def granted_mg(self) -> int:
        """What it has added [mg]."""
        return sum(each.mg for each in self.accruals.values())


class Noted(NamedTuple):
    """A row of act_correction, and the corrected quantities beside it."""

    bucket: int
    owner: int
    id: UUID
    activity: UUID
    recorded_on: date
    cause: UUID
    reason: str
    content: bytes | None
    is_withdrawn: bool
    raw_mg: int | None
    change_mg: int
    lost_mg: int
    inputs: Mapping[str, str] | None


def lock_people(connection: Connection, owners: Collection[int]) -> None:
    """Lock these people, in the order that everybody locks them in."""
    ordered = sorted(owners, key=lambda owner: (bucket_of(owner), owner))
    connection.execute(_LOCK, ([bucket_of(owner) for owner in ordered], ordered))


def load_standing(
    connection: Connection, acts: Iterable[ActKey], cause: UUID
) -> dict[Key, Standing]:
    """Load acts, and settled months, as they stand; one that is not there is left out."""
    columns = _columns(acts)
    facts: dict[str, object] = dict(
        zip(("buckets", "owners", "days", "acts"), columns, strict=True)
    )
    accruals: dict[Key, dict[UUID, Accrual]] = {}
    found: dict[Key, tuple[Any, ...]] = {}
    facts["cause"] = cause
    standing = (connection.execute(query, facts).fetchall() for query in (_STANDING, _MONTHS))
    for owner, act, recorded_on, *row, amount in chain.from_iterable(standing):
        first = {act: Accrual(act, recorded_on, amount)} if amount else {}
        accruals[owner, act] = first
        found[owner, act] = tuple(row)
    changes = connection.execute(_CHANGES, (columns[0], columns[1], columns[3]))
    for owner, act, transfer, recorded_on, mg, corrects in changes:
        count_in(accruals[owner, act], Accrual(transfer, recorded_on, mg), corrects)
    return {key: Standing(*row, accruals=accruals[key]) for key, row in found.items()}


def withdraw_from_window(connection: Connection, acts: Collection[Key]) -> set[Key]:
    """Let these acts stand behind every other record of the same act.

    Returns those that counted for another one, which therefore counts from here on.
    """
    if not acts:
        return set()
    columns = _keys(acts)
    connection.execute(_WITHDRAW, columns)
    return {(owner, act) for owner, act in connection.execute(_FOLLOWED, columns)}


def note_corrections(connection: Connection, rows: Sequence[Noted]) -> None:
    """Write corrections, and what the acts still open to merging are worth."""
    if not rows:
        return
    connection.execute(_NOTE, _columns(row[:-1] for row in rows))
    told = [
        (row.bucket, row.owner, row.id, msgspec.json.encode(row.inputs).decode())
        for row in rows
        if row.inputs is not None
    ]
    if told:
        connection.execute(_NOTE_INPUTS, _columns(told))
    worth = [
        (row.bucket, row.owner, row.activity, row.raw_mg) for row in rows if row.raw_mg is not None
    ]
    if worth:
        connection.execute(_SET_RAW, _columns(worth))


def _keys(acts: Iterable[Key]) -> list[list[object]]:
    return _columns((bucket_of(owner), owner, act) for owner, act in acts)


def _columns(rows: Iterable[Sequence[object]]) -> list[list[object]]:
    return [list(column) for column in zip(*rows, strict=True)]
