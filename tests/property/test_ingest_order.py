"""Order independence (R9, R16): any permutation and repetition of uploads gives the same holdings.

The oracle below reads a whole day at once, in the order that the ruling names, and knows nothing
of windows, deadlines or corrections. Documents, names and aliases are made here.
"""

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.activities import Choice, Item
from app.activities.choice import chosen
from app.kernel.clock import day_of
from app.kernel.db import Database, driver
from app.kernel.secrets import Keys
from methodologies import Evidence
from tests.support.acts import TODAY, document, one, people, provider, rows, same_person, send
from tests.support.postgres import empty

PROVIDERS = ("alpha", "beta", "gamma")
PEOPLE = ("ann", "bo")
RIDES = chosen(document("TEST-ORDER", saving="100", cap="3 kg"))
OTHERS = chosen(document("TEST-ORDER-2", saving="70", cap="1 kg"))
CHOICES = {"alpha": RIDES, "beta": RIDES, "gamma": OTHERS}
SAVING_G = {"TEST-ORDER": 100, "TEST-ORDER-2": 70}
CAP_MG = {"TEST-ORDER": 3_000_000, "TEST-ORDER-2": 1_000_000}
RANK = {Evidence.PROVIDER_MEASURED: 3, Evidence.DOCUMENT_PROVED: 2, Evidence.SELF_DECLARED: 1}
MORNING = TODAY - timedelta(days=2)
VEHICLES = ("", "K-7", "k 7", "Seven", "M-1")
STATIONS = ("", "西丽", "西丽站", "深大")
CANONICAL = {"k7": "k7", "seven": "k7", "m1": "m1", "西丽": "西丽", "深大": "深大"}


@dataclass(frozen=True)
class Told:
    number: int
    provider: str
    person: str
    start_minute: int
    minutes: int
    distance_km: int
    evidence: Evidence
    vehicle: str
    station: str

    @property
    def start(self) -> datetime:
        return MORNING + timedelta(minutes=self.start_minute)

    @property
    def end(self) -> datetime:
        return self.start + timedelta(minutes=self.minutes)

    @property
    def code(self) -> str:
        return CHOICES[self.provider].code

    @property
    def raw_mg(self) -> int:
        weight = 1 if self.evidence is Evidence.SELF_DECLARED else 2
        return self.distance_km * SAVING_G[self.code] * 1000 * weight // 2

    def item(self) -> Item:
        return Item(
            line=self.number,
            external_id=f"x{self.number}",
            subject=f"{self.person}-{self.provider}",
            occurred_at=self.start,
            ended_at=self.end,
            inputs={"distance": Decimal(self.distance_km)},
            evidence=self.evidence,
            vehicle=self.vehicle,
            station=self.station,
        )


def name_of(text: str) -> str:
    plain = "".join(letter for letter in text.lower() if letter.isalnum()).removesuffix("站")
    return CANONICAL.get(plain, plain)


def same(a: Told, b: Told) -> bool:
    if a.provider == b.provider or a.person != b.person:
        return False
    slack = timedelta(minutes=10)
    if a.start > b.end + slack or b.start > a.end + slack:
        return False
    pairs = [(a.vehicle, b.vehicle), (a.station, b.station)]
    both = [(x, y) for x, y in pairs if x and y]
    return not both or any(name_of(x) == name_of(y) for x, y in both)


def oracle(acts: list[Told]) -> dict[tuple[str, str], int]:
    """What everybody holds by person and methodology, from the whole story at once."""
    kept: list[Told] = []
    ordered = sorted(
        acts,
        key=lambda a: (
            -RANK[a.evidence], a.start, a.provider, sha256(f"x{a.number}".encode()).digest()[:16],
        ),
    )  # fmt: skip
    for act in ordered:
        if not any(same(act, other) for other in kept):
            kept.append(act)
    sums: dict[tuple[str, str, date], int] = defaultdict(int)
    for act in kept:
        sums[act.person, act.code, day_of(act.start)] += act.raw_mg
    held: dict[tuple[str, str], int] = defaultdict(int)
    for (person, code, _), mg in sums.items():
        held[person, code] += min(mg, CAP_MG[code])
    return dict(held)


