"""Holdings, days and what reading them costs (持有、日历与查询代价): sums, statements, plans."""

from collections.abc import Callable
from datetime import timedelta

import psycopg
from sqlmodel import Session

from app.growth.published import growth_documents, in_force
from app.growth.reading import year_of
from app.growth.rules import grown
from app.kernel.clock import day_of, now
from app.kernel.db import Database, driver
from app.kernel.secrets import Keys
from app.wallet import holdings_of
from app.wallet.acts import ActFilter, acts_before, parts_of
from app.wallet.holdings import wallet_of
from app.wallet.rules import by_day, by_span
from app.wallet.telling import told_act
from ledger.accounts import SYSTEM_ACCOUNTS, bucket_of
from ledger.assets import Points
from ledger.chart import Code
from tests.support import points
from tests.support.acts import TODAY, balances, one, rows, same_person
from tests.support.counting import sequential_scans_of, statements_of
from tests.support.owners import BUS, asset_number, owners, post_all, row
from tests.support.wallets import (
    METRO,
    TEN_KM_MG,
    Somebody,
    citizens,
    operator,
    ride,
    tell,
)

WALLET_MAX = 4
"""What the issue allows the home screen."""
PAGE_MAX = 1
DETAIL_MAX = 9


def told_by_growth(db: Database, who: Somebody) -> tuple[int, int]:
    """The growth value and the level as the growth domain tells them."""
    today = day_of(now())
    document = in_force(growth_documents(), today)
    found = grown(document, db.read(year_of, who.bucket, who.owner, today))
    return found.value, found.level.number


def test_wallet_page_and_detail_take_few_statements(db: Database, keys: Keys) -> None:
    sender = operator(db)
    (an,) = citizens(db, keys, sender, "an")
    tell(db, keys, sender, [ride(n, "an") for n in range(8)])
    place, today = (an.bucket, an.owner), day_of(now())
    found, sent = statements_of(db, lambda session: wallet_of(driver(session), *place, today=today))
    assert found is not None
    held, growth, level = found
    assert (growth, level.number) == told_by_growth(db, an)
    assert held.reduction_mg == 8 * TEN_KM_MG
    assert 0 < len(sent) <= WALLET_MAX
    page, sent = statements_of(
        db, lambda session: acts_before(session, *place, ActFilter(), before=None, limit=5)
    )
    assert len(page) == 5
    assert len(sent) == PAGE_MAX
    act = page[0].id
    _, sent = statements_of(db, lambda session: told_act(session, *place, act))
    assert 0 < len(sent) <= DETAIL_MAX


def test_days_and_months_come_to_what_is_held(db: Database, keys: Keys) -> None:
    """Caps, merges and ineligible acts among them: the days add up to the balance."""
    metro, other = operator(db), operator(db, "other")
    (an, bo) = citizens(db, keys, metro, "an", "bo")
    same_person(db, keys, metro, other, {"an": "an2"}, choice=METRO)
    spread = [TODAY - timedelta(days=n * 7, hours=3) for n in range(12)]
    tell(db, keys, metro, [ride(n, "an", at=at, km=str(n * 9)) for n, at in enumerate(spread)])
    tell(db, keys, other, [ride(n, "an2", at=at, km="30") for n, at in enumerate(spread[:5])])
    tell(db, keys, metro, [ride(100 + n, "bo", at=at) for n, at in enumerate(spread)])
    held = balances(db)
    for who in (an, bo):
        since, until = TODAY.date() - timedelta(days=200), TODAY.date()
        parts = db.read(parts_of, who.bucket, who.owner, since=since, until=until)
        mine = sum(mg for (owner, _), mg in held.items() if owner == who.owner)
        assert mine > 0
        assert sum(total.mg for total in by_day(parts).values()) == mine
        months = by_span(parts, "month", since, until)
        assert sum(total.mg for total in months.values()) == mine
        assert sum(sum(total.fields.values()) for total in months.values()) == mine
        counted = one(
            db,
            "select count(*) from act_fate where account = %s and outcome = 'accepted'",
            who.owner,
        )
        assert sum(total.acts for total in months.values()) == counted[0]


