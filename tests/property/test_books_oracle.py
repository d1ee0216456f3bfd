"""The SQL of the books against the pure oracle, over random movements.

Method: random batches of transfers between two citizens' accounts and the system accounts, most
of them lawful. Each batch goes to `ledger.post` and to PostgreSQL; both accept it with equal
balances, or both refuse it and nothing changes.
"""

from datetime import date

import psycopg
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlmodel import Session

from app.books import Overdrawn, Row
from app.books.places import kind_of_account
from app.kernel.db import Database, driver
from app.kernel.secrets import Keys
from ledger import accounts as core
from ledger import errors, posting
from ledger.assets import Asset, Points, Reduction
from ledger.chart import Code
from ledger.transfers import Transfer
from tests.support.owners import DAY, asset_number, owners, post_all, row

BUS = Reduction("ORACLE-BUS", 1, "bus", "A", date(2026, 1, 1))
BIKE = Reduction("ORACLE-BIKE", 1, "bike", "B", date(2026, 1, 1))
POINTS = Points("oracle", date(2027, 12, 31), 1)
ASSETS: tuple[Asset, ...] = (BUS, BIKE, POINTS)
MOVES = [
    (Code.ACCRUE, "issuance/reduction", "own", (0, 1)),
    (Code.GRANT_EXCHANGE, "issuance/points", "own", (2,)),
    (Code.HOLD, "own", "held", (2,)),
    (Code.RELEASE, "held", "own", (2,)),
    (Code.CANCEL, "own", "cancelled", (0, 1)),
    (Code.CORRECT, "own", "correction", (0, 1, 2)),
    (Code.EXCHANGE_POOL, "own", "pool", (0, 1)),
    (Code.REDEEM, "held", "redeemed", (2,)),
]
Step = tuple[int, int, int, int]
"""(which move, whose, which asset, how much)"""

steps = st.lists(
    st.tuples(
        st.integers(0, len(MOVES) - 1), st.integers(0, 1), st.integers(0, 2), st.integers(1, 40)
    ),
    min_size=1,
    max_size=3,
)
scripts = st.lists(steps, min_size=1, max_size=12)


def place(name: str, owner: int) -> int:
    return {"own": owner, "held": owner + 1}.get(name) or core.SYSTEM_ACCOUNTS[name]


def rows_of(batch: list[Step], people: list[int], numbers: dict[Asset, int]) -> list[Row]:
    rows: list[Row] = []
    for move, who, which, amount in batch:
        code, source, target, allowed = MOVES[move]
        asset = ASSETS[allowed[which % len(allowed)]]
        owner = people[who]
        rows.append(row(code, place(source, owner), place(target, owner), numbers[asset], amount))
    return rows


def as_account(number: int) -> core.Account:
    kind = kind_of_account(number)
    bucket = None if number < core.FIRST_OWNER_ID else core.bucket_of(number & ~1)
    return core.Account(number, kind, bucket)


def as_transfer(one: Row, assets: dict[int, Asset]) -> Transfer:
    return Transfer(
        id=one.id,
        source=as_account(one.source),
        target=as_account(one.target),
        asset=assets[one.asset],
        amount=one.amount,
        code=Code(one.code),
        cause=one.cause,
        occurred_on=DAY,
        recorded_on=one.recorded_on,
    )


def stored(db: Database) -> dict[tuple[int, int], int]:
    def query(session: Session) -> dict[tuple[int, int], int]:
        found = driver(session).execute("select account, asset, credits - debits from balance")
        return {(account, asset): net for account, asset, net in found.fetchall() if net}

    return db.read(query)


def at_the_end(
    balances: dict[posting.Holding, int], transfers: list[Transfer]
) -> dict[posting.Holding, int] | None:
    """What a batch comes to; None if a holder is below zero at its end, whatever its order."""
    ample = 1 << 40
    try:
        after = posting.post({each: net + ample for each, net in balances.items()}, transfers)
    except errors.NotInChart:
        return None
    nets = {each: net - ample for each, net in after.balances.items()}
    below = any(net < 0 for (account, _), net in nets.items() if not account.is_system)
    return None if below else nets


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(script=scripts)
@example(script=[[(2, 0, 0, 1), (3, 0, 0, 1)]])
def test_the_database_and_the_oracle_agree_on_every_batch(
    db: Database, keys: Keys, script: list[list[Step]]
) -> None:
    people = owners(db, keys, 2)
    numbers = {asset: asset_number(db, asset) for asset in ASSETS}
    assets = {number: asset for asset, number in numbers.items()}
    before = {key: net for key, net in stored(db).items() if key[0] & ~1 not in people}
    expected: dict[posting.Holding, int] = {}
    for batch in script:
        rows = rows_of(batch, people, numbers)
        transfers = [as_transfer(one, assets) for one in rows]
        touched = {(side, t.asset): 0 for t in transfers for side in (t.source, t.target)}
        accepted = at_the_end(touched | expected, transfers)
        try:
            post_all(db, rows)
        except (Overdrawn, psycopg.errors.CheckViolation):
            assert accepted is None, rows
        else:
            assert accepted is not None, rows
            expected = accepted
        nets = {
            (account.id, numbers[asset]): net
            for (account, asset), net in expected.items()
            if net and not account.is_system
        }
        assert stored(db) == before | nets
