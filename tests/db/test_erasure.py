"""Erasure (删除) in the order of R20, and what is left of a person afterwards: nothing."""

import json
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlmodel import Session

from app.activities.corrections import FACTOR, Correction, correct
from app.anchoring.errors import NotAnchored
from app.books import Row, post
from app.citizens import Citizen, give_consent
from app.citizens.errors import CitizenUnknown
from app.kernel.clock import day_of, now
from app.kernel.db import Database, driver
from app.kernel.ids import new_id, public_id
from app.kernel.scopes import Role, Scope
from app.kernel.secrets import Keys
from app.kernel.tokens import TokenInvalid
from app.privacy.erasing import find_erasure
from app.privacy.errors import ErasureUnderWay
from app.privacy.stages import Others
from app.staff import Asking, ask
from app.wallet import raise_appeal
from app.wallet.appeals import decide_appeal
from ledger.accounts import SYSTEM_ACCOUNTS
from ledger.assets import Points
from ledger.chart import Code
from tests.support.acts import one, rows
from tests.support.anchoring import ORIGIN, receipt, verify
from tests.support.auditing import assert_clean
from tests.support.clerks import known
from tests.support.leaving import SECRET, Leaver, Town, dump, found_in, owner_rows
from tests.support.owners import BUS_B, accrual, asset_number, post_all, row
from tests.support.points import programme, swap

POINTS = Points("green", date(2099, 12, 31), 0)


@pytest.fixture
def town(db: Database, worker_db: Database, keys: Keys, tmp_path: Path) -> Town:
    return Town(db, worker_db, keys, tmp_path)


def give_points(town: Town, who: Leaver, points: int = 7) -> None:
    asset = asset_number(town.db, POINTS)
    made = row(
        Code.GRANT_EXCHANGE, SYSTEM_ACCOUNTS["issuance/points"], who.who.owner, asset, points
    )
    post_all(town.db, [made])


def stage_of(town: Town, who: Leaver) -> str:
    query = "select stage from erasure where bucket = %s and account = %s"
    return one(town.db, query, who.who.bucket, who.who.owner)[0]


def moved(town: Town, who: Leaver) -> list[tuple[int, int]]:
    """What the erasure posted: (code, target), in its order."""
    query = "select code, target from transfer where source = %s order by id"
    return owner_rows(town.db, query, who.who.owner)


def test_nothing_is_left_and_everything_verifies(town: Town, db: Database, keys: Keys) -> None:
    a, b = town.join(1), town.join(2)
    give_points(town, a)
    town.close()
    before = dump(db.url)
    assert found_in(before, [keys.subject_hash("metro", a.card)]) == {
        ("instrument", keys.subject_hash("metro", a.card).hex())
    }
    assert len(found_in(before, a.hashes(keys, town.metro))) == 3
    old = receipt(town.notary, db, a.who.owner)
    ((akey,),) = owner_rows(db, "select akey from account where id = %s", a.who.owner)

    town.erase(a)

    told = dump(db.url)
    assert found_in(told, [*a.words(), *a.hashes(keys, town.metro)]) == set()
    assert found_in(told, b.hashes(keys, town.metro)), "the scan finds nobody at all"
    assert found_in(told, [akey]) == {("account_leaf", akey.hex()), ("account_anchor", akey.hex())}
    assert "Shenzhen" in told["activity"], "the other one's places are still there"
    assert_clean(db.url, keys, ORIGIN, town.chain)
    assert verify(town.notary, receipt(town.notary, db, b.who.owner)).startswith("true")
    assert verify(town.notary, old).startswith("true"), "what they hold themselves stays true"
    with pytest.raises(NotAnchored):
        receipt(town.notary, db, a.who.owner)


def test_life_goes_on_after_it(town: Town, db: Database, keys: Keys) -> None:
    a, b = town.join(1), town.join(2)
    town.erase(a)
    assert town.ride(a) == {"refused": 2}
    assert town.ride(b) == {"accepted": 2}
    town.close()
    assert_clean(db.url, keys, ORIGIN, town.chain)
    assert verify(town.notary, receipt(town.notary, db, b.who.owner)).startswith("true")


def test_the_same_phone_and_card_are_a_new_person(town: Town, db: Database, keys: Keys) -> None:
    a = town.join(1)
    town.erase(a)
    again = town.join(1)
    assert again.who.owner != a.who.owner
    assert again.who.id != a.who.id
    town.close()
    assert_clean(db.url, keys, ORIGIN, town.chain)


