"""Loading the demo city (装载演示城市): every step is a public command, and may be run again."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Final
from uuid import UUID

from sqlmodel import Session

from app.activities import UploadResult, decided, enrol, ingest, read_items
from app.activities.importers import Import, Options, Replay, open_import
from app.activities.reading import ItemFile
from app.anchoring.files import write_whole
from app.catalogue import approve_scenario, sign_off
from app.city import City
from app.demo.files import (
    FILES,
    FUNDS_FEN,
    NOTE,
    PROGRAMME,
    PROVIDERS,
    REVIEWERS,
    RIDERS,
    RIDES,
    SIMULATED,
    DemoFile,
    DemoProvider,
)
from app.demo.market import MERCHANTS, open_shop
from app.kernel.clock import SHANGHAI, day_of
from app.kernel.ids import new_id
from app.kernel.secrets import Keys
from app.points import ProgrammeUnknown, find_programme, fund, open_programme
from app.providers import ProviderUnknown, add_provider, find_provider
from app.simulate import rides
from methodologies import CATALOG

SEED: Final = 20_250_822
APPROVED: Final = timedelta(days=365)
STATE: Final = "demo.json"


@dataclass(frozen=True, slots=True)
class Loaded:
    """What became of one source of the demo."""

    title: str
    provider: str
    methodology: str
    result: UploadResult


def loaded(city: City) -> bool:
    """Say whether this home's demo was loaded to its end."""
    state = _state(city)
    return bool(state.get("loaded"))


def told_whole(city: City) -> bool:
    """Say whether this home's demo went to its end: from the rides to a neutral run."""
    return bool(_state(city).get("whole"))


def note_whole(city: City) -> None:
    """Keep that it did."""
    _keep(city, {**_state(city), "whole": True})


def load(city: City, *, at: datetime) -> Iterator[Loaded]:
    """Load every source, telling each as it is done.

    Idempotent: the day that the demo was first loaded is kept, so that a run which broke off
    tells the same acts again, and they are found as duplicates.
    """
    state = _state(city)
    first = date.fromisoformat(str(state.get("first") or day_of(at)))
    _keep(city, {"first": first.isoformat()})
    for provider in PROVIDERS:
        city.db.transact(_open_provider, provider, at=at)
    city.db.transact(_decide, on=first)
    city.db.transact(_sponsor, city.keys, funding=new_id(), at=at)
    for merchant in MERCHANTS:
        ids = [new_id() for _ in (merchant, *merchant.offers)]
        city.db.transact(open_shop, city.keys, merchant, ids, at=at)
    for each in FILES:
        yield _load_file(city, each, yesterday=first - timedelta(days=1), at=at)
    yield _load_rides(city, first, at=at)
    _keep(city, {"first": first.isoformat(), "loaded": True})


def _load_file(city: City, each: DemoFile, *, yesterday: date, at: datetime) -> Loaded:
    shift = Replay((yesterday - each.last_reading).days)
    source = Path(str(files("app").joinpath("demo_data", each.file)))
    choice = city.db.read(decided, each.methodology)
    items = open_import(
        each.importer,
        source,
        choice,
        Options(replay=shift, day=each.weighed_on, declared=each.declared),
    )
    return _take(city, each.title, each.provider, each.methodology, items, at=at)


def ride_items(city: City, first: date) -> ItemFile:
    """Give the simulated rides of the day before ``first``, as their provider tells them."""
    day = datetime.combine(first - timedelta(days=1), datetime.min.time(), SHANGHAI)
    lines = rides(citizens=RIDERS, activities=RIDES, seed=SEED, day=day)
    body = "".join(f"{json.dumps(ride, ensure_ascii=False)}\n" for ride in lines)
    choice = city.db.read(decided, SIMULATED[1])
    return read_items(body.encode(), choice, name="rides.ndjson")


def first_day(city: City) -> date:
    """Give the day on which the demo was first loaded."""
    return date.fromisoformat(str(_state(city)["first"]))


def _load_rides(city: City, first: date, *, at: datetime) -> Loaded:
    provider, methodology = SIMULATED
    items = ride_items(city, first)
    return _take(city, "模拟 simulated rides", provider, methodology, items, at=at)


def _take(
    city: City,
    title: str,
    provider: str,
    methodology: str,
    items: Import | ItemFile,
    *,
    at: datetime,
) -> Loaded:
    choice = city.db.read(decided, methodology)
    basis = "simulated" if provider == SIMULATED[0] else "operator-import"
    enrol(
        city.db,
        city.keys,
        provider,
        choice,
        items,
        at=at,
        is_production=city.settings.is_production,
        basis=basis,
    )
    result = ingest(
        city.db, city.keys, city.settings, provider, choice, items, at=at, sha256=items.sha256
    )
    return Loaded(title, provider, methodology, result)


def _open_provider(session: Session, each: DemoProvider, *, at: datetime) -> None:
    try:
        find_provider(session, each.code)
    except ProviderUnknown:
        add_provider(session, each.code, name_zh=each.name_zh, name_en=each.name_en, at=at)


def _sponsor(session: Session, keys: Keys, *, funding: UUID, at: datetime) -> None:
    """Open a programme with money that nobody paid in: points for people to try, labelled demo."""
    try:
        find_programme(session, PROGRAMME.code)
    except ProgrammeUnknown:
        open_programme(session, keys, PROGRAMME, at=at)
        fund(session, PROGRAMME.code, FUNDS_FEN, cause=funding, at=at)


def _decide(session: Session, *, on: date) -> None:
    """Sign the simulated rides' methodology off, and approve its scenario: grade A, as a demo."""
    methodology = SIMULATED[1]
    start = on - timedelta(days=1)
    for (code, version), document in CATALOG.items():
        if code != methodology:
            continue
        for reviewer in REVIEWERS:
            sign_off(session, code, version, reviewer=reviewer, on=start, note=NOTE)
        approve_scenario(
            session,
            document.scenario,
            valid_from=start,
            valid_until=on + APPROVED,
            letter=NOTE,
        )


def _state(city: City) -> dict[str, object]:
    path = city.settings.tanpu_home / STATE
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def _keep(city: City, state: dict[str, object]) -> None:
    write_whole(city.settings.tanpu_home / STATE, json.dumps(state).encode())
