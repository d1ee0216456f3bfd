"""Ingest on a real database: each outcome, once only, and what is stored of it."""

import json
from datetime import timedelta
from decimal import Decimal

import pytest

from app.activities import ItemOutcome, Outcome, Standing
from app.activities.choice import chosen
from app.activities.errors import MethodologyAltered, ParameterMissing, UploadReused
from app.activities.uploads import outcomes_of
from app.kernel.clock import day_of, now
from app.kernel.db import Database, driver
from app.kernel.ids import new_id
from app.kernel.secrets import Keys
from app.providers import ProviderSuspended, suspend_provider
from methodologies import Approval, Evidence
from tests.support.acts import (
    TODAY,
    balances,
    counts,
    document,
    item,
    people,
    provider,
    rows,
    same_person,
    send,
)


def test_it_posts_an_act_once_with_its_commitment(db: Database, keys: Keys) -> None:
    metro = provider(db)
    people(db, keys, metro, ["card-1"])
    first = send(db, keys, metro, [item(), item(2, subject="card-9")])
    assert counts(first) == {"accepted": 1, "refused": 1}
    assert first.reduction_mg == 1_000_000
    assert counts(send(db, keys, metro, [item()])) == {"duplicate": 1}
    assert counts(send(db, keys, metro, [item(distance="11")])) == {"conflict": 1}
    assert list(balances(db).values()) == [1_000_000]
    (transfer,) = rows(db, "select id, cause, amount, evidence from transfer")
    (act,) = rows(db, "select a.id, a.id, raw_mg, k.content from activity a, activity_key k")
    assert transfer == act


def test_it_writes_equal_numbers_as_equal_content(db: Database, keys: Keys) -> None:
    metro = provider(db)
    people(db, keys, metro, ["card-1"])
    send(db, keys, metro, [item(distance="10.30")])
    assert counts(send(db, keys, metro, [item(distance="10.3")])) == {"duplicate": 1}


def test_it_tells_an_unknown_subject_and_a_withdrawn_consent_apart_nowhere(
    db: Database, keys: Keys
) -> None:
    metro = provider(db)
    people(db, keys, metro, ["card-1"], since=TODAY - timedelta(hours=1))
    told: list[ItemOutcome] = []
    items = [item(1), item(2, subject="nobody")]
    result = send(db, keys, metro, items, progress=told.extend)
    assert counts(result) == {"refused": 2}
    assert [each[2:4] for each in told] == [(Outcome.REFUSED, "consent.none")] * 2
    for table in ("activity", "activity_key", "act_window", "transfer"):
        assert rows(db, f"select 1 from {table}") == []
    people(db, keys, metro, ["nobody"])
    assert counts(send(db, keys, metro, [item(2, subject="nobody")])) == {"accepted": 1}


def test_it_refuses_what_is_too_old_or_yet_to_come(db: Database, keys: Keys) -> None:
    metro = provider(db)
    people(db, keys, metro, ["card-1"], since=TODAY - timedelta(days=900))
    items = [
        item(1, occurred_at=TODAY - timedelta(days=500)),
        item(2, occurred_at=now() + timedelta(hours=1)),
        item(3, occurred_at=now(), ended_at=now() + timedelta(hours=1)),
        item(4, occurred_at=TODAY - timedelta(days=399)),
    ]
    assert counts(send(db, keys, metro, items)) == {"refused": 3, "accepted": 1}


def test_it_keeps_an_ineligible_act_with_its_reason(db: Database, keys: Keys) -> None:
    metro = provider(db)
    people(db, keys, metro, ["card-1"])
    items = [
        item(1, distance="0.2"),
        item(2, mode="taxi"),
        item(3, not_eligible="trip.unpaid"),
        item(4, distance="-1"),
        item(5, inputs={}),
        item(6, inputs={"distance": Decimal("NaN")}),
    ]
    assert counts(send(db, keys, metro, items)) == {"ineligible": 3, "malformed": 3}
    reasons = [row[0] for row in rows(db, "select reason from activity order by reason")]
    assert reasons == ["mode.not_covered", "trip.too_short", "trip.unpaid"]
    assert balances(db) == {}
    assert counts(send(db, keys, metro, items[:1])) == {"duplicate": 1}


def test_it_caps_a_day_whatever_the_chunks(db: Database, keys: Keys) -> None:
    metro = provider(db)
    people(db, keys, metro, ["card-1"])
    rides = [item(n, distance="7") for n in range(1, 8)]
    told: list[ItemOutcome] = []
    send(db, keys, metro, rides[:3], progress=told.extend)
    send(db, keys, metro, rides[3:], progress=told.extend)
    assert [row[4] for row in told] == [700_000] * 4 + [200_000, 0, 0]
    assert [row[3] for row in told] == [""] * 4 + ["cap.day"] * 3
    assert list(balances(db).values()) == [3_000_000]


def test_it_gives_a_declared_act_half_and_never_grade_a(db: Database, keys: Keys) -> None:
    approval = Approval(
        scenario="test-ride", valid_from=day_of(TODAY) - timedelta(9), valid_until=day_of(TODAY)
    )
    ride = document(status="official_text")
    choice = chosen(ride, standing={(ride.code, ride.version): Standing((), (approval,))})
    metro = provider(db)
    people(db, keys, metro, ["card-1"], choice=choice)
    items = [item(1), item(2, evidence=Evidence.SELF_DECLARED)]
    send(db, keys, metro, items, choice)
    query = "select a.grade, b.credits from balance b join asset a on a.id = b.asset order by 1"
    assert rows(db, query) == [("A", 1_000_000), ("B", 500_000)]


