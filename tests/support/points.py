"""A funded programme and people with reductions (积分样例)."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from uuid import UUID

from sqlmodel import Session

from app.books import Row, post
from app.citizens import enrol_unknown
from app.kernel.clock import day_of, now
from app.kernel.db import Connection, Database, driver
from app.kernel.ids import new_id
from app.kernel.secrets import Keys
from app.points import NewProgramme, Programme, Rate, exchange, fund, open_programme, recover
from app.points.debts import Taken
from app.points.exchanging import Made
from app.points.programmes import set_rate
from app.providers import add_provider
from ledger.accounts import SYSTEM_ACCOUNTS, bucket_of
from ledger.chart import Code
from tests.support.acts import one, rows
from tests.support.owners import accrual, post_all, row

GREEN = NewProgramme("green", "绿色积分", "Green points")
FREE = replace(GREEN, code="free", fen_per_point=0)
POOL, ABSORBED = SYSTEM_ACCOUNTS["pool"], SYSTEM_ACCOUNTS["absorbed"]
CORRECTION = SYSTEM_ACCOUNTS["correction"]


def programme(
    db: Database, keys: Keys, fen: int = 0, new: NewProgramme = GREEN, *, at: datetime | None = None
) -> Programme:
    """Open a programme, with so much money in it."""

    def command(session: Session) -> Programme:
        made = open_programme(session, keys, new, at=at or now())
        if fen:
            fund(session, new.code, fen, cause=new_id(), at=at or now())
        return made

    return db.transact(command)


def citizens(db: Database, keys: Keys, count: int) -> list[int]:
    """Enrol people of one provider; gives their owners."""
    before = {owner for (owner,) in rows(db, "select account from subject")}

    def command(session: Session) -> None:
        sender = add_provider(session, f"p-{len(before)}", name_zh="p", name_en="p", at=now())
        numbers = [keys.subject_hash(sender.code, f"s{n}") for n in range(count)]
        enrol_unknown(
            session, keys, sender.id, numbers, "scene", since=now(), at=now(), is_production=False
        )

    db.transact(command)
    found = [owner for (owner,) in rows(db, "select account from subject order by account")]
    return [owner for owner in found if owner not in before]


def accrue(db: Database, owner: int, asset: int, mg: int, *, on: date | None = None) -> None:
    """Give a reduction, as an act would; recorded today or on another day."""
    made = accrual(owner, asset, mg)
    post_all(db, [made._replace(recorded_on=on or made.recorded_on)])


def swap(
    db: Database,
    owner: int,
    wanted: Mapping[bytes, int | None] | None = None,
    *,
    at: datetime | None = None,
    code: str | None = None,
) -> Made:
    """Exchange by hand."""
    facts = (owner, code, wanted)
    return db.transact(exchange, *facts, exchange=new_id(), at=at or now(), new_id=new_id)


def take_back(
    db: Database, owner: int, asset: int, mg: int, place: int | None = None, *, at: datetime
) -> UUID:
    """Correct so many milligrams, from the holder or where they went, as the activities do."""
    cause, where = new_id(), owner if place is None else place

    def command(session: Session) -> None:
        connection = driver(session)
        back = row(Code.CORRECT, where, CORRECTION, asset, mg, cause)._replace(
            bucket=bucket_of(owner)
        )
        _post(connection, [back], Taken(owner, asset, mg, where, cause), at)

    db.transact(command)
    return cause


def spend(db: Database, owner: int, count: int, *, today: date) -> None:
    """Spend points, the earliest expiry first, as a till would."""
    query = """select b.asset, b.credits - b.debits from balance b join asset x on x.id = b.asset
                where account = %s and asset & 7 = 3 and credits > debits and expires >= %s
                order by expires, asset"""
    made: list[Row] = []
    for asset, held in rows(db, query, owner, today):
        part = min(count, held)
        count -= part
        if part:
            made.append(row(Code.REDEEM, owner, SYSTEM_ACCOUNTS["redeemed"], asset, part))
    assert count == 0
    post_all(db, made)


def _post(connection: Connection, back: list[Row], taken: Taken, at: datetime) -> None:
    post(connection, [*back, *recover(connection, [taken], today=day_of(at), new_id=new_id)])


def points(db: Database, owner: int) -> dict[int, int]:
    """What somebody can spend, by class; nothing left out but zero."""
    query = """select asset, credits - debits from balance
                where account = %s and asset & 7 = 3 and credits > debits order by asset"""
    return dict(rows(db, query, owner))


def owed(db: Database, owner: int) -> int:
    """What somebody owes."""
    query = """select coalesce(sum(points - paid - forgiven), 0)::int8 from points_debt
                where account = %s"""
    return one(db, query, owner)[0]


def slices(db: Database, code: str = "green") -> tuple[int, int]:
    """What is unpromised and promised."""
    query = """select sum(s.unpromised_fen)::int8, sum(s.promised_fen)::int8
                 from budget_slice s join programme p on p.id = s.programme where p.code = %s"""
    found = one(db, query, code)
    return found[0], found[1]


def choose_rate(db: Database, found: Programme, rate: Rate) -> None:
    """Set a rate."""
    db.transact(set_rate, found, rate, today=rate.valid_from)


def automatic(db: Database, *owners: int) -> None:
    """Let people exchange by night."""
    statement = """insert into citizen_setting (bucket, account, automatic_exchange)
                   values (%s, %s, true)"""

    def command(session: Session) -> None:
        for owner in owners:
            driver(session).execute(statement.encode(), (bucket_of(owner), owner))

    db.transact(command)
