"""Whose act it is, and whether it was told before (归属与去重): questions asked for a whole chunk.

Before the records of a person are compared the person is locked, all in one order, so that two
uploads that tell of one person take turns, and the second sees what the first committed. What
needs no comparing is done before, because two chunks of a city nearly always share somebody.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Final, NamedTuple
from uuid import UUID
from zlib import crc32

from app.activities.marks import EXTERNAL_BYTES
from app.activities.preparing import Candidate
from app.citizens import WHEREABOUTS
from app.kernel.db import Connection

# `offset 0` keeps the planner from anything but two index look-ups a subject, and the row
# comparison from the GiST index that guards the intervals: five times as slow as the key.
_RESOLVE: Final = """
select t.place - 1, i.bucket, i.account, c.scene,
       nullif(greatest(i.linked_from, c.valid_from, %(first)s), %(first)s),
       least(i.linked_to, c.valid_to)
  from (select n as place, substr(%(numbers)s, 32 * n - 31, 32) as number
          from generate_series(1, %(count)s) n) t
  cross join lateral (select * from instrument
    where (provider, number, linked_from) >= (%(provider)s, t.number, '-infinity')
      and (provider, number, linked_from) <= (%(provider)s, t.number, 'infinity') offset 0) i
  cross join lateral (select * from consent
    where (bucket, account, provider) = (i.bucket, i.account, i.provider)
      and scene = any(%(scenes)s) offset 0) c
"""
_LOCK: Final = """
select 1 from subject s join (select distinct bucket, account from incoming) n
    on n.bucket = s.bucket and n.account = s.account
 order by s.bucket, s.account for no key update of s"""
_EXCLUDED: Final = "select kind, number, reason, valid_from, valid_to from exclusion"
_CLAIM: Final = """
insert into activity_key (provider, external_hash, content, bucket, account, recorded_on, activity)
select %s, external_hash, content, bucket, account, recorded_on, activity from incoming
 order by external_hash on conflict do nothing returning activity"""
_TOLD: Final = """
select k.external_hash, k.content, k.bucket, k.account, k.recorded_on, k.activity,
       exists (select from activity a where a.bucket = k.bucket and a.account = k.account
                and a.recorded_on = k.recorded_on and a.id = k.activity)
  from activity_key k where k.provider = %s and k.external_hash = any(%s)"""
_LATE: Final = """
select n.activity, min(a.id::text)::uuid
  from incoming n
  join activity a on a.bucket = n.bucket and a.account = n.account and a.mode = n.mode
   and a.occurred_on between n.day - 1 and n.day + 1 and a.provider <> %(provider)s
   and a.recorded_on < %(open_from)s and a.reason is null
 where n.day < %(open_from)s and n.reason is null
 group by n.activity"""


MODE_SLOTS: Final = 64
_ENTERED: Final = "select 1 from mode_provider where slot = %s and provider = %s"
_ENTER: Final = "insert into mode_provider values (%s, %s) on conflict do nothing"
_LOCK_SLOT: Final = "select pg_advisory_xact_lock(hashtext('mode'), %s)"
_SHARE_SLOT: Final = "select pg_advisory_xact_lock_shared(hashtext('mode'), %s)"
_RIVALS: Final = "select 1 from mode_provider where slot = %s and provider <> %s limit 1"
MONTH_SETTLED: Final = "month.settled"
_SETTLED: Final = """
update incoming n set reason = 'month.settled'
  from month_settlement m
  join methodology_version v on v.id = m.methodology
  join methodology_version w on w.code = v.code
 where m.bucket = n.bucket and m.account = n.account and w.id = n.methodology
   and m.month = date_trunc('month', n.day)::date and n.reason is null
returning n.activity"""
_Interval = tuple[int, int, datetime | None, datetime | None]
"""(bucket, owner, since, until); no ``since`` means before the chunk's first act."""


class Told(NamedTuple):
    """What a provider told before under an id."""

    content: bytes
    bucket: int
    owner: int
    recorded_on: date
    activity: UUID
    is_stored: bool
    """False after a crash between two nodes: the key is there and the act is not (R3)."""


