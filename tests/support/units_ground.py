"""What the runs of the units' model stand on (单位模型的城市): sellers, a buyer, a gathering."""

import secrets
from collections.abc import Collection, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

import psycopg
from sqlmodel import Session

from app.kernel.db import driver
from app.organisations import Organisation
from app.registry.conservation import units_of_batches
from app.registry.conservation_rules import UnitsOfBatch
from app.registry.replacing import standing_of
from app.registry.terms import buffer_of
from tests.support.gatherings import Marathon
from tests.support.market import Market
from tests.support.organisations import organisation
from tests.support.registry import Registry
from tests.support.units_model import BUFFER, GATHERING

BUYERS: Final = 2
FORGET: Final = """
delete from recall_given; delete from recall_told; delete from recall_void;
delete from recall_used; delete from recall_sweep; delete from purchase; delete from quote;
delete from listing; delete from reservation;
delete from recall_batch; delete from recall; delete from replacement; delete from issued_shortfall;
delete from registry_message; delete from retirement; delete from issue_batch; delete from lot;
delete from log_pending where id in (select id from transfer where asset & 7 = 4 or code = 2);
delete from transfer where asset & 7 = 4 or code = 2; delete from balance where asset & 7 = 4"""


class Stall(Market):
    """A market at which nothing is issued and handed to nobody: the model's runs do that."""

    def __post_init__(self) -> None:
        """Fund nobody."""

    def hand(self, to: Organisation, quantity_kg: int) -> None:
        """Leave a gathering's organiser without units."""


@dataclass
class Ground:
    """What the runs of one test share: a city, whose registry each run finds empty."""

    registry: Registry
    owner: psycopg.Connection
    owners: Mapping[int, int]
    """In the books, of the model's owners."""
    sellers: Sequence[Organisation]
    """By the model's owner."""
    race: Marathon
    buyer: Organisation
    """Who buys, and holds nothing."""
    runs: int = 0
    seen: set[str] = field(default_factory=set[str])

    def forget(self) -> None:
        """Leave no unit, as before the first run."""
        self.owner.execute(FORGET)


@contextmanager
def units_ground(registry: Registry) -> Generator[Ground]:
    """Make it, and leave no unit behind."""
    db, keys = registry.db, registry.keys
    registry.terms(buffer_permille=0)
    made = [
        organisation(db, keys, number, at=registry.at).organisation
        for number in range(2, BUYERS + 2)
    ]
    race = Marathon(Stall(registry))
    sellers = [registry.operator, *made[:-1], race.office.organisation]
    owners = {number: each.owner for number, each in enumerate(sellers)}
    owners |= {BUFFER: db.read(buffer_of), GATHERING: race.gathering.owner}
    with psycopg.connect(db.url, autocommit=True) as owner:
        owner.execute("set session_replication_role = replica")
        made_ground = Ground(registry, owner, owners, sellers, race, made[-1])
        yield made_ground
        made_ground.forget()


def salt() -> bytes:
    """Give what hides a text."""
    return secrets.token_bytes(32)


def standings(
    session: Session, batches: Sequence[UUID]
) -> tuple[Mapping[UUID, int], Collection[UnitsOfBatch]]:
    """Give what each batch is short of, and where its units are."""
    connection = driver(session)
    short = {batch: standing_of(connection, batch).deficit_kg for batch in batches}
    return short, units_of_batches(connection).values()
