"""Acts for tests (行为样例): documents that do not ship, providers, people, items, uploads."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from app.activities import Choice, Item, Malformed, UploadResult, ingest
from app.activities.choice import chosen
from app.citizens import Citizen, enrol_unknown, give_consent, link_instrument, scenes_of
from app.kernel.clock import SHANGHAI, now
from app.kernel.db import Database, driver
from app.kernel.secrets import Keys
from app.kernel.settings import Settings
from app.providers import Provider, add_provider
from methodologies import Document, load

SETTINGS = Settings()
TODAY = now().astimezone(SHANGHAI).replace(hour=0, minute=0, second=0, microsecond=0)


def ride_text(
    code: str = "TEST-RIDE",
    *,
    version: int = 1,
    mode: str = "ride",
    saving: str = "100",
    cap: str | None = "3 kg",
    effective: str = "2020-01-01",
    status: str = "published",
    more: str = "",
) -> str:
    """A ride that saves so many grams a kilometre, under a daily cap, as its document says it."""
    value = f'value = "{saving}"\n' if status != "missing" else ""
    caps = f'[caps.person_day]\nreduction = "{cap}"\nsource = "S"\n' if cap else ""
    return f"""code = "{code}"
version = {version}
object = "scenario"
field = "green_travel"
issuer = "Test"
document = "Test"
effective = {effective}
scenario = "test-{mode}"
mode = "{mode}"
title = {{ zh = "测试", en = "Test" }}
{more}
[inputs.distance]
unit = "km"
min = "0"
max = "200"

[parameters.saving]
{value}unit = "g/pkm"
status = "{status}"
source = "S"

[[eligibility]]
require = "distance >= 0.5 * km"
reason = "trip.too_short"
source = "S"

[formula]
reduction = "distance * saving * passenger"

{caps}
[sources.S]
text = "a test"
"""


def document(code: str = "TEST-RIDE", **told: Any) -> Document:  # noqa: ANN401 -- any argument of it
    """Load such a ride."""
    return load(ride_text(code, **told).encode(), name=f"{code}.toml")


RIDE = chosen(document())


def provider(db: Database, code: str = "metro") -> Provider:
    """Open a provider."""
    return db.transact(add_provider, code, name_zh=code, name_en=code, at=TODAY)


def people(
    db: Database,
    keys: Keys,
    sender: Provider,
    subjects: Sequence[str],
    *,
    choice: Choice = RIDE,
    since: datetime = TODAY - timedelta(days=300),
) -> None:
    """Enrol subjects, each a person of their own, from long ago."""
    numbers = [keys.subject_hash(sender.code, subject) for subject in subjects]
    for scene in scenes_of(choice.versions[-1:]):
        db.transact(
            enrol_unknown,
            keys,
            sender.id,
            numbers,
            scene,
            since=since,
            at=TODAY,
            is_production=False,
        )


def same_person(
    db: Database,
    keys: Keys,
    known: Provider,
    other: Provider,
    subjects: Mapping[str, str],
    *,
    choice: Choice = RIDE,
) -> None:
    """Link cards of another provider to the people that ``known`` has: {known's: other's}."""
    since = TODAY - timedelta(days=300)
    for old, new in subjects.items():
        bucket, owner = one(
            db,
            "select bucket, account from instrument where provider = %s and number = %s",
            known.id,
            keys.subject_hash(known.code, old),
        )
        citizen = Citizen(bucket, owner)
        for scene in scenes_of(choice.versions[-1:]):
            db.transact(give_consent, citizen, other.id, scene, at=since, basis="self")
        number = keys.subject_hash(other.code, new)
        db.transact(link_instrument, citizen, other.id, number, at=since)


def item(line: int = 1, **facts: Any) -> Item:  # noqa: ANN401 -- any field
    """A ride of ten kilometres at eight yesterday, unless told otherwise."""
    told: dict[str, Any] = {
        "external_id": f"r{line}",
        "subject": "card-1",
        "occurred_at": TODAY - timedelta(hours=16),
        "inputs": {"distance": Decimal(10)},
    }
    if "distance" in facts:
        told["inputs"] = {"distance": Decimal(facts.pop("distance"))}
    return Item(line=line, **{**told, **facts})


def send(
    db: Database,
    keys: Keys,
    sender: Provider | str,
    items: Iterable[Item | Malformed],
    choice: Choice = RIDE,
    **more: Any,  # noqa: ANN401 -- any argument
) -> UploadResult:
    """Ingest items now."""
    code = sender if isinstance(sender, str) else sender.code
    at = more.pop("at", None) or now()
    settings = more.pop("settings", SETTINGS)
    return ingest(db, keys, settings, code, choice, list(items), at=at, **more)


def counts(result: UploadResult) -> dict[str, int]:
    """The outcomes that occurred."""
    return {str(outcome): count for outcome, count in result.counts.items() if count}


def one(db: Database, query: str, *facts: object) -> tuple[Any, ...]:
    """The one row of a query."""
    row = db.read(lambda session: driver(session).execute(query.encode(), facts).fetchone())
    assert row is not None
    return row


def rows(db: Database, query: str, *facts: object) -> list[tuple[Any, ...]]:
    """The rows of a query."""
    return db.read(lambda session: driver(session).execute(query.encode(), facts).fetchall())


def balances(db: Database) -> dict[tuple[int, int], int]:
    """What everybody holds, by account and asset; zero rows left out."""
    held = rows(db, "select account, asset, credits - debits from balance")
    return {(owner, asset): mg for owner, asset, mg in held if mg}
