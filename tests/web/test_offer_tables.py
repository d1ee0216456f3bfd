"""Tables of offers over HTTP (商品批量接口): tried first, then all rows or none."""

import pytest
from httpx2 import Response

from app.kernel.sheets import TABLE_MAX
from tests.support.acts import rows
from tests.support.offers import OFFERS, Console, Market
from tests.unit.mall.test_imports import row, table

IMPORT = f"{OFFERS}/import"


@pytest.fixture
def shop(market: Market) -> Console:
    return market.console()


def sent(shop: Console, data: bytes, *, dry: bool = False, key: str | None = None) -> Response:
    path = f"{IMPORT}?dry_run={str(dry).lower()}"
    return shop.ask("POST", path, data, key, **{"Content-Type": "text/csv"})


def test_a_dry_run_tells_of_each_row_and_writes_nothing(market: Market, shop: Console) -> None:
    told = sent(shop, table(row(), row(price_points="x")), dry=True)
    assert (told.status_code, told.headers["cache-control"]) == (200, "no-store")
    report = told.json()
    assert (report["dry_run"], report["added"], report["refused"]) == (True, 0, 1)
    assert [each["outcome"] for each in report["rows"]] == ["valid", "refused"]
    assert report["rows"][1]["errors"][0]["pointer"] == "/2/price_points"
    assert rows(market.city.db, "select from offer") == []
    assert rows(market.city.db, "select from audit_entry") == []


def test_one_row_at_fault_adds_none(market: Market, shop: Console) -> None:
    refused = sent(shop, table(row(), row(price_points="x"), row(kind="donation")))
    told = refused.json()
    assert (refused.status_code, told["code"]) == (422, "offers.table_refused")
    assert refused.headers["content-type"] == "application/problem+json"
    pointed = [(each["pointer"], each["code"]) for each in told["errors"]]
    assert pointed == [("/2/price_points", "request.int_type"), ("/3", "offers.donation_only")]
    assert rows(market.city.db, "select from offer") == []


def test_a_table_adds_a_draft_a_row_once(market: Market, shop: Console) -> None:
    data = table(*(row(title_en=f"Latte {number}") for number in range(3)))
    first, again = (sent(shop, data, key="once") for _ in range(2))
    assert first.status_code == 201, first.text
    assert first.content == again.content
    assert again.headers["idempotent-replayed"] == "true"
    assert sent(shop, data + b"\r\n", key="once").json()["code"] == "idempotency.key_reused"
    ids = [each["offer"] for each in first.json()["rows"]]
    listed = shop.ask("GET", OFFERS).json()["data"]
    assert sorted(ids) == sorted(each["id"] for each in listed)
    assert {each["state"] for each in listed} == {"draft"}
    assert shop.ask("GET", f"{OFFERS}/{ids[2]}").json()["title_en"] == "Latte 2"
    acts = rows(market.city.db, "select act, object, detail from audit_entry")
    assert acts == [("offers.import", shop.shop.merchant.public, {"offers": 3})]


def test_a_table_beyond_a_merchants_bound_adds_none(
    market: Market, shop: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.mall.offers.OFFERS_MAX", 2)
    refused = sent(shop, table(row(), row(), row()))
    assert (refused.status_code, refused.json()["code"]) == (409, "offers.too_many")
    assert rows(market.city.db, "select from offer") == []


def test_what_is_no_table_is_refused_and_too_long_a_one_not_read(shop: Console) -> None:
    for data in (b"", b"\xff\xfe", table()):
        refused = sent(shop, data)
        assert (refused.status_code, refused.json()["code"]) == (422, "offers.table_invalid")
    assert sent(shop, bytes(TABLE_MAX + 1)).status_code == 413
    unsaid = shop.ask("POST", IMPORT, table(row()))
    assert unsaid.json()["code"] == "request.malformed"
    unkeyed = shop.client.post(
        f"{IMPORT}?dry_run=false",
        content=table(row()),
        headers={"Authorization": shop.headers["Authorization"]},
    )
    assert unkeyed.json()["code"] == "idempotency.key_missing"


def test_an_export_is_imported_by_another_merchant(market: Market, shop: Console) -> None:
    market.published(shop, title_zh="=1+1", text_en='@home, "sweet"\nhome', per_day=3)
    exported = shop.ask("GET", f"{OFFERS}.csv")
    assert exported.headers["content-type"] == "text/csv; charset=utf-8"
    assert exported.headers["content-disposition"] == 'attachment; filename="offers.csv"'
    assert exported.headers["cache-control"] == "no-store"
    assert "'=1+1" in exported.text
    other = market.console(2)
    assert sent(other, exported.content).status_code == 201
    mine, theirs = (each.ask("GET", OFFERS).json()["data"][0] for each in (shop, other))
    of_each = {"id", "merchant", "state", "created_at", "published_at"}
    told = [{name: each[name] for name in each.keys() - of_each} for each in (mine, theirs)]
    assert told[0] == told[1]
    assert (theirs["state"], theirs["title_zh"]) == ("draft", "=1+1")
