"""Acts of grade C: points from a sponsored budget, capped by person and budget, in one order."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import permutations

import pytest
from sqlmodel import Session

from app.activities import Choice, ItemOutcome
from app.activities.choice import chosen
from app.kernel.clock import day_of, now
from app.kernel.db import Database
from app.kernel.secrets import Keys
from app.points import find_programme, return_earmarks
from app.points.programmes import Reward, set_reward
from ledger.chart import Code
from methodologies import Evidence
from tests.support.acts import (
    TODAY,
    counts,
    document,
    item,
    one,
    people,
    provider,
    rows,
    same_person,
    send,
)
from tests.support.points import owed, points, programme, slices, spend
from tests.support.postgres import empty

DAY = day_of(TODAY)
BAG = chosen(document("TEST-BAG", mode="bag", cap=None, status="secondary"))
HOURS = [TODAY - timedelta(hours=n) for n in (16, 15, 14, 13)]


def sponsor(
    db: Database, keys: Keys, fen: int, *, person: int | None = None, budget: int | None = None
) -> None:
    """A programme that gives five points an act, also for acts of the days before."""
    programme(db, keys, fen)

    def command(session: Session) -> None:
        since = DAY - timedelta(days=300)
        reward = Reward("TEST-BAG", 5, person, budget, since)
        set_reward(session, find_programme(session, "green"), reward, today=since)

    db.transact(command)


def owner_of(db: Database, keys: Keys, sender: str, card: str) -> int:
    query = "select account from instrument where number = %s"
    return one(db, query, keys.subject_hash(sender, card))[0]


def reasons(db: Database) -> list[tuple[int, str | None]]:
    query = """select extract(hour from w.started_at at time zone 'Asia/Shanghai')::int, a.reason
                 from activity a left join act_window w on w.activity = a.id order by a.id"""
    return rows(db, query)


def test_an_act_without_a_reward_counts_and_posts_nothing(db: Database, keys: Keys) -> None:
    people(db, keys, provider(db), ["card-1"], choice=BAG)
    assert counts(send(db, keys, "metro", [item()], BAG)) == {"accepted": 1}
    assert rows(db, "select 1 from transfer") == []


def test_an_act_with_a_reward_earns_its_points_once(db: Database, keys: Keys) -> None:
    sponsor(db, keys, 100)
    people(db, keys, provider(db), ["card-1"], choice=BAG)
    assert counts(send(db, keys, "metro", [item()], BAG)) == {"accepted": 1}
    assert counts(send(db, keys, "metro", [item()], BAG)) == {"duplicate": 1}
    act = one(db, "select id from activity")[0]
    moved = rows(db, "select code, amount, cause, occurred_on from transfer where source = 2")
    assert moved == [(Code.GRANT_BEHAVIOUR, 5, act, DAY - timedelta(days=1))]
    assert slices(db) == (95, 5)


def test_a_persons_day_is_capped_in_the_order_of_the_acts(db: Database, keys: Keys) -> None:
    sponsor(db, keys, 100, person=8)
    people(db, keys, provider(db), ["card-1"], choice=BAG)
    told = [item(n, occurred_at=at) for n, at in enumerate(HOURS, 1)]
    seen: dict[str, str] = {}

    def progress(done: Sequence[ItemOutcome]) -> None:
        seen.update({each.external_id: each.reason for each in done})

    send(db, keys, "metro", told[::-1], BAG, progress=progress)
    assert seen == {"r1": "grade.c", "r2": "cap.day", "r3": "cap.day", "r4": "cap.day"}
    grants = "select amount from transfer where code = 6 order by amount"
    assert rows(db, grants) == [(3,), (5,)]
    assert one(db, "select worth, granted from behaviour_day") == (20, 8)


def test_an_empty_programme_leaves_the_later_acts_ineligible_for_ever(
    db: Database, keys: Keys
) -> None:
    sponsor(db, keys, 12)
    people(db, keys, provider(db), ["card-1"], choice=BAG)
    told = [item(n, occurred_at=at) for n, at in enumerate(HOURS, 1)]
    assert counts(send(db, keys, "metro", told[::-1], BAG)) == {"accepted": 2, "ineligible": 2}
    assert sorted(reasons(db), key=str) == [(8, None), (9, None), *[(None, "budget.exhausted")] * 2]
    assert slices(db) == (2, 10)
    assert counts(send(db, keys, "metro", told, BAG)) == {"duplicate": 4}
    assert one(db, "select worth, granted from behaviour_day") == (10, 10)


def test_a_budgets_day_leaves_acts_accepted_without_points(db: Database, keys: Keys) -> None:
    sponsor(db, keys, 100, budget=10)
    people(db, keys, provider(db), [f"card-{n}" for n in range(4)], choice=BAG)
    told = [item(n, subject=f"card-{n}", occurred_at=at) for n, at in enumerate(HOURS)]
    assert counts(send(db, keys, "metro", told, BAG)) == {"accepted": 4}
    assert one(db, "select points from budget_day") == (10,)
    assert slices(db) == (90, 10)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_day_comes_to_the_same_in_any_order_of_arrival(
    database_url: str, db: Database, keys: Keys, order: tuple[int, ...]
) -> None:
    """Two records of one act, and another act: the better record counts, ten points in all."""
    empty(database_url)
    sponsor(db, keys, 1_000, person=12)
    metro, app = provider(db, "metro"), provider(db, "app")
    people(db, keys, metro, ["card-1"], choice=BAG)
    same_person(db, keys, metro, app, {"card-1": "card-1"}, choice=BAG)
    told = [
        ("app", item(1, evidence=Evidence.SELF_DECLARED, occurred_at=HOURS[0])),
        ("metro", item(2, occurred_at=HOURS[0])),
        ("app", item(3, occurred_at=HOURS[2])),
    ]
    for place in order:
        sender, act = told[place]
        send(db, keys, sender, [act], BAG)
    assert one(db, "select worth, granted from behaviour_day") == (10, 10)
    owner = owner_of(db, keys, "metro", "card-1")
    assert (sum(points(db, owner).values()), owed(db, owner)) == (10, 0)


def test_what_a_displaced_behaviour_earned_and_is_spent_is_owed(
    db: Database, worker_db: Database, keys: Keys
) -> None:
    """The same errand told as a bag by one provider, and as a measured ride by the other."""
    sponsor(db, keys, 100)
    ride: Choice = chosen(document("TEST-RIDE-BAG", mode="bag", cap=None))
    shop, metro = provider(db, "shop"), provider(db, "metro")
    people(db, keys, shop, ["card-1"], choice=BAG)
    same_person(db, keys, shop, metro, {"card-1": "card-1"}, choice=BAG)
    send(db, keys, shop, [item(1, evidence=Evidence.SELF_DECLARED)], BAG)
    owner = owner_of(db, keys, "shop", "card-1")
    spend(db, owner, 3, today=day_of(now()))
    assert counts(send(db, keys, metro, [item(2, distance="1")], ride)) == {"accepted": 1}
    assert (sum(points(db, owner).values()), owed(db, owner)) == (0, 3)
    back = "select amount, corrects from transfer where code = 2"
    grant = one(db, "select id from transfer where code = 6")[0]
    assert rows(db, back) == [(2, grant)]
    assert one(db, "select worth, granted from behaviour_day") == (0, 0)
    assert return_earmarks(worker_db) == 2
