"""Neutral gatherings, audited (碳中和审计): whatever is changed behind the books is named."""

from decimal import Decimal
from pathlib import Path

import psycopg
import pytest

from app.audit.neutrality import check_neutrality
from app.audit.report import Sheet
from app.kernel.db import Database
from app.kernel.ids import new_id
from app.kernel.secrets import Keys
from app.neutrality.shares import ShareIssue, claim_share, issue_shares
from app.neutrality.sides import Side
from app.neutrality.statements import issue_statement
from tests.support.gatherings import Marathon, Rider
from tests.support.market import KG, Market
from tests.support.owners import BUS, BUS_B, asset_number
from tests.support.points import accrue, citizens
from tests.support.registry import Registry


@pytest.fixture
def race(db: Database, worker_db: Database, keys: Keys, tmp_path: Path) -> Marathon:
    """A statement that rests on a gift of each grade, a trip of each side, and a share of it."""
    made = Marathon(Market(Registry(db, worker_db, keys, tmp_path)))
    rider, (ann,) = Rider(made, keys, km=40), citizens(db, keys, 1)
    accrue(db, ann, asset_number(db, BUS), 10 * KG)
    accrue(db, ann, asset_number(db, BUS_B), 500)
    made.counted(kwh=Decimal(10))
    for act, side in zip(rider.acts, Side, strict=True):
        made.choose(rider.owner, act, side)
    made.give(ann, 3 * KG)
    made.give(ann, 500, "B")
    made.give(rider.owner, KG)
    made.true_up()
    made.retire()
    made.taken()
    made.locked(issue_statement, at=made.at)
    made.locked(issue_shares, ShareIssue(new_id(), 2, KG, made.at), ["one", "two"])
    db.transact(claim_share, made.gathering.id, "one", at=made.at)
    return made


def rewritten(table: str, was: str, now: str) -> str:
    """Change a document, and its digest with it."""
    text = f"convert_to(replace(convert_from(document, 'UTF8'), '{was}', '{now}'), 'UTF8')"
    return f"update {table} set document = {text}, digest = sha256({text})"


CHANGES = (
    "update gathering_gift set mg = mg + 1 where counts",
    "update gathering_gift set mg = mg - 1 where not counts",
    "update gathering_gift set counts = true",
    "update gathering_gift set counts = false",
    "update gathering_gift set transfer = uuidv7()",
    "update gathering_gift set given_on = given_on - 1",
    "update gathering_gift set id = uuidv7()",
    "delete from gathering_gift where counts",
    "delete from gathering_gift where not counts",
    "update transfer set amount = amount + 1 where code = 13",
    "update transfer set source = source + 64 where code = 13",
    "update transfer set cause = uuidv7() where code = 13",
    "delete from transfer where code = 13",
    "delete from transfer where code = 12",
    "update claim_side set mg = mg + 1 where side = 'gathering'",
    "update claim_side set mg = mg + 1000000 where side = 'attendee'",
    "update claim_side set side = 'gathering'",
    "update claim_side set side = 'attendee'",
    "update claim_side set activity = uuidv7()",
    "delete from claim_side where side = 'gathering'",
    "delete from claim_side where side = 'attendee'",
    "update inventory set total_mg = total_mg + 1",
    "update inventory set lines = lines + 1",
    "update inventory set digest = sha256('')",
    "update inventory set document = '[]', digest = sha256('[]')",
    rewritten("inventory", '"co2e_mg":5737000', '"co2e_mg":5736000'),
    rewritten("inventory", "Stadium", "Garden"),
    "update neutrality_statement set footprint_mg = footprint_mg - 1",
    "update neutrality_statement set retired_kg = retired_kg + 1",
    "update neutrality_statement set given_kg = given_kg + 1",
    "update neutrality_statement set issued_at = issued_at - interval '9 days'",
    "update neutrality_statement set document = '{}', digest = sha256('{}')",
    rewritten("neutrality_statement", '"given_kg":4', '"given_kg":5'),
    rewritten("neutrality_statement", '"kept_by_attendees_kg":2', '"kept_by_attendees_kg":1'),
    rewritten("neutrality_statement", "units_and_gifts", "units"),
    rewritten("neutrality_statement", '"void_kg":0', '"void_kg":1'),
    rewritten("neutrality_statement", '"retirement":"ret_', '"retirement":"ret_0'),
    rewritten("neutrality_statement", "Stadium", "Garden"),
    "update retirement set holder = holder + 64, source = source + 64",
    "update retirement set purpose = 3",
    "delete from retirement",
    "update share_total set claimed_mg = claimed_mg + 1",
    "delete from share_total",
    "update share_ticket set claimed_at = now() where claimed_at is null",
    "update share_issue set share_mg = share_mg + 1",
    "delete from share_ticket where claimed_at is null",
    "update share_issue set share_mg = 9000000; update share_total set claimed_mg = 9000000",
)


def test_whatever_is_changed_is_named(race: Marathon) -> None:
    """With triggers off, in a transaction each; the check reads as the auditor does."""
    untouched, missed = Sheet(), list[str]()
    with psycopg.connect(race.db.url, autocommit=True) as connection:
        connection.execute("set session_replication_role = replica")
        for statement in ("select", *CHANGES):
            sheet = untouched if statement == "select" else Sheet()
            with connection.transaction(force_rollback=True):
                assert connection.execute(statement.encode()).rowcount != 0, statement
                connection.execute("set local role tanpu_audit")
                check_neutrality(connection, sheet)
            if {each.kind for each in sheet.findings} != {"neutrality"}:
                missed.append(statement)
    assert missed == ["select"], "what nobody changed is clean"
    assert untouched.checked == {"neutrality statements": 1, "inventories": 2}
