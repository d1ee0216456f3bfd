"""What the wallet reads of rows that ingest wrote (钱包查询): working, caps, merges, anchors."""

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlmodel import Session

from app.activities import Correction, catalogued, correct
from app.activities.items import Item
from app.kernel.clock import SHANGHAI, day_of, now
from app.kernel.db import Database, driver
from app.kernel.ids import new_id, parse_public_id, public_id
from app.kernel.quantities import mass
from app.kernel.secrets import Keys
from app.kernel.settings import Settings
from app.wallet.act_schemas import ActDetailOut
from app.wallet.acts import ActFilter, acts_before, parts_of
from app.wallet.telling import told_act
from methodologies import CATALOG, Document, Evidence, Settlement, read_inputs
from methodologies.quantities import mass_mg
from tests.support.acts import TODAY, one, people, same_person, send
from tests.support.anchoring import ORIGIN, at, notary_over
from tests.support.auditing import audited
from tests.support.chain import MemoryChain
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
