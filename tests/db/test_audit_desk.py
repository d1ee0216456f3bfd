"""The desk's audit log under tampering (办事台日志被篡改): each case named by the entry's number.

Goal: an entry that is edited, dropped, cut off or moved is found, also when the tamperer hashes
everything again and rewrites what he may. Method: a log of nine entries, three to each of three
anchored epochs, whose rows are changed as superuser with triggers off.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from app.audit.report import Found
from app.kernel.db import Database
from app.kernel.ids import new_id, public_id
from app.kernel.secrets import Keys
from app.staff import head_digest, note_act
from app.staff.audit_log import AuditEntry, hash_of
from ledger.encoding import ZERO_HASH
from tests.support.anchoring import ORIGIN, accruals, at, notary_over
from tests.support.auditing import assert_clean, audited, tampered
from tests.support.chain import MemoryChain

EPOCHS = 3
PER_EPOCH = 3
LAST = EPOCHS * PER_EPOCH + 1
"""One entry waits for the next epoch."""
Log = tuple[str, Keys, MemoryChain]


@pytest.fixture
def log(
    db: Database, worker_db: Database, database_url: str, keys: Keys, tmp_path: Path
) -> Iterator[Log]:
    """A city whose desk was busy; the audit is clean before and after."""
    chain = MemoryChain()
    notary = replace(notary_over(worker_db, keys, tmp_path), digests=head_digest)
    for epoch in range(EPOCHS):
        accruals(db, keys, 2)
        note(db, epoch, PER_EPOCH)
        assert notary.close(at=at(24 * epoch)) is not None
        notary.publish()
        notary.submit(chain, at=at(24 * epoch))
    note(db, EPOCHS, 1)
    report = assert_clean(database_url, keys, ORIGIN, chain)
    assert report.checked["audit_entries"] == LAST
    assert report.checked["audit_log_heads"] == EPOCHS
    yield database_url, keys, chain
    assert_clean(database_url, keys, ORIGIN, chain)


def note(db: Database, epoch: int, times: int) -> None:
    clerk = public_id("clk", new_id())
    for number in range(times):
        when = at(24 * epoch) + timedelta(seconds=number)
        db.transact(note_act, clerk, "factors.correct", f"TP-{number}", at=when, lines=number)


def found(log: Log, *statements: str) -> set[tuple[str, str]]:
    """Where the audit finds the desk's log wrong while the statements' effect lasts."""
    url, keys, chain = log
    with tampered(url, *statements):
        return places(audited(url, keys, ORIGIN, chain).findings)


def places(findings: tuple[Found, ...]) -> set[tuple[str, str]]:
    return {(each.where, each.detail.partition(",")[0]) for each in findings if each.kind == "desk"}


EDITED = "is not what its hash says"


@pytest.mark.parametrize(
    "change",
    [
        "actor = 'clk_somebodyelse'",
        "act = 'factors.publish'",
        "object = 'TP-9'",
        "detail = '{}'",
        "detail = '[1]'",
        "at = at + interval '1 microsecond'",
    ],
)
def test_an_edited_entry_is_named(log: Log, change: str) -> None:
    assert found(log, f"update audit_entry set {change} where number = 5") == {
        ("audit entry 5", EDITED)
    }


def test_a_dropped_entry_is_named(log: Log) -> None:
    assert found(log, "delete from audit_entry where number = 5") == {("audit entry 5", "is gone")}


def test_two_that_changed_places_are_named(log: Log) -> None:
    moves = ((4, 1000), (6, 4), (1000, 6))
    assert found(
        log, *(f"update audit_entry set number = {to} where number = {one}" for one, to in moves)
    ) >= {("audit entry 4", EDITED), ("audit entry 6", EDITED)}


def test_a_log_cut_short_is_not_what_the_epochs_committed_to(log: Log) -> None:
    assert found(log, "delete from audit_entry where number > 5") == {
        ("audit entry 3", "what epoch 2 committed to is not in the log after this entry"),
        ("audit entry 3", "what epoch 3 committed to is not in the log after this entry"),
    }


def test_a_log_that_is_gone_is_not_what_the_epochs_committed_to(log: Log) -> None:
    assert {where for where, _ in found(log, "delete from audit_entry")} == {"audit entry 0"}


def test_a_log_hashed_again_is_not_what_the_epochs_committed_to(log: Log) -> None:
    url, _, _ = log
    assert found(log, *rehashed(url, since=5)) == {
        ("audit entry 3", "what epoch 2 committed to is not in the log after this entry"),
        ("audit entry 3", "what epoch 3 committed to is not in the log after this entry"),
    }


def test_an_epoch_that_stops_committing_is_named(log: Log) -> None:
    gone = "update epoch set extras = extras #- '{aux,audit-log}' where epoch = 3"
    assert found(log, gone) == {
        ("audit entry 6", "what epoch 3 committed to is not in the log after this entry")
    }


def test_an_entry_after_the_last_epoch_is_held_by_its_hash_alone(log: Log) -> None:
    """The limit that app.audit.desk states: it may be dropped until an epoch commits to it."""
    assert found(log, f"delete from audit_entry where number = {LAST}") == set()


def rehashed(url: str, *, since: int) -> list[str]:
    """Give the statements by which a careful tamperer edits an entry and all that follow."""
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "select number, at, actor, act, object, detail, hash from audit_entry order by number"
        ).fetchall()
    previous, made = ZERO_HASH, list[str]()
    for *told, stored in rows:
        entry = AuditEntry(*told)
        if entry.number == since:
            entry = replace(entry, object="TP-9")
        hash_ = hash_of(entry, previous) if entry.number >= since else bytes(stored)
        made.append(
            f"update audit_entry set object = '{entry.object}', hash = '\\x{hash_.hex()}'"
            f" where number = {entry.number}"
        )
        previous = hash_
    return made
