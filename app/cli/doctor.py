"""``tanpu doctor`` (体检): what this machine has, what is missing, and what to do about it."""

import platform
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import typer

from app.cli.screen import UNAVAILABLE, AsJson, answer, table
from app.embedded import chain, postgres, redis
from app.embedded.errors import EmbeddedRefused
from app.embedded.runtime import running
from app.kernel.secrets import NAMES
from app.kernel.settings import Settings

FREE_BYTES_MIN: Final = 2 * 1024**3
GIGABYTE: Final = 1024**3


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    ok: bool
    found: str


def doctor(*, as_json: AsJson = False) -> None:
    """Look at everything a city needs on this machine; exit 3 if something is missing (体检)."""
    settings = Settings()
    checks = [
        Check("python", sys.version_info >= (3, 11), platform.python_version()),
        Check("assertions", __debug__, "on" if __debug__ else "off (python -O)"),
        _server("postgres", settings.database_url is not None, postgres.find_programs),
        _server("redis", settings.redis_url is not None, redis.find_program),
        _server("chain", settings.chain_rpc_url is not None, chain.find_program),
        _disk(settings),
        _keys(settings),
        _home(settings),
    ]
    ok = all(check.ok for check in checks)
    rows = [{"check": check.name, "ok": check.ok, "found": check.found} for check in checks]
    people = table(
        "体检 doctor",
        ("check", "", "found"),
        ((c.name, "ok" if c.ok else "MISSING", c.found) for c in checks),
    )
    answer({"ok": ok, "checks": rows}, as_json=as_json, people=people)
    if not ok:
        raise typer.Exit(UNAVAILABLE)


def _server(name: str, given: bool, find: Callable[[], object]) -> Check:  # noqa: FBT001 -- private
    if given:
        return Check(name, ok=True, found="address given")
    try:
        return Check(name, ok=True, found=str(find()))
    except EmbeddedRefused as refused:
        return Check(name, ok=False, found=str(refused))


def _disk(settings: Settings) -> Check:
    place = settings.tanpu_home.absolute()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    return Check("disk", free >= FREE_BYTES_MIN, f"{free // GIGABYTE} GiB free at {place}")


def _keys(settings: Settings) -> Check:
    missing = [name for name in NAMES if not (settings.keys_path / name).exists()]
    if not missing:
        return Check("keys", ok=True, found=str(settings.keys_path))
    made = "made at first start" if not settings.is_production else "missing"
    return Check("keys", not settings.is_production, f"{', '.join(missing)}: {made}")


def _home(settings: Settings) -> Check:
    found = running(settings.tanpu_home)
    state = "a city is running here" if found else "no city is running here"
    return Check("home", ok=True, found=f"{settings.tanpu_home}: {state}")
