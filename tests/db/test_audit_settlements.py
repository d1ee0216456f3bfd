"""Settlements, audited (结算审计): whatever of a statement is changed behind the books is named."""

import psycopg
import pytest

from app.kernel.db import Database
from app.kernel.ids import new_id
from app.kernel.secrets import Keys
from app.settlements import close_windows
from app.settlements.disputes import DisputeAnswer, NewDispute, answer_dispute, open_dispute
from app.settlements.payouts import pay_out
from tests.support.acts import one
from tests.support.auditing import assert_clean, audited, tampered
from tests.support.orders import DAY, Street
from tests.support.settlements import NOON, ORIGIN, fee, settle, sold


@pytest.fixture
def street(db: Database, keys: Keys) -> Street:
    """Two statements of a merchant, the first disputed and paid; a day that is not settled."""
    made = Street(db, keys, at=NOON)
    fee(made, 10)
    sold(made, 200)
    made.reverse(sold(made, 300))
    settle(made)
    (first,) = one(db, "select id from settlement")
    new = NewDispute(new_id(), first, [0], "why", new_id())
    db.transact(open_dispute, made.shop, new, at=NOON + DAY)
    db.transact(answer_dispute, DisputeAnswer(new.id, "so", {"green": 5}), at=NOON + DAY)
    sold(made, 400, at=NOON + DAY)
    settle(made, NOON + 2 * DAY)
    close_windows(db, at=NOON + 9 * DAY)
    db.transact(pay_out, first, "bank", transfer=new_id(), at=NOON + 9 * DAY)
    sold(made, 50, at=NOON + 3 * DAY)
    return made


@pytest.mark.parametrize(
    "statement",
    [
        "update settlement set gross_fen = gross_fen + 1, net_fen = net_fen + 1",
        "update settlement set fee_fen = 0, net_fen = gross_fen",
        "update settlement set statement = statement || ' '::bytea",
        "update settlement set signature = sha512(signature)",
        "update settlement_line set fen = fen + 1 where kind = 'redemption'",
        "update settlement_line set points = points + 1 where kind = 'redemption'",
        "update settlement_line set offer = uuidv7() where kind = 'redemption'",
        "update settlement_line set subject = uuidv7() where kind = 'redemption'",
        "update settlement_line set at = at + interval '1 second' where kind = 'reversal'",
        "update settlement_line set fen = fen + 1 where kind = 'adjustment'",
        "delete from settlement_line where kind = 'reversal'",
        "delete from settlement_line where place = 0",
        "update settlement_share set gross_fen = gross_fen + 1",
        "update settlement_share set claim_fen = claim_fen + 1",
        "update settlement_share set granted_fen = granted_fen + 1",
        "update settlement_share set fee_fen = 0",
        "delete from settlement_share",
        "update settlement_adjustment set fen = fen + 1",
        "delete from settlement_adjustment",
        "delete from settlement_payout",
        "update settlement_payout set transfer = uuidv7()",
        "update settlement_payout set reference = 'another'",
        "delete from bank_payment",
        "update bank_payment set transfer = uuidv7()",
        "update transfer set amount = amount + 1 where code = 22",
        "delete from transfer where code = 22",
        "delete from transfer where code = 23",
        "update transfer set cause = uuidv7() where code = 22",
        "delete from redemption",
        "delete from reversal",
        "delete from settlement",
    ],
)
def test_whatever_is_changed_is_named(
    street: Street, database_url: str, keys: Keys, statement: str
) -> None:
    del street
    with tampered(database_url, statement):
        found = audited(database_url, keys, ORIGIN).findings
    assert "settlement" in {each.kind for each in found}, found


def test_untouched_it_is_clean(street: Street, database_url: str, keys: Keys) -> None:
    del street
    assert assert_clean(database_url, keys, ORIGIN).checked["settlements"] == 2


def test_a_redemption_that_no_statement_took_is_named_after_two_days(
    street: Street, database_url: str, keys: Keys
) -> None:
    statement = "insert into settlement_day values ('{}', now())"
    with tampered(database_url, statement.format("2026-11-23")):
        assert audited(database_url, keys, ORIGIN).ok, "the next statement may take it"
    with tampered(database_url, statement.format("2026-11-24")):
        (found,) = audited(database_url, keys, ORIGIN).findings
    assert found.kind == "settlement"
    assert found.detail == "is worth 50 fen to its merchant; its statement says nothing"
    assert street


@pytest.mark.parametrize(
    "table",
    [
        "settlement",
        "settlement_line",
        "settlement_share",
        "settlement_adjustment",
        "settlement_final",
        "settlement_payout",
        "settlement_day",
        "bank_payment",
    ],
)
def test_no_row_is_ever_changed(street: Street, database_url: str, table: str) -> None:
    del street
    with (
        psycopg.connect(database_url) as connection,
        pytest.raises(psycopg.DatabaseError, match="append-only"),
    ):
        connection.execute(f"delete from {table}".encode())
