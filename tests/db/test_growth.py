"""A person's twelve months against a naive reading of all rows; and as of a day."""

from datetime import timedelta

import pytest

from app.citizens import Citizen
from app.growth.published import growth_documents, score_documents
from app.growth.reading import year_of
from app.growth.rules import grown
from app.growth.scoring import scored
from app.growth.year import Year
from app.kernel.db import Database
from app.kernel.secrets import Keys
from ledger.chart import Code
from tests.support.years import (
    BAG,
    DECLARED,
    METRO,
    RECYCLING,
    TODAY,
    WALK,
    Street,
    days_ago,
    naive_year,
)

KG = 1_000_000


@pytest.fixture
def street(db: Database, keys: Keys) -> Street:
    made = Street(db, keys, 3)
    ann, bo, _ = made.people
    made.did(ann, METRO, days_ago(*range(0, 120, 2)), 300_000)
    made.did(ann, METRO, days_ago(364, 365, 366), 7)
    acts = made.did(ann, RECYCLING, days_ago(3, 40, 41, 200), 2 * KG)
    made.did(ann, BAG, days_ago(1, 2, 3, 130))
    made.did(ann, METRO, days_ago(300), KG, reason="trip.too_short")
    bos = made.did(bo, METRO, days_ago(5, 6, 30), 150_000)
    made.did(bo, WALK, days_ago(7, 9), 80_000, evidence=DECLARED)
    lies = made.did(bo, WALK, days_ago(50, 51), 80_000, evidence=DECLARED)
    made.merges(ann, acts[1], acts[0])
    made.corrects(ann, acts[1], 2 * KG)
    made.merges(bo, bos[0], bos[1])
    made.merges(bo, bos[0], None)
    made.leaves(ann, "cancelled", 3 * KG, Code.CANCEL)
    made.leaves(ann, "given", KG, Code.GIVE)
    made.corrects(ann, acts[2], KG // 2, source="given")
    made.corrects(bo, lies[0], 80_000, withdrawn=True)
    made.corrects(bo, bos[2], 50_000)
    return made


def year(db: Database, who: Citizen) -> Year:
    return db.read(year_of, who.bucket, who.number, TODAY)


def test_a_year_is_what_a_naive_reading_of_all_rows_gives(db: Database, street: Street) -> None:
    for who in street.people:
        found = year(db, who)
        assert found == naive_year(db, who) == naive_year(db, who, seed=2)
        assert found == year(db, who)
    ann, bo, idle = (year(db, who) for who in street.people)
    assert ann.fields() == {"green_travel", "resource_recycling", "other"}
    assert ann.amount_mg == 60 * 300_000 + 7 + 6 * KG - KG // 2
    assert ann.contributed_mg == 3 * KG + KG // 2
    assert ann.acts == 60 + 1 + 3 + 4
    assert bo.fields() == {"green_travel", "other"}
    assert (bo.acts, bo.proved_acts, bo.disproved) == (6, 3, 1)
    assert idle == Year(ann.since, TODAY)


def test_yesterday_reads_as_it_read_yesterday(db: Database, keys: Keys) -> None:
    street = Street(db, keys, 1)
    (who,) = street.people
    yesterday = TODAY - timedelta(days=1)
    old = street.did(who, METRO, days_ago(3, 4), KG, recorded_on=yesterday)
    before = db.read(year_of, who.bucket, who.number, yesterday)
    street.did(who, METRO, days_ago(2, 5), KG)
    street.corrects(who, old[0], KG, withdrawn=True)
    street.merges(who, old[1], old[0])
    street.leaves(who, "cancelled", KG, Code.CANCEL)
    assert db.read(year_of, who.bucket, who.number, yesterday) == before
    assert before == naive_year(db, who, until=yesterday)
    assert before.amount_mg == 2 * KG
    assert year(db, who) == naive_year(db, who)
    assert year(db, who).active_days == set(days_ago(2, 5))


def test_everything_said_of_a_person_follows_from_the_year_alone(
    db: Database, street: Street
) -> None:
    ann, bo, idle = street.people
    score, growth = score_documents()[1], growth_documents()[1]
    of_ann = scored(score, year(db, ann))
    assert of_ann is not None
    assert of_ann == scored(score, naive_year(db, ann))
    assert of_ann.points == sum(each.points for each in of_ann.components)
    assert [each.points for each in of_ann.components][4] > 0
    of_bo = scored(score, year(db, bo))
    assert of_bo is not None
    assert of_bo.components[-1].points == -10
    assert scored(score, year(db, idle)) is None
    assert grown(growth, year(db, idle)).level.number == 1
    assert grown(growth, year(db, ann)) == grown(growth, naive_year(db, ann))


def test_months_that_were_settled_are_one_act_each(db: Database, keys: Keys) -> None:
    street = Street(db, keys, 1)
    (who,) = street.people
    street.settles(who, 5 * KG)
    found = year(db, who)
    assert [(each.acts, each.mg, each.proved) for each in found.tallies] == [(1, 5 * KG, 0)]
    assert found.tallies[0].day == TODAY.replace(day=1) - timedelta(days=1)
