"""Projects (减排项目): what side by side can go wrong, and what leaves with a citizen."""

import json
import zipfile
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from uuid import UUID

import pytest

from app.citizens import Citizen
from app.kernel.clock import now
from app.kernel.db import Database
from app.kernel.ids import new_id
from app.kernel.secrets import Keys
from app.kernel.tokens import Principal
from app.privacy.exporting import export
from app.privacy.forgetting import forget
from app.projects.errors import MeterTaken
from app.projects.showing import any_report_out
from ledger.accounts import bucket_of
from tests.support.acts import one
from tests.support.anchoring import rows_of
from tests.support.organisations import organisation
from tests.support.points import citizens
from tests.support.projects import SINCE, Roofs

DAYS = timedelta(days=10)
ROUNDS = 3
LABEL = "并网点"


@pytest.fixture
def roofs(db: Database, keys: Keys) -> Roofs:
    return Roofs(db, keys)


def test_of_two_registrations_side_by_side_one_has_the_meter(roofs: Roofs) -> None:
    """Both were asked while the meter was nobody's; only the constraint can tell."""
    who = organisation(roofs.db, roofs.keys).principal()
    for number in range(ROUNDS):
        meters = [{"label": "表", "number": f"M-{number}"}]
        asked = [roofs.asked(who, 2 * number + each, meters=meters) for each in range(2)]
        start = Barrier(2)

        def signing(request: UUID, start: Barrier = start) -> object:
            start.wait(timeout=10)
            try:
                roofs.sign(request)
            except MeterTaken as error:
                return error
            return None

        with ThreadPoolExecutor(2) as pool:
            told = list(pool.map(signing, (request for _, request in asked), timeout=60))
        assert sorted(type(each).__name__ for each in told) == ["MeterTaken", "NoneType"]
        counted = rows_of(roofs.db, "select project from project_meter")
        assert len(counted) == number + 1
        state = "select count(*) from project where registered_at is not null"
        assert rows_of(roofs.db, state) == [(number + 1,)]


def test_what_leaves_with_a_citizen_and_what_stays(roofs: Roofs, worker_db: Database) -> None:
    owner, other = citizens(roofs.db, roofs.keys, 2)
    mine = Citizen(bucket_of(owner), owner)
    me = Principal("citizen", new_id(), frozenset(), owner)
    project = roofs.accrued(me, SINCE, SINCE + DAYS)
    texts = """
select p.ended_for, r::text, m::text, d::text from project p
  join project_revision r on (r.bucket, r.account, r.project) = (p.bucket, p.account, p.id)
  join monitoring_report m on (m.bucket, m.account, m.project) = (p.bucket, p.account, p.id)
  join project_day d on (d.bucket, d.account, d.report) = (m.bucket, m.account, m.id)"""
    before = repr(rows_of(roofs.db, texts))
    assert LABEL in before
    assert "某某路" not in before, "words are sealed"
    assert '"generation"' in before
    with roofs.db.read(export, roofs.keys, mine, at=now()) as made:
        (told,) = json.loads(zipfile.ZipFile(made).read("project-designs.json"))
    assert told["words"]["site"] == "某某路1号"
    worker_db.transact(forget, roofs.keys, Citizen(bucket_of(other), other))
    assert repr(rows_of(roofs.db, texts)) == before
    for _ in range(2):
        worker_db.transact(forget, roofs.keys, mine)
        after = repr(rows_of(roofs.db, texts))
        assert not any(word in after for word in (LABEL, "generation", "invoice.pdf"))
        assert rows_of(roofs.db, "select ended_for from project") == [("erased",)]
        assert rows_of(roofs.db, "select words from project_revision") == [(None,)]
    (report_,) = one(roofs.db, "select id from monitoring_report")
    shown = roofs.db.read(any_report_out, report_)
    assert (shown.readings, shown.salt, len(shown.days)) == ([], None, 11)
    kept = one(roofs.db, "select count(*), sum(d.mg)::int8 from project_day d")
    assert kept == (11, one(roofs.db, "select sum(c.mg)::int8 from project_accrual c")[0])
    assert rows_of(roofs.db, "select project from project_meter") == [(project,)]
