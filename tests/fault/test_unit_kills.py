"""Kill -9 of whoever trades, buys, retires, recalls and tells the chain (单位断电测试): 60 times.

Goal: what was answered is done, once; what was refused is not; every unit is in one place, in the
registry, the ledger and the contract alike; and afterwards all is as alive as before. Method: a
process with seven threads against PostgreSQL and a real node is killed at a random moment and
forked anew; its diary, line by line, is held to what is there.
"""

import os
import random
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import pytest

from app.embedded.chain import Chain as Anvil
from app.kernel.clock import now
from app.kernel.db import Database, driver
from app.kernel.secrets import Keys
from app.registry.conservation import units_of_batches
from app.registry.conservation_rules import gap_kg, total_of
from tests.support import units_storm
from tests.support.acts import rows
from tests.support.anvil import AnvilRegister
from tests.support.auditing import assert_books_hold
from tests.support.chain import anvil
from tests.support.organisations import organisation
from tests.support.registry import Registry
from tests.support.retirements import issued_to
from tests.support.units_storm import Diary, Stage, be, work

KILLS: Final = int(os.environ.get("TANPU_KILLS", "60"))
DEEDS_MIN: Final = 500
BATCHES: Final = 4
BATCH_KG: Final = 4_000
BUFFER_KG: Final = 1_000
SEED: Final = random.randrange(2**32)
BEFORE_S: Final = (0.15, 0.6)
"""How long the process lives once it has begun something."""
PATIENCE_S: Final = 60.0
pytestmark = pytest.mark.timeout(7200 if KILLS > 60 else 400)


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Anvil]:
    with anvil(tmp_path_factory.mktemp("anvil")) as started:
        yield started


@pytest.fixture(scope="module")
def forks() -> ForkServerContext:
    """Where a fresh process costs no import."""
    context = get_context("forkserver")
    context.set_forkserver_preload([units_storm.__name__])
    return context


@dataclass
class Deed:
    """What the diary says of one deed."""

    what: str
    lives: set[int] = field(default_factory=set[int])
    """Which processes began it."""
    said: str = "unknown"


def read(diary: Path) -> tuple[Mapping[UUID, list[Deed]], int]:
    """Read the diary; gives its deeds, and how many lives ended with something begun."""
    deeds: dict[UUID, list[Deed]] = defaultdict(list)
    open_: set[UUID] = set()
    in_flight = 0
    for line in diary.read_text(encoding="ascii").splitlines():
        if line == "killed":
            in_flight += bool(open_)
            open_.clear()
            continue
        name, what, said = line.split()
        deed = UUID(name)
        if said == "begun":
            deeds[deed].append(Deed(what))
            open_.add(deed)
        else:
            deeds[deed][-1].said = said
            open_.discard(deed)
    return deeds, in_flight


@pytest.fixture
def stage(
    db: Database, worker_db: Database, keys: Keys, node: Anvil, tmp_path: Path
) -> tuple[Stage, AnvilRegister]:
    registry, chain = Registry(db, worker_db, keys, tmp_path), AnvilRegister(node)
    registry.terms(buffer_permille=0)
    operator, buffer = registry.operator, _buffer(db)
    others = [organisation(db, keys, number, at=registry.at).organisation for number in (2, 3, 4)]
    firms = [(each.id, each.owner) for each in (operator, *others)]
    made = [
        issued_to(db, operator.owner, BATCH_KG, at=now(), buffer=(buffer, BUFFER_KG))
        for _ in range(BATCHES)
    ]
    batches = {each.id: (each.public, each.asset) for each in made}
    diary = tmp_path / "diary"
    facts = (db.url, node.url, chain.address, chain.key, firms, batches, diary)
    return Stage(*facts), chain


def test_units_survive_sixty_kills(
    stage: tuple[Stage, AnvilRegister], forks: ForkServerContext, db: Database, worker_db: Database
) -> None:
    given, chain = stage
    rng, diary = random.Random(SEED), Diary(given.diary)
    for number in range(KILLS):
        process = forks.Process(target=be, args=(given, SEED + 100 * number), daemon=True)
        size = given.diary.stat().st_size
        process.start()
        _await(lambda size=size: given.diary.stat().st_size > size)
        time.sleep(rng.uniform(*BEFORE_S))
        process.kill()
        process.join(PATIENCE_S)
        diary.note("killed")
    _await(lambda: work(given, db, worker_db) == 0)
    deeds, in_flight = read(given.diary)
    answered = sum(each.said != "unknown" for told in deeds.values() for each in told)
    print(f"seed {SEED}: {answered} deeds answered, {in_flight} of {KILLS} killed in flight")  # noqa: T201 -- the run's figures
    assert in_flight >= 0.8 * KILLS
    assert answered >= DEEDS_MIN
    assert not _untrue(db, deeds)
    units = db.read(lambda session: units_of_batches(driver(session)))
    assert all(gap_kg(each) == 0 for each in units.values()), units
    total, told = total_of(units.values()), chain.totals()
    assert told.issued_kg == total.issued_kg == BATCHES * BATCH_KG
    assert told.retired_kg == total.retired_kg + total.cancelled_kg > 0
    assert told.invalidated_kg == total.invalidated_kg > 0
    assert_books_hold(db.url)


def _untrue(db: Database, deeds: Mapping[UUID, list[Deed]]) -> list[tuple[UUID, list[Deed]]]:
    """Give deeds that were told otherwise than they are."""
    asked = {id_: (reverted, taken) for id_, reverted, taken in rows(db, RETIREMENTS)}
    moved = {cause: (count, total) for cause, count, total in rows(db, MOVES)}
    recalls = {id_ for (id_,) in rows(db, "select id from recall")}
    bought = dict(rows(db, "select id, outcome from purchase"))

    def is_untrue(id_: UUID, deed: Deed) -> bool:
        if deed.said == "unknown":
            return False
        is_done = deed.said == "done"
        match deed.what:
            case "move":
                return moved.get(id_, (0, 0)) != ((2, 0) if is_done else (0, 0))
            case "ask":
                return (id_ in asked) != is_done
            case "drop":
                return (bought[id_] == "cancelled") != is_done
            case "revert":
                return asked[id_] != ((True, False) if is_done else (False, True))
            case _:
                return (id_ in recalls or id_ in bought) != is_done

    return [
        (id_, told) for id_, told in deeds.items() if any(is_untrue(id_, each) for each in told)
    ]


RETIREMENTS: Final = "select id, reverted_at is not null, taken_at is not null from retirement"
MOVES: Final = """
select cause, count(*), sum(case target when 21 then amount else -amount end)
  from transfer where code = 19 group by cause"""


def _buffer(db: Database) -> int:
    ((account,),) = rows(db, "select account from buffer_owner")
    return account


def _await(is_done: Any) -> None:  # noqa: ANN401 -- any question
    end = time.monotonic() + PATIENCE_S
    while not is_done():
        assert time.monotonic() < end, "too long"
        time.sleep(0.01)
