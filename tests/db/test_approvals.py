"""Four eyes (双人复核): what one asks for another signs, once, and with the log of both."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier
from typing import Any
from uuid import UUID

import psycopg
import pytest
from sqlmodel import Session

from app.kernel.clock import now
from app.kernel.db import Database, driver
from app.kernel.ids import new_id, public_id
from app.kernel.problems import Refusal
from app.kernel.scopes import Role, Scope
from app.kernel.tokens import Principal
from app.staff import Approval, Asking, Deed, Signing, ask, note_act, sign
from app.staff.approvals import Payload
from app.staff.audit_log import LoggedEntry, faults
from app.staff.errors import ApprovalDecided, ApprovalOpen, ApprovalOwn, ApprovalUnknown
from app.staff.queries import Sought, approval_for, approvals, entries
from tests.support.clerks import principal

ACT = "scenarios.approve"
PAYLOAD = {"scenario": "metro", "letter": "沪环〔2026〕1号", "days": [1, 2]}
SIGNERS = 12


class CannotBeDone(Refusal):
    """The world changed meanwhile."""

    code = "test.cannot"
    title_zh = "无法执行"


def approve(session: Session, payload: Payload, signing: Signing) -> None:
    """Leave a row that says who signed."""
    row = (payload["scenario"], f"{signing.asked_by} {signing.signed_by}")
    driver(session).execute(
        "insert into scenario_approval (scenario, valid_from, valid_until, letter)"
        " values (%s, '2026-01-01', '2026-12-31', %s)",
        row,
    )


def refuse(session: Session, payload: Payload, signing: Signing) -> None:
    approve(session, payload, signing)
    raise CannotBeDone


DEEDS: Mapping[str, Deed] = {ACT: approve}
ASKER, SIGNER = principal(Role.REGULATOR), principal(Role.REGULATOR)


def asked(db: Database, who: Principal = ASKER, object_: str = "metro") -> Approval:
    def command(session: Session) -> Approval:
        asking = Asking(who, "Renewal", new_id(), now())
        return ask(session, asking, ACT, object_, PAYLOAD, scope=Scope.METHODOLOGIES_PUBLISH)

    return db.transact(command)


def decide(
    db: Database,
    approval: UUID,
    who: Principal = SIGNER,
    deeds: Mapping[str, Deed] = DEEDS,
    *,
    agrees: bool = True,
) -> Approval:
    return db.transact(sign, who, approval, deeds, agrees=agrees, at=now())


def rows(db: Database, query: str) -> list[tuple[Any, ...]]:
    return db.read(lambda session: driver(session).execute(query.encode()).fetchall())


def run(session: Session, text: str) -> None:
    driver(session).execute(text.encode())


def deeds_done(db: Database) -> list[str]:
    return [letter for (letter,) in rows(db, "select letter from scenario_approval")]


def acts(db: Database) -> list[tuple[str, str, str]]:
    return rows(db, "select actor, act, object from audit_entry order by number")


def test_a_signature_does_what_was_asked_for_and_both_are_in_the_log(db: Database) -> None:
    approval = asked(db)
    signed = decide(db, approval.id)
    assert (signed.decided_by, signed.is_signed) == (SIGNER.name, True)
    assert dict(signed.payload) == PAYLOAD
    assert deeds_done(db) == [f"{ASKER.name} {SIGNER.name}"]
    name = public_id("apr", approval.id)
    assert acts(db) == [
        (ASKER.name, "approvals.ask", name),
        (SIGNER.name, "approvals.sign", name),
    ]
    assert db.read(approval_for, SIGNER, approval.id) == signed


def test_nobody_signs_their_own(db: Database) -> None:
    approval = asked(db)
    with pytest.raises(ApprovalOwn):
        decide(db, approval.id, ASKER)
    assert deeds_done(db) == []
    assert decide(db, approval.id).is_signed


def test_the_database_refuses_what_a_fault_of_ours_would_let_through(db: Database) -> None:
    approval = asked(db)
    own = "update approval set decided_by = asked_by, decided_at = now(), is_signed = true"
    with pytest.raises(psycopg.errors.CheckViolation, match="approval_four_eyes"):
        db.transact(run, own)
    for change in ("payload = '{}'", "asked_by = 'clk_x'", "scope = 'me'", "act = 'x.y'"):
        forged = f"update approval set {change} where id = '{approval.id}'"
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            db.transact(run, forged)


def test_whoever_asked_takes_it_back_and_asks_again(db: Database) -> None:
    approval = asked(db)
    taken = decide(db, approval.id, ASKER, agrees=False)
    assert taken.is_signed is False
    with pytest.raises(ApprovalDecided):
        decide(db, approval.id)
    assert deeds_done(db) == []
    assert decide(db, asked(db).id).is_signed


def test_the_same_act_on_the_same_object_is_asked_for_once_at_a_time(db: Database) -> None:
    asked(db)
    with pytest.raises(ApprovalOpen):
        asked(db, SIGNER)
    asked(db, object_="bus")
    assert [act for _, act, _ in acts(db)] == ["approvals.ask"] * 2


@pytest.mark.parametrize("role", [Role.CITIZEN, Role.OPERATOR, Role.EXPERT, Role.VERIFIER])
def test_who_lacks_the_scope_sees_no_such_request(db: Database, role: Role) -> None:
    approval, other = asked(db), principal(role)
    for agrees in (True, False):
        with pytest.raises(ApprovalUnknown):
            decide(db, approval.id, other, agrees=agrees)
    with pytest.raises(ApprovalUnknown):
        db.read(approval_for, other, approval.id)
    assert db.read(approvals, other, is_open=None, before=None, limit=9) == []
    with pytest.raises(ApprovalUnknown):
        decide(db, new_id())


def test_many_who_sign_at_once_do_it_once(db: Database) -> None:
    approval, start = asked(db), Barrier(SIGNERS)

    def one(number: int) -> bool:
        start.wait(timeout=30)
        try:
            decide(db, approval.id, principal(Role.REGULATOR), agrees=number % 3 > 0)
        except ApprovalDecided:
            return False
        return True

    with ThreadPoolExecutor(SIGNERS) as pool:
        assert sum(pool.map(one, range(SIGNERS))) == 1
    ((is_signed,),) = rows(db, "select is_signed from approval")
    assert len(deeds_done(db)) == int(is_signed)
    assert len(acts(db)) == 2


def test_a_deed_that_cannot_be_done_leaves_the_request_open(db: Database) -> None:
    approval = asked(db)
    with pytest.raises(CannotBeDone):
        decide(db, approval.id, deeds={ACT: refuse})
    assert deeds_done(db) == []
    assert db.read(approval_for, SIGNER, approval.id).decided_by is None
    assert [act for _, act, _ in acts(db)] == ["approvals.ask"]


def test_lists_show_ones_own_and_what_one_may_sign_the_newest_first(db: Database) -> None:
    first, second, third = (asked(db, object_=name) for name in ("bus", "metro", "bike"))
    decide(db, second.id)
    every = db.read(approvals, SIGNER, is_open=None, before=None, limit=9)
    assert [each.id for each in every] == [third.id, second.id, first.id]
    still = db.read(approvals, SIGNER, is_open=True, before=None, limit=9)
    assert [each.id for each in still] == [third.id, first.id]
    done = db.read(approvals, SIGNER, is_open=False, before=None, limit=9)
    assert [each.id for each in done] == [second.id]
    older = db.read(approvals, SIGNER, is_open=None, before=third.id, limit=1)
    assert [each.id for each in older] == [second.id]
    stripped = replace(ASKER, scopes=frozenset({Scope.APPROVALS_SIGN}))
    assert len(db.read(approvals, stripped, is_open=None, before=None, limit=9)) == 3


def test_the_log_has_no_gap_however_many_write_at_once(db: Database) -> None:
    start = Barrier(SIGNERS)

    def one(number: int) -> None:
        start.wait(timeout=30)
        for turn in range(3):
            act = "approvals.ask" if turn else "staff.enrol"
            db.transact(note_act, f"clk_{number}", act, f"thing {turn}", at=now(), turn=turn)

    with ThreadPoolExecutor(SIGNERS) as pool:
        list(pool.map(one, range(SIGNERS)))
    logged = log(db)
    assert [each.entry.number for each in logged] == list(range(1, 3 * SIGNERS + 1))
    assert list(faults(logged)) == []


def log(db: Database, sought: Sought | None = None) -> list[LoggedEntry]:
    return db.read(entries, sought or Sought(), before=None, limit=200)[::-1]


def test_the_log_is_found_by_actor_act_object_and_date(db: Database) -> None:
    at = now()
    for number, actor in enumerate(("clk_a", "clk_b", "clk_a")):
        when = at + timedelta(days=number)
        db.transact(note_act, actor, f"thing.of_{actor[-1]}", "thing", at=when)

    def numbers(sought: Sought) -> list[int]:
        return [each.entry.number for each in log(db, sought)]

    assert numbers(Sought(actor="clk_a")) == [1, 3]
    assert numbers(Sought(act="thing.of_b")) == [2]
    assert numbers(Sought(object="thing")) == [1, 2, 3]
    assert numbers(Sought(object="nothing")) == []
    assert numbers(Sought(as_of=at + timedelta(days=1))) == [1, 2]
    assert numbers(Sought(actor="clk_a", as_of=at)) == [1]


def test_the_application_can_neither_change_nor_drop_an_entry(db: Database) -> None:
    db.transact(note_act, "clk_a", "thing.done", "thing", at=now())
    for text in ("update audit_entry set actor = 'clk_b'", "delete from audit_entry"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            db.transact(run, text)