def test_it_accepts_a_grade_c_act_and_posts_nothing(db: Database, keys: Keys) -> None:
    choice = chosen(document("TEST-C", status="secondary"))
    metro = provider(db)
    people(db, keys, metro, ["card-1"], choice=choice)
    told: list[ItemOutcome] = []
    send(db, keys, metro, [item()], choice, progress=told.extend)
    assert told[0][2:] == (Outcome.ACCEPTED, "grade.c", 0)
    assert rows(db, "select 1 from transfer") == []


def test_it_computes_each_act_with_the_version_of_its_day(db: Database, keys: Keys) -> None:
    turn = day_of(TODAY) - timedelta(days=5)
    choice = chosen(document(saving="100"), document(saving="50", version=2, effective=f"{turn}"))
    metro = provider(db)
    people(db, keys, metro, ["card-1"], choice=choice)
    items = [item(1, occurred_at=TODAY - timedelta(days=6)), item(2)]
    send(db, keys, metro, items, choice)
    query = "select a.version, b.credits from balance b join asset a on a.id = b.asset order by 1"
    assert rows(db, query) == [(1, 1_000_000), (2, 500_000)]


def test_it_excludes_what_another_mechanism_counts(db: Database, keys: Keys) -> None:
    metro = provider(db)
    people(db, keys, metro, ["card-1", "card-2"])
    number = keys.subject_hash(metro.code, "card-2")
    since = day_of(TODAY) - timedelta(days=30)
    statement = b"insert into exclusion values ('subject', %s, 'boundary.ets', 'list 1', %s, null)"
    db.transact(lambda session: driver(session).execute(statement, (number, since)))
    result = send(db, keys, metro, [item(1), item(2, subject="card-2")])
    assert counts(result) == {"accepted": 1, "ineligible": 1}
    assert rows(db, "select reason from activity where reason is not null") == [("boundary.ets",)]


def test_it_refuses_whole_what_has_no_sourced_factor(db: Database, keys: Keys) -> None:
    metro = provider(db)
    choice = chosen(document("TEST-MISSING", status="missing"))
    with pytest.raises(ParameterMissing) as refused:
        send(db, keys, metro, [item()], choice)
    assert refused.value.facts == {"methodology": "TEST-MISSING", "parameters": "saving"}
    assert rows(db, "select 1 from upload") == []


def test_it_refuses_a_published_version_with_another_text(db: Database, keys: Keys) -> None:
    metro = provider(db)
    people(db, keys, metro, ["card-1"])
    send(db, keys, metro, [item()])
    with pytest.raises(MethodologyAltered):
        send(db, keys, metro, [item()], chosen(document(saving="101")))


def test_it_refuses_a_suspended_provider(db: Database, keys: Keys) -> None:
    metro = provider(db)
    db.transact(suspend_provider, metro, at=TODAY)
    with pytest.raises(ProviderSuspended):
        send(db, keys, metro, [item()])


def test_it_signs_what_it_did_and_signs_the_same_again(db: Database, keys: Keys) -> None:
    metro = provider(db)
    people(db, keys, metro, ["card-1"])
    batch = new_id()
    items = [item(1), item(1), item(2, subject="x")]
    first = send(db, keys, metro, items, upload=batch)
    keys.receipt.public_key().verify(first.signature, first.receipt)
    told = json.loads(first.receipt)
    assert told["counts"] == {
        "accepted": 1, "duplicate": 1, "merged": 0, "refused": 1, "ineligible": 0, "conflict": 0,
        "malformed": 0,
    }  # fmt: skip
    assert send(db, keys, metro, items, upload=batch, at=now()) == first
    assert [o[2:] for o in db.read(outcomes_of, batch)] == [
        (Outcome.ACCEPTED, "", 1_000_000),
        (Outcome.DUPLICATE, "", 0),
        (Outcome.REFUSED, "consent.none", 0),
    ]
    with pytest.raises(UploadReused):
        send(db, keys, metro, [item(3)], upload=batch)


def test_it_merges_two_providers_and_takes_the_better_evidence(db: Database, keys: Keys) -> None:
    metro, app = provider(db, "metro"), provider(db, "app")
    people(db, keys, metro, ["card-1"])
    same_person(db, keys, metro, app, {"card-1": "user-1"})
    declared = item(1, subject="user-1", evidence=Evidence.SELF_DECLARED, station="西丽")
    assert counts(send(db, keys, app, [declared])) == {"accepted": 1}
    assert list(balances(db).values()) == [500_000]
    start = declared.occurred_at + timedelta(minutes=4)
    measured = item(1, occurred_at=start, station="西丽站")
    result = send(db, keys, metro, [measured])
    assert (counts(result), result.corrected_mg) == ({"accepted": 1}, 500_000)
    assert list(balances(db).values()) == [1_000_000]
    (correction,) = rows(db, "select corrects, target, amount from transfer where code = 2")
    (act,) = rows(db, "select m.activity, 19, 500000 from act_merge m")
    assert correction == act
    elsewhere = item(2, subject="user-1", station="深大", occurred_at=start)
    assert counts(send(db, keys, app, [elsewhere])) == {"accepted": 1}
    later = item(3, subject="user-1", station="西丽", occurred_at=start + timedelta(minutes=9))
    assert counts(send(db, keys, app, [later])) == {"merged": 1}


def test_it_stores_no_time_beyond_the_window(db: Database) -> None:
    columns = rows(
        db,
        """select table_name, column_name from information_schema.columns
             join information_schema.tables using (table_schema, table_name)
            where table_schema = 'public' and data_type like 'timestamp%%'
              and table_type = 'BASE TABLE'
              and (table_name like 'act%%' or table_name = 'incoming')""",
    )
    stored = {row for row in columns if not str(row[0]).startswith("activity_2")}
    assert stored == {
        ("act_window", "started_at"),
        ("act_window", "ended_at"),
        ("activity", "source_occurred_at"),
    }
