"""A city in which people leave (删除测试): two who live in it, and all that a dump says of them."""

import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import sql
from sqlmodel import Session

from app.anchoring import Notary
from app.citizens import Citizen
from app.citizens.consents import give_consent, link_instrument
from app.citizens.identities import Subject
from app.citizens.logins import log_in
from app.kernel.clock import now
from app.kernel.db import Database, driver
from app.kernel.ids import new_id
from app.kernel.secrets import Keys
from app.kernel.tokens import Principal
from app.privacy.erasing import ask_erasure, erase
from app.privacy.profile import change_profile
from app.providers import Provider
from app.sessions.commands import open_session
from tests.support.acts import TODAY, item, provider, send
from tests.support.anchoring import ORIGIN, at, notary_over
from tests.support.auditing import auditor
from tests.support.chain import MemoryChain

LONG_AGO: Final = TODAY - timedelta(days=60)
SECRET: Final = bytes(range(32))
_TABLES: Final = """
select relname from pg_class
 where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition
 order by 1"""


@dataclass
class Leaver:
    """Somebody with everything that a person can have here."""

    who: Principal
    phone: str
    name: str
    card: str
    openid: str

    @property
    def citizen(self) -> Citizen:
        return Citizen(self.who.bucket, self.who.owner)

    def words(self) -> list[str]:
        """What nobody may read anywhere."""
        return [self.phone, self.phone.removeprefix("+86"), self.name, self.card, self.openid]

    def hashes(self, keys: Keys, sender: Provider) -> list[bytes]:
        """What these words hash to under keys that still exist."""
        return [
            keys.subject_hash(sender.code, self.card),
            keys.login_hash("phone", self.phone.encode()),
            keys.login_hash("wechat", self.openid.encode()),
        ]


class Town:
    """Databases, keys, a notary and a chain; time passes by the hour."""

    def __init__(self, db: Database, worker_db: Database, keys: Keys, folder: Path) -> None:
        self.db, self.worker_db, self.keys = db, worker_db, keys
        self.chain = MemoryChain()
        self.notary: Notary = notary_over(worker_db, keys, folder)
        self.metro = provider(db)
        self.hours = 0
        self.acts = 0

    def join(self, number: int) -> Leaver:
        """Let somebody join by phone, fill in everything, and ride twice."""
        phone, card, openid = f"+861380000000{number}", f"CARD-SECRET-{number}", f"oid-{number}-xyz"
        made = Leaver(self.log_in(phone), phone, f"隐名氏{number}", card, openid)
        self.db.transact(self._fill, made)
        self.ride(made)
        return made

    def log_in(self, phone: str) -> Principal:
        subject = Subject("phone", phone)
        return self.db.transact(log_in, self.keys, subject, may_open=True, at=LONG_AGO)

    def _fill(self, session: Session, made: Leaver) -> None:
        from app.citizens.logins import link_login  # noqa: PLC0415 -- beside its only use

        link_login(session, self.keys, made.citizen, Subject("wechat", made.openid), at=LONG_AGO)
        open_session(session, made.who, label="phone", family=new_id(), secret=SECRET, at=now())
        changes = {"display_name": made.name, "automatic_exchange": True}
        change_profile(session, self.keys, made.citizen, changes, at=LONG_AGO)
        for scene in ("test-ride", "whereabouts"):
            give_consent(session, made.citizen, self.metro.id, scene, at=LONG_AGO, basis="self")
        number = self.keys.subject_hash(self.metro.code, made.card)
        link_instrument(session, made.citizen, self.metro.id, number, at=LONG_AGO)

    def ride(self, who: Leaver, count: int = 2) -> dict[str, int]:
        """Tell of rides of somebody, each at a station."""
        first, self.acts = self.acts + 1, self.acts + count
        told = [
            item(line, subject=who.card, station="西丽站", place="Shenzhen")
            for line in range(first, first + count)
        ]
        result = send(self.db, self.keys, self.metro, told)
        return {str(outcome): many for outcome, many in result.counts.items() if many}

    def close(self) -> None:
        """Close an epoch and anchor it."""
        self.hours += 24
        self.notary.close(at=at(self.hours))
        self.notary.publish()
        self.notary.submit(self.chain, at=at(self.hours))

    def ask(self, who: Leaver, *, when: datetime | None = None) -> None:
        """Ask for an erasure."""
        facts: dict[str, Any] = {"named": new_id(), "secret": SECRET, "at": when or now()}
        self.db.transact(ask_erasure, self.keys, who.who, **facts)

    def work(self, **more: Any) -> int:  # noqa: ANN401 -- as the job takes them
        """Run the worker's job once."""
        return erase(self.worker_db, self.keys, ORIGIN, at=now(), **more)

    def erase(self, who: Leaver) -> None:
        """See an erasure through."""
        self.ask(who)
        assert self.work() == 0
        self.close()
        assert self.work() == 1


def dump(url: str) -> dict[str, str]:
    """Everything that the database would give to whoever stole it, table by table, as text."""
    told: dict[str, str] = {}
    with psycopg.connect(url) as connection:
        for (name,) in connection.execute(_TABLES).fetchall():
            with connection.cursor().copy(
                sql.SQL("copy (select * from {}) to stdout").format(sql.Identifier(name))
            ) as copy:
                told[name] = b"".join(bytes(part) for part in copy).decode()
        packed = connection.execute("select outcomes from upload_chunk").fetchall()
    told["upload_chunk, unpacked"] = "\n".join(zlib.decompress(row).decode() for (row,) in packed)
    return told


def found_in(told: dict[str, str], words: Iterable[str | bytes]) -> set[tuple[str, str]]:
    """Where a dump has one of these, as text or in hex."""
    return {
        (table, word if isinstance(word, str) else word.hex())
        for word in words
        for table, text in told.items()
        if (isinstance(word, str) and word in text)
        or (word.encode() if isinstance(word, str) else word).hex() in text
    }


def owner_rows(db: Database, query: str, *facts: object) -> list[tuple[Any, ...]]:
    """Ask as the auditor, who may read everything."""
    with auditor(db.url) as reader:
        return reader.read(lambda s: driver(s).execute(query.encode(), facts).fetchall())
