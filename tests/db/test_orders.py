"""Orders and vouchers over their whole life: every state by every command, and what comes back."""

import pytest

from app.kernel.db import Database
from app.kernel.secrets import Keys
from tests.support.orders import Street


@pytest.fixture
def street(db: Database, keys: Keys) -> Street:
    return Street(db, keys)


def test_the_whole_way(street: Street) -> None:
    offer = street.offer(price_points=70)
    (ann,) = street.people(1, y2028=50, y2027=60)
    order = street.order(ann, offer)
    assert [(each.expires.year, each.points) for each in order.parts] == [(2027, 60), (2028, 10)]
    assert (street.own(ann), street.held(ann)) == ({2028: 40}, {2027: 60, 2028: 10})
    first = street.redeem(order)
    assert (first.outcome, first.points, first.claim_fen) == ("redeemed", 70, 70)
    again = street.redeem(order)
    assert again == first._replace(outcome="before")
    assert street.held(ann) == {}
    made = street.reverse(order)
    assert (made.outcome, made.points) == ("reversed", 70)
    assert street.reverse(order) == made._replace(outcome="before")
    assert street.own(ann) == {2027: 60, 2028: 50}
    assert street.taken(offer, ann) == (0, 0, 0)
