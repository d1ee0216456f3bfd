"""Recording a chunk (入账): one transaction from candidates to outcomes, whatever it takes.

About a dozen statements for 10,000 lines. The transaction may run again after a conflict: ids
were given before it, and all that it decides it decides from what it reads.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from operator import attrgetter
from typing import Final, NamedTuple
from uuid import UUID

import structlog
from sqlmodel import Session

from app.activities.behaviours import reserve_points
from app.activities.caps import Place, add_staged
from app.activities.marks import EXTERNAL_BYTES
from app.activities.matching import (
    claim,
    exclude,
    has_rivals,
    lock_owners,
    refuse_settled,
    settle_owners,
    told_before,
    told_too_late,
)
from app.activities.merging import ISSUANCE, SAME_ACT, Merged, merge
from app.activities.outcomes import Outcome
from app.activities.preparing import BY_MONTH, Candidate, Chunk, Fate
from app.activities.rules import capped
from app.activities.staging import stage
from app.activities.uploads import ChunkRecord, Upload, record_chunk, recorded_chunk
from app.activities.windows import Merge, contested_owners, open_acts
from app.books import Row, post
from app.citizens import travel_scenes
from app.kernel.db import Connection, driver
from app.points import recover, settle
from ledger.assets import Reduction
from ledger.chart import Code

LOG: Final = structlog.get_logger("tanpu.activities")
TOO_LATE: Final = "merge.deadline_passed"
CAPPED: Final = "cap.day"
_DROP: Final = "delete from incoming where activity = any(%s)"
_TAKE_UP: Final = """
update incoming i set activity = t.told, recorded_on = t.recorded_on
  from unnest(%s::uuid[], %s::uuid[], %s::date[]) as t (activity, told, recorded_on)
 where i.activity = t.activity"""
_STORE: Final = """
insert into activity (bucket, account, recorded_on, id, provider, external_hash, upload,
  methodology, occurred_on, evidence, mode, asset, raw_mg, reason, inputs, source_occurred_at,
  place)
