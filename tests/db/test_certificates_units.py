"""Certificates of retirements: units used for B, and first what nothing has replaced (注销使用)."""

import json
from functools import partial
from pathlib import Path
from secrets import token_bytes
from uuid import UUID

import pytest
from sqlmodel import Session

from app.activities.exits import Shortfall, note_shortfalls
from app.certificates import find_certificate
from app.kernel.clock import day_of, now
from app.kernel.db import Database, driver
from app.kernel.ids import new_id, public_id
from app.kernel.secrets import Keys
from app.registry.retirements import Retirement, find_retirement
from app.registry.retiring import request_retirement
from app.registry.taking import take_retirements
from app.settlements.statement import is_signed
from ledger.accounts import bucket_of
from ledger.verify_certificate import Verdict, check, mirrored
from tests.support.anchoring import ORIGIN
from tests.support.cancelling import Registrar
from tests.support.retirements import Held, issued, wish


@pytest.fixture
def registrar(db: Database, worker_db: Database, keys: Keys, tmp_path: Path) -> Registrar:
    return Registrar(db, worker_db, keys, tmp_path)


@pytest.fixture
def held(db: Database, keys: Keys) -> Held:
    return issued(db, keys, 1000, at=now())


def taken(db: Database, held: Held, quantity_kg: int) -> Retirement:
    """Retire units for somebody else."""
    wished = wish(held, quantity_kg)
    asked = db.transact(
        request_retirement, wished, new_id=new_id, new_salt=lambda: token_bytes(32), at=now()
    )
    assert take_retirements(db, at=asked.due_at) == 1
    return db.read(find_retirement, held.holder, asked.id)


def on_the_chain(registrar: Registrar, retirement: UUID) -> None:
    """Note that the registry on the chain has it, as its submitter does."""

    def command(session: Session) -> None:
        query = "update retirement set final_at = %s where id = %s"
        driver(session).execute(query, (now(), retirement))

    registrar.worker_db.transact(command)


def believed(registrar: Registrar, retirement: UUID) -> Verdict:
    public = registrar.keys.receipt.public_key()
    document = json.loads(json.dumps(registrar.document(retirement)))
    return check(document, mirrored(registrar.header_lines()), None, partial(is_signed, public))


def test_it_is_issued_once_log_and_registry_are_final(registrar: Registrar, held: Held) -> None:
    done = taken(registrar.db, held, 30)
    on_the_chain(registrar, done.id)
    assert registrar.issue() == 0, "no epoch has it"
    registrar.close()
    assert registrar.issue() == 1
    assert registrar.issue() == 0
    other = taken(registrar.db, held, 1)
    registrar.close()
    assert registrar.issue() == 0, "the registry has not"
    on_the_chain(registrar, other.id)
    assert registrar.issue() == 1


def test_a_certificate_of_units_shows_b_and_the_serials(registrar: Registrar, held: Held) -> None:
    done = taken(registrar.db, held, 30)
    on_the_chain(registrar, done.id)
    registrar.close()
    registrar.issue()
    found = believed(registrar, done.id)
    assert (found.beneficiary, found.amount, found.unit) == ('"Somebody else"', 30, "kg")
    assert found.subject == public_id("ret", done.id)
    document = registrar.document(done.id)
    assert document["claim"]["parts"][0]["serials"] == done.serial
    assert document["openings"]["holder"] is None
    assert "A company" not in json.dumps(document)


def test_units_that_nothing_has_replaced_are_said_first(registrar: Registrar, held: Held) -> None:
    """2.5 kg fall short of 31 used units: the two that were used last stand for nothing."""
    first, last = taken(registrar.db, held, 30), taken(registrar.db, held, 1)
    for each in (first, last):
        on_the_chain(registrar, each.id)
    registrar.close()
    assert registrar.issue() == 2

    def fall(session: Session) -> None:
        place = (bucket_of(held.holder), held.holder, new_id(), held.batch)
        note_shortfalls(driver(session), [Shortfall(*place, 2_500_000, day_of(now()))])

    registrar.db.transact(fall)
    assert str(believed(registrar, first.id)).startswith("REDUCED: 29 of 30 kg left. true: ret_")
    assert str(believed(registrar, last.id)).startswith("REVOKED: 0 of 1 kg left. true: ret_")
    assert registrar.db.read(find_certificate, ORIGIN, last.id).state == "revoked"