def test_the_stages_come_in_their_order(town: Town) -> None:
    a = town.join(1)
    give_points(town, a)
    town.ask(a)
    open_ones = "select count(*) from consent where valid_to is null"
    assert one(town.db, open_ones) == (0,)
    assert one(town.db, "select count(*) from instrument where linked_to is null") == (0,)
    assert rows(town.db, "select closed_for from session") == [("revoked",)]
    assert rows(town.db, "select automatic_exchange from citizen_setting") == [(False,)]
    assert town.ride(a) == {"refused": 2}, "an act of yesterday, told after the request"
    assert moved(town, a) == []
    assert town.work() == 0
    assert stage_of(town, a) == "noted"
    assert moved(town, a) == [
        (Code.EXPIRE, SYSTEM_ACCOUNTS["expired"]),
        (Code.CANCEL, SYSTEM_ACCOUNTS["cancelled"]),
    ]
    assert owner_rows(town.db, "select code from log_note") == [(Code.ERASE,)]
    assert town.work() == 0, "the epoch is not closed"
    town.notary.close(at=now())
    assert town.work() == 0, "the epoch is not anchored"
    assert rows(town.db, "select count(*) from subject") == [(1,)]
    town.notary.publish()
    town.notary.submit(town.chain, at=now())
    assert town.work() == 1
    assert town.work() == 0
    assert stage_of(town, a) == "destroyed"


def test_it_waits_for_what_others_hold(town: Town) -> None:
    a = town.join(1)
    open_ones = {"orders", "vouchers"}
    seen: list[str] = []

    def release(_session: Session, _who: Citizen, _at: datetime) -> None:
        seen.append("release")

    def is_quiet(_session: Session, _who: Citizen, _at: datetime) -> bool:
        return not open_ones

    others = Others((release,), (is_quiet,))
    town.ask(a)
    town.work(others=others)
    assert (stage_of(town, a), seen) == ("forgiven", ["release"])
    open_ones.clear()
    town.work(others=others)
    assert stage_of(town, a) == "noted"


def test_what_is_held_is_not_expired(town: Town) -> None:
    a = town.join(1)
    give_points(town, a)
    asset, owner = asset_number(town.db, POINTS), a.who.owner
    post_all(town.db, [row(Code.HOLD, owner, owner + 1, asset, 3)])
    town.ask(a)
    town.work()
    assert stage_of(town, a) == "stopped"

    def release(session: Session, _who: Citizen, _at: datetime) -> None:
        post(driver(session), [row(Code.RELEASE, owner + 1, owner, asset, 3)])

    town.work(others=Others((release,)))
    assert stage_of(town, a) == "noted"


def test_what_arrives_meanwhile_goes_the_same_way(town: Town, db: Database) -> None:
    a = town.join(1)
    town.ask(a)
    town.work()
    late = accrual(a.who.owner, asset_number(db, BUS_B), 50)
    post_all(db, [late])
    town.close()
    assert town.work() == 0, "they hold something again"
    assert stage_of(town, a) == "noted"
    town.close()
    assert town.work() == 1
    assert one(db, "select count(*) from balance where account = %s", a.who.owner) == (0,)
    assert owner_rows(db, "select code from log_note") == [(Code.ERASE,)]


def _late_rows(town: Town, owner: int) -> list[Row]:
    points, bus = asset_number(town.db, POINTS), asset_number(town.db, BUS_B)
    return [
        row(Code.REFUND, SYSTEM_ACCOUNTS["redeemed"], owner, points, 2),
        row(Code.ACCRUE, SYSTEM_ACCOUNTS["issuance/reduction"], owner, bus, 30),
    ]


def test_later_credits_reach_nobody(town: Town, db: Database, keys: Keys) -> None:
    a, b = town.join(1), town.join(2)
    give_points(town, a, 5)
    points = asset_number(db, POINTS)
    post_all(db, [row(Code.REDEEM, a.who.owner, SYSTEM_ACCOUNTS["redeemed"], points, 2)])
    town.erase(a)
    post_all(db, _late_rows(town, a.who.owner))
    town.ride(b)
    query = "select code, target from transfer where code = %s order by target"
    assert owner_rows(db, query, Code.LAPSE) == [
        (Code.LAPSE, SYSTEM_ACCOUNTS["cancelled"]),
        (Code.LAPSE, SYSTEM_ACCOUNTS["expired"]),
    ]
    assert one(db, "select count(*) from balance where account = %s", a.who.owner) == (0,)
    town.close()
    report = assert_clean(db.url, keys, ORIGIN, town.chain)
    assert report.checked["entries"] > 0


def test_a_token_opens_the_receipt_and_nothing_else_does(
    town: Town, db: Database, keys: Keys
) -> None:
    a = town.join(1)
    town.ask(a)
    found = db.read(find_erasure, a.who.bucket, SECRET)
    assert found is not None
    assert (found.stage, found.receipt) == ("stopped", None)
    town.work()
    town.close()
    town.work()
    found = db.read(find_erasure, a.who.bucket, SECRET)
    assert found is not None
    assert found.receipt is not None
    public = Ed25519PublicKey.from_public_bytes(keys.receipt.public_key().public_bytes_raw())
    public.verify(found.receipt.signature, found.receipt.statement)
    told = json.loads(found.receipt.statement)
    ((leaf,),) = owner_rows(
        db, "select leaf from log_entry where log_index = %s", told["log_index"]
    )
    assert (told["leaf"], told["origin"]) == (leaf.hex(), ORIGIN)
    assert str(a.who.owner) not in found.receipt.statement.decode()
    assert db.read(find_erasure, a.who.bucket, bytes(32)) is None
    assert db.read(find_erasure, (a.who.bucket + 1) % 1024, SECRET) is None


