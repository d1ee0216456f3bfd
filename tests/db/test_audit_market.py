"""The market, audited (市场审计): whatever of it is changed behind the books is named."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from app.kernel.db import Database
from app.kernel.ids import new_id
from app.kernel.secrets import Keys
from app.market import RetirementPlan, expire_purchases
from app.market.payouts import pay_out
from app.market.purchases import cancel
from ledger.certificate import Purpose
from tests.support.anchoring import ORIGIN
from tests.support.auditing import assert_clean, audited, tampered
from tests.support.market import HELD_FOR, Market
from tests.support.registry import Registry


@pytest.fixture
def market(db: Database, worker_db: Database, keys: Keys, tmp_path: Path) -> Market:
    """Purchases of every fate, of the operator's units and of a reseller's, who is paid out."""
    made = Market(Registry(db, worker_db, keys, tmp_path), (("green", 3_000), ("blue", 2_000)))
    seller, buyer = made.organisation(1), made.organisation(2)
    listing = made.listed()
    plan = RetirementPlan(Purpose.VOLUNTARY_OFFSET, "2026", "受益方")
    made.paid(made.bought(seller, listing), "BANK-1")
    made.paid(made.bought(buyer, listing, 10, plan), "BANK-2")
    made.paid(made.bought(buyer, made.listed(500, seller), 500), "BANK-3")
    facts: dict[str, Any] = {"at": made.at}
    db.transact(cancel, buyer.id, made.bought(buyer, listing, 20).id, new_id=new_id, **facts)
    made.bought(buyer, listing, 30)
    expire_purchases(db, at=made.at + HELD_FOR + timedelta(days=1))
    made.bought(buyer, listing, 40)
    db.transact(pay_out, seller.id, 1_000, "OUT-1", transfer=new_id(), **facts)
    return made


PAID = "where outcome = 'paid'"
SELLERS = "select account from organisation where id = (select organisation from proceeds_payout)"
GONE = "select id from purchase where outcome = 'cancelled'"
BUYER = "select buyer from purchase where retirement is not null"
CHANGES = (
    "update listing set taken_kg = taken_kg - 1 where taken_kg > 0",
    "update listing set price_fen = price_fen + 1000",
    "update quote set due_fen = due_fen + 1",
    "update quote set quantity_kg = quantity_kg + 1",
    "update quote set buyer = (select seller from listing limit 1)",
    "update quote set quoted_at = quoted_at - '1 h'::interval, expires_at = quoted_at",
    "update quote set expires_at = expires_at + interval '100 days'",
    f"update purchase set due_fen = due_fen + 1 {PAID}",
    f"update purchase set buyer = seller, seller = buyer {PAID}",
    f"update purchase set outcome = 'expired', retirement = null {PAID}",
    f"update purchase set retirement = null, unretired = 'x' {PAID} and retirement is not null",
    "update purchase set outcome = 'paid' where outcome = 'cancelled'",
    "update purchase set outcome = null, ended_at = null where outcome = 'expired'",
    f"update purchase set ended_at = ended_at + interval '1 second' {PAID}",
    "update purchase set retirement = uuidv7() where retirement is not null",
    f"update purchase set period = '2020' {PAID} and retirement is not null",
    "update retirement set quantity_kg = quantity_kg - 1",
    "update retirement set holder = holder + 64, source = source + 64",
    "update payment set fen = fen + 1",
    "delete from payment",
    "update proceeds set fen = fen + 1",
    "update proceeds set mg = mg + 1",
    f"update proceeds set purchase = ({GONE}) where organisation is not null",
    f"update proceeds set organisation = ({BUYER}) where organisation is not null",
    "delete from proceeds where programme is not null",
    "delete from proceeds where organisation is not null",
    "update batch_share set mg = mg + 1",
    "update batch_share set mg = 5000000000 - mg",
    "delete from batch_share",
    "update proceeds_payout set fen = fen + 1",
    "update proceeds_payout set transfer = uuidv7()",
    "delete from proceeds_payout",
    "update transfer set amount = amount + 1 where code = 7 and asset & 7 = 4",
    "delete from transfer where code = 8 and asset & 7 = 4",
    "delete from transfer where code = 19",
    "update transfer set cause = uuidv7() where code = 19",
    "update transfer set target = target + 64 where code = 19 and source = 21",
    f"update transfer set amount = amount + 1 where code = 21 and target = ({SELLERS})",
    "delete from transfer where code = 23",
)


def test_whatever_is_changed_is_named(market: Market, database_url: str, keys: Keys) -> None:
    del market
    missed: list[str] = []
    for statement in CHANGES:
        with tampered(database_url, statement):
            found = audited(database_url, keys, ORIGIN).findings
        if "market" not in {each.kind for each in found}:
            missed.append(statement)
    assert missed == []


def test_untouched_it_is_clean(market: Market, database_url: str, keys: Keys) -> None:
    del market
    assert assert_clean(database_url, keys, ORIGIN).checked["payments"] == 3


@pytest.mark.parametrize(
    "table",
    [
        "quote",
        "payment",
        "batch_share",
        "proceeds",
        "proceeds_payout",
        "purpose_passport",
        "surrender_ratio",
        "surrender_obligation",
    ],
)
def test_no_record_is_ever_changed(database_url: str, table: str) -> None:
    with psycopg.connect(database_url) as connection:
        guards = connection.execute(
            "select tgname from pg_trigger where tgrelid = %s::regclass and not tgisinternal",
            (table,),
        ).fetchall()
    assert guards, table
