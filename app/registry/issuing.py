"""Issuance (签发): a confirmed lot becomes whole units; the operator asks, the regulator signs.

At the signature each row is looked at once more: an act that was corrected since the lot was
frozen leaves it, and so does what the verifier found wrong, what was recalled by its day, and what
the checks of pooling refuse by now. The rows that stay get their places in the series of the class,
in the order of their leaves, up to the last whole kilogram; what is left is still in the pool, for
the next lot. Corrections that reach into the pool wait meanwhile.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Final
from uuid import UUID

from sqlmodel import Session

from app.books import Row, asset_ids, post
from app.kernel.clock import day_of
from app.kernel.db import Connection, driver
from app.kernel.ids import new_id, parse_public_id
from app.kernel.scopes import Scope
from app.organisations import operator_of
from app.registry.attribution import pooled_mg, staying
from app.registry.batches import Batch, find_batch, unit_asset
from app.registry.lots import PREFIX, Lot, LotOutcome, LotStep, close_lot, lock_lot
from app.registry.origins import PLACES, persons
from app.registry.pooling import Checks
from app.registry.rules import Issue, issue_of
from app.registry.telling import tell_chain
from app.registry.terms import buffer_of, terms_in_force
from app.staff import Approval, Asking, Deed, Signing, ask, note_act
from app.staff.approvals import Payload
from ledger.accounts import BUCKETS, SYSTEM_ACCOUNTS, bucket_of
from ledger.assets import MG_PER_KG, methodology_key
from ledger.chart import Code
from ledger.registry import Issuance
from ledger.serials import method_code

ISSUE: Final = "lots.issue"
ISSUED_FOR: Final = "issued as batch"
TOO_LITTLE: Final = "less than a unit stayed of it"
BUCKETS_AT_ONCE: Final = 16
_UNIT: Final = SYSTEM_ACCOUNTS["issuance/unit"]
_LOCK: Final = "select pg_advisory_xact_lock(hashtext('issuance'), %s)"
_ROWS: Final = """
select account, activity, mg, act_mg from lot_row
 where bucket between %s and %s and lot = %s and leaf is not null"""
_STAGE: Final = """
create temporary table staying (bucket int2, account int8, activity uuid) on commit drop"""
_COPY: Final = "copy staying (bucket, account, activity) from stdin (format binary)"
_TOTAL: Final = """
select coalesce(sum(r.mg), 0)::int8 from staying s
  join lot_row r on r.bucket = s.bucket and r.account = s.account and r.activity = s.activity
   and r.lot = %s"""
_DROP_WRONG: Final = """
delete from staying s using lot_row r, lot_finding f, sampled_row d, lot_leaf l
 where r.bucket = s.bucket and r.account = s.account and r.activity = s.activity and r.lot = %(lot)s
   and f.lot = r.lot and f.verdict <> 'confirmed'
   and d.lot = f.lot and d.draw = f.draw
   and l.lot = d.lot and l.position = d.position and l.leaf = r.leaf"""
_DROP_RECALLED: Final = """
delete from staying s using lot_row r, recall q
 where r.bucket = s.bucket and r.account = s.account and r.activity = s.activity and r.lot = %(lot)s
   and q.reduction = %(asset)s and r.occurred_on between q.first_on and q.last_on"""
_PLACE: Final = """
insert into issued_row (bucket, account, lot, activity, asset, batch, place)
select p.bucket, p.account, %(lot)s, p.activity, %(asset)s, %(batch)s,
       int8range(%(first)s::int8 + p.before,
                 %(first)s::int8 + least(p.before + p.mg, %(mg)s::int8))
  from (select r.bucket, r.account, r.activity, r.mg,
               (sum(r.mg) over (order by r.leaf) - r.mg)::int8 as before
          from staying s
          join lot_row r on r.bucket = s.bucket and r.account = s.account
           and r.activity = s.activity and r.lot = %(lot)s) p
 where p.before < %(mg)s"""
_SERIES_END: Final = """
select coalesce(max(upper(series)), 0) from issue_batch where reduction = %s"""
_NUMBERS: Final = "select pg_advisory_xact_lock(hashtextextended('issue batch number', 0))"
_EPOCH: Final = "select epoch from lot_sample where lot = %s"
_INSERT: Final = """
insert into issue_batch (id, number, lot, asset, reduction, method_code, vintage, series,
                         quantity_kg, buffer_kg, end_kg, issued_at, asked_by, signed_by)