def settle_owners(
    connection: Connection, provider: int, candidates: Sequence[Candidate], travel: Collection[str]
) -> list[Candidate]:
    """Give each candidate its owner; returns those with consent.

    An act of a ``travel`` scene, or one that names a vehicle or a station, needs the consent for
    whereabouts as well (R17). An unknown subject and one without a consent that the act needs, at
    its time, are told apart nowhere.
    """
    numbers = list(dict.fromkeys(each.subject for each in candidates))
    if not numbers:
        return []
    first = min(each.item.occurred_at for each in candidates)
    found: dict[tuple[bytes, str], list[_Interval]] = {}
    facts = {
        "numbers": b"".join(numbers),
        "count": len(numbers),
        "provider": provider,
        "scenes": sorted({WHEREABOUTS, *(each.scene for each in candidates)}),
        "first": first,
    }
    with connection.cursor(binary=True) as cursor:
        for place, bucket, owner, scene, since, until in cursor.execute(_RESOLVE, facts):
            owners = found.setdefault((numbers[int(place)], scene), [])
            owners.append((bucket, owner, since, until))
    known: list[Candidate] = []
    for each in candidates:
        if place := _consented(found, each, each.scene):
            sensitive = each.scene in travel or each.vehicle or each.station
            if not sensitive or _consented(found, each, WHEREABOUTS) == place:
                each.bucket, each.owner = place
                known.append(each)
    return known


def _consented(
    found: Mapping[tuple[bytes, str], Sequence[_Interval]], candidate: Candidate, scene: str
) -> tuple[int, int] | None:
    """Give whose card it was, where they had consented to this scene at the time of the act."""
    instant = candidate.item.occurred_at
    for bucket, owner, since, until in found.get((candidate.subject, scene), ()):
        if (since is None or since <= instant) and (until is None or instant < until):
            return bucket, owner
    return None


def has_rivals(connection: Connection, provider: int, modes: Iterable[str]) -> bool:
    """Say whether another provider ever told of one of these modes; enters this one's name.

    Until the end of the transaction nobody new enters: who holds a slot's lock shared has read
    all whose chunks may be under way at the same time (central, so an advisory lock may do it).
    """
    rivals = False
    for slot in sorted({crc32(mode.encode()) % MODE_SLOTS for mode in modes}):
        if not connection.execute(_ENTERED, (slot, provider)).fetchone():
            connection.execute(_LOCK_SLOT, (slot,))
            connection.execute(_ENTER, (slot, provider))
        connection.execute(_SHARE_SLOT, (slot,))
        rivals |= connection.execute(_RIVALS, (slot, provider)).fetchone() is not None
    return rivals


def lock_owners(connection: Connection) -> None:
    """Lock the people that staged acts are told of, in order."""
    connection.execute(_LOCK)


def exclude(connection: Connection, candidates: Iterable[Candidate]) -> None:
    """Give a reason to candidates that an ETS entity or another mechanism already counts."""
    listed: dict[tuple[str, bytes], list[tuple[str, date, date | None]]] = {}
    for kind, number, reason, since, until in connection.execute(_EXCLUDED):
        listed.setdefault((kind, bytes(number)), []).append((reason, since, until))
    if not listed:
        return
    for each in candidates:
        marks = (("subject", each.subject), ("vehicle", each.vehicle), ("station", each.station))
        for kind, number in marks:
            for reason, since, until in listed.get((kind, number), ()) if number else ():
                if since <= each.day and (until is None or each.day <= until):
                    disqualify(each, reason)


def disqualify(candidate: Candidate, reason: str) -> None:
    """Let an act count for nothing, for the first reason that is found."""
    candidate.reason = candidate.reason or reason
    candidate.reduction, candidate.asset, candidate.raw_mg, candidate.cap_mg = None, None, 0, None


def claim(connection: Connection, provider: int, staged: int) -> set[UUID] | None:
    """Claim the keys of the ``staged`` rows; returns whose, or None when all were free."""
    with connection.cursor(binary=True) as cursor:
        cursor.execute(_CLAIM, (provider,))
        return None if cursor.rowcount == staged else {row[0] for row in cursor}


def told_before(
    connection: Connection, provider: int, candidates: Iterable[Candidate]
) -> dict[bytes, Told]:
    """Find what was told under the ids of these candidates."""
    hashes = [each.external_hash[:EXTERNAL_BYTES] for each in candidates]
    with connection.cursor(binary=True) as cursor:
        cursor.execute(_TOLD, (provider, hashes))
        return {row[0]: Told(*row[1:]) for row in cursor}


def refuse_settled(connection: Connection, candidates: Iterable[Candidate]) -> None:
    """Give a reason to staged days of a month that was settled for their owner already."""
    settled = {row[0] for row in connection.execute(_SETTLED)}
    for each in candidates if settled else ():
        if each.id in settled:
            disqualify(each, MONTH_SETTLED)


def told_too_late(
    connection: Connection, provider: int, candidates: Iterable[Candidate], open_from: date
) -> dict[UUID, UUID]:
    """Find acts that another provider told so long ago that nothing is left to compare.

    Then one of the same day and mode is taken for the same act: rather one too few than two.
    """
    if all(each.day >= open_from for each in candidates):
        return {}
    facts = {"provider": provider, "open_from": open_from}
    return dict(connection.execute(_LATE, facts).fetchall())
