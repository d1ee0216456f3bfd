"""What the wallet reads of rows that ingest wrote (钱包查询): working, caps, merges, anchors."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlmodel import Session

from app.activities import Correction, catalogued, correct
from app.activities.items import Item
from app.growth.published import growth_documents, in_force
from app.growth.reading import year_of
from app.growth.rules import grown
from app.kernel.clock import SHANGHAI, day_of, now
from app.kernel.db import Database, driver
from app.kernel.ids import new_id, parse_public_id, public_id
from app.kernel.quantities import mass
from app.kernel.secrets import Keys
from app.kernel.settings import Settings
from app.wallet import holdings_of
from app.wallet.act_schemas import ActDetailOut
from app.wallet.acts import ActFilter, acts_before, parts_of
from app.wallet.holdings import wallet_of
from app.wallet.rules import by_day, by_span
from app.wallet.telling import told_act
from ledger.accounts import SYSTEM_ACCOUNTS, bucket_of
from ledger.assets import Points
from ledger.chart import Code
from methodologies import CATALOG, Document, Evidence, Settlement, read_inputs
from methodologies.quantities import mass_mg
from tests.support import points
from tests.support.acts import TODAY, balances, one, people, rows, same_person, send
from tests.support.anchoring import ORIGIN, at, notary_over
from tests.support.auditing import audited
from tests.support.chain import MemoryChain
from tests.support.counting import sequential_scans_of, statements_of
from tests.support.owners import BUS, asset_number, owners, post_all, row
from tests.support.wallets import (
    METRO,
    TEN_KM_MG,
    Somebody,
    acts_of,
    citizens,
    operator,
    ride,
    somebody,
    tell,
)

WALLET_MAX = 4
"""What the issue allows the home screen."""
PAGE_MAX = 1
DETAIL_MAX = 9


def told(db: Database, who: Somebody, act: str) -> ActDetailOut:
    """One act as its citizen reads it."""
    activity = parse_public_id("act", act)
    assert activity is not None
    return db.read(told_act, who.bucket, who.owner, activity)


RUNNING = [
    document
    for document in CATALOG.values()
    if document.program is not None
    and document.settlement is not Settlement.BILLING_MONTH
    and any(example.reduction for example in document.examples)
]


@pytest.mark.parametrize("document", RUNNING, ids=lambda each: f"{each.code}-{each.version}")
def test_it_works_every_shipped_example_out_again(
    document: Document, db: Database, keys: Keys
) -> None:
    """Goal: what a citizen is shown is what was recorded. Method: tell each methodology's own
    examples through ingest, read them back, and compare with the mass that the document states."""
    examples = [each for each in document.examples if each.reduction]
    choice, sender = catalogued(document.code, document.version), operator(db)
    day = min(document.until or date.max, day_of(now()) - timedelta(days=2))
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=SHANGHAI)
    cards = [f"card-{number}" for number in range(len(examples))]
    people(db, keys, sender, cards, choice=choice, since=noon - timedelta(days=30))
    items = [
        Item(
            line=number,
            external_id=f"e{number}",
            subject=cards[number],
            occurred_at=noon,
            evidence=example.evidence,
            inputs={
                name: value
                for name, value in read_inputs(document, example.given).items()
                if value is not None
            },
        )
        for number, example in enumerate(examples)
    ]
    send(db, keys, sender, items, choice, settings=Settings(acceptance_window_days=3660))
    for card, example in zip(cards, examples, strict=True):
        who = somebody(db, keys, sender, card)
        (act,) = acts_of(db, who)
        shown = told(db, who, act)
        assert shown.outcome == "accepted", shown.reason
        assert shown.document is not None
        assert shown.document.sha256 == document.sha256
        assert shown.working is not None
        assert shown.working.computed is not None
        assert example.reduction is not None
        assert shown.working.computed.co2e_mg == mass_mg(example.reduction)
        if shown.grading.grade == "C":
            assert shown.working.recorded is None
            assert shown.reduction.co2e_mg == 0
        else:
            assert shown.working.agrees is True
            assert shown.working.recorded == shown.working.computed
        assert shown.working.steps[-1].unit == "mg"
        used = " ".join(step.expression for step in shown.working.steps)
        for parameter in shown.parameters:
            assert parameter.source
            assert parameter.name.split(".")[0] in used or parameter.name in used


def test_something_runs() -> None:
    assert len(RUNNING) > 10


def test_a_recorded_amount_that_the_engine_does_not_give_is_shown_and_audited(
    db: Database, keys: Keys, database_url: str
) -> None:
    """One milligram more in the row alone: the person sees it, and the audit names the act."""
    sender = operator(db)
    (an,) = citizens(db, keys, sender, "an")
    tell(db, keys, sender, [ride(1, "an")])
    with psycopg.connect(database_url) as connection:
        connection.execute("set session_replication_role = replica")
        connection.execute("update activity set raw_mg = raw_mg + 1")
    (act,) = acts_of(db, an)
    working = told(db, an, act).working
    assert working is not None
    assert working.agrees is False
    report = audited(database_url, keys, ORIGIN)
    finding = "SZ-METRO/1 gives 468000 mg, recorded is 468001 mg"
    assert finding in [found.detail for found in report.findings]
    assert report.checked["workings"] == 1


def test_the_cap_says_what_it_cut(db: Database, keys: Keys) -> None:
    """Two rides of 50 km are 2.34 kg each under a cap of 4 kg: the second loses 680 g."""
    sender = operator(db)
    (an,) = citizens(db, keys, sender, "an")
    tell(db, keys, sender, [ride(1, "an", km="50"), ride(2, "an", km="50")])
    shown = [told(db, an, act) for act in acts_of(db, an)]
    cuts = sorted(each.cap.cut.co2e_mg for each in shown if each.cap)
    assert cuts == [0, 680_000]
    cut = next(each for each in shown if each.cap and each.cap.cut.co2e_mg)
    assert cut.cap is not None
    assert cut.cap.limit.co2e_mg == 4_000_000
    assert cut.cap.day.co2e_mg == 4_680_000
    assert [(hint.code, hint.more and hint.more.co2e_mg) for hint in cut.hints] == [
        ("cap.below", 680_000),
        ("grade.better", None),
    ]
    assert sum(each.reduction.co2e_mg for each in shown) == 4_000_000


def test_a_declared_ride_says_what_a_measured_one_earns(db: Database, keys: Keys) -> None:
    sender = operator(db)
    (an,) = citizens(db, keys, sender, "an")
    tell(db, keys, sender, [ride(1, "an", evidence=Evidence.SELF_DECLARED)])
    (act,) = acts_of(db, an)
    shown = told(db, an, act)
    assert shown.reduction.co2e_mg == TEN_KM_MG // 2
    hint = next(each for each in shown.hints if each.code == "evidence.measured")
    assert hint.more is not None
    assert hint.more.co2e_mg == TEN_KM_MG // 2
    assert "evidence.self_declared" in shown.grading.why


def test_an_ineligible_ride_names_the_rule_that_it_missed(db: Database, keys: Keys) -> None:
    sender = operator(db)
    (an,) = citizens(db, keys, sender, "an")
    tell(db, keys, sender, [ride(1, "an", km="0.4")])
    (act,) = acts_of(db, an)
    shown = told(db, an, act)
    assert (shown.outcome, shown.reason) == ("ineligible", "trip.too_short")
    assert [(hint.code, hint.about) for hint in shown.hints] == [
        ("rule.met", ["distance >= 0.5 * km"])
    ]
    assert shown.working is not None
    assert shown.working.ineligible == "trip.too_short"
    assert shown.anchoring == []


def test_the_same_act_shows_which_record_counts(db: Database, keys: Keys) -> None:
    metro, other = operator(db), operator(db, "other")
    (an,) = citizens(db, keys, metro, "an")
    same_person(db, keys, metro, other, {"an": "an2"}, choice=METRO)
    noon = TODAY - timedelta(hours=12)
    weak = Evidence.DOCUMENT_PROVED
    tell(db, keys, metro, [ride(1, "an", at=noon, evidence=weak)])
    tell(db, keys, other, [ride(1, "an2", at=noon)])
    first, second = (told(db, an, act) for act in acts_of(db, an))
    assert (first.outcome, first.reason, first.reduction.co2e_mg) == ("merged", "merge.same_act", 0)
    assert second.outcome == "accepted"
    (into,) = first.merges
    assert (into.activity, into.provider, into.this_counts) == (second.id, "other", False)
    (behind,) = second.merges
    assert (behind.activity, behind.provider, behind.this_counts) == (first.id, "metro", True)
    (taken,) = first.corrections
    assert taken.change.co2e_mg == -TEN_KM_MG
    assert len(first.anchoring) == 2
    assert [each.code for each in first.hints] == []


def test_anchoring_goes_from_pending_to_final(
    db: Database, worker_db: Database, keys: Keys, tmp_path: Path
) -> None:
    sender = operator(db)
    (an,) = citizens(db, keys, sender, "an")
    tell(db, keys, sender, [ride(1, "an")])
    (act,) = acts_of(db, an)
    notary, chain = notary_over(worker_db, keys, tmp_path), MemoryChain()

    (before,) = told(db, an, act).anchoring
    assert (before.state, before.epoch, before.link) == ("pending", None, None)
    notary.close(at=at(0))
    (closed,) = told(db, an, act).anchoring
    assert (closed.state, closed.epoch, closed.log_index) == ("in_epoch", 1, 0)
    notary.publish()
    notary.submit(chain, at=at(0))
    (final,) = told(db, an, act).anchoring
    assert (final.state, final.link) == ("final", "/v1/public/epochs/1")


def test_a_replayed_act_says_where_it_comes_from(db: Database, keys: Keys) -> None:
    sender = operator(db)
    (an,) = citizens(db, keys, sender, "an")
    really = datetime(2018, 9, 1, 8, tzinfo=SHANGHAI)
    tell(db, keys, sender, [ride(1, "an", source_occurred_at=really, place="深圳 Shenzhen")])
    (act,) = acts_of(db, an)
    shown = told(db, an, act)
    assert shown.replay is not None
    assert (shown.replay.source_occurred_at, shown.replay.place) == (really, "深圳 Shenzhen")
    assert shown.basis == "operator-import"


def told_by_growth(db: Database, who: Somebody) -> tuple[int, int]:
    """The growth value and the level as the growth domain tells them."""
    today = day_of(now())
    document = in_force(growth_documents(), today)
    found = grown(document, db.read(year_of, who.bucket, who.owner, today))
    return found.value, found.level.number


def test_wallet_page_and_detail_take_few_statements(db: Database, keys: Keys) -> None:
    sender = operator(db)
    (an,) = citizens(db, keys, sender, "an")
    tell(db, keys, sender, [ride(n, "an") for n in range(8)])
    place, today = (an.bucket, an.owner), day_of(now())
    (held, growth, level), sent = statements_of(
        db, lambda session: wallet_of(session, *place, today=today)
    )
    assert (growth, level.number) == told_by_growth(db, an)
    assert held.reduction_mg == 8 * TEN_KM_MG
    assert 0 < len(sent) <= WALLET_MAX
    page, sent = statements_of(
        db, lambda session: acts_before(session, *place, ActFilter(), before=None, limit=5)
    )
    assert len(page) == 5
    assert len(sent) == PAGE_MAX
    act = page[0].id
    _, sent = statements_of(db, lambda session: told_act(session, *place, act))
    assert 0 < len(sent) <= DETAIL_MAX


def test_days_and_months_come_to_what_is_held(db: Database, keys: Keys) -> None:
    """Caps, merges and ineligible acts among them: the days add up to the balance."""
    metro, other = operator(db), operator(db, "other")
    (an, bo) = citizens(db, keys, metro, "an", "bo")
    same_person(db, keys, metro, other, {"an": "an2"}, choice=METRO)
    spread = [TODAY - timedelta(days=n * 7, hours=3) for n in range(12)]
    tell(db, keys, metro, [ride(n, "an", at=at, km=str(n * 9)) for n, at in enumerate(spread)])
    tell(db, keys, other, [ride(n, "an2", at=at, km="30") for n, at in enumerate(spread[:5])])
    tell(db, keys, metro, [ride(100 + n, "bo", at=at) for n, at in enumerate(spread)])
    held = balances(db)
    for who in (an, bo):
        since, until = TODAY.date() - timedelta(days=200), TODAY.date()
        parts = db.read(parts_of, who.bucket, who.owner, since=since, until=until)
        mine = sum(mg for (owner, _), mg in held.items() if owner == who.owner)
        assert mine > 0
        assert sum(total.mg for total in by_day(parts).values()) == mine
        months = by_span(parts, "month", since, until)
        assert sum(total.mg for total in months.values()) == mine
        assert sum(sum(total.fields.values()) for total in months.values()) == mine
        counted = one(
            db,
            "select count(*) from act_fate where account = %s and outcome = 'accepted'",
            who.owner,
        )
        assert sum(total.acts for total in months.values()) == counted[0]


FILL = """
insert into activity (bucket, account, recorded_on, id, provider, external_hash, upload,
  methodology, occurred_on, evidence, mode, asset, raw_mg, inputs)
