"""A throw-away city for benchmarks: a durable embedded cluster with its people."""

import gc
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from multiprocessing.queues import Queue
from pathlib import Path
from typing import Any, Final

from app.citizens import WHEREABOUTS, enrol_unknown
from app.embedded.postgres import Postgres
from app.kernel.db import Database
from app.kernel.secrets import Keys
from app.migrations import migrate
from app.providers import Provider, add_provider

ENROLLED_AT_ONCE: Final = 20_000


@dataclass(frozen=True, slots=True)
class Ground:
    """What a worker process needs to reach the city."""

    url: str
    keys_path: Path
    home: Path

    def database(self) -> Database:
        """Open the database as the application."""
        return Database(self.url, pool_size=2)

    def keys(self) -> Keys:
        """Open the keys."""
        return Keys(self.keys_path, make_missing=False)


@contextmanager
def ground() -> Generator[Ground]:
    """Run a fresh city server, with fsync, and remove it."""
    with tempfile.TemporaryDirectory(prefix="tanpu-bench-") as folder:
        home = Path(folder)
        with Postgres(home / "home") as server:
            migrate(server.url)
            Keys(home / "keys", make_missing=True)
            yield Ground(server.url, home / "keys", home)


def enrol(
    city: Ground, provider: str, subjects: Sequence[str], scene: str, *, since_days: int = 30
) -> Provider:
    """Open a provider and enrol its subjects."""
    db, keys, at = city.database(), city.keys(), datetime.now(UTC)
    made = db.transact(add_provider, provider, name_zh=provider, name_en=provider, at=at)
    for start in range(0, len(subjects), ENROLLED_AT_ONCE):
        part = subjects[start : start + ENROLLED_AT_ONCE]
        for each in (scene, WHEREABOUTS):
            db.transact(
                enrol_unknown,
                keys,
                made.id,
                [keys.subject_hash(provider, subject) for subject in part],
                each,
                since=at - timedelta(days=since_days),
                at=at,
                is_production=False,
            )
    db.dispose()
    return made


def together(work: Any, arguments: Sequence[tuple[Any, ...]]) -> list[Any]:  # noqa: ANN401 -- any work
    """Run ``work`` once for each arguments, each in a process of its own, begun together."""
    context = get_context("spawn")
    barrier, results = context.Barrier(len(arguments)), context.Queue()
    processes = [
        context.Process(target=_run, args=(work, barrier, results, each)) for each in arguments
    ]
    for process in processes:
        process.start()
    answers = [results.get(timeout=3600) for _ in processes]
    for process in processes:
        process.join()
    if failed := [answer for answer in answers if isinstance(answer, str)]:
        raise RuntimeError(failed[0])
    return answers


def _run(work: Any, barrier: Any, results: "Queue[Any]", arguments: tuple[Any, ...]) -> None:  # noqa: ANN401 -- of multiprocessing
    gc.freeze()  # as entry points do: what was imported is not walked again for garbage
    try:
        results.put(work(barrier, *arguments))
    except BaseException as error:
        results.put(f"{type(error).__name__}: {error}")
        raise
