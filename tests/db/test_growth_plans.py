"""How growth reads a filled table (查询计划): by key, in one bucket, never a table from end to end.

Method: a few thousand people's acts are written with statements, the planner is told of them, and
EXPLAIN is asked about the very constants that the domain runs.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from types import ModuleType
from typing import Any

import psycopg
import pytest

from app.growth import boards, checking, reading
from app.growth.year import a_year_before
from app.kernel.clock import day_of, now
from ledger.accounts import bucket_of

PEOPLE, ACTS = 2000, 40
BIG = {"activity", "transfer", "act_change", "act_merge", "act_correction"}
TODAY = day_of(now())
_FILL = """
insert into account (bucket, id, akey, opened_at)
  select b, a, sha256(a::text::bytea), now()
    from unnest(%(buckets)s::int2[], %(owners)s::int8[]) t (b, a);
insert into activity (bucket, account, recorded_on, id, provider, external_hash, upload,
    methodology, occurred_on, evidence, mode, asset, raw_mg)
  select b, a, %(today)s, uuidv7(), 1, '\\x00', uuidv7(), 1, %(today)s::date - n, 3, 'm', 9, 1000
    from unnest(%(buckets)s::int2[], %(owners)s::int8[]) t (b, a), generate_series(0, %(acts)s) n;
insert into transfer (bucket, recorded_on, id, source, target, asset, amount, code, cause,
    occurred_on)
  select bucket, recorded_on, id, 1, account, 9, 1000, 1, id, occurred_on from activity;
insert into act_change select bucket, account, uuidv7(), id, recorded_on, -1, id from activity
  where occurred_on = %(today)s::date - 1;
insert into act_merge select bucket, account, uuidv7(), id, null, 'x.y', recorded_on from activity
  where occurred_on = %(today)s::date - 2;
insert into act_correction (bucket, account, id, activity, recorded_on, cause, reason, is_withdrawn,
    change_mg, lost_mg)
  select bucket, account, uuidv7(), id, recorded_on, id, 'x.y', true, 0, 0 from activity
  where occurred_on = %(today)s::date - 3;
insert into leaderboard_entrant
  select b, a, 'name', now() from unnest(%(buckets)s::int2[], %(owners)s::int8[]) t (b, a)
   where a %% 7 = 0;
insert into team_member select b, a, now(), gen_random_uuid(), null
    from unnest(%(buckets)s::int2[], %(owners)s::int8[]) t (b, a) where a %% 5 = 0"""
_ANALYSED = "activity, transfer, act_change, act_merge, act_correction, leaderboard_entrant"


@pytest.fixture
def filled(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    owners = [65538 + 32 * number for number in range(PEOPLE)]
    facts = {
        "buckets": [bucket_of(owner) for owner in owners],
        "owners": owners,
        "today": TODAY,
        "acts": ACTS,
    }
    with psycopg.connect(database_url, cursor_factory=psycopg.ClientCursor) as connection:
        connection.execute("set session_replication_role = replica")
        connection.execute(_FILL, facts)
        connection.execute(f"analyze {_ANALYSED}, team_member")
        yield connection
        connection.rollback()


def constants(module: ModuleType, *names: str) -> list[str]:
    """The statements of a module."""
    return [vars(module)[name] for name in names]


def nodes(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Every node of a plan."""
    yield plan
    for inner in plan.get("Plans", []):
        yield from nodes(inner)


def explained(
    connection: psycopg.Connection[Any], query: str, facts: Mapping[str, Any]
) -> list[Mapping[str, Any]]:
    text = f"explain (analyze, format json) {query}"
    row = connection.execute(text.encode(), facts).fetchone()
    assert row is not None
    found = json.loads(row[0]) if isinstance(row[0], str) else row[0]
    return list(nodes(found[0]["Plan"]))


def whole_reads(plan: list[Mapping[str, Any]]) -> set[str]:
    """The large tables that a plan reads from end to end."""
    return {
        node["Relation Name"]
        for node in plan
        if node["Node Type"] == "Seq Scan"
        and node["Relation Name"].startswith(tuple(BIG))
        and node["Actual Rows"] * node["Actual Loops"] > 0
    }


def of_one_person(since: date) -> dict[str, Any]:
    owner = 65538 + 32 * 100
    return {
        "bucket": bucket_of(owner),
        "owner": owner,
        "since": since,
        "until": TODAY,
        "known": TODAY,
        "by_month": [],
        "correct": 2,
        "contributed": [13, 14],
    }


def test_a_persons_year_is_read_by_key(filled: psycopg.Connection[Any]) -> None:
    facts = of_one_person(a_year_before(TODAY))
    for query in constants(reading, "_TALLIES", "_CONTRIBUTED"):
        plan = explained(filled, query, facts)
        assert whole_reads(plan) == set()
        touched = max(node["Actual Rows"] * node["Actual Loops"] for node in plan)
        assert touched <= 3 * (ACTS + 1)


def test_a_board_reads_the_acts_of_its_people_alone(filled: psycopg.Connection[Any]) -> None:
    facts: dict[str, Any] = {
        "first": 0,
        "last": 63,
        "since": TODAY - timedelta(days=6),
        "until": TODAY,
        "all": True,
        "versions": [],
        "by_month": [],
        "at": now(),
        "one": None,
    }
    for query in constants(boards, "_PEOPLE", "_TEAMS"):
        assert whole_reads(explained(filled, query, facts)) == set()


def test_a_statement_and_a_status_list_are_found_by_key(filled: psycopg.Connection[Any]) -> None:
    filled.execute("set local enable_seqscan = off")
    for query in constants(checking, "_FIND", "_REVOKED"):
        facts = ("00000000-0000-0000-0000-000000000001",) if "id = " in query else (0, 131072)
        text = f"explain {query}".encode()
        plan = "\n".join(line for (line,) in filled.execute(text, facts).fetchall())
        assert "Index" in plan
