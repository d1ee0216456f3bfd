"""Orders and vouchers over HTTP, from the phone and at the till (订单、券与核销接口)."""

import json
from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from httpx2 import Response
from starlette.testclient import TestClient

from app.citizens import Citizen
from app.city import City
from app.kernel.clock import now
from app.kernel.ids import new_id, parse_public_id, public_id
from ledger.accounts import bucket_of
from tests.support.acts import one
from tests.support.mall import Shop, TestTill, merchant, till
from tests.support.orders import Street
from tests.web.neighbours import Neighbour, neighbour

MINUTE = timedelta(minutes=1)


class Counter:
    """A shop's counter: tills that sign, and a street of customers."""

    def __init__(self, app: FastAPI, client: TestClient, city: City) -> None:
        self.app, self.client, self.city = app, client, city
        self.shop: Shop = merchant(city.db, city.keys, 1, offline_cap_points=100)
        self.till: TestTill = till(city.db, self.shop)
        self.street = Street(city.db, city.keys)
        self.street.shop = self.shop.merchant.id

    def person(self, **classes: int) -> Neighbour:
        (owner,) = self.street.people(1, **classes)
        return neighbour(self.app, self.client, Citizen(bucket_of(owner), owner))

    def post(
        self, path: str, body: object = None, *, at: TestTill | None = None, key: str | None = None
    ) -> Response:
        """Send a request as a till signs it."""
        content = b"" if body is None else json.dumps(body).encode()
        headers = (at or self.till).sign("POST", path, body=content, key=key)
        return self.client.post(path, content=content, headers=headers)

    def get(self, path: str, *, at: TestTill | None = None) -> Response:
        return self.client.get(path, headers=(at or self.till).sign("GET", path))


@pytest.fixture
def counter(app: FastAPI, client: TestClient, city: City) -> Counter:
    return Counter(app, client, city)


def wanted(counter: Counter, offer: Any, **changes: object) -> dict[str, object]:  # noqa: ANN401 -- an id
    found = one(counter.city.db, "select version, price_points from offer where id = %s", offer)
    said = {"offer": public_id("off", offer), "version": found[0], "price_points": found[1]}
    return said | changes


def test_from_a_quote_to_a_reversal(counter: Counter) -> None:
    offer = counter.street.offer(price_points=70)
    ann = counter.person(y2028=50, y2027=60)
    quote = ann.get("/v1/orders/quote", offer=public_id("off", offer))
    assert (quote["points"], quote["available_after_points"], quote["missing_points"]) == (70, 40, 0)
    assert [each["points"] for each in quote["parts"]] == [60, 10]
    ordered = ann.ask("POST", "/v1/orders", wanted(counter, offer), key="once")
    assert ordered.status_code == 201, ordered.text
    assert ann.ask("POST", "/v1/orders", wanted(counter, offer), key="once").content == (
        ordered.content
    )
    order = ordered.json()
    assert order["parts"] == quote["parts"]
    assert ann.get("/v1/orders")["data"] == [order]
    assert ann.get(f"/v1/orders/{order['id']}") == order
    voucher = ann.get(f"/v1/vouchers/{order['voucher']}")

    first = counter.post("/v1/merchant/redemptions", {"code": voucher["qr"]})
    assert first.status_code == 201, first.text
    body = first.json()
    assert (body["points"], body["claim_fen"], body["message"]) == (70, 70, "Redeemed")
    again = counter.post("/v1/merchant/redemptions", {"code": voucher["qr"]})
    assert (again.status_code, again.headers["idempotent-replayed"]) == (200, "true")
    assert again.json()["message"].startswith("Already redeemed here at 20")
    assert again.json() | {"message": ""} == body | {"message": ""}
    assert counter.get(f"/v1/merchant/redemptions/{body['id']}").json()["state"] == "redeemed"
    assert ann.get(f"/v1/orders/{order['id']}")["state"] == "redeemed"
    assert ann.ask("GET", f"/v1/vouchers/{order['voucher']}").json()["code"] == "order.ended"

    back = counter.post(f"/v1/merchant/redemptions/{body['id']}/reverse")
    assert (back.status_code, back.json()["state"]) == (201, "reversed"), back.text
    assert counter.get(f"/v1/merchant/redemptions/{body['id']}").json()["state"] == "reversed"
    assert ann.get("/v1/orders/quote", offer=public_id("off", offer))["available_points"] == 110
