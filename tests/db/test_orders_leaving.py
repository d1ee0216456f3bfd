"""Orders of somebody who leaves (R20): released first, in their time; then nothing comes back."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from app.kernel.db import Database
from app.kernel.problems import Refusal
from app.kernel.secrets import Keys
from app.privacy.erasing import erase
from tests.support.acts import one, rows
from tests.support.anchoring import ORIGIN
from tests.support.auditing import assert_clean
from tests.support.leaving import Leaver, Town
from tests.support.orders import DAY, HOUR, SECOND, Street, go_offline


@pytest.fixture
def town(db: Database, worker_db: Database, keys: Keys, tmp_path: Path) -> Town:
    return Town(db, worker_db, keys, tmp_path)


def work(town: Town, at: datetime) -> str:
    """Take every erasure as far as it goes at an instant; gives how far that was."""
    erase(town.worker_db, town.keys, ORIGIN, at=at)
    return one(town.db, "select stage from erasure")[0]


def customer(town: Town, street: Street) -> tuple[Leaver, int]:
    """Somebody of this town, with points."""
    who = town.join(1)
    street.give(who.who.owner, 500, (street.at + 400 * DAY).date())
    return who, who.who.owner


def test_reservations_go_back_and_a_late_reversal_finds_its_owner(town: Town) -> None:
    street = Street(town.db, town.keys)
    who, ann = customer(town, street)
    offer = street.offer()
    reserved, offline, done, back = (street.order(ann, offer) for _ in range(4))
    go_offline(street, ann, offline)
    street.redeem(done)
    street.redeem(back)
    town.ask(who)
    with pytest.raises(Refusal, match=r"order\.leaving"):
        street.order(ann, offer)

    assert work(town, street.at) == "stopped", "a till without a network may have taken one"
    assert (street.state(reserved), street.state(offline)) == ("cancelled", "reserved")
    until = one(town.db, "select max(offline_until) from mall_order")[0] + DAY
    assert work(town, until - SECOND) == "stopped"
    assert street.reverse(back).outcome == "reversed"
    assert work(town, until) == "noted"
    assert rows(town.db, "select distinct state from mall_order order by 1") == [
        ("cancelled",),
        ("redeemed",),
        ("reversed",),
    ]
    town.close()
    assert work(town, until) == "destroyed"
    assert one(town.db, "select count(*) from voucher_place where account = %s", ann) == (0,)
    assert one(town.db, "select count(*) from redemption where account = %s", ann) == (2,)
    with pytest.raises(Refusal, match=r"voucher\.unknown"):
        street.redeem(done)
    assert_clean(town.db.url, town.keys, ORIGIN, town.chain)


def test_nothing_is_noted_while_a_redemption_can_be_reversed(town: Town) -> None:
    street = Street(town.db, town.keys)
    who, ann = customer(town, street)
    order = street.order(ann, street.offer())
    street.redeem(order)
    town.ask(who)
    assert work(town, street.at + timedelta(minutes=59)) == "forgiven"
    assert street.reverse(order).outcome == "reversed"
    assert work(town, street.at + 2 * HOUR) == "noted", "what came back has gone the same way"
    assert one(town.db, "select sum(amount)::int from transfer where code = 11") == (500,)
    town.close()
    assert work(town, street.at + 2 * HOUR) == "destroyed"
