"""Erasures among everything else (删除的先后), in any order: the books hold, nobody lingers.

Two people ride, are granted points, leave, and come back, while epochs close and the worker runs,
as Hypothesis likes. At the end every erasure that was asked for is seen through. Then the dump
says nothing of who left, what they had is where R20 sends it, and the audit is clean.
"""

from datetime import date
from pathlib import Path
from tempfile import mkdtemp

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.kernel.db import Database
from app.kernel.secrets import Keys
from app.privacy.errors import ErasureUnderWay
from ledger.accounts import SYSTEM_ACCOUNTS
from ledger.assets import Points
from ledger.chart import Code
from tests.support.anchoring import ORIGIN, receipt, verify
from tests.support.auditing import assert_clean
from tests.support.leaving import Leaver, Town, dump, found_in, owner_rows
from tests.support.owners import asset_number, post_all, row
from tests.support.postgres import empty

POINTS = Points("green", date(2099, 12, 31), 0)
STEPS = ("ride", "grant", "ask", "work", "close", "return")


class Days:
    """What two people do, and who of them has left for good."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.here = [town.join(1), town.join(2)]
        self.leaving: list[Leaver] = []

    def take(self, step: str, place: int) -> None:
        town, who = self.town, self.here[place]
        if step == "work":
            town.work()
        elif step == "close":
            town.close()
        elif step == "ride":
            told = town.ride(who, 1)
            assert told == {"refused" if who in self.leaving else "accepted": 1}
        elif step == "grant":
            issuance = SYSTEM_ACCOUNTS["issuance/points"]
            asset = asset_number(town.db, POINTS)
            post_all(town.db, [row(Code.GRANT_EXCHANGE, issuance, who.who.owner, asset, 5)])
        elif step == "ask" and who not in self.leaving:
            town.ask(who)
            self.leaving.append(who)
        elif step == "ask":
            self._ask_again(who)
        elif step == "return" and self._is_gone(who):
            self.here[place] = town.join(place + 1)

    def finish(self) -> None:
        for _ in range(4):
            self.town.work()
            self.town.close()
        self.town.work()
        assert all(map(self._is_gone, self.leaving))

    def _ask_again(self, who: Leaver) -> None:
        if not self._is_gone(who):
            try:
                self.town.ask(who)
            except ErasureUnderWay:
                return
            raise AssertionError("asked twice")

    def _is_gone(self, who: Leaver) -> bool:
        query = "select 1 from account where id = %s and akey is null"
        return owner_rows(self.town.db, query, who.who.owner) != []


@settings(
    max_examples=8,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 1)), max_size=16))
def test_whatever_the_order_nobody_lingers_and_the_books_hold(
    db: Database, worker_db: Database, keys: Keys, tmp_path: Path, steps: list[tuple[str, int]]
) -> None:
    empty(db.url)
    town = Town(db, worker_db, keys, Path(mkdtemp(dir=tmp_path)))
    days = Days(town)
    for step, place in steps:
        days.take(step, place)
    days.finish()

    told = dump(db.url)
    for who in days.here:
        words = [*who.words(), *who.hashes(keys, town.metro)]
        assert bool(found_in(told, words)) == (who not in days.leaving)
        if who not in days.leaving:
            assert verify(town.notary, receipt(town.notary, db, who.who.owner)).startswith("true")
    gone = {who.who.owner for who in days.leaving}
    held = owner_rows(db, "select account, sum(credits - debits)::int8 from balance group by 1")
    assert not gone & {owner & ~1 for owner, amount in held if amount}
    assert_clean(db.url, keys, ORIGIN, town.chain)
