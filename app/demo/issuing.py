"""From rides to units (演示:从行程到单位): exchanged, pooled, sampled, verified, issued.

By the commands that citizens, operator, verifier and regulator use, each signed by somebody who
says that this is a demonstration. Every step looks what is there, so a run that broke off goes on.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import date
from hashlib import sha256
from typing import Final
from uuid import UUID

from sqlmodel import Session

from app.activities.items import Item
from app.activities.marks import record_of
from app.city import City
from app.demo.files import PROGRAMME, SIMULATED
from app.demo.load import ride_items
from app.kernel.clock import now
from app.kernel.db import driver
from app.kernel.ids import new_id
from app.organisations import NewOrganisation, OrganisationKind, open_operator
from app.points import exchange
from app.points.errors import ExchangeEmpty
from app.registry import Batch, batches, freeze_lots
from app.registry.errors import NonceTaken
from app.registry.freezing import begin_lot
from app.registry.issuing import issue
from app.registry.lots import Lot, LotStep, find_lot, lots
from app.registry.reporting import report_lot
from app.registry.sampling import Party, commit_nonce, draw_sample, reveal_nonce
from app.registry.terms import set_terms
from app.registry.verification import (
    Finding,
    Record,
    SampledRow,
    Verdict,
    decide,
    find,
    sampled_rows,
)
from app.staff import Signing
from ledger.lots import nonce_commitment

OPERATOR: Final = NewOrganisation(
    UUID(int=0),
    OrganisationKind.OPERATOR,
    "碳普运营(演示)",
    "Operator (demo)",
    "91310000990000001P",
)
OPERATOR_CLERK, VERIFIER_CLERK, REGULATOR_CLERK = "demo-operator", "demo-verifier", "demo-regulator"
TERMS: Final = {"buffer_permille": 50, "sample_rows": 30}
STATEMENT: Final = (
    "演示核证意见:抽样记录均与承诺一致 demo: every sampled record opens its commitment"
)
_RIDERS: Final = """
select distinct b.account from balance b join asset a on a.id = b.asset
 where a.methodology = %s and a.grade = 'A' and b.credits > b.debits and b.account & 31 = 2
 order by b.account"""
_CLASS: Final = "select key from asset where methodology = %s and grade = 'A' order by vintage desc"

Anchored = Callable[[], None]
"""Closes an epoch, and brings it to the chain until it is final."""


def issue_rides(city: City, first: date, anchored: Anchored) -> Batch:
    """Bring the simulated rides from their riders to an issue batch, unless they are there.

    Args:
        city: With the demo loaded.
        first: The day on which it was first loaded.
        anchored: See the type.
    """
    there = city.db.read(batches, before=None, limit=1)
    if there:
        return there[0]
    city.db.transact(_set_up, city)
    for owner in city.db.read(_riders):
        with suppress(ExchangeEmpty):
            city.db.transact(
                exchange, owner, PROGRAMME.code, None, exchange=new_id(), at=now(), new_id=new_id
            )
    lot = _verified(city, _begun(city), first, anchored)
    signing = _signing(city)
    city.db.transact(issue, {"lot": lot.public}, signing)
    return city.db.read(batches, before=None, limit=1)[0]


def _set_up(session: Session, city: City) -> None:
    """Open the operator's organisation, and set the terms of issuance."""
    new = OPERATOR
    named = NewOrganisation(new_id(), new.kind, new.name_zh, new.name_en, new.registration)
    open_operator(session, city.keys, named, at=now())
    set_terms(session, TERMS, _signing(city))


def _begun(city: City) -> Lot:
    """Give the open lot, begun if there is none, frozen."""
    found = [each for each in city.db.read(lots, before=None, limit=1) if each.outcome is None]
    if not found:
        (key,) = city.db.read(_class)
        begun = city.db.transact(begin_lot, OPERATOR_CLERK, key, lot=new_id(), at=now())
        found = [begun]
    freeze_lots(city.db, city.keys, clock=now)
    return city.db.read(find_lot, found[0].id)


def _verified(city: City, lot: Lot, first: date, anchored: Anchored) -> Lot:
    """Take a frozen lot to its verifier's word: nonces, the deciding block, sample, findings."""
    db = city.db
    if lot.step is LotStep.FROZEN:
        for party in Party:
            with suppress(NonceTaken):
                commitment = nonce_commitment(lot.id, party, _nonce(city, lot, party))
                db.transact(commit_nonce, party.value, lot.id, party, commitment, at=now())
        anchored()
        for party in Party:
            with suppress(NonceTaken):
                nonce = _nonce(city, lot, party)
                db.transact(reveal_nonce, party.value, lot.id, party, nonce, at=now())
        db.transact(report_lot, OPERATOR_CLERK, lot.id, at=now())
        db.transact(draw_sample, VERIFIER_CLERK, lot.id, at=now())
        lot = db.read(find_lot, lot.id)
    if lot.step is LotStep.SAMPLED:
        records = _records(city, first)
        rows = [row for row in db.read(sampled_rows, lot.id) if row.verdict is None]
        findings = [_finding(row, records) for row in rows]
        db.transact(find, city.keys, VERIFIER_CLERK, lot.id, findings, at=now())
        window_days = city.settings.acceptance_window_days
        facts = (VERIFIER_CLERK, lot.id, True, STATEMENT)
        lot = db.transact(decide, *facts, window_days=window_days, at=now())
    return lot


def _records(city: City, first: date) -> Mapping[bytes, Record]:
    """Produce what the provider keeps: the raw record of each ride, by the hash of its id."""
    found: dict[bytes, Record] = {}
    for each in ride_items(city, first):
        assert isinstance(each, Item), each
        digest = sha256(record_of(each, SIMULATED[1])).digest()
        found[sha256(each.external_id.encode()).digest()[:16]] = Record(each.external_id, digest)
    return found


def _finding(row: SampledRow, records: Mapping[bytes, Record]) -> Finding:
    record = records.get(row.external_hash or b"")
    return Finding(row.draw, Verdict.CONFIRMED, None, record, "")


def _nonce(city: City, lot: Lot, party: Party) -> bytes:
    """Give a party's nonce: kept by nobody, and the same after a crash."""
    return city.keys.voucher_hash(f"demo nonce {party.value}", lot.id.bytes)


def _signing(city: City) -> Signing:
    return Signing(new_id(), OPERATOR_CLERK, REGULATOR_CLERK, now(), city.keys)


def _riders(session: Session) -> Sequence[int]:
    rows = driver(session).execute(_RIDERS, (SIMULATED[1],)).fetchall()
    return [owner for (owner,) in rows]


def _class(session: Session) -> Sequence[bytes]:
    return driver(session).execute(_CLASS, (SIMULATED[1],)).fetchall()[0]
