"""The demo's market (演示商城): on sale once, however often the demo is loaded."""

from app.demo.market import MERCHANTS, open_shop
from app.firms import is_registration
from app.kernel.clock import now
from app.kernel.db import Database
from app.kernel.ids import new_id
from app.kernel.secrets import Keys
from app.mall.catalogue import Wanted, on_sale


def test_the_demos_offers_are_on_sale_once_and_say_what_they_are(db: Database, keys: Keys) -> None:
    at = now()
    for _ in range(2):
        for each in MERCHANTS:
            ids = [new_id() for _ in (each, *each.offers)]
            db.transact(open_shop, keys, each, ids, at=at)
    found = db.read(on_sale, Wanted(), after=None, limit=100, at=at)
    assert len(found) == sum(len(each.offers) for each in MERCHANTS)
    assert all("演示" in each.content.title_zh and "演示" in each.merchant_zh for each in found)
    assert all(is_registration(each.registration) for each in MERCHANTS)
