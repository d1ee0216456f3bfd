"""A crash at every commit of cancelling, lost and landed: posted once, certified once (注销)."""

from pathlib import Path

import pytest

from app.cancellations import post_due
from app.certificates import issue_certificates
from app.kernel.clock import now
from app.kernel.db import Database
from app.kernel.secrets import Keys
from tests.support.acts import one, rows
from tests.support.cancelling import DUE, Registrar, wish
from tests.support.owners import BUS, BUS_B, accrual, asset_number, post_all
from tests.support.points import citizens
from tests.support.tripwire import crossing


@pytest.fixture
def registrar(db: Database, worker_db: Database, keys: Keys, tmp_path: Path) -> Registrar:
    """Two people who cancel 600 mg of two classes each."""
    made = Registrar(db, worker_db, keys, tmp_path)
    for owner in citizens(db, keys, 2):
        amounts = {BUS: 400, BUS_B: 200}
        post_all(db, [accrual(owner, asset_number(db, of), mg) for of, mg in amounts.items()])
        made.request(owner, wish(600, name="某某", shown=("beneficiary",)))
    return made


def through(registrar: Registrar, at: int, *, landed: bool, what: str) -> int:
    """Run a job on a database of its own, whose ``at``-th commit is lost, or landed and untold."""

    def deed(database: Database) -> None:
        if what == "post":
            post_due(database, at=now() + DUE)
        else:
            issue_certificates(database, registrar.keys, registrar.notary.folder, at=now())

    return crossing(registrar.db.url, at, deed, landed=landed, role="tanpu_worker")


@pytest.mark.parametrize("landed", [False, True], ids=["lost", "landed"])
@pytest.mark.parametrize("crash_at", [1, 2])
def test_each_is_posted_and_certified_once_through_a_crash(
    registrar: Registrar, crash_at: int, *, landed: bool
) -> None:
    through(registrar, crash_at, landed=landed, what="post")
    registrar.post()
    assert one(registrar.db, "select count(*), sum(amount)::int from transfer where code = 12") == (
        4,
        1_200,
    )
    registrar.close()
    through(registrar, crash_at, landed=landed, what="issue")
    registrar.issue()
    assert rows(registrar.db, "select count(*) from certificate") == [(2,)]
    assert rows(registrar.db, "select count(*) from cancellation where finalized_at is null") == [
        (0,)
    ]
    assert rows(registrar.db, "select count(*) from notice") == [(2,)]


def test_it_commits_as_often_as_the_crashes_are_counted(registrar: Registrar) -> None:
    assert through(registrar, 0, landed=False, what="post") == 2
    registrar.close()
    assert through(registrar, 0, landed=False, what="issue") == 2