select %s, 65536 + n %% 400 * 32 + 2, current_date - n %% 20, gen_random_uuid(), 1,
       decode(md5(n::text), 'hex'), gen_random_uuid(), 1, current_date - n %% 20, 3, 'metro',
       null, null, '{}'
  from generate_series(1, 40000) n"""
GROWING = ("activity", "transfer", "act_", "log_entry", "accrual_day", "account_anchor")
"""Tables, and the partitions of tables, that grow with the city."""


def test_no_partition_is_read_from_end_to_end(
    db: Database, keys: Keys, database_url: str, books_left_broken: None
) -> None:
    """Goal: a citizen's page, calendar and act cost by the citizen and not by the city. Method:
    forty thousand acts of four hundred people in one bucket; each plan names no sequential scan
    of a table that grows with the city."""
    del books_left_broken
    sender = operator(db)
    (an,) = citizens(db, keys, sender, "an")
    tell(db, keys, sender, [ride(n, "an") for n in range(3)])
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(FILL, (an.bucket,))
        connection.execute("vacuum analyze")
    place, today = (an.bucket, an.owner), day_of(now())
    act = rows(db, "select id from activity where account = %s limit 1", an.owner)[0][0]
    queries: tuple[Callable[[Session], object], ...] = (
        lambda session: acts_before(session, *place, ActFilter(), before=None, limit=50),
        lambda session: parts_of(session, *place, since=today.replace(day=1), until=today),
        lambda session: told_act(session, *place, act),
    )
    scanned = {table for query in queries for table in sequential_scans_of(db, query)}
    with_rows = {
        name
        for (name,) in rows(
            db,
            "select relname from pg_class where relnamespace = 'public'::regnamespace"
            " and relkind = 'r' and reltuples > 100",
        )
    }
    everybody = "select count(*) from activity where mode = 'metro'"
    assert with_rows & sequential_scans_of(db, lambda session: driver(session).execute(everybody))
    assert {name for name in scanned & with_rows if name.startswith(GROWING)} == set()


def test_points_are_told_by_the_day_they_end_and_what_is_owed_stands_beside(
    db: Database, keys: Keys
) -> None:
    """One past its day cannot be spent (R5), one that ends within a month is named, one is held."""
    (an,) = owners(db, keys, 1)
    today = day_of(now())
    days = [today - timedelta(days=1), today + timedelta(days=30), today + timedelta(days=31)]
    assets = [asset_number(db, Points("green", day, 1)) for day in days]
    issuance = SYSTEM_ACCOUNTS["issuance/points"]
    granted = [row(Code.GRANT_EXCHANGE, issuance, an, asset, 10) for asset in assets]
    post_all(db, [*granted, row(Code.HOLD, an, an | 1, assets[2], 4)])
    held = db.read(holdings_of, bucket_of(an), an, today=today)
    assert [(each.expires, each.available, each.reserved) for each in held.points] == [
        (days[0], 10, 0),
        (days[1], 10, 0),
        (days[2], 6, 4),
    ]
    assert (held.spendable, held.expiring_soon, held.reserved, held.owed) == (16, 10, 4, 0)
    assert (held.reductions, held.reduction_mg) == ((), 0)


def test_an_empty_wallet_is_a_wallet(db: Database, keys: Keys) -> None:
    (an,) = owners(db, keys, 1)
    held = db.read(holdings_of, bucket_of(an), an, today=day_of(now()))
    assert (held.reductions, held.points, held.owed) == ((), (), 0)


def test_what_a_correction_left_owing_is_told(db: Database, keys: Keys) -> None:
    points.programme(db, keys, 1_000)
    (an,) = points.citizens(db, keys, 1)
    bus, today = asset_number(db, BUS), day_of(now())
    points.accrue(db, an, bus, 100_000)
    points.swap(db, an)
    points.spend(db, an, 8, today=today)
    points.take_back(db, an, bus, 60_000, SYSTEM_ACCOUNTS["pool"], at=now())
    held = db.read(holdings_of, bucket_of(an), an, today=today)
    assert (held.spendable, held.owed) == (0, points.owed(db, an))
    assert held.owed > 0


def test_restated_and_withdrawn_acts_are_told_with_their_new_working(
    db: Database, keys: Keys
) -> None:
    """A provider restates ten kilometres as twelve, then withdraws the ride."""
    sender = operator(db)
    (an,) = citizens(db, keys, sender, "an")
    tell(db, keys, sender, [ride(1, "an")])
    (act,) = acts_of(db, an)
    twelve_mg = TEN_KM_MG // 10 * 12
    _correct(db, an, act, "provider.restated", raw_mg=twelve_mg, inputs={"distance": "12"})

    shown = told(db, an, act)
    assert (shown.outcome, shown.reduction.co2e_mg) == ("accepted", twelve_mg)
    assert shown.working is not None
    assert (shown.working.agrees, shown.working.recorded) == (True, mass(TEN_KM_MG))
    (restated,) = shown.restated
    assert restated.working is not None
    assert (restated.working.agrees, restated.working.computed) == (True, mass(twelve_mg))
    assert [each.change.co2e_mg for each in shown.corrections] == [twelve_mg - TEN_KM_MG]

    _correct(db, an, act, "provider.withdrawn", raw_mg=0, is_withdrawn=True)
    gone = told(db, an, act)
    assert (gone.outcome, gone.reduction.co2e_mg) == ("withdrawn", 0)
    assert gone.restated[-1].withdrawn is True
    today = day_of(now())
    place = (an.bucket, an.owner)
    assert db.read(parts_of, *place, since=today - timedelta(days=5), until=today) == []
    listed = db.read(acts_before, *place, ActFilter(outcome="withdrawn"), before=None, limit=5)
    assert [public_id("act", each.id) for each in listed] == [act]


def _correct(db: Database, who: Somebody, act: str, reason: str, **facts: Any) -> None:  # noqa: ANN401 -- any field
    activity = parse_public_id("act", act)
    assert activity is not None
    on = one(db, "select recorded_on from activity where id = %s", activity)[0]
    said = Correction(who.bucket, who.owner, on, activity, facts.pop("raw_mg"), reason, **facts)

    def command(session: Session) -> None:
        connection = driver(session)
        (made,) = correct(
            connection, [said], cause=new_id(), at=now(), window_days=400, new_id=new_id
        )
        assert made.is_recorded

    db.transact(command)