def test_who_asked_begins_nothing_new(town: Town, db: Database) -> None:
    a = town.join(1)
    town.ask(a)
    with pytest.raises(ErasureUnderWay):
        town.ask(a)
    town.work()
    town.close()
    town.work()
    with pytest.raises(TokenInvalid):
        town.ask(a)
    with pytest.raises(CitizenUnknown):
        db.transact(give_consent, a.citizen, town.metro.id, "test-ride", at=now(), basis="self")


def test_somebody_without_any_entry_can_leave(town: Town, db: Database, keys: Keys) -> None:
    who = town.log_in("+8613900000000")
    town.ask(Leaver(who, "+8613900000000", "", "", ""))
    town.work()
    town.close()
    assert town.work() == 1
    assert_clean(db.url, keys, ORIGIN, town.chain)


def test_one_that_waits_holds_up_no_other(town: Town) -> None:
    a, b = town.join(1), town.join(2)
    stuck: Callable[[Session, Citizen, datetime], bool] = lambda _s, who, _at: who != a.citizen  # noqa: E731 -- one line
    for who in (a, b):
        town.ask(who)
    town.work(others=Others((), (stuck,)))
    town.close()
    assert town.work(others=Others((), (stuck,))) == 1
    assert (stage_of(town, a), stage_of(town, b)) == ("forgiven", "destroyed")


def test_the_day_of_an_erasure_is_its_own(town: Town) -> None:
    a = town.join(1)
    town.ask(a, when=now() - timedelta(days=1))
    town.work()
    query = "select distinct occurred_on from transfer where source = %s"
    assert owner_rows(town.db, query, a.who.owner) == [(day_of(now()),)]


def test_a_correction_of_an_erased_persons_act_takes_from_where_it_went(
    town: Town, db: Database, keys: Keys
) -> None:
    a = town.join(1)
    programme(db, keys, 1_000_000)
    swap(db, a.who.owner)
    assert one(db, "select sum(points)::int8 from exchange") > (0,)
    town.ride(a)
    town.erase(a)
    acts = rows(db, "select recorded_on, id from activity where account = %s", a.who.owner)
    said = [
        Correction(a.who.bucket, a.who.owner, recorded_on, act, raw_mg, FACTOR)
        for (recorded_on, act), raw_mg in zip(acts, (1, 400_000, 0, 2_000_000), strict=True)
    ]

    def command(session: Session) -> list[int]:
        facts = {"cause": new_id(), "at": now(), "window_days": 400, "new_id": new_id}
        return [each.change_mg for each in correct(driver(session), said, **facts)]  # type: ignore[arg-type] -- as named

    assert db.transact(command) == [-999_999, -600_000, -1_000_000, 0]
    assert rows(db, "select id from points_debt") == []
    assert one(db, "select count(*) from balance where account = %s", a.who.owner) == (0,)
    town.close()
    assert_clean(db.url, keys, ORIGIN, town.chain)


def test_what_an_act_said_is_gone(town: Town, db: Database) -> None:
    a = town.join(1)
    town.erase(a)
    left = rows(db, "select inputs, place, source_occurred_at from activity")
    assert set(left) == {(None, None, None)}


def test_what_the_desk_wrote_of_an_appeal_is_gone(town: Town, db: Database) -> None:
    a = town.join(1)
    appeals = {a.phone: new_id(), a.name: new_id()}
    acts = rows(db, "select id from activity order by id")
    operator = known(db, Role.OPERATOR)

    def command(session: Session) -> None:
        for (words, appeal), (act,) in zip(appeals.items(), acts, strict=True):
            place = (a.who.bucket, a.who.owner, act)
            raise_appeal(session, *place, "too_low", words, id_=appeal, at=now())
        decide_appeal(session, operator.name, appeals[a.phone], a.phone, a.phone, at=now())
        object_, payload = public_id("apl", appeals[a.name]), {"answer": a.name, "order": a.name}
        asking = Asking(operator, a.name, new_id(), now())
        ask(session, asking, "appeal.uphold", object_, payload, scope=Scope.APPEALS_DECIDE)

    db.transact(command)
    town.erase(a)
    assert found_in(dump(db.url), a.words()) == set()
    assert rows(db, "select is_signed, payload::text from approval") == [(False, "{}")]