FILL = """
insert into activity (bucket, account, recorded_on, id, provider, external_hash, upload,
  methodology, occurred_on, evidence, mode, asset, raw_mg, inputs)
select %s, 65536 + n %% 400 * 32 + 2, current_date - n %% 20, gen_random_uuid(), 1,
       decode(md5(n::text), 'hex'), gen_random_uuid(), 1, current_date - n %% 20, 3, 'metro',
       null, null, '{}'
  from generate_series(1, 40000) n"""
GROWING = ("activity", "transfer", "act_", "log_entry", "accrual_day", "account_anchor")
"""Tables, and the partitions of tables, that grow with the city."""


def test_no_partition_is_read_from_end_to_end(
    db: Database, keys: Keys, database_url: str, books_left_broken: None
) -> None:
    """Goal: a citizen's page, calendar and act cost by the citizen and not by the city. Method:
    forty thousand acts of four hundred people in one bucket; each plan names no sequential scan
    of a table that grows with the city."""
    del books_left_broken
    sender = operator(db)
    (an,) = citizens(db, keys, sender, "an")
    tell(db, keys, sender, [ride(n, "an") for n in range(3)])
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(FILL, (an.bucket,))
        connection.execute("vacuum analyze")
    place, today = (an.bucket, an.owner), day_of(now())
    act = rows(db, "select id from activity where account = %s limit 1", an.owner)[0][0]
    queries: tuple[Callable[[Session], object], ...] = (
        lambda session: acts_before(session, *place, ActFilter(), before=None, limit=50),
        lambda session: parts_of(session, *place, since=today.replace(day=1), until=today),
        lambda session: told_act(session, *place, act),
    )
    scanned = {table for query in queries for table in sequential_scans_of(db, query)}
    with_rows = {
        name
        for (name,) in rows(
            db,
            "select relname from pg_class where relnamespace = 'public'::regnamespace"
            " and relkind = 'r' and reltuples > 100",
        )
    }
    everybody = "select count(*) from activity where mode = 'metro'"
    assert with_rows & sequential_scans_of(db, lambda session: driver(session).execute(everybody))
    assert {name for name in scanned & with_rows if name.startswith(GROWING)} == set()


def test_points_are_told_by_the_day_they_end_and_what_is_owed_stands_beside(
    db: Database, keys: Keys
) -> None:
    """One past its day cannot be spent (R5), one that ends within a month is named, one is held."""
    (an,) = owners(db, keys, 1)
    today = day_of(now())
    days = [today - timedelta(days=1), today + timedelta(days=30), today + timedelta(days=31)]
    assets = [asset_number(db, Points("green", day, 1)) for day in days]
    issuance = SYSTEM_ACCOUNTS["issuance/points"]
    granted = [row(Code.GRANT_EXCHANGE, issuance, an, asset, 10) for asset in assets]
    post_all(db, [*granted, row(Code.HOLD, an, an | 1, assets[2], 4)])
    held = db.read(holdings_of, bucket_of(an), an, today=today)
    assert [(each.expires, each.available, each.reserved) for each in held.points] == [
        (days[0], 10, 0),
        (days[1], 10, 0),
        (days[2], 6, 4),
    ]
    assert (held.spendable, held.expiring_soon, held.reserved, held.owed) == (16, 10, 4, 0)
    assert (held.reductions, held.reduction_mg) == ((), 0)


def test_an_empty_wallet_is_a_wallet(db: Database, keys: Keys) -> None:
    (an,) = owners(db, keys, 1)
    held = db.read(holdings_of, bucket_of(an), an, today=day_of(now()))
    assert (held.reductions, held.points, held.owed) == ((), (), 0)


def test_what_a_correction_left_owing_is_told(db: Database, keys: Keys) -> None:
    points.programme(db, keys, 1_000)
    (an,) = points.citizens(db, keys, 1)
    bus, today = asset_number(db, BUS), day_of(now())
    points.accrue(db, an, bus, 100_000)
    points.swap(db, an)
    points.spend(db, an, 8, today=today)
    points.take_back(db, an, bus, 60_000, SYSTEM_ACCOUNTS["pool"], at=now())
    held = db.read(holdings_of, bucket_of(an), an, today=today)
    assert (held.spendable, held.owed) == (0, points.owed(db, an))
    assert held.owed > 0
