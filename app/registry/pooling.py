"""Checks repeated at pooling (入池复核): what must not be in a lot, though it was taken in once.

The boundary list and the names of vehicles and stations grow after an act was recorded; a merge or
a second key may have been found since, or its day recalled. A project's report that a verifier
found wrong cannot be corrected as an act is, so no later lot has it. An act that fails keeps its
milligrams in the pool, with the reason, and is looked at again by the next lot.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Final
from uuid import UUID

from app.kernel.db import Connection
from app.registry.origins import Series

ERASED: Final = "owner.erased"
MERGED: Final = "merge.same_act"
TWICE: Final = "duplicate.two_acts"
RECALLED: Final = "recall.of_days"
DOUBTED: Final = "verification.report"
"""Reasons besides those of the boundary list."""

_LISTED: Final = """
select i.account, i.provider, e.reason, e.valid_from, e.valid_to,
       (i.linked_from at time zone 'Asia/Shanghai')::date,
       (i.linked_to at time zone 'Asia/Shanghai')::date
  from exclusion e cross join provider p
  join instrument i on i.provider = p.id and i.number = e.number
 where e.kind = 'subject'"""
_PLACES: Final = """
select kind, number, reason, valid_from, valid_to from exclusion where kind <> 'subject'"""
_RECALLED: Final = "select first_on, last_on from recall where reduction = %s"
_FACTS: Final = """
select a.account, a.id, a.provider, a.occurred_on, w.vehicle, w.station,
       coalesce(m.counted is not null, false), coalesce(k.activity <> a.id, false)
  from unnest(%(buckets)s::int2[], %(owners)s::int8[], %(acts)s::uuid[])
         as q (bucket, account, id)
  join activity a on a.bucket = q.bucket and a.account = q.account and a.id = q.id
   and a.recorded_on >= %(since)s
  left join act_window w on w.bucket = a.bucket and w.account = a.account and w.activity = a.id
  left join activity_key k on k.provider = a.provider and k.external_hash = a.external_hash
  left join lateral (
    select h.counted from act_merge h
     where h.bucket = a.bucket and h.account = a.account and h.activity = a.id
     order by h.id desc limit 1) m on true"""
_DOUBTED: Final = """
select q.account, q.id
  from unnest(%(buckets)s::int2[], %(owners)s::int8[], %(acts)s::uuid[])
         as q (bucket, account, id)
  join monitoring_report m on m.bucket = q.bucket and m.account = q.account and m.id = q.id
  join lot_row r on r.bucket = q.bucket and r.account = q.account and r.activity = q.id
  join lot_leaf l on l.lot = r.lot and l.leaf = r.leaf
  join sampled_row d on d.lot = l.lot and d.position = l.position
  join lot_finding f on f.lot = d.lot and f.draw = d.draw and f.verdict <> 'confirmed'"""

Place = tuple[int, int, UUID]
"""(bucket, owner, act)."""
_Rule = tuple[str, date, date | None]


class Checks:
    """The boundary list as it stands, for the acts that a lot shall hold."""

    def __init__(self, connection: Connection, series: Series) -> None:
        """Read the list once, and which days of the class were recalled."""
        self._connection, self._since = connection, series.since
        self._recalled = connection.execute(_RECALLED, (series.asset,)).fetchall()
        self._people: dict[tuple[int, int], list[tuple[str, date, date]]] = {}
        for owner, provider, reason, first, last, linked, unlinked in connection.execute(_LISTED):
            span = (max(first, linked), min(last or date.max, unlinked or date.max))
            self._people.setdefault((owner, provider), []).append((reason, *span))
        self._places: dict[tuple[str, bytes], list[_Rule]] = {}
        for kind, number, *rule in connection.execute(_PLACES):
            self._places.setdefault((kind, bytes(number)), []).append((rule[0], rule[1], rule[2]))

    def faults(self, acts: Sequence[Place]) -> Mapping[tuple[int, UUID], str]:
        """Give why acts must not be in a lot, by owner and act; those that may are left out."""
        buckets, owners, ids = zip(*acts, strict=True) if acts else ((), (), ())
        facts = {
            "buckets": list(buckets),
            "owners": list(owners),
            "acts": list(ids),
            "since": self._since,
        }
        doubted = self._connection.execute(_DOUBTED, facts).fetchall()
        found: dict[tuple[int, UUID], str] = dict.fromkeys(doubted, DOUBTED)
        for owner, act, provider, day, vehicle, station, merged, twice in self._connection.execute(
            _FACTS, facts
        ):
            reason = MERGED if merged else TWICE if twice else None
            reason = reason or self._listed(owner, provider, day)
            reason = reason or self._passed((("vehicle", vehicle), ("station", station)), day)
            if reason is not None:
                found[owner, act] = reason
        return found

    def recalled(self, day: date) -> str | None:
        """Give why an act of a day must not be in a lot of this class, if a recall says so."""
        is_recalled = any(first <= day <= last for first, last in self._recalled)
        return RECALLED if is_recalled else None

    def _listed(self, owner: int, provider: int, day: date) -> str | None:
        for reason, first, last in self._people.get((owner, provider), ()):
            if first <= day <= last:
                return reason
        return None

    def _passed(self, marks: Iterable[tuple[str, bytes | None]], day: date) -> str | None:
        for kind, number in marks:
            for reason, first, last in self._places.get((kind, bytes(number or b"")), ()):
                if first <= day and (last is None or day <= last):
                    return reason
        return None
