"""A corrected factor, over any acts and any two factors: what the rule says, once, nobody below 0.

The oracle knows no database: an act that lost grams is worth the less of what it had and what it
is worth now; one that gained is raised within what its day's cap leaves (R6, R9).
"""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.activities import decided
from app.governance import correcting, scanning
from app.governance.jobs import carry_out_corrections
from app.kernel.clock import day_of, now
from app.kernel.db import Database
from app.kernel.secrets import Keys
from tests.support.acts import balances, item, one, people, provider, send
from tests.support.desk import order, put_in_library, text
from tests.support.postgres import empty

TODAY = day_of(now())
CAP_MG = 3_000_000
RIDES = st.lists(st.tuples(st.integers(0, 2), st.integers(1, 40)), min_size=1, max_size=6)
"""(whose, kilometres), all on one day."""


def totals(rides: list[tuple[int, int]], old: int, new: int) -> dict[int, int]:
    """Give what each person has afterwards [mg]."""
    held: dict[int, int] = {}
    for person in {person for person, _ in rides}:
        raws = [km * old * 1000 for of, km in rides if of == person]
        factor = [km * new * 1000 for of, km in rides if of == person]
        before = min(CAP_MG, sum(raws))
        if new >= old:
            held[person] = min(CAP_MG, sum(factor))
            continue
        granted: list[int] = []
        left = CAP_MG
        for raw in raws:
            granted.append(min(raw, left))
            left -= granted[-1]
        assert sum(granted) == before
        held[person] = sum(map(min, granted, factor))
    return {person: mg for person, mg in held.items() if mg}


@pytest.fixture
def one_part(monkeypatch: pytest.MonkeyPatch) -> None:
    """Go over the city in one part: it has three people."""
    monkeypatch.setattr(scanning, "BUCKETS_A_PART", 1024)
    monkeypatch.setattr(correcting, "PARTS", 1)


@pytest.mark.usefixtures("one_part")
@settings(
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(rides=RIDES, factors=st.lists(st.integers(1, 300), min_size=2, max_size=2, unique=True))
def test_it_comes_to_what_the_rule_says_and_once(
    database_url: str, db: Database, keys: Keys, rides: list[tuple[int, int]], factors: list[int]
) -> None:
    old, new = factors
    empty(database_url)
    put_in_library(db, text(saving=str(old)))
    choice = db.read(decided, "TEST-RIDE")
    cards = ["card-0", "card-1", "card-2"]
    people(db, keys, metro := provider(db), cards, choice=choice)
    told = [
        item(n, subject=cards[person], distance=str(km)) for n, (person, km) in enumerate(rides, 1)
    ]
    send(db, keys, metro, told, choice=choice)
    put_in_library(db, text(version=2, saving=str(new), effective=str(TODAY + timedelta(days=1))))
    order(db, TODAY - timedelta(days=30), TODAY)
    for _ in range(2):
        carry_out_corrections(db, keys.receipt, at=now(), window_days=400)
        assert sorted(balances(db).values()) == sorted(totals(rides, old, new).values())
    assert one(db, "select count(*) = count(distinct activity) from act_correction") == (True,)
