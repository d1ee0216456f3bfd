"""A thief in the mall (攻击者): what each tried on orders, tills and their rows, and is refused."""

import pytest

from app.kernel.db import Database
from app.kernel.ids import new_id
from app.kernel.secrets import Keys
from app.mall.reversing import Reverser, reverse
from tests.support.orders import Street


@pytest.fixture
def street(db: Database, keys: Keys) -> Street:
    return Street(db, keys)


def test_a_request_sent_again_is_not_the_second_person(street: Street, db: Database) -> None:
    """A till asks till it is answered; whoever took the shift meanwhile has said nothing."""
    (ann,) = street.people(1, y2027=500)
    order = street.order(ann, street.offer())
    street.redeem(order)
    other = street.open_till(street.shop, new_id())
    asked = Reverser(other, None, "other", "sent-again", bytes(32))

    def say(by: Reverser) -> str:
        facts = (order.row.voucher,)
        return reverse(db, by, *facts, reversal=new_id(), moved=new_id(), at=street.at).outcome

    assert [say(asked), say(asked)] == ["asked", "asked"]
    street.run("update till set keeper = %s where id = %s", new_id(), other)
    assert say(asked) == "asked"
    assert street.state(order) == "redeemed"
    assert say(asked._replace(key="their-own")) == "reversed"
    assert say(asked) == "before"
