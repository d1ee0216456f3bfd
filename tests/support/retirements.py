"""Units that somebody holds (注销测试): a batch as if it had been issued, and wishes to retire."""

from datetime import date, datetime
from secrets import token_bytes
from typing import NamedTuple
from uuid import UUID

from sqlmodel import Session

from app.books import ClaimText, asset_ids, post
from app.kernel.clock import day_of, now
from app.kernel.db import Database, driver
from app.kernel.ids import new_id
from app.kernel.secrets import Keys
from app.registry import Batch, find_batch, unit_asset
from app.registry.retirements import Retirement
from app.registry.retiring import RetirementWish, request_retirement
from app.registry.telling import tell_chain
from ledger.accounts import SYSTEM_ACCOUNTS, AccountKind
from ledger.assets import Reduction, methodology_key
from ledger.certificate import TEXTS, Purpose
from ledger.chart import Code
from ledger.registry import Issuance, Told
from tests.support.owners import owners, row

AT = now()
SALT = bytes(range(32))
_LOT = """
insert into lot (id, asset, begun_at, sample_rows, swept, frozen_at, root, leaves, mg,
                 closed_at, outcome, reason)
values (%s, %s, %s, 1, 1024, %s, %s, 1, %s, %s, 'issued', 'by a test')"""
_BATCH = """
insert into issue_batch (id, number, lot, asset, reduction, method_code, vintage, series,
                         quantity_kg, buffer_kg, end_kg, issued_at, asked_by, signed_by)
select %s, (select coalesce(max(number), 0) + 1 from issue_batch), %s, %s, %s, 'TESTBUS', %s,
       int8range(%s, %s), %s, 0, %s, %s, 'a test', 'another'"""


class Held(NamedTuple):
    """Somebody who holds all units of a batch."""

    holder: int
    batch: UUID


def issued(
    db: Database,
    keys: Keys,
    quantity_kg: int,
    *,
    at: datetime,
    kind: AccountKind = AccountKind.ORGANISATION,
) -> Held:
    """Issue a batch of a class of its own to a new holder; the chain is told."""
    (holder,) = owners(db, keys, 1, kind)
    return Held(holder, issued_to(db, holder, quantity_kg, at=at).id)


def issued_to(
    db: Database, holder: int, quantity_kg: int, *, at: datetime, buffer: tuple[int, int] = (0, 0)
) -> Batch:
    """Issue a batch of a class of its own to somebody; ``buffer`` is an owner, and its share."""
    batch, lot = new_id(), new_id()
    mg = quantity_kg * 1_000_000

    def command(session: Session) -> Batch:
        connection = driver(session)
        pooled = Reduction("TEST-BUS", 1, f"route {batch}", "A", date(2026, 1, 1))
        unit = unit_asset(batch)
        numbers = asset_ids(connection, [pooled, unit])
        lot_row = (lot, numbers[pooled], at, at, SALT, mg, at)
        connection.execute(_LOT, lot_row)
        facts = (batch, lot, numbers[unit], numbers[pooled], pooled.vintage, 0, mg)
        connection.execute(_BATCH, (*facts, quantity_kg, quantity_kg, at))
        source = SYSTEM_ACCOUNTS["issuance/unit"]
        shares = [(holder, quantity_kg - buffer[1]), buffer]
        moved = [
            row(Code.ISSUE_UNIT, source, owner, numbers[unit], kg, batch)
            for owner, kg in shares
            if kg
        ]
        post(connection, [each._replace(recorded_on=day_of(at)) for each in moved])
        told = Issuance(batch, quantity_kg, pooled.vintage, methodology_key("TEST-BUS", 1), 1)
        tell_chain(session, told, at=at)
        return find_batch(connection, batch)

    return db.transact(command)


def ask(db: Database, wished: RetirementWish) -> Retirement:
    """Ask for a retirement."""
    return db.transact(request_retirement, wished, new_id=new_id, new_salt=new_salt, at=AT)


def new_salt() -> bytes:
    """Make a salt."""
    return token_bytes(len(SALT))


def tell(db: Database, told: Told) -> None:
    """Queue a message without its deed."""
    db.transact(tell_chain, told, at=AT)


def texts(beneficiary: str) -> list[ClaimText]:
    """Write the three texts of a claim; the beneficiary may be shown."""
    words = {"beneficiary": beneficiary, "holder": "A company", "message": "In thanks"}
    return [ClaimText(name, SALT, words[name], name == "beneficiary") for name in TEXTS]


def wish(held: Held, quantity_kg: int, **otherwise: object) -> RetirementWish:
    """Wish to retire some of what somebody holds, to be taken at once."""
    plain = RetirementWish(
        retirement=new_id(),
        holder=held.holder,
        batch=held.batch,
        quantity_kg=quantity_kg,
        purpose=Purpose.VOLUNTARY_OFFSET,
        period="2026",
        texts=texts("Somebody else"),
    )
    return plain._replace(**otherwise)