def acts(count: int) -> st.SearchStrategy[list[Told]]:
    one_act = st.builds(
        Told,
        number=st.just(0),
        provider=st.sampled_from(PROVIDERS),
        person=st.sampled_from(PEOPLE),
        start_minute=st.sampled_from([0, 6, 12, 18, 24, 30, 1428, 1434, 1440, 1446, 1452]),
        minutes=st.sampled_from([0, 3, 9, 25]),
        distance_km=st.integers(1, 25),
        evidence=st.sampled_from(list(Evidence)),
        vehicle=st.sampled_from(VEHICLES),
        station=st.sampled_from(STATIONS),
    )
    listed = st.lists(one_act, min_size=1, max_size=count)
    return listed.map(lambda found: [replace(act, number=n) for n, act in enumerate(found)])


@st.composite
def arrivals(draw: st.DrawFn) -> list[list[Told]]:
    """Uploads of one provider each, in some order, some acts told more than once."""
    told = draw(acts(9))
    order = draw(st.permutations(told))
    again = draw(st.lists(st.sampled_from(told), max_size=3))
    uploads: list[list[Told]] = []
    for act in [*order, *again]:
        last = uploads[-1] if uploads else []
        if last and last[-1].provider == act.provider and draw(st.booleans()):
            last.append(act)
        else:
            uploads.append([act])
    return uploads


def prepare(db: Database, keys: Keys) -> None:
    senders = {code: provider(db, code) for code in PROVIDERS}
    both = sorted({choice.versions[-1].scenario for choice in CHOICES.values()})
    assert len(both) == 1
    people(db, keys, senders["alpha"], [f"{p}-alpha" for p in PEOPLE], choice=RIDES)
    for other in PROVIDERS[1:]:
        links = {f"{p}-alpha": f"{p}-{other}" for p in PEOPLE}
        same_person(db, keys, senders["alpha"], senders[other], links, choice=RIDES)
    statement = b"insert into place_alias values ('vehicle', 'seven', 'k7')"
    db.transact(lambda session: driver(session).execute(statement))


def held(db: Database, keys: Keys) -> dict[tuple[str, str], int]:
    owners = {
        one(
            db,
            "select account from instrument where number = %s",
            keys.subject_hash("alpha", f"{person}-alpha"),
        )[0]: person
        for person in PEOPLE
    }
    found: dict[tuple[str, str], int] = defaultdict(int)
    query = """select b.account, a.methodology, b.credits - b.debits
                 from balance b join asset a on a.id = b.asset"""
    for owner, code, mg in rows(db, query):
        found[owners[owner], code] += mg
    return {key: mg for key, mg in found.items() if mg}


def laws(db: Database) -> None:
    """Balances replay, a day's grants are within its cap, an act's within its worth."""
    replay = """
    select account, asset, sum(mg)::int8 from (
      select target as account, asset, amount as mg from transfer where target >= 65536
      union all select source, asset, -amount from transfer where source >= 65536) t
     group by 1, 2 order by 1, 2"""
    stored = "select account, asset, credits - debits from balance order by 1, 2"
    assert rows(db, replay) == rows(db, stored)
    over = """
    select a.id from activity a join transfer t on t.bucket = a.bucket and t.cause = a.id
     where t.code = 1 group by a.id, a.raw_mg having sum(t.amount) > a.raw_mg * 3"""
    assert not rows(db, over)
    days = """
    select d.account, d.day, d.asset, least(d.raw_mg, d.cap_mg) from accrual_day d
     where least(d.raw_mg, d.cap_mg) <> (
       select coalesce(sum(case when t.code = 1 then t.amount else -t.amount end), 0)
         from transfer t where t.bucket = d.bucket and t.asset = d.asset
          and t.occurred_on = d.day and d.account in (t.source, t.target))"""
    assert not rows(db, days)


@pytest.mark.timeout(600)
@given(uploads=arrivals())
@settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_it_gives_what_one_sorted_upload_of_the_day_would(
    database_url: str, db: Database, keys: Keys, uploads: list[list[Told]]
) -> None:
    empty(database_url)
    prepare(db, keys)
    for upload in uploads:
        choice: Choice = CHOICES[upload[0].provider]
        send(db, keys, upload[0].provider, [act.item() for act in upload], choice)
    told = {act.number: act for upload in uploads for act in upload}
    assert held(db, keys) == oracle(list(told.values()))
    laws(db)