select bucket, account, recorded_on, activity, %s, external_hash, %s,
  methodology, day, evidence, mode, asset, case when asset is not null then raw_mg end, reason,
  inputs, source_occurred_at, place
  from incoming"""


class Terms(NamedTuple):
    """What is the same for every chunk of an upload."""

    upload: Upload
    today: date
    open_from: date
    """Acts recorded before this day are past the merge deadline."""
    new_id: Callable[[], UUID]


def record(
    session: Session, terms: Terms, chunk: Chunk, assets: Mapping[Reduction, int]
) -> ChunkRecord:
    """Take one chunk in. Idempotent in (upload, chunk number)."""
    connection, upload = driver(session), terms.upload
    if done := recorded_chunk(connection, upload.id, chunk.number):
        return done
    fates = dict(chunk.fates)
    travel = travel_scenes(upload.versions)
    known = settle_owners(connection, upload.provider.id, chunk.candidates, travel)
    for each in chunk.candidates:
        fates[each.position] = Fate(Outcome.REFUSED, "consent.none")
    first, repeats = _told_once(known)
    exclude(connection, first)
    for each in first:
        each.asset = None if each.reduction is None else assets[each.reduction]
    fresh = _stage_fresh(connection, terms, first, fates)
    merged = _settle(connection, terms, fresh, fates)
    for each, earlier in repeats:
        same = each.content == earlier.content
        fates[each.position] = _repeated(same=same)
    made = ChunkRecord(
        [
            (item.line, fate.outcome, fate.reason, fate.mg)
            for position, item in enumerate(chunk.items)
            for fate in (fates[position],)
        ],
        merged.corrected_mg,
        sum(each.day < terms.open_from for each in fresh),
    )
    record_chunk(connection, upload.id, chunk.number, made)
    _alarm(upload, chunk, made)
    return made


def _told_once(
    known: Iterable[Candidate],
) -> tuple[list[Candidate], list[tuple[Candidate, Candidate]]]:
    """Part the lines that repeat an id of this chunk; the rest lie by owner, as the books do."""
    first: dict[bytes, Candidate] = {}
    repeats = [
        (each, earlier)
        for each in known
        if (earlier := first.setdefault(each.external_hash, each)) is not each
    ]
    return sorted(first.values(), key=attrgetter("bucket", "owner")), repeats


def _stage_fresh(
    connection: Connection, terms: Terms, first: list[Candidate], fates: dict[int, Fate]
) -> list[Candidate]:
    """Stage candidates and claim their keys; returns those that were not told before."""
    if not first:
        return []
    provider = terms.upload.provider.id
    stage(connection, first, terms.today)
    claimed = claim(connection, provider, len(first))
    if claimed is None:
        return first
    fresh = [each for each in first if each.id in claimed]
    taken = [each for each in first if each.id not in claimed]
    told = told_before(connection, provider, taken)
    drop: list[UUID] = []
    take_up: list[tuple[UUID, UUID, date]] = []
    for each in taken:
        before = told[each.external_hash[:EXTERNAL_BYTES]]
        same = before.content == each.content
        if same and not before.is_stored and before.owner == each.owner:
            take_up.append((each.id, before.activity, before.recorded_on))
            each.id, each.recorded_on = before.activity, before.recorded_on
            fresh.append(each)
            continue
        drop.append(each.id)
        fates[each.position] = _repeated(same=same)
    if take_up:
        connection.execute(_TAKE_UP, [list(column) for column in zip(*take_up, strict=True)])
    connection.execute(_DROP, (drop,))
    return fresh


def _settle(
    connection: Connection, terms: Terms, fresh: list[Candidate], fates: dict[int, Fate]
) -> Merged:
    """Store, merge, cap and post what is new; fills ``fates``."""
    if not fresh:
        return Merged()
    provider = terms.upload.provider
    if any(each.note is BY_MONTH for each in fresh):
        refuse_settled(connection, fresh)
    late = told_too_late(connection, provider.id, fresh, terms.open_from)
    rivals = has_rivals(connection, provider.id, {each.mode for each in fresh if not each.reason})
    if rivals:
        lock_owners(connection)
    code, today = terms.upload.methodology, terms.today
    reserved = reserve_points(connection, code, fresh, late, today=today)
    connection.execute(_STORE, (provider.id, terms.upload.id))
    owners = contested_owners(connection, provider.id) if rivals else []
    merged = _merge(connection, terms, owners, fresh, late) if owners else Merged()
    over: dict[Place, int] = {}
    if any(each.cap_mg is not None for each in fresh):
        over = add_staged(connection, owners, list(late))
    open_acts(connection, provider.id, late)
    for each in fresh if late else ():
        if each.id in late:
            _note_late(merged, each, late[each.id], terms)
    found = _Found(merged, set(owners), late, over, reserved.cut)
    rows = [*_accruals(fresh, fates, found, today), *merged.rows]
    rows += recover(connection, merged.taken, today=today, new_id=terms.new_id)
    rows += settle(connection, reserved, merged.shift(), today=today, new_id=terms.new_id)
    post(connection, rows)
    merged.write(connection)
    return merged


class _Found(NamedTuple):
    """What the database said of the staged acts."""

    merged: Merged
    disputed: set[int]
    late: Mapping[UUID, UUID]
    over: Mapping[Place, int]
    cut: Mapping[UUID, str]
    """Behaviours that a cap leaves less than their reward."""


def _merge(
    connection: Connection,
    terms: Terms,
    owners: list[int],
    fresh: Iterable[Candidate],
    late: Mapping[UUID, UUID],
) -> Merged:
    disputed = set(owners)
    told = [e for e in fresh if e.owner in disputed and not e.reason and e.id not in late]
    code = terms.upload.provider.code
    return merge(connection, code, owners, told, today=terms.today, new_id=terms.new_id)


def _accruals(
    fresh: Iterable[Candidate], fates: dict[int, Fate], found: _Found, today: date
) -> list[Row]:
    """Give every new act its fate, and the transfers of those nobody else tells of."""
    rows: list[Row] = []
    merged, disputed, late, over, cut = found
    shares = _shares(fresh, found) if over else {}
    issuance, code = ISSUANCE, int(Code.ACCRUE)
    for each in fresh:
        act, position = each.id, each.position
        if each.reason:
            fates[position] = Fate(Outcome.INELIGIBLE, each.reason)
        elif late and act in late:
            fates[position] = Fate(Outcome.MERGED, TOO_LATE)
        elif merged.instead and act in merged.instead:
            fates[position] = Fate(Outcome.MERGED, SAME_ACT)
        elif each.asset is None:
            fates[position] = Fate(Outcome.ACCEPTED, cut.get(act, each.note))
        else:
            mg = each.raw_mg
            if each.owner in disputed:
                mg = merged.granted_mg.get(act, 0)
            elif mg := shares.get(act, mg) if shares else mg:
                on, day = each.recorded_on or today, each.day
                rows.append(
                    Row(
                        each.bucket, on, act, issuance, each.owner, each.asset, mg, code, act, day,
                        None, None, each.content,
                    )
                )  # fmt: skip
            fates[position] = Fate(Outcome.ACCEPTED, "" if mg == each.raw_mg else CAPPED, mg)
    return rows


def _shares(fresh: Iterable[Candidate], found: _Found) -> dict[UUID, int]:
    """Share what a cap leaves among the acts of this chunk, in their order."""
    sharing: dict[Place, list[Candidate]] = {}
    for each in fresh:
        if each.asset is None or each.owner in found.disputed or each.id in found.late:
            continue
        place = (each.owner, each.day, each.asset)
        if place in found.over:
            sharing.setdefault(place, []).append(each)
    shares: dict[UUID, int] = {}
    for place, acts in sharing.items():
        before = found.over[place] - sum(each.raw_mg for each in acts)
        for each in acts:
            after = before + each.raw_mg
            shares[each.id] = capped(each.cap_mg, after) - capped(each.cap_mg, before)
            before = after
    return shares


def _note_late(merged: Merged, each: Candidate, counted: UUID, terms: Terms) -> None:
    merged.merges.append(
        Merge(each.bucket, each.owner, terms.new_id(), each.id, counted, TOO_LATE, terms.today)
    )


def _repeated(*, same: bool) -> Fate:
    return Fate(Outcome.DUPLICATE if same else Outcome.CONFLICT)


def _alarm(upload: Upload, chunk: Chunk, made: ChunkRecord) -> None:
    conflicts = sum(line[1] is Outcome.CONFLICT for line in made.lines)
    if conflicts:
        LOG.warning(
            "activity.conflict",
            upload=str(upload.id),
            provider=upload.provider.code,
            chunk=chunk.number,
            lines=conflicts,
        )
