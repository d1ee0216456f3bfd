"""Offers over HTTP (商品接口): from a draft to the catalogue, and off the shelf again."""

from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.city import City
from app.kernel.clock import now
from app.kernel.db import driver
from app.kernel.ids import public_id
from app.merchants import MerchantKind
from app.merchants.registry import resume_merchant, suspend_merchant
from tests.support.acts import rows
from tests.support.offers import DAY, OFFERS, Counter, Market, wish

CATALOGUE = "/v1/offers"


@pytest.fixture
def market(app: FastAPI, client: TestClient, city: City) -> Market:
    return Market(app, client, city)


@pytest.fixture
def shop(market: Market) -> Counter:
    return market.counter()


def shown(client: TestClient, **query: Any) -> list[str]:  # noqa: ANN401 -- a query's values
    answer = client.get(CATALOGUE, params=query)
    assert answer.status_code == 200, answer.text
    return [each["id"] for each in answer.json()["data"]]


def test_from_a_draft_to_the_catalogue_and_off_the_shelf(
    market: Market, shop: Counter, client: TestClient
) -> None:
    draft = shop.added(per_person=2, price_fen=500, text_zh="热")
    assert (draft["state"], draft["version"], draft["taken"]) == ("draft", 1, 0)
    assert shown(client) == []
    early = market.decide(draft)
    assert (early.status_code, early.json()["code"]) == (409, "offers.stuck")
    sent = shop.ask("POST", f"{OFFERS}/{draft['id']}/submission").json()
    waiting = market.clerk.get("/v1/admin/offers?state=submitted").json()["data"]
    assert waiting == [sent]
    published = market.decide(sent).json()
    assert published["state"] == "published"
    assert market.clerk.get(f"/v1/admin/offers/{draft['id']}").json() == published

    assert shown(client) == [draft["id"]]
    told = client.get(f"{CATALOGUE}/{draft['id']}").json()
    assert told["merchant"] == {
        "id": public_id("mer", shop.merchant),
        "name_zh": "商户1",
        "name_en": "Merchant 1",
    }
    assert (told["version"], told["left"], told["sold_out"]) == (1, 10, False)
    assert {name: told[name] for name in ("price_points", "price_fen", "per_person", "text_zh")} == {
        "price_points": 30,
        "price_fen": 500,
        "per_person": 2,
        "text_zh": "热",
    }

    gone = shop.ask("POST", f"{OFFERS}/{draft['id']}/withdrawal")
    assert gone.json()["state"] == "withdrawn"
    assert shown(client) == []
    missing = client.get(f"{CATALOGUE}/{draft['id']}")
    assert (missing.status_code, missing.json()["code"]) == (404, "order.offer_unknown")
    acts = rows(market.city.db, "select act, actor from audit_entry order by number")
    owner = shop.shop.principal().name
    assert acts == [
        ("offers.add", owner),
        ("offers.submit", owner),
        ("offers.approve", market.clerk.who.name),
        ("offers.withdraw", owner),
    ]
