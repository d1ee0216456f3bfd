"""Rows that were there before (预填): acts, keys, transfers and balances of this month.

Written by the owner of the schema straight into the tables: it is weight, not history. Every
person gets ten assets, as R28 asks.
"""

from typing import Final

import psycopg

from benchmarks.cluster import Ground

ASSETS: Final = 10
AT_ONCE: Final = 500_000
_PEOPLE: Final = """
create temporary table person as
select row_number() over () - 1 as place, bucket, account from subject;
create unique index on person (place); analyze person"""
_BALANCES: Final = """
insert into asset (id, key, methodology, version, scenario, grade, vintage)
select (1000000 + n) << 3 | 2, sha256(('fill' || n)::bytea), 'FILL', n, 'fill', 'B', '2020-01-01'
  from generate_series(1, %(assets)s) n;
insert into balance select bucket, account, (1000000 + n) << 3 | 2, 1000, 0
  from person, generate_series(1, %(assets)s) n"""
_ACTS: Final = """
with act as (
  select p.bucket, p.account, uuidv7() as id, sha256(('fill' || n)::bytea) as hash,
         (now() at time zone 'Asia/Shanghai')::date as today
    from generate_series(%(first)s::int8, %(last)s::int8) n
    join person p on p.place = (n * 2654435761) %% %(people)s),
keys as (insert into activity_key
  select 1, substr(hash, 1, 16), hash, bucket, account, today, id from act),
acts as (insert into activity
  select bucket, account, today, id, 1, substr(hash, 1, 16), id, 1, today - 1, 3, 'fill', null,
         null, null, '{"distance": "10.3"}', null, null from act)
insert into transfer (bucket, recorded_on, id, source, target, asset, amount, code, cause,
                      occurred_on, evidence)
select bucket, today, id, 1, account, 1000001 << 3 | 2, 1000, 1, id, today - 1, hash from act"""


def fill(city: Ground, rows: int) -> None:
    """Write ``rows`` acts of this month, and balances for everybody."""
    with psycopg.connect(city.url, autocommit=True) as connection:
        connection.execute(_PEOPLE)
        found = connection.execute("select count(*) from person").fetchone()
        assert found is not None
        for statement in _BALANCES.split(";"):
            connection.execute(statement.encode(), {"assets": ASSETS})
        for first in range(1, rows + 1, AT_ONCE):
            last = min(first + AT_ONCE - 1, rows)
            connection.execute(_ACTS, {"first": first, "last": last, "people": found[0]})
        connection.execute("vacuum analyze activity, activity_key, transfer, balance, subject")
        connection.execute("checkpoint")
