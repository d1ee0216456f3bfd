"""A city at work (运行中的城市): the addresses, databases and keys that every entry point needs.

Whoever opens a city finds its servers in this order: addresses given in the environment; the
runtime that another process runs in the same home; else an embedded runtime of its own, for as
long as the city is open.
"""

from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import psycopg
from pydantic import SecretStr

from app.catalogue import library
from app.embedded.runtime import Addresses, Given, Runtime, running
from app.kernel.advancing import ahead
from app.kernel.clock import CLOCK
from app.kernel.db import Database
from app.kernel.limits import Limits
from app.kernel.redis import Redis
from app.kernel.secrets import Keys
from app.kernel.settings import Settings
from app.migrations import migrate

DURABLE = ("fsync", "full_page_writes", "synchronous_commit")


class NotDurable(Exception):  # noqa: N818 -- names a state of the database server
    """The database server may lose what it has acknowledged (数据库未保证持久化)."""


@dataclass(frozen=True, slots=True)
class City:
    """Everything that outlives a request; made once by an entry point and passed on."""

    settings: Settings
    addresses: Addresses
    owner_url: str
    """Login that owns the schema; used by migrations, and by the demo to tamper."""
    keys: Keys
    db: Database
    """For deeds: may insert postings, and neither change nor delete them."""
    worker_db: Database
    """For the close: may also empty the queue of entries that await the log."""
    audit_db: Database
    """For auditors: may read, and nothing else."""
    redis: Redis = field(init=False)
    """Behind a breaker, one for the process; may be emptied at any moment with no wrong answer."""
    limits: Limits = field(init=False)
    """How often somebody may do something."""

    def __post_init__(self) -> None:
        """Connect to nothing yet."""
        object.__setattr__(self, "redis", Redis(self.addresses.redis_url))
        object.__setattr__(self, "limits", Limits(self.db, self.redis))


@contextmanager
def open_city(
    settings: Settings, *, migrating: bool = True, owning: bool = False
) -> Generator[City]:
    """Open the city of ``settings``, bringing up and migrating what is missing.

    Args:
        settings: Frozen configuration.
        migrating: Whether to bring the schema to the newest revision first; production
            leaves that to ``tanpu migrate``.
        owning: Whether to refuse the servers of another process, which end when it does.

    Raises:
        EmbeddedRefused: A server cannot be started here.
        NotDurable: Production, on a server that may lose acknowledged commits.
        VersionConflict: A methodology version ships with other bytes than were published.
    """
    with ExitStack() as stack:
        addresses = _addresses(settings, stack, owning=owning)
        owner_url = _reveal(settings.database_owner_url) or addresses.database_url
        if migrating and not settings.is_production:
            migrate(owner_url)
        if settings.is_production:
            refuse_unless_durable(addresses.database_url)
        city = City(
            settings=settings,
            addresses=addresses,
            owner_url=owner_url,
            keys=Keys(settings.keys_path, make_missing=not settings.is_production),
            db=Database(addresses.database_url),
            worker_db=Database(addresses.database_url, role="tanpu_worker", pool_size=2),
            audit_db=Database(addresses.database_url, role="tanpu_audit", pool_size=2),
        )
        if migrating:
            city.db.read(library)
        for database in (city.db, city.worker_db, city.audit_db):
            stack.callback(database.dispose)
        stack.callback(city.redis.close)
        if settings.sandbox:
            stack.enter_context(CLOCK.ahead_by(lambda: city.db.read(ahead)))
        yield city


def refuse_unless_durable(database_url: str) -> None:
    """Pass a server whose settings keep every acknowledged commit.

    Raises:
        NotDurable: One of ``fsync``, ``full_page_writes``, ``synchronous_commit`` is not on.
    """
    with psycopg.connect(database_url, connect_timeout=5) as connection:
        rows = connection.execute(
            "select name, setting from pg_settings where name = any(%s)", (list(DURABLE),)
        ).fetchall()
    if off := sorted(name for name, setting in rows if setting != "on"):
        raise NotDurable(f"{', '.join(off)} must be on (必须开启) in production")


def _addresses(settings: Settings, stack: ExitStack, *, owning: bool) -> Addresses:
    given = Given(
        database_url=_reveal(settings.database_url),
        redis_url=_reveal(settings.redis_url),
        chain_rpc_url=settings.chain_rpc_url,
    )
    if given.database_url and given.redis_url and given.chain_rpc_url:
        return Addresses(given.database_url, given.redis_url, given.chain_rpc_url)
    if not owning and (found := running(settings.tanpu_home)):
        return Addresses(
            given.database_url or found.database_url,
            given.redis_url or found.redis_url,
            given.chain_rpc_url or found.chain_rpc_url,
        )
    return stack.enter_context(Runtime(settings.tanpu_home, given)).addresses


def _reveal(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()