select %(id)s, coalesce(max(number), 0) + 1, %(lot)s, %(asset)s, %(reduction)s, %(method)s,
       %(vintage)s, int8range(%(first)s, %(end)s), %(kg)s, %(buffer_kg)s, %(kg)s, %(at)s,
       %(asked_by)s, %(signed_by)s
  from issue_batch"""


def ask_issuance(session: Session, asking: Asking, lot: UUID | None) -> Approval:
    """Ask that a confirmed lot be issued.

    Raises:
        LotUnknown, LotState, TermsUnset, OperatorUnknown, ApprovalOpen: See their own words.
    """
    found = lock_lot(session, lot, LotStep.CONFIRMED)
    terms_in_force(session)
    operator_of(session)
    return ask(session, asking, ISSUE, found.public, {"lot": found.public}, scope=Scope.UNITS_ISSUE)


def issue(session: Session, payload: Payload, signing: Signing) -> None:
    """Issue a lot; the batch's id, and the cause of its transfers, is that of the request.

    A lot of which less than a unit stays is thawed instead, so that its class can go on.

    Raises:
        LotState: It is not at the step at which it was asked for.
        OperatorUnknown, TermsUnset: See their own words.
    """
    lot = lock_lot(session, parse_public_id(PREFIX, payload["lot"]), LotStep.CONFIRMED)
    batch = issue_lot(session, lot, signing)
    if batch is None:
        note_act(session, signing.signed_by, "lots.thaw", lot.public, at=signing.at)
        return
    told = {"lot": lot.public, "quantity_kg": batch.quantity_kg, "buffer_kg": batch.buffer_kg}
    note_act(session, signing.signed_by, ISSUE, batch.public, at=signing.at, **told)


def issue_lot(session: Session, lot: Lot, signing: Signing) -> Batch | None:
    """Issue a lot that is locked and confirmed, or close it where less than a unit stays of it."""
    connection = driver(session)
    lock_series(connection, lot.asset)
    _stage(connection, lot)
    (mg,) = connection.execute(_TOTAL, (lot.id,)).fetchall()[0]
    made = issue_of(mg, terms_in_force(session).buffer_permille)
    if made.quantity_kg == 0:
        close_lot(connection, lot.id, LotOutcome.THAWED, TOO_LITTLE, at=signing.at)
        return None
    batch = _insert(connection, lot, made, signing)
    facts = {
        "lot": lot.id,
        "asset": lot.asset,
        "batch": batch.id,
        "first": batch.first_mg,
        "mg": made.quantity_kg * MG_PER_KG,
    }
    connection.execute(_PLACE, facts)
    _post(session, lot, batch, signing)
    tell_chain(session, _told(connection, lot, batch), at=signing.at)
    close_lot(connection, lot.id, LotOutcome.ISSUED, f"{ISSUED_FOR} {batch.public}", at=signing.at)
    return batch


def lock_series(connection: Connection, asset: int) -> None:
    """Let nothing else of a class be issued, or be recalled by its days, until this ends."""
    connection.execute(_LOCK, (asset,))


def _stage(connection: Connection, lot: Lot) -> None:
    """Write down which rows stay in the lot."""
    connection.execute(_STAGE)
    checks = Checks(connection, lot.series)
    for first in range(0, BUCKETS, BUCKETS_AT_ONCE):
        last = first + BUCKETS_AT_ONCE - 1
        stay = list(_staying(connection, lot, first, last))
        faults = checks.faults(stay)
        with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
            copy.set_types(("int2", "int8", "uuid"))
            for row in stay:
                if row[1:] not in faults:
                    copy.write_row(row)
    connection.execute("analyze staying")
    connection.execute(_DROP_WRONG, {"lot": lot.id})
    connection.execute(_DROP_RECALLED, {"lot": lot.id, "asset": lot.asset})


def _staying(
    connection: Connection, lot: Lot, first: int, last: int
) -> Iterator[tuple[int, int, UUID]]:
    rows: dict[int, dict[UUID, tuple[int, int]]] = defaultdict(dict)
    for owner, act, mg, act_mg in connection.execute(_ROWS, (first, last, lot.id)):
        rows[owner][act] = (mg, act_mg)
    if not rows:
        return
    with closing(persons(connection, lot.series, first, last)) as people:
        for person in people:
            framed = rows.get(person.owner, {})
            acts = {act.id: act for act in person.acts}
            pool_mg = pooled_mg(person.acts, person.moves, PLACES)
            frame = [(act, *framed[act]) for act in acts if act in framed]
            for act in staying(acts, frame, pool_mg):
                yield person.bucket, person.owner, act


def _insert(connection: Connection, lot: Lot, made: Issue, signing: Signing) -> Batch:
    """Write the batch under the next number, behind the last one of its series."""
    connection.execute(_NUMBERS)
    (first,) = connection.execute(_SERIES_END, (lot.asset,)).fetchall()[0]
    unit = unit_asset(signing.approval)
    facts = {
        "id": signing.approval,
        "lot": lot.id,
        "asset": asset_ids(connection, [unit])[unit],
        "reduction": lot.asset,
        "method": method_code(lot.reduction.methodology),
        "vintage": lot.reduction.vintage,
        "first": first,
        "end": first + made.quantity_kg * MG_PER_KG,
        "kg": made.quantity_kg,
        "buffer_kg": made.buffer_kg,
        "at": signing.at,
        "asked_by": signing.asked_by,
        "signed_by": signing.signed_by,
    }
    connection.execute(_INSERT, facts)
    return find_batch(connection, signing.approval)


def _told(connection: Connection, lot: Lot, batch: Batch) -> Issuance:
    """Say what the chain is told of a batch."""
    (epoch,) = connection.execute(_EPOCH, (lot.id,)).fetchall()[0]
    methodology = methodology_key(lot.reduction.methodology, lot.reduction.version)
    return Issuance(batch.id, batch.quantity_kg, batch.vintage, methodology, epoch)


def _post(session: Session, lot: Lot, batch: Batch, signing: Signing) -> None:
    """Let the milligrams leave the pool and the units come, under one cause (R2)."""
    today, cause = day_of(signing.at), batch.id
    receivers = (
        (operator_of(session).owner, batch.quantity_kg - batch.buffer_kg),
        (buffer_of(session), batch.buffer_kg),
    )
    rows = [
        Row(
            0, today, new_id(), *PLACES, lot.asset, batch.quantity_kg * MG_PER_KG,
            int(Code.ISSUE_POOLED), cause, today,
        )
    ]  # fmt: skip
    rows += [
        Row(
            bucket_of(owner), today, new_id(), _UNIT, owner, batch.asset, kg,
            int(Code.ISSUE_UNIT), cause, today,
        )
        for owner, kg in receivers
        if kg
    ]  # fmt: skip
    post(driver(session), rows)


DEEDS: Final[Mapping[str, Deed]] = {ISSUE: issue}
